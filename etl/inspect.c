/* inspect: what a load would read (format, columns with five values each, encoding), and what it would take and refuse of it, without
 * a database and without writing anything. It reads each file whole, as a load does, because damage may stand anywhere in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "etl/commands.h"
#include "etl/detect/choices.h"
#include "etl/detect/sample.h"
#include "etl/detect/unused.h"
#include "etl/dry_run.h"
#include "etl/fetch/download.h"
#include "etl/formats/encoding.h"
#include "trivet/base/text.h"
#include "trivet/cli/table.h"

enum { SHOWN_ROWS = 5, SHOWN_BYTES = 40 };

/* The findings of one pass over a file: counts, and how its lines end. */
struct look {
    long long records, refused;
    int bom, crlf;
    struct tv_encoding encoding;
    int latin1; /* a load reads what is no UTF-8 as ISO-8859-1 */
    struct tv_buffer *values; /* (TV_RECORD_MAX_FIELDS) the first of each column, divided by commas */
};

/* Appends a field, whatever its bytes are: one that is no UTF-8 is shown as a load would read it, and what a load would refuse as \xNN, and
 * control characters so, too, so that no file can send commands to a terminal. */
static enum tv_status show(struct tv_buffer *out, const struct tv_field *f, int latin1, struct tv_error *err)
{
    struct tv_buffer utf8 = TV_BUFFER_INIT(3 * TV_RECORD_MAX_BYTES + 16);
    enum tv_status status = !latin1 || tv_text_is_utf8(f->text, f->n)
                                ? tv_buffer_append(&utf8, f->text, f->n, err)
                                : tv_encoding_from_latin1(&utf8, f->text, f->n, err);
    if (status == TV_OK)
        status = tv_encoding_printable(out, tv_buffer_string(&utf8), utf8.size, SHOWN_BYTES, err);
    if (status == TV_OK && utf8.size > SHOWN_BYTES)
        status = tv_buffer_text(out, "\xe2\x80\xa6", err);
    tv_buffer_free(&utf8);
    return status;
}

/* Adds the fields of a record to the values of their columns. */
static enum tv_status add_values(struct look *look, const struct tv_record *record, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int i = 0; i < record->n && status == TV_OK; i++) {
        struct tv_buffer *values = &look->values[i];
        if (values->size > 0)
            status = tv_buffer_text(values, ", ", err);
        if (status == TV_OK)
            status = record->fields[i].n ? show(values, &record->fields[i], look->latin1, err) : tv_buffer_text(values, "\"\"", err);
    }
    return status;
}

static void count(struct look *look, const struct tv_record *record)
{
    look->refused += record->reason != NULL;
    look->records += record->reason == NULL;
}

/* Reads one file of the set to its end, and keeps its first values on the way. Line ends are called CRLF if more than half
 * of the lines end so. */
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
        if (look->records > chosen->has_header && look->records <= SHOWN_ROWS + chosen->has_header && !record->reason)
            status = add_values(look, record, err);
    }
    if (status == TV_OK) {
        look->bom = tv_records_had_bom(records);
        look->crlf = 2 * tv_records_crlf_lines(records) > look->records;
    }
    tv_records_close(records);
    return status;
}

/* What the values of a column are. */
static const char *type_of(const struct tv_set *set, const struct tv_found *found, enum tv_column meaning,
                           const struct tv_sample_column *column)
{
    if (meaning == TV_COLUMN_USER || meaning == TV_COLUMN_ITEM)
        return set->codes[meaning == TV_COLUMN_USER ? TV_CODE_USER : TV_CODE_ITEM] ? "codes" : "numbers";
    return meaning == TV_COLUMN_TIME && column->n > 0 ? tv_time_form_name(found->forms.time) : tv_sample_type(column);
}

/* A row a column: its name, what it is, how it is written, and its first values. The meanings are those that a load
 * reads it by; a file that is read by its own rules has none for some. */
static enum tv_status print_columns(const struct tv_set *set, const struct tv_found *found, const struct look *look,
                                    const struct tv_sample *sample, struct tv_error *err)
{
    static const char *const names[] = {"column", "meaning", "type", "values"};
    static const enum tv_table_kind kinds[4] = {TV_TABLE_TEXT};
    struct tv_table *table = NULL;
    enum tv_status status = tv_table_create(&table, 4, names, kinds, err);
    for (int i = 0; i < sample->n && status == TV_OK; i++) {
        enum tv_column meaning = tv_columns_meaning(&found->columns, i);
        const struct tv_sample_column *column = &sample->columns[i];
        status = tv_table_cell(table, column->name, err);
        if (status == TV_OK)
            status = tv_table_cell(
                table, meaning != TV_COLUMN_NONE || tv_found_by_columns(found) ? tv_columns_word(meaning) : "", err);
        if (status == TV_OK)
            status = tv_table_cell(table, type_of(set, found, meaning, column), err);
        if (status == TV_OK)
            status = tv_table_cell(table, tv_buffer_string(&look->values[i]), err);
    }
    if (status == TV_OK)
        status = tv_table_print(table, TV_TABLE_PLAIN, stdout, err);
    tv_table_free(table);
    return status;
}

/* In words, as a tab would show as a gap, and a comma as one of the sentence. */
static const char *separator_name(const char *separator)
{
    static const char *const names[][2] = {
        {",", "commas"}, {";", "semicolons"}, {"\t", "tabs"}, {"|", "bars"}, {"::", "double colons"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], separator) == 0)
            return names[i][1];
    return separator;
}

/* Shows what tv_detect counted, so that its choice between numbers and codes can be judged. */
static void print_ids(const struct tv_set *set)
{
    static const char *const names[TV_CODE_KINDS] = {"users", "items"};
    char rows[32], n[32];
    for (int kind = 0; kind < TV_CODE_KINDS; kind++) {
        long long texts = set->n_texts[kind], numbers = set->n_sampled - texts;
        printf("  %s     %s: ", names[kind], set->codes[kind] ? "codes" : "numbers");
        if (set->n_sampled == 1)
            printf("the only id is %s\n", texts ? "text" : "an integer");
        else if (texts == 0 || numbers == 0)
            printf("all of the first %s ids are %s\n", tv_text_number(rows, set->n_sampled), texts ? "text" : "integers");
        else
            printf("%s of the first %s ids %s\n", tv_text_number(n, texts), tv_text_number(rows, set->n_sampled),
                   texts == 1 ? "is text" : "are text");
    }
    if (set->counts)
        printf("  values    counts of plays\n");
}

/* Reads a file and shows what it holds. */
static enum tv_status show_file(const struct tv_set *set, enum tv_role role, struct look *look, struct tv_error *err)
{
    const struct tv_found *chosen = &set->chosen[role];
    struct tv_sample *sample = NULL;
    char rows[64];
    enum tv_status status = tv_encoding_of(&look->encoding, set->input, chosen->file, err);
    look->latin1 = !chosen->has_header || tv_encoding_is_latin1(&look->encoding);
    if (status == TV_OK)
        status = look_through(set, chosen, look, err);
    if (status == TV_OK)
        status = tv_sample_take(&sample, set->input, chosen, TV_SAMPLE_ROWS, err);
    if (status != TV_OK)
        return status;
    printf("  encoding  %s%s, lines end in %s\n", tv_encoding_name(&look->encoding, look->latin1), look->bom ? " with byte order mark" : "",
           look->crlf ? "CRLF" : "LF");
    if (look->encoding.other > 0 && !look->latin1)
        printf("            %s damaged: no UTF-8, as the others are\n", tv_text_are(rows, look->encoding.other, "line"));
    printf("  rows      %s", tv_text_number(rows, look->records - chosen->has_header));
    if (look->refused > 0)
        printf(", %s no record%s", tv_text_are(rows, look->refused, "line"), look->refused == 1 ? "" : "s");
    printf("\n");
    if (role == TV_ROLE_RATINGS)
        print_ids(set);
    if (chosen->how[0])
        printf("  read      %s\n", chosen->how + strlen(", "));
    status = print_columns(set, chosen, look, sample, err);
    free(sample);
    return status;
}

/* ", 11.8 MB". What is packed by itself, as in ratings.csv.gz, does not always tell how large it is, but its archive's size is its
 * own; nothing where several share one. */
static void print_size(const struct tv_input *input, const struct tv_input_file *file)
{
    char size[32];
    struct stat about;
    int beside = 0;
    for (size_t i = 0; file->archive && i < input->n_files; i++)
        beside += input->files[i].archive && strcmp(input->files[i].archive, file->archive) == 0;
    if (file->archive == NULL || file->size > 0)
        printf(", %s", tv_text_bytes(size, file->size));
    else if (beside == 1 && stat(file->archive, &about) == 0)
        printf(", %s packed", tv_text_bytes(size, (double)about.st_size));
}

/* Shows one file of the set; nothing where the set has no file of that role. The marker of a generated set is named
 * only, as it holds no rows. */
static enum tv_status inspect_role(const struct tv_set *set, enum tv_role role, struct tv_error *err)
{
    const struct tv_found *chosen = &set->chosen[role];
    if (chosen->file == NULL)
        return TV_OK;
    printf("\n%s: %s", chosen->file->label, tv_role_name(role));
    print_size(set->input, chosen->file);
    if (role == TV_ROLE_MARKER) {
        printf("\n");
        return TV_OK;
    }
    printf(", fields separated by %s, %s a header\n", separator_name(chosen->dialect.separator),
           chosen->has_header ? "with" : "without");
    struct look look = {.records = 0};
    look.values = tv_alloc(TV_RECORD_MAX_FIELDS, sizeof *look.values, "values to show", err);
    if (look.values == NULL)
        return TV_ERR_NO_MEMORY;
    for (int i = 0; i < TV_RECORD_MAX_FIELDS; i++)
        tv_buffer_init(&look.values[i], 1 << 16);
    enum tv_status status = show_file(set, role, &look, err);
    for (int i = 0; i < TV_RECORD_MAX_FIELDS; i++)
        tv_buffer_free(&look.values[i]);
    free(look.values);
    return status;
}

enum tv_status tv_etl_inspect(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct tv_input *input = NULL;
    struct tv_set set = {.n_ignored = 0};
    const struct tv_choices choices = tv_choices_of(s);
    char path[4096], shown[600], why[400];
    enum tv_status status = tv_fetch(s, arguments[0], path, sizeof path, err);
    tv_fetch_shown(arguments[0], shown, sizeof shown);
    if (status == TV_OK)
        status = tv_input_open(&input, path, err);
    if (status == TV_OK)
        status = tv_detect(&set, input, &choices, err);
    if (status == TV_OK)
        printf("%s: format %s%s%s%s\n", shown, set.format, input->packing ? ", " : "", input->packing ? input->packing : "",
               set.generated ? ", a generated set" : "");
    for (int role = 0; role < TV_ROLE_COUNT && status == TV_OK; role++)
        status = inspect_role(&set, (enum tv_role)role, err);
    for (size_t i = 0; i < set.n_ignored && status == TV_OK; i++)
        printf("\n%s: not used%s\n", set.ignored[i], tv_unused_why(&set, set.ignored[i], why, sizeof why));
    if (status == TV_OK) {
        printf("\na load would find\n");
        status = tv_dry_run(&set, tv_settings_int(s, "max-rejects"), stdout, err);
    }
    tv_input_close(input);
    return status;
}
