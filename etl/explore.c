/* explore: funnel, sweep, why, activity, quality and presets: SQL functions and views of schema trivet, printed as
 * tables. All that is counted is counted in SQL, so that psql, /lab and these commands say the same.
 *
 * Each command runs in a READ ONLY transaction, which ends with the connection.
 */
#include "etl/explore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/code.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/progress.h"
#include "trivet/cli/table.h"
#include "trivet/model/filter.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_rows.h"

const struct tv_option tv_funnel_options[] = {
    {.name = "against",
     .kind = TV_OPTION_TEXT,
     .value = "live|PRESET|RUN",
     .default_text = "live",
     .help = "the filter to show the difference to: the live model's, a preset's, or a run's by number"},
    {.name = NULL},
};
const struct tv_option tv_sweep_options[] = {
    {.name = "over",
     .kind = TV_OPTION_LIST,
     .value = "NAME=V1,V2,...",
     .help = "the values of one parameter; give it once or twice"},
    {.name = NULL},
};
static const struct tv_option filter_options[] = {
    {.name = "set",
     .kind = TV_OPTION_LIST,
     .value = "NAME=VALUE",
     .help = "a parameter of the filter, e.g. max_items_for_user=200; may be given several times",
     .values = tv_filter_help},
    {.name = "preset",
     .kind = TV_OPTION_TEXT,
     .value = "NAME",
     .help = "the values of a saved preset; --set changes single ones"},
    {.name = NULL},
};
const struct tv_option *const tv_filter_report_options[] = {filter_options, tv_format_options, NULL};
const struct tv_option *const tv_report_options[] = {tv_format_options, NULL};

/* --- what the commands share ------------------------------------------------------------------------------- */

/* A connection in a READ ONLY transaction, so that what is given by --set can change nothing. */
static enum tv_status open_reading(struct tv_pg **pg, const struct tv_settings *s, struct tv_error *err)
{
    enum tv_status status = tv_schema_open(pg, s, "trivet-etl", err);
    return status == TV_OK ? tv_pg_exec(*pg, "BEGIN READ ONLY", 0, NULL, err) : status;
}

/* Makes the filter that the flags describe: the defaults, over them the values of --preset, and over these those of
 * --set. */
static enum tv_status read_filter(struct tv_filter **f, struct tv_pg *pg, const struct tv_settings *s,
                                  struct tv_error *err)
{
    const char *const *assignments;
    const char *preset = tv_settings_text(s, "preset");
    size_t n = tv_settings_list(s, "set", &assignments);
    enum tv_status status = tv_filter_create(f, err);
    if (status == TV_OK && preset)
        status = tv_filter_load_preset(*f, pg, preset, err);
    return status == TV_OK ? tv_filter_set_all(*f, assignments, n, err) : status;
}

/* Says in the log which filter the table is about: standard output may go to a program. */
static void tell_filter(const struct tv_filter *f, const char *what)
{
    char text[512];
    tv_filter_describe(f, text, sizeof text);
    tv_log_info("%s: %s", what, text);
}

/* --- funnel ------------------------------------------------------------------------------------------------- */

/* Puts the filter of the run that `where` chooses into *f. A run whose row source is an analyst's own SQL has an empty
 * filter in the journal: that is told, and counts as none. *found says whether there is a filter. */
static enum tv_status run_filter(struct tv_filter *f, struct tv_pg *pg, const char *where, const char *value,
                                 int *found, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    struct tv_buffer sql = TV_BUFFER_INIT(1024);
    enum tv_status status = tv_buffer_format(&sql, err, "SELECT filter, source FROM trivet.run WHERE %s", where);
    if (status == TV_OK)
        status = tv_pg_query(pg, tv_buffer_string(&sql), value ? 1 : 0, &value, &rows, err);
    tv_buffer_free(&sql);
    if (status != TV_OK)
        return status;
    *found = tv_pg_rows_count(rows) > 0;
    if (*found && strcmp(tv_pg_cell(rows, 0, 0), "{}") == 0) {
        tv_log_info("the model to compare with learned from %s, not from trivet.user_item", tv_pg_cell(rows, 0, 1));
        *found = 0;
    }
    if (*found)
        status = tv_filter_set_json(f, tv_pg_cell(rows, 0, 0), err);
    tv_pg_rows_free(rows);
    return status;
}

/* The filter of --against: the live model's, a run's by number, or a preset's by name. *found = 0 where no model is
 * live yet, and then the funnel stands alone. */
static enum tv_status other_filter(struct tv_filter **f, struct tv_pg *pg, const char *against, int *found,
                                   struct tv_error *err)
{
    int64_t run;
    *found = 1;
    enum tv_status status = tv_filter_create(f, err);
    if (status != TV_OK)
        return status;
    if (strcmp(against, "live") == 0)
        return run_filter(*f, pg, "state = 'live'", NULL, found, err);
    if (!tv_text_int64(against, strlen(against), &run))
        return tv_filter_load_preset(*f, pg, against, err);
    status = run_filter(*f, pg, "id = $1", against, found, err);
    if (status == TV_OK && !*found) {
        tv_fail(err, TV_ERR_NOT_FOUND, "the journal has no filter of a run %s", against);
        status = tv_hint(err, "trivet-train runs lists the runs");
    }
    return status;
}

/* One statement for both filters, joined step by step, so that both are counted on the same ratings. */
static enum tv_status print_funnel(struct tv_pg *pg, const struct tv_settings *s, const struct tv_filter *f,
                                   const struct tv_filter *other, struct tv_error *err)
{
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(
        &sql, err,
        "SELECT f.step, f.name, f.row_count AS rating_rows, f.users, f.items, round(f.density::numeric, 6) AS density, "
        "f.removed_rows%s, f.note FROM ",
        other ? ", f.row_count - o.row_count AS rows_more, f.users - o.users AS users_more, f.items - o.items AS items_more"
              : "");
    if (status == TV_OK)
        status = tv_filter_call(f, pg, TV_FILTER_ALL, "trivet.funnel", &sql, err);
    if (status == TV_OK)
        status = tv_buffer_text(&sql, " f", err);
    if (status == TV_OK && other) {
        status = tv_buffer_text(&sql, " JOIN ", err);
        if (status == TV_OK)
            status = tv_filter_call(other, pg, TV_FILTER_ALL, "trivet.funnel", &sql, err);
        if (status == TV_OK)
            status = tv_buffer_text(&sql, " o USING (step)", err);
    }
    if (status == TV_OK)
        status = tv_buffer_text(&sql, " ORDER BY step", err);
    if (status == TV_OK)
        status = tv_table_print_query(pg, s, tv_buffer_string(&sql), 0, NULL, err);
    tv_buffer_free(&sql);
    return status;
}

enum tv_status tv_etl_funnel(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_pg *pg = NULL;
    struct tv_filter *f = NULL, *other = NULL;
    int found = 0;
    enum tv_status status = open_reading(&pg, s, err);
    if (status == TV_OK)
        status = read_filter(&f, pg, s, err);
    if (status == TV_OK)
        status = other_filter(&other, pg, tv_settings_text(s, "against"), &found, err);
    if (status == TV_OK) {
        tell_filter(f, "filter");
        if (found)
            tell_filter(other, "beside");
        status = print_funnel(pg, s, f, found ? other : NULL, err);
    }
    tv_filter_free(f);
    tv_filter_free(other);
    tv_pg_close(pg);
    return status;
}

/* --- sweep ---------------------------------------------------------------------------------------------------- */

/* Commas inside braces do not divide, because a list of genres is one value. */
static const char *end_of_value(const char *text)
{
    for (int depth = 0; *text && (*text != ',' || depth != 0); text++)
        depth += (*text == '{') - (*text == '}');
    return text;
}

/* "min_users_for_item=5,10,20": the name, and the values as an array of SQL, '{"5","10","20"}'. */
static enum tv_status split_over(const char *text, char *name, size_t size, struct tv_buffer *values,
                                 struct tv_error *err)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || (size_t)(equals - text) >= size || equals[1] == '\0') {
        tv_fail(err, TV_ERR_USAGE, "--over is \"%s\", but must be a parameter and its values", text);
        return tv_hint(err, "for example --over min_users_for_item=5,10,20,50");
    }
    snprintf(name, size, "%.*s", (int)(equals - text), text);
    enum tv_status status = TV_OK;
    for (const char *value = equals + 1, *end; status == TV_OK; value = end + 1) {
        end = end_of_value(value);
        status = tv_buffer_text(values, value == equals + 1 ? "{" : ",", err);
        if (status == TV_OK)
            status = tv_buffer_quoted(values, value, (size_t)(end - value), err);
        if (*end == '\0')
            break;
    }
    return status == TV_OK ? tv_buffer_text(values, "}", err) : status;
}

/* Counts the passes over the ratings that trivet.sweep has made. It needs one for each value of a parameter that is no
 * threshold on counts, and raises a notice when one is done. */
static void on_run(void *context, const char *notice)
{
    struct tv_progress *progress = context;
    int done, of;
    if (tv_pg_steps(notice, &done, &of)) {
        progress->total = of;
        tv_progress_update(progress, done);
        if (done == of)
            tv_progress_end(progress); /* before the table */
    }
}

/* print_query, with a progress line meanwhile: a sweep over many ratings may take minutes without a row. */
static enum tv_status print_while_telling(struct tv_pg *pg, const struct tv_settings *s, const char *sql, int n,
                                          const char *const *values, struct tv_error *err)
{
    struct tv_progress progress;
    tv_progress_start(&progress, "sweep", "runs over the ratings", 0);
    tv_pg_on_notice(pg, on_run, &progress);
    enum tv_status status = tv_table_print_query(pg, s, sql, n, values, err);
    tv_pg_on_notice(pg, NULL, NULL);
    tv_progress_end(&progress);
    return status;
}

/* trivet.sweep takes the filter as its last arguments, by name; tv_filter_call writes them with their brackets, and
 * the opening one is left out here. */
static enum tv_status print_sweep(struct tv_pg *pg, const struct tv_settings *s, const struct tv_filter *f,
                                  const char *const *over, size_t n_over, struct tv_error *err)
{
    char names[2][64] = {"", ""};
    struct tv_buffer lists[2] = {TV_BUFFER_INIT(1 << 16), TV_BUFFER_INIT(1 << 16)};
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17), call = TV_BUFFER_INIT(1 << 16);
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n_over && status == TV_OK; i++)
        status = split_over(over[i], names[i], sizeof names[i], &lists[i], err);
    if (status == TV_OK)
        status = tv_filter_call(f, pg, TV_FILTER_ALL, "", &call, err);
    if (status == TV_OK)
        status = tv_buffer_format(
            &sql, err,
            "SELECT x_value AS \"%s\"%s%s%s, row_count AS rating_rows, users, items, round(density::numeric, 6) AS density, "
            "round(share_of_rows::numeric, 4) AS share_of_rows, round(share_of_users::numeric, 4) AS share_of_users, "
            "limit_cut FROM trivet.sweep($1, $2::text[], $3, $4::text[]%s%s ORDER BY x_place, y_place",
            names[0], n_over > 1 ? ", y_value AS \"" : "", n_over > 1 ? names[1] : "", n_over > 1 ? "\"" : "",
            call.size > 2 ? ", " : "", tv_buffer_string(&call) + 1);
    const char *const values[] = {names[0], tv_buffer_string(&lists[0]), n_over > 1 ? names[1] : NULL,
                                  n_over > 1 ? tv_buffer_string(&lists[1]) : NULL};
    if (status == TV_OK)
        status = print_while_telling(pg, s, tv_buffer_string(&sql), 4, values, err);
    tv_buffer_free(&lists[0]);
    tv_buffer_free(&lists[1]);
    tv_buffer_free(&sql);
    tv_buffer_free(&call);
    return status;
}

enum tv_status tv_etl_sweep(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_pg *pg = NULL;
    struct tv_filter *f = NULL;
    const char *const *over;
    size_t n_over = tv_settings_list(s, "over", &over);
    if (n_over < 1 || n_over > 2) {
        tv_fail(err, TV_ERR_USAGE, "sweep needs one or two --over, not %zu", n_over);
        return tv_hint(err, "for example --over min_users_for_item=5,10,20 --over max_items_for_user=50,100,200");
    }
    enum tv_status status = open_reading(&pg, s, err);
    if (status == TV_OK)
        status = read_filter(&f, pg, s, err);
    if (status == TV_OK)
        status = print_sweep(pg, s, f, over, n_over, err);
    tv_filter_free(f);
    tv_pg_close(pg);
    return status;
}

/* --- why ------------------------------------------------------------------------------------------------------ */

/* Finds the number of an id or of a code, and writes into `column` how the answer's first column is to be selected, so
 * that a user or an item is shown as it was asked for: as a number, or as a code. */
static enum tv_status find_number(int64_t *id, char *column, size_t size, struct tv_pg *pg, const char *kind,
                                  const char *text, struct tv_error *err)
{
    char sql[64];
    const char *const values[] = {text};
    snprintf(column, size, "%s_id", kind);
    if (tv_code_is_number(text, strlen(text), id))
        return TV_OK;
    snprintf(column, size, "trivet.%s_code(%s_id) AS %s_id", kind, kind, kind);
    snprintf(sql, sizeof sql, "SELECT trivet.%s_id($1)", kind);
    enum tv_status status = tv_pg_int(pg, sql, 1, values, id, err);
    return status == TV_ERR_NOT_FOUND ? tv_fail(err, TV_ERR_USAGE, "\"%s\" is no id of %s %s", text, kind[0] == 'i' ? "an" : "a", kind) : status;
}

/* Appends the statement, for example "SELECT ... FROM trivet.why_item(5, max_items_for_user => 200)". */
static enum tv_status append_why(struct tv_buffer *sql, struct tv_pg *pg, const struct tv_filter *f, const char *kind,
                                 const char *text, struct tv_error *err)
{
    int64_t id = 0;
    char column[96];
    struct tv_buffer call = TV_BUFFER_INIT(1 << 16);
    enum tv_status status = find_number(&id, column, sizeof column, pg, kind, text, err);
    if (status == TV_OK)
        status = tv_filter_call(f, pg, TV_FILTER_ALL, "", &call, err);
    if (status == TV_OK)
        status = tv_buffer_format(sql, err, "SELECT %s%s, kept, step, name, counted, threshold, reason "
                                  "FROM trivet.why_%s(%" PRId64 "%s%s", column, *kind == 'i' ? ", title" : "", kind, id,
                                  call.size > 2 ? ", " : "", tv_buffer_string(&call) + 1);
    tv_buffer_free(&call);
    return status;
}

enum tv_status tv_etl_why(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct tv_pg *pg = NULL;
    struct tv_filter *f = NULL;
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    if (strcmp(arguments[0], "item") != 0 && strcmp(arguments[0], "user") != 0)
        return tv_fail(err, TV_ERR_USAGE, "why knows item and user, not \"%s\"", arguments[0]);
    enum tv_status status = open_reading(&pg, s, err);
    if (status == TV_OK)
        status = read_filter(&f, pg, s, err);
    if (status == TV_OK)
        status = append_why(&sql, pg, f, arguments[0], arguments[1], err);
    if (status == TV_OK)
        status = tv_table_print_query(pg, s, tv_buffer_string(&sql), 0, NULL, err);
    tv_buffer_free(&sql);
    tv_filter_free(f);
    tv_pg_close(pg);
    return status;
}

/* --- reports without parameters ------------------------------------------------------------------------------ */

/* Prints a view that takes no parameters. */
static enum tv_status print_report(const struct tv_settings *s, const char *sql, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = open_reading(&pg, s, err);
    if (status == TV_OK)
        status = tv_table_print_query(pg, s, sql, 0, NULL, err);
    tv_pg_close(pg);
    return status;
}

enum tv_status tv_etl_activity(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    if (strcmp(arguments[0], "users") == 0)
        return print_report(s, "SELECT * FROM trivet.activity_of_users", err);
    if (strcmp(arguments[0], "items") == 0)
        return print_report(s, "SELECT * FROM trivet.activity_of_items", err);
    return tv_fail(err, TV_ERR_USAGE, "activity knows users and items, not \"%s\"", arguments[0]);
}

enum tv_status tv_etl_quality(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    return print_report(s, "SELECT * FROM trivet.quality", err);
}

enum tv_status tv_etl_presets(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    return print_report(s, "SELECT * FROM trivet.preset ORDER BY name", err);
}
