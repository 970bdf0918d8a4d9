/* inspect: what a load would read (format, columns, encoding, five rows), without a database and without writing
 * anything. It reads each file whole, as a load does, because damage may stand anywhere in it.
 */
#include <stdio.h>
#include <string.h>

#include "etl/commands.h"
#include "etl/detect/detect.h"
#include "etl/fetch/download.h"
#include "etl/formats/encoding.h"
#include "trivet/base/text.h"

enum { SHOWN_ROWS = 5 };

/* The findings of one pass over a file: counts, and how its lines end. */
struct look {
    long long records, refused, not_ascii, not_utf8;
    int bom, crlf;
};

/* One record on one line, whatever its bytes are: fields that are no UTF-8 are shown as ISO-8859-1, and control
 * characters as \xNN, so that no file can send commands to a terminal. */
static void print_record(const struct tv_record *record, const char *indent)
{
    struct tv_buffer line = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = TV_OK;
    for (int i = 0; i < record->n && status == TV_OK; i++) {
        status = i ? tv_buffer_text(&line, " | ", NULL) : TV_OK;
        if (status == TV_OK && !tv_text_is_utf8(record->fields[i].text, record->fields[i].n)) {
            struct tv_buffer utf8 = TV_BUFFER_INIT(2 * TV_RECORD_MAX_BYTES + 16);
            status = tv_encoding_from_latin1(&utf8, record->fields[i].text, record->fields[i].n, NULL);
            if (status == TV_OK)
                status = tv_encoding_printable(&line, tv_buffer_string(&utf8), utf8.size, 100, NULL);
            tv_buffer_free(&utf8);
        } else if (status == TV_OK) {
            status = tv_encoding_printable(&line, record->fields[i].text, record->fields[i].n, 100, NULL);
        }
    }
    printf("%s%s%s\n", indent, tv_buffer_string(&line), status == TV_OK ? "" : " ...");
    tv_buffer_free(&line);
}

/* One pass without a branch: most records are nothing but ASCII, and need no further look. */
static int is_ascii(const char *text, size_t n)
{
    unsigned char all = 0;
    for (size_t i = 0; i < n; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

/* Counts a record; whether it is UTF-8 is asked of the whole line, not of each field. */
static void count(struct look *look, const struct tv_record *record)
{
    if (record->reason) {
        look->refused++;
        return;
    }
    look->records++;
    if (!is_ascii(record->raw, record->raw_size)) {
        look->not_ascii++;
        look->not_utf8 += !tv_text_is_utf8(record->raw, record->raw_size);
    }
}

/* Reads one file of the set to its end, and prints its header and first rows on the way. Line ends are called CRLF if
 * more than half of the lines end so. */
static enum tv_status look_through(const struct tv_set *set, const struct tv_found *chosen, struct look *look,
                                   struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    struct tv_records *records = NULL;
    struct tv_record *record = NULL;
    enum tv_status status = tv_byte_source_open(&source, set->input, chosen->file, err);
    if (status == TV_OK)
        status = tv_records_open(&records, source, &chosen->dialect, err);
    while (status == TV_OK && (status = tv_records_next(records, &record, err)) == TV_OK && record) {
        count(look, record);
        if (look->records == 1 && chosen->has_header && !record->reason)
            print_record(record, "  columns   ");
        else if (look->records <= SHOWN_ROWS + chosen->has_header && !record->reason)
            print_record(record, "            ");
    }
    if (status == TV_OK) {
        look->bom = tv_records_had_bom(records);
        look->crlf = 2 * tv_records_crlf_lines(records) > look->records;
    }
    tv_records_close(records);
    return status;
}

/* A tab would show as a gap, so it is named. */
static const char *separator_name(const char *separator)
{
    return *separator == '\t' ? "tab" : separator;
}

/* Shows what tv_detect_ids counted, so that its choice between numbers and codes can be judged. */
static void print_ids(const struct tv_set *set)
{
    static const char *const names[TV_CODE_KINDS] = {"users", "items"};
    char texts[32], rows[32];
    for (int kind = 0; kind < TV_CODE_KINDS; kind++)
        printf("  %s     %s: %s of the first %s ids are no integers\n", names[kind],
               set->codes[kind] ? "codes" : "numbers", tv_text_number(texts, set->n_texts[kind]),
               tv_text_number(rows, set->n_sampled));
    if (set->counts)
        printf("  values    counts of plays\n");
}

/* Shows one file of the set; nothing where the set has no file of that role. The marker of a generated set is named
 * only, as it holds no rows. */
static enum tv_status inspect_role(const struct tv_set *set, enum tv_role role, struct tv_error *err)
{
    const struct tv_found *chosen = &set->chosen[role];
    struct look look = {.records = 0};
    char size[32], rows[32];
    if (chosen->file == NULL)
        return TV_OK;
    printf("\n%s: %s, %s", chosen->file->name, tv_role_name(role), tv_text_bytes(size, chosen->file->size));
    if (role == TV_ROLE_MARKER) {
        printf("\n");
        return TV_OK;
    }
    printf(", fields separated by %s, %s header\n", separator_name(chosen->dialect.separator),
           chosen->has_header ? "a" : "no");
    enum tv_status status = look_through(set, chosen, &look, err);
    printf("  encoding  %s%s, lines end in %s\n",
           look.not_utf8    ? "ISO-8859-1"
           : look.not_ascii ? "UTF-8"
                            : "ASCII",
           look.bom ? " with byte order mark" : "", look.crlf ? "CRLF" : "LF");
    printf("  rows      %s", tv_text_number(rows, look.records - chosen->has_header));
    printf(look.refused ? ", %s lines that are no records\n" : "\n", tv_text_number(rows, look.refused));
    if (role == TV_ROLE_RATINGS)
        print_ids(set);
    return status;
}

enum tv_status tv_etl_inspect(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct tv_input *input = NULL;
    struct tv_set set = {.n_ignored = 0};
    char path[4096], shown[600];
    enum tv_status status = tv_fetch(s, arguments[0], path, sizeof path, err);
    tv_fetch_shown(arguments[0], shown, sizeof shown);
    if (status == TV_OK)
        status = tv_input_open(&input, path, err);
    if (status == TV_OK)
        status = tv_detect(&set, input, tv_settings_text(s, "format"), err);
    if (status == TV_OK)
        status = tv_detect_ids(&set, tv_settings_text(s, "ids"), err);
    if (status == TV_OK)
        printf("%s: format %s%s%s%s\n", shown, set.format, input->packing ? ", " : "", input->packing ? input->packing : "",
               set.generated ? ", a generated set" : "");
    for (int role = 0; role < TV_ROLE_COUNT && status == TV_OK; role++)
        status = inspect_role(&set, (enum tv_role)role, err);
    for (size_t i = 0; i < set.n_ignored && status == TV_OK; i++)
        printf("\n%s: not used\n", set.ignored[i]);
    tv_input_close(input);
    return status;
}
