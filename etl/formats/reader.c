/* reader: the loop that all format readers share: open, header, field count, rows, refusals, progress. A reader
 * itself only takes one record apart.
 */
#include "etl/formats/reader.h"

#include <ctype.h>
#include <string.h>

#include "etl/formats/encoding.h"
#include "trivet/base/code.h"
#include "trivet/base/shell.h"
#include "trivet/base/text.h"

/* The names of the header, to know it again. Their first letters tell nearly all records from it at once. */
struct header {
    int n;
    uint64_t names[TV_RECORD_MAX_FIELDS];
    unsigned char first[256];
};

static void keep_header(struct header *h, const struct tv_record *record)
{
    h->n = record->n;
    for (int i = 0; i < record->n; i++) {
        char letter;
        h->names[i] = tv_columns_name_hash(&record->fields[i], &letter);
        h->first[(unsigned char)letter] = 1;
    }
}

/* Reads the header, whose names say where the columns stand, and keeps it; on_header may look for other columns than tv_columns
 * knows. */
static enum tv_status read_header(const struct tv_file_reading *reading, struct tv_records *records,
                                  struct tv_columns *columns,
                                  void (*on_header)(void *context, const struct tv_record *header), void *context,
                                  struct header *kept, struct tv_error *err)
{
    struct tv_record *record;
    enum tv_status status = tv_records_next(records, &record, err);
    if (status != TV_OK || record == NULL || !reading->has_header)
        return status;
    if (reading->columns == NULL)
        tv_columns_from_header(columns, record);
    if (on_header)
        on_header(context, record);
    keep_header(kept, record);
    return TV_OK;
}

/* What begins with another letter than all names is none, as nearly all fields do. */
static int may_be_name(const struct header *h, const struct tv_field *f)
{
    char letter = 0;
    uint64_t name = f->n > 0 && isdigit((unsigned char)*f->text) && !h->first[(unsigned char)*f->text] ? 0 : tv_columns_name_hash(f, &letter);
    return name != 0 && h->first[(unsigned char)letter];
}

/* Whether the fields of the record are the header's names, each once; *same is 1 where they stand in its order. */
static int has_same_names(const struct header *h, const struct tv_record *record, int *same)
{
    unsigned char used[TV_RECORD_MAX_FIELDS] = {0};
    char letter;
    *same = 1;
    for (int i = 0; i < record->n; i++) {
        uint64_t name = tv_columns_name_hash(&record->fields[i], &letter);
        int at = h->names[i] == name && !used[i] ? i : 0;
        while (at < h->n && (used[at] || h->names[at] != name))
            at++;
        if (at == h->n)
            return 0;
        used[at] = 1;
        *same &= at == i;
    }
    return record->n > 1;
}

/* Files that were put together have their header in the middle, too, perhaps behind a byte order mark, in quotes, or in other letters. Where
 * ids are text it would be a user of that name; and where its columns stand in another order, all that follows would be read by the wrong
 * ones. */
static enum tv_status check_header(const struct tv_file_reading *reading, const struct header *header, const struct tv_record *record,
                                   int *again, struct tv_error *err)
{
    int same;
    *again = 0;
    if (record->reason || record->n != header->n || !may_be_name(header, &record->fields[0]) || !has_same_names(header, record, &same))
        return TV_OK;
    *again = same;
    if (same)
        return TV_OK;
    char file[600];
    tv_fail(err, TV_ERR_INPUT, "line %lld is a header again, with its columns in another order than the first line has", record->line);
    return tv_hint(err, "these are two tables in one file: cut it there (csplit %s %lld), and load the second with --append",
                   tv_shell_word(file, sizeof file, reading->file->name), record->line);
}

/* Refuses a record that is none, or has another number of fields than the file, and hands any other to the reader. */
static enum tv_status read_row(const struct tv_columns *columns, tv_row_fn row, void *context,
                               const struct tv_record *record, struct tv_error *err)
{
    if (record->reason)
        return tv_fail(err, TV_ERR_RECORD, "%s", record->reason);
    if (record->n != columns->n)
        return tv_fail(err, TV_ERR_RECORD, "wrong number of fields");
    return row(context, columns, record, err);
}

/* Every record after the header. Where the number of fields is not known, the first record with the least there
 * must be sets it. All others must have as many, because a field that has shifted would be a wrong rating and not a
 * refused one. */
static enum tv_status read_rows(const struct tv_file_reading *reading, struct tv_records *records, const struct header *header,
                                struct tv_columns *columns, tv_row_fn row, void *context, struct tv_error *err)
{
    enum { PROGRESS_EVERY = 4096 };
    struct tv_record *record;
    int again = 0;
    for (long long n = 1;; n++) {
        enum tv_status status = tv_records_next(records, &record, err);
        if (status != TV_OK || record == NULL)
            return status;
        if (columns->n == 0 && record->reason == NULL && record->n >= columns->least)
            columns->n = record->n;
        if (reading->has_header && (status = check_header(reading, header, record, &again, err)) != TV_OK)
            return status;
        struct tv_error why;
        status = again ? tv_fail(&why, TV_ERR_RECORD, "the header once more") : read_row(columns, row, context, record, &why);
        if (status == TV_ERR_RECORD)
            status = reading->sink->reject(reading->sink->context, reading->file->name, record, &why, err);
        else if (status != TV_OK && err)
            *err = why;
        else if (status == TV_OK && reading->events)
            tv_events_add(reading->events, record);
        if (status == TV_OK && n % PROGRESS_EVERY == 0)
            status = reading->sink->progress(reading->sink->context, tv_records_consumed(records), err);
        if (status != TV_OK)
            return status;
    }
}

/* An error gets the file's name in front, an interrupt does not: it has nothing to do with the file. */
enum tv_status tv_file_reading_run(const struct tv_file_reading *reading, struct tv_columns *columns, tv_row_fn row,
                                   void (*on_header)(void *context, const struct tv_record *header), void *context,
                                   struct tv_error *err)
{
    struct tv_byte_source *source = NULL;
    struct tv_records *records = NULL;
    struct header header = {.n = 0};
    enum tv_status status = tv_byte_source_open(&source, reading->input, reading->file, err);
    if (status == TV_OK)
        status = tv_records_open(&records, source, &reading->dialect, err);
    if (reading->columns)
        *columns = *reading->columns;
    if (status == TV_OK && reading->has_header)
        status = read_header(reading, records, columns, on_header, context, &header, err);
    if (status == TV_OK)
        status = read_rows(reading, records, &header, columns, row, context, err);
    tv_records_close(records);
    return status == TV_OK || status == TV_ERR_INTERRUPTED ? status
                                                           : tv_context(err, "%s", reading->file->name);
}

/* What pandas, R and databases write where there is nothing, in their spelling: other spellings may be names. */
static int is_missing(const struct tv_field *f)
{
    static const char *const words[] = {"NaN", "nan", "NULL", "\\N", "None", "NA", "<NA>", "NaT"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (f->n == strlen(words[i]) && memcmp(f->text, words[i], f->n) == 0)
            return 1;
    return 0;
}

/* An id that is text, by its number in the dictionary. */
static enum tv_status read_code(const struct tv_file_reading *reading, enum tv_code_kind kind, struct tv_field f,
                                int64_t *id, struct tv_error *err)
{
    for (; f.n > 0 && *f.text == ' '; f.n--)
        f.text++;
    while (f.n > 0 && f.text[f.n - 1] == ' ')
        f.n--;
    if (tv_code_is_number(f.text, f.n, id))
        return TV_OK;
    const char *why = is_missing(&f)               ? "an id that says that there is none"
                      : tv_number_is_rounded(&f) ? "an id in powers of ten, which has lost digits"
                      : tv_number_has_lost_digits(&f) ? "an id as a fraction, which has lost digits"
                                                      : tv_code_refusal(f.text, f.n);
    return why ? tv_fail(err, TV_ERR_RECORD, "%s", why)
               : reading->sink->code(reading->sink->context, kind, f.text, f.n, id, err);
}

/* An integer in its plain form (42, and not 007), outside the range of codes, is itself in every set. Where ids may
 * be codes, all other text gets a number from the dictionary. Where they are numbers, 007 is 7, text is refused,
 * and only an integer within the range of codes is looked up. */
enum tv_status tv_file_reading_id(const struct tv_file_reading *reading, enum tv_code_kind kind,
                                  const struct tv_field *f, int64_t *id, struct tv_error *err)
{
    if (tv_code_is_number(f->text, f->n, id))
        return TV_OK;
    if (reading->codes[kind])
        return read_code(reading, kind, *f, id, err);
    enum tv_status status = tv_number_id_written(reading->forms.ids[kind], f, id, err);
    return status != TV_OK || *id < TV_CODE_FIRST || *id >= TV_CODE_END ? status
                                                                        : read_code(reading, kind, *f, id, err);
}

/* A value that shows what the commas of a file are, where the first lines left it open, takes their word back. */
static enum tv_status check_commas(const struct tv_file_reading *reading, const struct tv_field *f, struct tv_error *err)
{
    if (reading->forms.either[0] == '\0' || tv_number_commas(f) != TV_NUMBER_DECIMAL)
        return TV_ERR_RECORD;
    tv_fail(err, TV_ERR_INPUT, "it holds the number %.*s, whose comma stands before a fraction, and lines before it hold such as %s, which "
            "could be one, too", (int)f->n, f->text, reading->forms.either);
    return tv_hint(err, "--decimal comma takes commas as decimal ones, --decimal point as those between thousands, and refuses the lines that "
                        "cannot be read so");
}

enum tv_status tv_file_reading_value(const struct tv_file_reading *reading, const struct tv_field *f, float *value,
                                     struct tv_error *err)
{
    char text[TV_NUMBER_MAX_TEXT];
    struct tv_field plain;
    int is_plain = reading->forms.value == TV_NUMBER_PLAIN;
    if (reading->forms.clear_points && tv_number_points(f) == TV_NUMBER_EITHER)
        return tv_fail(err, TV_ERR_RECORD, "a point that could divide thousands (see --decimal)");
    if (!is_plain && tv_number_plain(reading->forms.value, f, text, sizeof text, &plain))
        return tv_number_rating(&plain, value, err);
    enum tv_status status = tv_number_rating(f, value, err);
    if (status == TV_ERR_RECORD && !is_plain)
        return check_commas(reading, f, err);
    return status == TV_OK && !is_plain ? tv_fail(err, TV_ERR_RECORD, "a number in another form than the file's") : status;
}

/* A date that cannot be read in the order that the file's first lines show takes their word back: dates of days that are no later than
 * the twelfth would be read in the wrong one. What else is no date is refused alone. */
static enum tv_status check_order(const struct tv_file_reading *reading, const struct tv_record *record, const struct tv_field *f,
                                  struct tv_error *err)
{
    enum tv_time_form form = reading->forms.time, other = form == TV_TIME_DAY_FIRST ? TV_TIME_MONTH_FIRST : TV_TIME_DAY_FIRST;
    if (tv_time_form_of(f) != other)
        return TV_ERR_RECORD;
    tv_fail(err, TV_ERR_INPUT, "line %lld has one of the %s, \"%.*s\", and the lines before have %s", record->line, tv_time_form_name(other),
            (int)f->n, f->text, tv_time_form_name(form));
    return tv_hint(err, "--dates day-first or --dates month-first says which is meant, and refuses the lines of the other order");
}

/* A date that is written in another way than those which show the order may be in another order. */
static enum tv_status check_divider(const struct tv_file_reading *reading, const struct tv_record *record, const struct tv_field *f,
                                    struct tv_error *err)
{
    if (tv_time_divider(f) == reading->forms.order_shown_by)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "line %lld has the date \"%.*s\", and the lines before have dates with \"%c\", which say nothing about its order",
            record->line, (int)f->n, f->text, reading->forms.order_shown_by);
    return tv_hint(err, "--dates day-first or --dates month-first says what stands first in all of them");
}

/* A file may have no times, and a record of ml-1m's shape no fourth field. */
enum tv_status tv_file_reading_time(const struct tv_file_reading *reading, const struct tv_columns *c,
                                    const struct tv_record *record, int64_t *time, struct tv_error *err)
{
    int at = c->at[TV_COLUMN_TIME];
    *time = TV_NUMBER_NO_TIME;
    if (at < 0 || at >= record->n)
        return TV_OK;
    enum tv_status status = tv_time_read(reading->forms.time, &record->fields[at], time, err);
    if (reading->forms.order_shown_by == 0)
        return status;
    return status == TV_ERR_RECORD ? check_order(reading, record, &record->fields[at], err)
           : status == TV_OK && *time != TV_NUMBER_NO_TIME ? check_divider(reading, record, &record->fields[at], err)
                                                           : status;
}

enum tv_status tv_file_reading_text(struct tv_buffer *out, const struct tv_field *f, int latin1, struct tv_error *err)
{
    tv_buffer_clear(out);
    if (memchr(f->text, '\0', f->n))
        return tv_fail(err, TV_ERR_RECORD, "NUL byte");
    if (tv_text_is_utf8(f->text, f->n))
        return tv_buffer_append(out, f->text, f->n, err);
    return latin1 ? tv_encoding_from_latin1(out, f->text, f->n, err) : tv_fail(err, TV_ERR_RECORD, "invalid UTF-8");
}
