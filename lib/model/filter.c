/* filter: the values of trivet.user_item's parameters. They come in as assignments (--set) or as JSON (the journal,
 * a preset, the values of a trial), are checked one by one, and go out as a call in SQL, as JSON and as words for
 * people. Nothing here knows a parameter by its name but tv_filter_describe: all else loops over the table
 * (filter_parameters.def).
 */
#include "trivet/model/filter.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"
#include "trivet/store/pg_rows.h"

static const struct tv_filter_parameter *const rows = tv_filter_parameters;
enum { N_ROWS = TV_FILTER_PARAMETERS };

/* The values, in the order of the rows. They stay the texts that they were given as, so that nothing is rounded on
 * the way into the SQL. */
struct tv_filter {
    char *value[N_ROWS]; /* owned; NULL: SQL null */
};

enum tv_status tv_filter_create(struct tv_filter **out, struct tv_error *err)
{
    struct tv_filter *f = tv_alloc(1, sizeof *f, "a filter", err);
    if (f == NULL)
        return TV_ERR_NO_MEMORY;
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].standard && (f->value[i] = strdup(rows[i].standard)) == NULL) {
            tv_filter_free(f);
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a filter");
        }
    *out = f;
    return TV_OK;
}

void tv_filter_free(struct tv_filter *f)
{
    for (int i = 0; f && i < N_ROWS; i++)
        free(f->value[i]);
    free(f);
}

/* PostgreSQL holds such a value as real, which is float32, and refuses a number that would become 0 or infinite in
 * it. */
static int fits_real(double d)
{
    float narrow = (float)d;
    return isfinite(narrow) && (narrow != 0 || d == 0);
}

/* Without bounds are those whose least is that of real. */
static enum tv_status refuse_real(const struct tv_filter_parameter *row, const char *text, struct tv_error *err)
{
    if (row->least <= -1e30)
        return tv_fail(err, TV_ERR_USAGE, "%s is \"%s\", but must be a number", row->name, text);
    return tv_fail(err, TV_ERR_USAGE, "%s is \"%s\", but must be a number %s %g, at most %g", row->name, text,
                   row->above ? "above" : "from", row->least, row->most);
}

/* Times and names are PostgreSQL's to judge; of them only length and encoding are looked at. */
static enum tv_status check_value(const struct tv_filter_parameter *row, const char *text, struct tv_error *err)
{
    int64_t i = 0;
    double d = 0;
    size_t n = strlen(text);
    if (row->kind == TV_FILTER_INTEGER && (!tv_text_int64(text, n, &i) || (double)i < row->least || (double)i > row->most))
        return tv_fail(err, TV_ERR_USAGE, "%s is \"%s\", but must be an integer from %.0f", row->name, text, row->least);
    if (row->kind == TV_FILTER_REAL && (!tv_text_double(text, n, &d) || d < row->least || d > row->most || !fits_real(d) ||
                              (row->above && d == row->least)))
        return refuse_real(row, text, err);
    if (n == 0 || n > 1000)
        return tv_fail(err, TV_ERR_USAGE, "%s is empty or longer than 1,000 bytes", row->name);
    if (!tv_text_is_utf8(text, n)) /* neither PostgreSQL nor the journal's JSON could hold it */
        return tv_fail(err, TV_ERR_USAGE, "%s is not valid UTF-8", row->name);
    return TV_OK;
}

/* "null" takes a condition away, of a parameter that may be without one. */
enum tv_status tv_filter_set(struct tv_filter *f, const char *assignment, struct tv_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL) {
        tv_fail(err, TV_ERR_USAGE, "\"%s\" is no assignment to a filter parameter", assignment);
        return tv_hint(err, "write it as name=value, for example max_items_for_user=200");
    }
    int i = tv_filter_find(assignment, (size_t)(equals - assignment));
    if (i < 0)
        return tv_filter_unknown(assignment, (size_t)(equals - assignment), err);
    int is_null = rows[i].standard == NULL && strcmp(equals + 1, "null") == 0;
    enum tv_status status = is_null ? TV_OK : check_value(&rows[i], equals + 1, err);
    if (status != TV_OK)
        return tv_about(err, rows[i].name);
    char *copy = is_null ? NULL : strdup(equals + 1);
    if (copy == NULL && !is_null)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a filter");
    free(f->value[i]);
    f->value[i] = copy;
    return TV_OK;
}

int64_t tv_filter_int(const struct tv_filter *f, const char *name)
{
    int i = tv_filter_find(name, strlen(name));
    return i >= 0 && f->value[i] ? strtoll(f->value[i], NULL, 10) : 0;
}

/* NULL is SQL's null, and the same as itself alone. */
static int same_value(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static int is_default(const struct tv_filter *f, int i)
{
    return same_value(f->value[i], rows[i].standard);
}

int tv_filter_is_default(const struct tv_filter *f, const char *name)
{
    int i = tv_filter_find(name, strlen(name));
    return i >= 0 && is_default(f, i);
}

const char *tv_filter_only_learning(const struct tv_filter *f)
{
    for (int i = 0; i < N_ROWS; i++)
        if (!(tv_filter_parts(&rows[i]) & (TV_FILTER_EVIDENCE | TV_FILTER_CUTS)) && !is_default(f, i))
            return rows[i].name;
    return NULL;
}

const char *tv_filter_other_rows(const struct tv_filter *a, const struct tv_filter *b)
{
    for (int i = 0; i < N_ROWS; i++)
        if (!(tv_filter_parts(&rows[i]) & TV_FILTER_CUTS) && !same_value(a->value[i], b->value[i]))
            return rows[i].name;
    return NULL;
}

/* A maximum below its minimum would let no row through: that is a mistake, and is told before anything is read. Null is
 * no limit. */
static enum tv_status check_order(const struct tv_filter *f, int i, struct tv_error *err)
{
    const char *value = f->value[i], *least = f->value[tv_filter_find(rows[i].not_below, strlen(rows[i].not_below))];
    if (value == NULL || least == NULL || strtod(value, NULL) >= strtod(least, NULL))
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "%s is %s, but must be at least %s, which is %s", rows[i].name, value, rows[i].not_below, least);
    return tv_about(err, rows[i].name);
}

/* One assignment may break what another mends, so minimum and maximum are compared after all of them. */
enum tv_status tv_filter_set_all(struct tv_filter *f, const char *const *assignments, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = tv_filter_set(f, assignments[i], err);
    for (int i = 0; i < N_ROWS && status == TV_OK; i++)
        if (rows[i].not_below)
            status = check_order(f, i, err);
    return status;
}

static enum tv_status no_time(const char *name, const char *text, struct tv_error *err)
{
    tv_fail(err, TV_ERR_USAGE, "%s is \"%s\", which is no time; write 2015-04-01", name, text);
    return tv_about(err, name);
}

/* "Drama,Comedy" -> array['Drama', 'Comedy']. A value has at most 1,000 bytes (check_value), so each name fits. */
static enum tv_status append_names(struct tv_pg *pg, const char *text, struct tv_buffer *sql, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(sql, "array[", err);
    for (int i = 0; status == TV_OK && *text; i++) {
        char name[1001];
        size_t n = strcspn(text, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, text);
        char *quoted = tv_pg_literal(pg, name);
        status = quoted ? tv_buffer_format(sql, err, "%s%s", i ? ", " : "", quoted)
                        : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a genre");
        free(quoted);
        text += n + (text[n] == ',');
    }
    return status == TV_OK ? tv_buffer_text(sql, "]", err) : status;
}

/* Asks PostgreSQL first whether it understands the time, because the error is to name the parameter. A failure of
 * the whole statement would not. */
static enum tv_status append_time(struct tv_pg *pg, const char *name, const char *text, struct tv_buffer *sql,
                                  struct tv_error *err)
{
    enum tv_status status = tv_pg_exec(pg, "SELECT $1::timestamptz", 1, &text, err);
    if (status != TV_OK)
        return status == TV_ERR_STORE ? no_time(name, text, err) : status;
    char *quoted = tv_pg_literal(pg, text);
    status = quoted ? tv_buffer_text(sql, quoted, err) : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a time");
    free(quoted);
    return status;
}

/* to_json writes a time with its offset, whatever the session's DateStyle is. */
enum tv_status tv_settle_time(struct tv_pg *pg, const char *name, char **text, struct tv_error *err)
{
    struct tv_pg_rows *found = NULL;
    const char *value = *text;
    enum tv_status status = tv_pg_query(pg, "SELECT to_json($1::timestamptz) #>> '{}'", 1, &value, &found, err);
    if (status == TV_ERR_STORE)
        return no_time(name, value, err);
    char *settled = status == TV_OK ? strdup(tv_pg_cell(found, 0, 0)) : NULL;
    tv_pg_rows_free(found);
    if (status == TV_OK && settled == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a time");
    if (status == TV_OK) {
        free(*text);
        *text = settled;
    }
    return status;
}

enum tv_status tv_filter_settle(struct tv_filter *f, struct tv_pg *pg, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int i = 0; i < N_ROWS && status == TV_OK; i++)
        if (rows[i].kind == TV_FILTER_TIME && f->value[i])
            status = tv_settle_time(pg, rows[i].name, &f->value[i], err);
    return status;
}

/* Numbers go into the SQL as they are, because tv_filter_set has read each of them as a number; everything else is
 * quoted. */
enum tv_status tv_filter_call(const struct tv_filter *f, struct tv_pg *pg, enum tv_filter_subset subset,
                              const char *function, struct tv_buffer *sql, struct tv_error *err)
{
    int n = 0;
    enum tv_status status = tv_buffer_format(sql, err, "%s(", function);
    for (int i = 0; i < N_ROWS && status == TV_OK; i++) {
        if (is_default(f, i) || !(tv_filter_parts(&rows[i]) & subset))
            continue;
        status = tv_buffer_format(sql, err, "%s%s => ", n++ ? ", " : "", rows[i].name);
        if (status != TV_OK)
            break;
        if (rows[i].kind == TV_FILTER_NAMES)
            status = append_names(pg, f->value[i], sql, err);
        else if (rows[i].kind == TV_FILTER_TIME)
            status = append_time(pg, rows[i].name, f->value[i], sql, err);
        else
            status = tv_buffer_text(sql, f->value[i], err);
    }
    return status == TV_OK ? tv_buffer_text(sql, ")", err) : status;
}

/* "Drama,Comedy" -> ["Drama", "Comedy"] */
static json_t *names_json(const char *text)
{
    json_t *array = json_array();
    for (; *text; text += strcspn(text, ","), text += *text == ',')
        json_array_append_new(array, json_stringn(text, strcspn(text, ",")));
    return array;
}

/* Numbers as numbers and genres as an array, as SQL reads them again (trivet.evidence_query). */
static json_t *value_json(int i, const char *text)
{
    if (text == NULL)
        return json_null();
    if (rows[i].kind == TV_FILTER_INTEGER)
        return json_integer(strtoll(text, NULL, 10));
    if (rows[i].kind == TV_FILTER_REAL)
        return json_real(strtod(text, NULL));
    return rows[i].kind == TV_FILTER_NAMES ? names_json(text) : json_string(text);
}

/* A value that does not get in must not be missing in silence. tv_filter_set takes only UTF-8, so want of memory is all that
 * can be in the way. */
enum tv_status tv_filter_json(const struct tv_filter *f, struct tv_buffer *out, struct tv_error *err)
{
    json_t *object = json_object();
    int whole = object != NULL;
    for (int i = 0; i < N_ROWS; i++)
        whole &= json_object_set_new(object, rows[i].name, value_json(i, f->value[i])) == 0;
    char *text = whole ? json_dumps(object, 0) : NULL;
    json_decref(object);
    enum tv_status status = text ? tv_buffer_text(out, text, err)
                                 : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a filter's values");
    free(text);
    return status;
}

/* "name=value" of one JSON value, as tv_filter_set takes it. Nine digits bring back every float32, which is what
 * PostgreSQL's real holds. */
static enum tv_status append_assignment(struct tv_buffer *b, const char *name, const json_t *value,
                                        struct tv_error *err)
{
    size_t i;
    const json_t *entry;
    enum tv_status status = tv_buffer_format(b, err, "%s=", name);
    if (status != TV_OK || json_is_array(value)) {
        json_array_foreach(value, i, entry) if (status == TV_OK) status =
            tv_buffer_format(b, err, "%s%s", i ? "," : "", json_is_string(entry) ? json_string_value(entry) : "");
        return status;
    }
    if (json_is_string(value))
        return tv_buffer_text(b, json_string_value(value), err);
    if (json_is_integer(value))
        return tv_buffer_format(b, err, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return tv_buffer_format(b, err, "%.9g", json_real_value(value));
    return tv_buffer_text(b, "null", err);
}

/* Each value becomes the assignment that a person would have written, so it is checked in one place. A name that is
 * no parameter is refused as a misspelt one is. */
enum tv_status tv_filter_set_json(struct tv_filter *f, const char *json, struct tv_error *err)
{
    json_t *object = json_loads(json, 0, NULL), *value;
    const char *name;
    struct tv_buffer assignment = TV_BUFFER_INIT(1 << 16);
    enum tv_status status =
        json_is_object(object) ? TV_OK : tv_fail(err, TV_ERR_CORRUPT, "\"%.80s\" is no filter", json);
    json_object_foreach(object, name, value)
    {
        if (status != TV_OK)
            break;
        tv_buffer_clear(&assignment);
        status = append_assignment(&assignment, name, value, err);
        if (status == TV_OK)
            status = tv_filter_set(f, tv_buffer_string(&assignment), err);
    }
    tv_buffer_free(&assignment);
    json_decref(object);
    return status;
}

enum tv_status tv_filter_load_preset(struct tv_filter *f, struct tv_pg *pg, const char *name, struct tv_error *err)
{
    struct tv_pg_rows *found;
    enum tv_status status =
        tv_pg_query(pg, "SELECT values FROM trivet.preset WHERE name = $1", 1, &name, &found, err);
    if (status != TV_OK)
        return status;
    if (tv_pg_rows_count(found) == 1) {
        status = tv_filter_set_json(f, tv_pg_cell(found, 0, 0), err);
    } else {
        tv_fail(err, TV_ERR_NOT_FOUND, "there is no preset \"%s\"", name);
        status = tv_hint(err, "trivet-etl presets lists them");
    }
    tv_pg_rows_free(found);
    return status;
}

/* The two cuts and the row limit are always told, the conditions only where there are some. */
void tv_filter_describe(const struct tv_filter *f, char *out, size_t size)
{
    char item[32], low[32], high[32], limit[32];
    int n = snprintf(out, size, "items with more than %s rating rows, users with %s to %s, at most %s rows",
                     tv_text_number(item, tv_filter_int(f, "min_users_for_item")),
                     tv_text_number(low, tv_filter_int(f, "min_items_for_user")),
                     tv_text_number(high, tv_filter_int(f, "max_items_for_user")),
                     tv_text_number(limit, tv_filter_int(f, "max_row_number")));
    for (int i = 0; i < N_ROWS && n >= 0 && (size_t)n < size; i++)
        if (!(tv_filter_parts(&rows[i]) & TV_FILTER_CUTS) && !is_default(f, i))
            n += snprintf(out + n, size - (size_t)n, ", %s %s", rows[i].name, f->value[i]);
    tv_text_mark_cut(out, size, n);
}
