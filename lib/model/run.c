/* run: reads rows of trivet.run, and knows the names of states and kinds as the table has them. journal.c writes
 * the rows.
 */
#include "trivet/model/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/store/pg_rows.h"

/* In the order of the two enums; the checks of the table (sql/001_schema.sql) list the same words. */
static const char *const state_names[] = {"building", "kept", "activating", "live", "pruned", "failed", "done"};
static const char *const kind_names[] = {"fit", "import", "evaluate", "search"};
enum { N_STATES = sizeof state_names / sizeof *state_names, N_KINDS = sizeof kind_names / sizeof *kind_names };

const char *tv_run_state_name(enum tv_run_state state)
{
    return state_names[state];
}

const char *tv_run_kind_name(enum tv_run_kind kind)
{
    return kind_names[kind];
}

int tv_run_makes_model(enum tv_run_kind kind)
{
    return kind == TV_RUN_FIT || kind == TV_RUN_IMPORT;
}

/* Null becomes "", so that readers of a run need not look. NULL: no memory. */
static char *copy_cell(const struct tv_pg_rows *rows, int row, int column)
{
    const char *text = tv_pg_cell(rows, row, column);
    return strdup(text ? text : "");
}

static void fill_text(char *out, size_t size, const struct tv_pg_rows *rows, int row, int column)
{
    const char *text = tv_pg_cell(rows, row, column);
    snprintf(out, size, "%s", text ? text : "");
}

/* The place of a name. The table's checks allow no others, so the last place needs no comparison. */
static int find_name(const char *const *names, int n, const char *name)
{
    int i = 0;
    while (i < n - 1 && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* Columns by their place in the SELECT of tv_run_list. Returns 0 without memory; what was copied by then is freed
 * with the list. */
static int fill_run(struct tv_run *run, const struct tv_pg_rows *rows, int row)
{
    run->id = atoll(tv_pg_cell(rows, row, 0));
    run->state = (enum tv_run_state)find_name(state_names, N_STATES, tv_pg_cell(rows, row, 1));
    run->kind = (enum tv_run_kind)find_name(kind_names, N_KINDS, tv_pg_cell(rows, row, 10));
    fill_text(run->started_at, sizeof run->started_at, rows, row, 2);
    fill_text(run->live_at, sizeof run->live_at, rows, row, 3);
    fill_text(run->algorithm, sizeof run->algorithm, rows, row, 4);
    run->parameters = copy_cell(rows, row, 5);
    run->filter = copy_cell(rows, row, 6);
    run->counts = copy_cell(rows, row, 7);
    run->source = copy_cell(rows, row, 8);
    run->message = copy_cell(rows, row, 9);
    run->metrics = copy_cell(rows, row, 11);
    run->dataset = atoll(tv_pg_cell(rows, row, 12));
    run->dataset_name = copy_cell(rows, row, 13);
    return run->parameters && run->filter && run->counts && run->metrics && run->source && run->message &&
           run->dataset_name;
}

/* Times are written in UTC, whatever the session's time zone is. */
enum tv_status tv_run_list(struct tv_pg *pg, unsigned states, struct tv_run **out, size_t *n, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer names = TV_BUFFER_INIT(1024);
    enum tv_status status = tv_buffer_text(&names, "{", err);
    for (int s = 0; s < N_STATES && status == TV_OK; s++)
        if (states & 1u << s)
            status = tv_buffer_format(&names, err, "%s%s", names.size > 1 ? "," : "", state_names[s]);
    if (status == TV_OK)
        status = tv_buffer_text(&names, "}", err);
    const char *value = tv_buffer_string(&names);
    if (status == TV_OK)
        status =
            tv_pg_query(pg,
                        "SELECT id, state, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
                        "to_char(live_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), algorithm, "
                        "parameters, filter, counts, source, message, kind, metrics, coalesce(dataset, 0), "
                        "(SELECT d.name FROM trivet.dataset d WHERE d.id = r.dataset) "
                        "FROM trivet.run r WHERE state = ANY ($1) ORDER BY id",
                        1, &value, &rows, err);
    tv_buffer_free(&names);
    if (status != TV_OK)
        return status;
    int count = tv_pg_rows_count(rows);
    struct tv_run *runs = tv_alloc((size_t)count, sizeof *runs, "the journal", err);
    int ok = runs != NULL;
    for (int i = 0; i < count && ok; i++)
        ok = fill_run(&runs[i], rows, i);
    tv_pg_rows_free(rows);
    if (!ok) {
        tv_run_list_free(runs, (size_t)count);
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the journal");
    }
    *out = runs;
    *n = (size_t)count;
    return TV_OK;
}

void tv_run_list_free(struct tv_run *runs, size_t n)
{
    for (size_t i = 0; runs && i < n; i++) {
        free(runs[i].parameters);
        free(runs[i].filter);
        free(runs[i].counts);
        free(runs[i].metrics);
        free(runs[i].source);
        free(runs[i].message);
        free(runs[i].dataset_name);
    }
    free(runs);
}

enum tv_status tv_run_live(struct tv_pg *pg, int64_t *live, struct tv_error *err)
{
    return tv_pg_int(pg, "SELECT coalesce(max(id), 0) FROM trivet.run WHERE state = 'live'", 0, NULL, live, err);
}

/* The model that was live last among those that are kept. One that a killed forget made in the place of another has that one's time, and
 * is no model of before. */
enum tv_status tv_run_previous(struct tv_pg *pg, int64_t *previous, struct tv_error *err)
{
    return tv_pg_int(pg,
                     "SELECT coalesce((SELECT id FROM trivet.run WHERE state = 'kept' AND live_at IS NOT NULL "
                     "AND id NOT IN (SELECT instead FROM trivet.runs_made_again()) "
                     "ORDER BY live_at DESC LIMIT 1), 0)",
                     0, NULL, previous, err);
}
