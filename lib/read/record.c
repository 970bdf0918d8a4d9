/* record: frames records in a sliding window, then cuts them into fields.
 *
 * Framing comes first, so that a stray quote cannot swallow the rest of a file: the end of a record is looked
 * for within 64 KiB. A record without a quote (nearly all of them) is cut at its separators where it lies;
 * one with quotes goes through libcsv. The framer accepts only what libcsv reads the same way: a quote opens
 * a field at its first character, a doubled quote is a quote, and after a closing quote comes a separator or
 * the end.
 */
#include "trivet/read/record.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "trivet/base/buffer.h"

enum { WINDOW = 1024 * 1024 };

/* One reader: the window moves over the stream, and the fields of a record point into it (or into fields_text). So a
 * record is valid until the next one is asked for. */
struct tv_records {
    struct tv_byte_source *source;
    struct tv_dialect dialect;
    size_t separator_size;
    char *window; /* WINDOW bytes; start..end are unread */
    size_t start, end;
    int ended, bom;
    long long line, crlf;
    struct csv_parser csv;
    int csv_ready;
    char *fields_text; /* TV_RECORD_MAX_BYTES: fields as libcsv hands them over */
    size_t fields_size;
    struct tv_record record;
};

/* libcsv asks it which characters are blanks and which end a record: none. */
static int never(unsigned char c)
{
    (void)c;
    return 0;
}

/* Two blocks of memory for a reader's whole life: the window, and room for the fields of one record with quotes. */
enum tv_status tv_records_open(struct tv_records **out, struct tv_byte_source *source, const struct tv_dialect *dialect,
                               struct tv_error *err)
{
    struct tv_records *r = tv_alloc(1, sizeof *r, "a record reader", err);
    if (r == NULL) {
        tv_byte_source_close(source);
        return TV_ERR_NO_MEMORY;
    }
    r->source = source;
    r->dialect = *dialect;
    r->separator_size = strlen(dialect->separator);
    r->line = 1;
    r->window = malloc(WINDOW);
    r->fields_text = malloc(TV_RECORD_MAX_BYTES);
    r->csv_ready = csv_init(&r->csv, 0) == 0;
    if (r->window == NULL || r->fields_text == NULL || !r->csv_ready) {
        tv_records_close(r);
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a record reader");
    }
    csv_set_delim(&r->csv, (unsigned char)dialect->separator[0]);
    csv_set_space_func(&r->csv, never); /* blanks belong to the field */
    csv_set_term_func(&r->csv, never);  /* it sees one framed record at a time */
    *out = r;
    return TV_OK;
}

void tv_records_close(struct tv_records *r)
{
    if (r == NULL)
        return;
    tv_byte_source_close(r->source);
    if (r->csv_ready)
        csv_free(&r->csv);
    free(r->window);
    free(r->fields_text);
    free(r);
}

double tv_records_consumed(const struct tv_records *r)
{
    return r->source->consumed;
}

int tv_records_had_bom(const struct tv_records *r)
{
    return r->bom;
}

long long tv_records_crlf_lines(const struct tv_records *r)
{
    return r->crlf;
}

const char *tv_record_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "libcsv %d.%d.%d", CSV_MAJOR, CSV_MINOR, CSV_RELEASE);
    return text;
}

/* --- the window -------------------------------------------------------------------------------- */

/* Makes a whole record of the largest size visible, and its line end, unless the stream ends before. */
static enum tv_status fill(struct tv_records *r, struct tv_error *err)
{
    if (r->ended || r->end - r->start >= TV_RECORD_MAX_BYTES + 2)
        return TV_OK;
    memmove(r->window, r->window + r->start, r->end - r->start);
    r->end -= r->start;
    r->start = 0;
    while (!r->ended && r->end < WINDOW) {
        size_t got = 0;
        enum tv_status status = r->source->read(r->source, r->window + r->end, WINDOW - r->end, &got, err);
        if (status != TV_OK)
            return status;
        r->end += got;
        r->ended = got == 0;
    }
    return TV_OK;
}

/* "sep=;" and its line end, which Excel writes first for itself: it is no record. */
static void skip_separator_line(struct tv_records *r)
{
    const char *w = r->window + r->start;
    size_t n = r->end - r->start;
    if (n < 6 || strncasecmp(w, "sep=", 4) != 0)
        return;
    size_t end = w[5] == '\r' ? 6 : 5;
    if (end < n && w[end] == '\n') {
        r->start += end + 1;
        r->line++;
    }
}

/* By its mark, or where there is none by two characters of which one half is zero. */
static int is_utf16(const char *w, size_t n)
{
    return (n >= 2 && (memcmp(w, "\xff\xfe", 2) == 0 || memcmp(w, "\xfe\xff", 2) == 0)) ||
           (n >= 4 && ((!w[0] && w[1] && !w[2] && w[3]) || (w[0] && !w[1] && w[2] && !w[3])));
}

/* Whether most lines end with CR alone: a stray LF, as at the end of what an editor has saved since, makes no other file of it. A CR at the
 * very end divides nothing, and several may stand before one LF. */
static int is_cr_alone(const char *w, size_t n)
{
    long long alone = 0, lines = 0;
    for (const char *p = w, *end = w + n, *cr; (cr = memchr(p, '\r', (size_t)(end - p))) != NULL; p = cr + 1)
        alone += cr + 1 < end && cr[1] != '\n' && cr[1] != '\r';
    for (const char *p = w, *end = w + n, *lf; alone > lines && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1)
        lines++;
    return alone > lines;
}

/* Spreadsheets write a byte order mark. Read as bytes, every line of UTF-16 would be refused for another reason, and a file
 * of lines that end with CR alone would be a header and nothing else. */
static enum tv_status skip_byte_order_mark(struct tv_records *r, struct tv_error *err)
{
    const char *w = r->window;
    if (is_utf16(w, r->end)) {
        tv_fail(err, TV_ERR_INPUT, "the file is UTF-16");
        return tv_hint(err, "convert it first: iconv -f UTF-16 -t UTF-8");
    }
    if (is_cr_alone(w, r->end)) {
        tv_fail(err, TV_ERR_INPUT, "its lines end with CR alone, as old Macs had it");
        return tv_hint(err, "convert it first: tr '\\r' '\\n'");
    }
    if (r->end >= 3 && memcmp(w, "\xef\xbb\xbf", 3) == 0) {
        r->bom = 1;
        r->start = 3;
    }
    skip_separator_line(r);
    return TV_OK;
}

/* Moves over the rest of a line, however long it is, and its line end. */
static enum tv_status skip_line(struct tv_records *r, struct tv_error *err)
{
    for (;;) {
        enum tv_status status = fill(r, err);
        if (status != TV_OK || r->start == r->end)
            return status;
        char *lf = memchr(r->window + r->start, '\n', r->end - r->start);
        if (lf) {
            r->start = (size_t)(lf - r->window) + 1;
            r->line++;
            return TV_OK;
        }
        r->start = r->end;
    }
}

/* --- fields ------------------------------------------------------------------------------------ */

/* Too many fields refuse the record; the rest of them is cut all the same and dropped. */
static void add_field(struct tv_record *record, const char *text, size_t n)
{
    if (record->n == TV_RECORD_MAX_FIELDS) {
        record->reason = TV_RECORD_TOO_WIDE;
        return;
    }
    record->fields[record->n++] = (struct tv_field){text, n};
}

/* Fields are slices of the window; nothing is copied. */
static void cut_plain(struct tv_records *r)
{
    struct tv_record *record = &r->record;
    const char *p = record->raw, *end = p + record->raw_size;
    for (;;) {
        const char *stop = r->separator_size == 1
                               ? memchr(p, r->dialect.separator[0], (size_t)(end - p))
                               : memmem(p, (size_t)(end - p), r->dialect.separator, r->separator_size);
        add_field(record, p, (size_t)((stop ? stop : end) - p));
        if (stop == NULL)
            return;
        p = stop + r->separator_size;
    }
}

/* libcsv's buffer is used again for the next field, hence the copy. */
static void on_csv_field(void *text, size_t n, void *context)
{
    struct tv_records *r = context;
    char *copy = r->fields_text + r->fields_size;
    if (n > 0)
        memcpy(copy, text, n); /* fits: fields are never longer than the record they come from */
    r->fields_size += n;
    add_field(&r->record, copy, n);
}

/* libcsv takes doubled quotes apart, so fields are copied. The framer has checked the record, and memory is all that
 * can fail. */
static enum tv_status cut_quoted(struct tv_records *r, struct tv_error *err)
{
    r->fields_size = 0;
    if (csv_parse(&r->csv, r->record.raw, r->record.raw_size, on_csv_field, NULL, r) != r->record.raw_size ||
        csv_fini(&r->csv, on_csv_field, NULL, r) != 0)
        return tv_fail(err, TV_ERR_NO_MEMORY, "libcsv: %s", csv_strerror(csv_error(&r->csv)));
    return TV_OK;
}

/* --- framing ----------------------------------------------------------------------------------- */

/* Where a record that begins at `text` ends: the index of its LF, or n at the end of the stream. Returns -1
 * and a reason where it has no proper end within n bytes. */
static long frame_quoted(const char *text, size_t n, int at_end, char separator, long long *lines,
                         const char **reason)
{
    enum { FIELD_START, PLAIN, QUOTED, AFTER_QUOTE } state = FIELD_START;
    *lines = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (state == QUOTED) {
            if (c == '"')
                state = AFTER_QUOTE;
            else if (c == '\n')
                ++*lines;
        } else if (c == '\n') {
            return (long)i;
        } else if (c == separator) {
            state = FIELD_START;
        } else if (c == '"' && state != PLAIN) {
            state = QUOTED;
        } else if (state == AFTER_QUOTE && !(c == '\r' && (i + 1 == n || text[i + 1] == '\n'))) {
            *reason = "misplaced quote";
            return -1;
        } else if (state == FIELD_START) {
            state = PLAIN;
        }
    }
    if (at_end && state != QUOTED)
        return (long)n;
    *reason =
        at_end && n < TV_RECORD_MAX_BYTES ? "quote that never closes" : "quoted record longer than 64 KiB";
    return -1;
}

/* The record is text[0..size), which was framed; sets raw without CR, and moves the window over it. */
static void take(struct tv_records *r, size_t size, long long lines)
{
    const char *text = r->window + r->start;
    int has_lf = r->start + size < r->end;
    r->record.raw = text;
    r->record.raw_size = size;
    r->crlf += size > 0 && text[size - 1] == '\r';
    while (r->record.raw_size > 0 && text[r->record.raw_size - 1] == '\r') /* some programs write two */
        r->record.raw_size--;
    r->start += size + (size_t)has_lf;
    r->line += lines + has_lf;
}

/* Refuses the line at the window's start; its shown part ends at its line end or after 64 KiB. */
static enum tv_status refuse_line(struct tv_records *r, const char *reason, struct tv_error *err)
{
    size_t n = r->end - r->start;
    if (n > TV_RECORD_MAX_BYTES)
        n = TV_RECORD_MAX_BYTES;
    const char *text = r->window + r->start, *lf = memchr(text, '\n', n);
    r->record.reason = reason;
    if (lf) {
        take(r, (size_t)(lf - text), 0);
        return TV_OK;
    }
    /* The window may move while the rest of the line is skipped; its beginning is kept aside. */
    memcpy(r->fields_text, text, n);
    r->record.raw = r->fields_text;
    r->record.raw_size = n;
    return skip_line(r, err);
}

/* Doubles the quotes that a backslash stands before, as MySQL writes them, in the first line of a record that is none
 * otherwise. The bytes stay as many. 0 if there are none. */
static int double_escaped_quotes(char *text, size_t n)
{
    int any = 0, quoted = 0;
    for (size_t i = 0; i < n && text[i] != '\n'; i++) {
        if (quoted && text[i] == '\\' && i + 1 < n && text[i + 1] != '\n') {
            any |= text[i + 1] == '"';
            if (text[i + 1] == '"')
                text[i] = '"';
            i++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        }
    }
    return any;
}

/* The whole record, of as many lines as it has; line numbers count them all. */
static enum tv_status next_quoted(struct tv_records *r, size_t n, struct tv_error *err)
{
    const char *reason = NULL;
    char separator = r->dialect.separator[0], *text = r->window + r->start;
    long long lines;
    int at_end = r->ended && n == r->end - r->start;
    long size = frame_quoted(text, n, at_end, separator, &lines, &reason);
    if (size < 0 && double_escaped_quotes(text, n))
        size = frame_quoted(text, n, at_end, separator, &lines, &reason);
    if (size < 0)
        return refuse_line(r, reason, err);
    take(r, (size_t)size, lines);
    return cut_quoted(r, err);
}

/* One line or record from a filled window. A quote anywhere in the line sends it the slow way, since only there can a
 * line break belong to a field. */
static enum tv_status next_framed(struct tv_records *r, struct tv_error *err)
{
    size_t left = r->end - r->start, n = left > TV_RECORD_MAX_BYTES ? TV_RECORD_MAX_BYTES : left;
    const char *text = r->window + r->start, *lf = memchr(text, '\n', n);
    size_t line_size = lf ? (size_t)(lf - text) : n;
    if (r->dialect.quotes && memchr(text, '"', line_size))
        return next_quoted(r, n, err);
    if (lf == NULL && !(r->ended && n == left))
        return refuse_line(r, "line longer than 64 KiB", err);
    take(r, line_size, 0);
    if (r->record.raw_size > 0)
        cut_plain(r);
    return TV_OK;
}

/* Empty lines are passed over here. The byte order mark is looked for in the first window alone. */
enum tv_status tv_records_next(struct tv_records *r, struct tv_record **record, struct tv_error *err)
{
    int first = r->source->consumed == 0;
    do {
        enum tv_status status = fill(r, err);
        if (status == TV_OK && first)
            status = skip_byte_order_mark(r, err);
        first = 0;
        *record = NULL;
        if (status != TV_OK || r->start == r->end)
            return status;
        r->record.line = r->line;
        r->record.reason = NULL;
        r->record.n = 0;
        status = next_framed(r, err);
        if (status != TV_OK)
            return status;
    } while (r->record.n == 0 && r->record.reason == NULL); /* an empty line */
    if (r->record.reason)
        r->record.n = 0;
    *record = &r->record;
    return TV_OK;
}
