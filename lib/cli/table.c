/* table: rows of text for people and programs. Reports of etl and train put their cells into one and print it in the
 * format that --format names; cells stay text until then, so that numbers keep the digits that SQL gave them. */
#include "trivet/cli/table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/text.h"
#include "trivet/store/pg_rows.h"

const struct tv_option tv_format_options[] = {
    {.name = "format",
     .kind = TV_OPTION_CHOICE,
     .value = "FORMAT",
     .default_text = "table",
     .choices = TV_TABLE_FORMATS,
     .help = "how to print it"},
    {.name = NULL},
};

/* One report. Cells are copies of texts, and all of them stay until the table is printed. */
struct tv_table {
    int n_columns;
    char **names;
    enum tv_table_kind *kinds;
    char **cells; /* row by row; NULL: empty */
    size_t n_cells, capacity;
};

/* The check of --format has refused other words already, so the last line is only for the compiler. */
enum tv_table_format tv_table_format_from(const char *name)
{
    static const char *const names[] = {"table", "csv", "json", "markdown"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum tv_table_format)i;
    return TV_TABLE_PLAIN;
}

enum tv_status tv_table_create(struct tv_table **out, int n_columns, const char *const *names,
                               const enum tv_table_kind *kinds, struct tv_error *err)
{
    size_t n = (size_t)n_columns;
    struct tv_table *t = tv_alloc(1, sizeof *t, "a table", err);
    if (t == NULL)
        return TV_ERR_NO_MEMORY;
    t->n_columns = n_columns;
    t->names = tv_alloc(n, sizeof *t->names, "a table", err);
    t->kinds = tv_alloc(n, sizeof *t->kinds, "a table", err);
    int ok = t->names && t->kinds;
    for (size_t c = 0; ok && c < n; c++) {
        t->kinds[c] = kinds[c];
        ok = (t->names[c] = strdup(names[c])) != NULL;
    }
    if (!ok) {
        tv_table_free(t);
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a table");
    }
    *out = t;
    return TV_OK;
}

void tv_table_free(struct tv_table *t)
{
    if (t == NULL)
        return;
    for (int c = 0; t->names && c < t->n_columns; c++)
        free(t->names[c]);
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->names);
    free(t->kinds);
    free(t->cells);
    free(t);
}

enum tv_status tv_table_cell(struct tv_table *t, const char *text, struct tv_error *err)
{
    if (t->n_cells == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        char **cells = realloc(t->cells, capacity * sizeof *cells);
        if (cells == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a table");
        t->cells = cells;
        t->capacity = capacity;
    }
    char *copy = text ? strdup(text) : NULL;
    if (text && copy == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a table");
    t->cells[t->n_cells++] = copy;
    return TV_OK;
}

enum tv_status tv_table_int(struct tv_table *t, long long value, struct tv_error *err)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", value);
    return tv_table_cell(t, text, err);
}

/* Rounded here, because a double has digits that mean nothing to a reader. */
enum tv_status tv_table_real(struct tv_table *t, double value, int digits, struct tv_error *err)
{
    char text[64];
    snprintf(text, sizeof text, "%.*f", digits, value);
    return tv_table_cell(t, text, err);
}

/* Columns beyond the 64th are left out. Cells come as PostgreSQL writes them, so no digit is lost. */
enum tv_status tv_table_from_rows(struct tv_table **out, const struct tv_pg_rows *rows, struct tv_error *err)
{
    enum { MAX_COLUMNS = 64 };
    const char *names[MAX_COLUMNS];
    enum tv_table_kind kinds[MAX_COLUMNS];
    int n = tv_pg_columns_count(rows) < MAX_COLUMNS ? tv_pg_columns_count(rows) : MAX_COLUMNS;
    for (int c = 0; c < n; c++) {
        enum tv_pg_type type = tv_pg_column_type(rows, c);
        names[c] = tv_pg_column_name(rows, c);
        kinds[c] = type == TV_PG_INTEGER || type == TV_PG_REAL ? TV_TABLE_NUMBER
                   : type == TV_PG_JSON                        ? TV_TABLE_DOCUMENT
                                                               : TV_TABLE_TEXT;
    }
    enum tv_status status = tv_table_create(out, n, names, kinds, err);
    for (int r = 0; r < tv_pg_rows_count(rows); r++)
        for (int c = 0; c < n && status == TV_OK; c++)
            status = tv_table_cell(*out, tv_pg_cell(rows, r, c), err);
    if (status != TV_OK) {
        tv_table_free(*out);
        *out = NULL;
    }
    return status;
}

/* --- printing --------------------------------------------------------------------------------------------- */

/* NULL: an empty cell. */
static const char *cell(const struct tv_table *t, size_t row, int column)
{
    return t->cells[row * (size_t)t->n_columns + (size_t)column];
}

/* A row that is not full yet does not count. */
static size_t n_rows(const struct tv_table *t)
{
    return t->n_columns ? t->n_cells / (size_t)t->n_columns : 0;
}

/* The text for a person: grouped digits, "" for an empty cell. `space` holds 64 bytes. */
static const char *shown(const struct tv_table *t, size_t row, int column, char *space)
{
    const char *text = cell(t, row, column);
    int64_t integer;
    if (text == NULL)
        return "";
    if (t->kinds[column] == TV_TABLE_NUMBER && tv_text_int64(text, strlen(text), &integer))
        return tv_text_number(space, integer);
    return text;
}

/* Columns on a terminal: characters of UTF-8, not bytes. Wide characters, such as those of Chinese, count as one. */
static int width_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += (*text & 0xC0) != 0x80;
    return n;
}

/* Blanks are counted by hand: a width in printf counts bytes, and so tears columns apart where a title has an
 * accent. */
static void print_padded(FILE *out, const char *text, int width, int right)
{
    int pad = width > width_of(text) ? width - width_of(text) : 0;
    if (right)
        fprintf(out, "%*s%s", pad, "", text);
    else
        fprintf(out, "%s%*s", text, pad, "");
}

/* The line below the header. In Markdown a colon at its end makes a column of numbers right-aligned. */
static void print_rule(FILE *out, const int *width, const struct tv_table *t, int markdown)
{
    for (int c = 0; c < t->n_columns; c++) {
        fputs(markdown ? (c ? " | " : "| ") : (c ? "  " : ""), out);
        for (int i = 0; i < width[c]; i++)
            fputc(markdown && i == width[c] - 1 && t->kinds[c] == TV_TABLE_NUMBER ? ':' : '-', out);
    }
    fputs(markdown ? " |\n" : "\n", out);
}

/* Widths first, over all rows: the table is in memory whole, as reports are short. The last column of text is not
 * padded, which would leave blanks at the ends of lines. */
static enum tv_status print_aligned(const struct tv_table *t, int markdown, FILE *out, struct tv_error *err)
{
    char space[64];
    int *width = tv_alloc((size_t)t->n_columns, sizeof *width, "a table", err);
    if (width == NULL)
        return TV_ERR_NO_MEMORY;
    for (int c = 0; c < t->n_columns; c++) {
        width[c] = width_of(t->names[c]) > 3 ? width_of(t->names[c]) : 3;
        for (size_t r = 0; r < n_rows(t); r++)
            if (width_of(shown(t, r, c, space)) > width[c])
                width[c] = width_of(shown(t, r, c, space));
    }
    for (size_t r = 0; r <= n_rows(t); r++) { /* row 0 is the header */
        for (int c = 0; c < t->n_columns; c++) {
            fputs(markdown ? (c ? " | " : "| ") : (c ? "  " : ""), out);
            int last = c == t->n_columns - 1 && !markdown && t->kinds[c] != TV_TABLE_NUMBER;
            print_padded(out, r ? shown(t, r - 1, c, space) : t->names[c], last ? 0 : width[c],
                         t->kinds[c] == TV_TABLE_NUMBER);
        }
        fputs(markdown ? " |\n" : "\n", out);
        if (r == 0)
            print_rule(out, width, t, markdown);
    }
    free(width);
    return TV_OK;
}

/* A line of CSV; lines end in CR LF by RFC 4180. */
static enum tv_status add_fields(struct tv_buffer *line, int n, const char *const *fields, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int c = 0; c < n && status == TV_OK; c++) {
        status = tv_buffer_text(line, c ? "," : "", err);
        if (status == TV_OK)
            status = tv_buffer_csv(line, fields[c] ? fields[c] : "", err);
    }
    return status == TV_OK ? tv_buffer_text(line, "\r\n", err) : status;
}

/* The header, then row by row, with one line in memory at a time. */
static enum tv_status print_csv(const struct tv_table *t, FILE *out, struct tv_error *err)
{
    struct tv_buffer line = TV_BUFFER_INIT(64 << 20);
    enum tv_status status = add_fields(&line, t->n_columns, (const char *const *)t->names, err);
    for (size_t r = 0; r <= n_rows(t) && status == TV_OK; r++) {
        if (fwrite(line.data, 1, line.size, out) != line.size)
            status = tv_fail(err, TV_ERR_IO, "cannot write CSV");
        tv_buffer_clear(&line);
        if (r < n_rows(t) && status == TV_OK)
            status = add_fields(&line, t->n_columns, (const char *const *)t->cells + r * (size_t)t->n_columns, err);
    }
    tv_buffer_free(&line);
    return status;
}

/* Numbers and documents are JSON as they are; a number that JSON does not have, such as NaN, becomes a string. */
static json_t *cell_json(const struct tv_table *t, size_t row, int column)
{
    const char *text = cell(t, row, column);
    if (text == NULL)
        return json_null();
    json_t *value = t->kinds[column] == TV_TABLE_TEXT ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(text);
}

/* An array of objects, a row each; with 15 digits a number that was written with as many comes out as it was. */
static enum tv_status print_json(const struct tv_table *t, FILE *out, struct tv_error *err)
{
    json_t *array = json_array();
    for (size_t r = 0; r < n_rows(t); r++) {
        json_t *object = json_object();
        for (int c = 0; c < t->n_columns; c++)
            json_object_set_new(object, t->names[c], cell_json(t, r, c));
        json_array_append_new(array, object);
    }
    int failed = json_dumpf(array, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) != 0;
    json_decref(array);
    fputc('\n', out);
    return failed ? tv_fail(err, TV_ERR_IO, "cannot write JSON") : TV_OK;
}

enum tv_status tv_table_print(const struct tv_table *t, enum tv_table_format format, FILE *out, struct tv_error *err)
{
    switch (format) {
    case TV_TABLE_CSV:
        return print_csv(t, out, err);
    case TV_TABLE_JSON:
        return print_json(t, out, err);
    default:
        return print_aligned(t, format == TV_TABLE_MARKDOWN, out, err);
    }
}

enum tv_status tv_table_print_query(struct tv_pg *pg, const struct tv_settings *settings, const char *sql, int n,
                                    const char *const *values, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_table *table = NULL;
    enum tv_status status = tv_pg_query(pg, sql, n, values, &rows, err);
    if (status == TV_OK)
        status = tv_table_from_rows(&table, rows, err);
    if (status == TV_OK)
        status = tv_table_print(table, tv_table_format_from(tv_settings_text(settings, "format")), stdout, err);
    tv_table_free(table);
    tv_pg_rows_free(rows);
    return status;
}
