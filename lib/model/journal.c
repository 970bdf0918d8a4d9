/* journal: the lock, and the rows of trivet.run. */
#include "trivet/model/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/store/pg_rows.h"

/* --- the lock --------------------------------------------------------------------------------------------- */

struct tv_lock {
    struct tv_pg *pg;
    char who[64];
};

/* A schema of the same version may be of before the journal knew other runs than trainings. */
static enum tv_status check_kinds(struct tv_pg *pg, struct tv_error *err)
{
    int64_t there = 0;
    enum tv_status status =
        tv_pg_int(pg, "SELECT (to_regprocedure('trivet.hold_run(bigint)') IS NOT NULL)::int", 0, NULL, &there, err);
    if (status != TV_OK || there)
        return status;
    tv_fail(err, TV_ERR_STORE, "the schema trivet in this database is older than this program");
    return tv_hint(err, "bring it up to date: trivet-etl schema");
}

enum tv_status tv_journal_check_schema(struct tv_pg *pg, struct tv_error *err)
{
    int64_t there = 0, version = 0;
    enum tv_status status =
        tv_pg_int(pg, "SELECT (to_regclass('trivet.run') IS NOT NULL)::int", 0, NULL, &there, err);
    if (status == TV_OK && !there) {
        tv_fail(err, TV_ERR_INPUT, "this database has no schema trivet yet");
        return tv_hint(err, "load ratings first: trivet-etl load DIR");
    }
    if (status == TV_OK)
        status = tv_pg_int(pg, "SELECT max(version) FROM trivet.schema_version", 0, NULL, &version, err);
    if (status == TV_OK && version <= TV_SCHEMA_VERSION)
        return check_kinds(pg, err);
    if (status != TV_OK)
        return status;
    tv_fail(err, TV_ERR_STORE, "the schema trivet in this database has version %lld, this program knows %d",
            (long long)version, TV_SCHEMA_VERSION);
    return tv_hint(err, "use the newer trivet, or another database");
}

/* "trivet-train fit (run 12), process 4711, since 2026-01-31 12:00:00+00" */
static enum tv_status describe_holder(struct tv_pg *pg, char *out, size_t size, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    enum tv_status status = tv_pg_query(
        pg, "SELECT program, pid, date_trunc('second', since) FROM trivet.lock_holder()", 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    snprintf(out, size, "another process");
    if (tv_pg_rows_count(rows) > 0) {
        const char *program = tv_pg_cell(rows, 0, 0), *since = tv_pg_cell(rows, 0, 2);
        snprintf(out, size, "%s, process %s, since %s", program && *program ? program : "another program",
                 tv_pg_cell(rows, 0, 1), since ? since : "some time");
    }
    tv_pg_rows_free(rows);
    return TV_OK;
}

static enum tv_status try_lock(struct tv_pg *pg, int *got, struct tv_error *err)
{
    int64_t answer = 0;
    enum tv_status status =
        tv_pg_int(pg, "SELECT pg_try_advisory_lock(trivet.lock_key())::int", 0, NULL, &answer, err);
    *got = answer == 1;
    return status;
}

static enum tv_status lock_or_wait(struct tv_pg *pg, int wait, struct tv_error *err)
{
    char holder[256];
    int got = 0;
    enum tv_status status = try_lock(pg, &got, err);
    if (status != TV_OK || got)
        return status;
    if ((status = describe_holder(pg, holder, sizeof holder, err)) != TV_OK)
        return status;
    if (!wait) {
        tv_fail(err, TV_ERR_BUSY, "the models are locked by %s", holder);
        return tv_hint(err, "wait for it to end, then run this again");
    }
    tv_log_info("waiting for %s", holder);
    return tv_pg_exec(pg, "SELECT pg_advisory_lock(trivet.lock_key())", 0, NULL, err);
}

enum tv_status tv_lock_acquire(struct tv_lock **out, const char *postgres_uri, const char *who, int wait,
                               int connect_wait_seconds, struct tv_error *err)
{
    struct tv_lock *lock = tv_alloc(1, sizeof *lock, "the lock", err);
    if (lock == NULL)
        return TV_ERR_NO_MEMORY;
    snprintf(lock->who, sizeof lock->who, "%s", who);
    enum tv_status status = tv_pg_open(&lock->pg, postgres_uri, who, connect_wait_seconds, err);
    if (status == TV_OK)
        status = tv_journal_check_schema(lock->pg, err);
    if (status == TV_OK)
        status = lock_or_wait(lock->pg, wait, err);
    if (status != TV_OK) {
        tv_lock_release(lock);
        return status;
    }
    *out = lock;
    return TV_OK;
}

enum tv_status tv_lock_name_run(struct tv_lock *lock, int64_t run, struct tv_error *err)
{
    char name[96];
    const char *value = name;
    snprintf(name, sizeof name, "%s (run %lld)", lock->who, (long long)run);
    return tv_pg_exec(lock->pg, "SELECT set_config('application_name', $1, false)", 1, &value, err);
}

enum tv_status tv_lock_check(struct tv_lock *lock, struct tv_error *err)
{
    if (tv_pg_alive(lock->pg))
        return TV_OK;
    tv_fail(err, TV_ERR_BUSY, "the connection that holds the lock is lost, so another process may work by now");
    return tv_hint(err, "nothing visible was changed; run this again");
}

struct tv_pg *tv_lock_connection(struct tv_lock *lock)
{
    return lock->pg;
}

void tv_lock_release(struct tv_lock *lock)
{
    if (lock == NULL)
        return;
    tv_pg_close(lock->pg);
    free(lock);
}

/* --- runs ------------------------------------------------------------------------------------------------- */

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

enum tv_status tv_run_begin(struct tv_pg *pg, const struct tv_run_plan *p, int64_t *id, struct tv_error *err)
{
    const char *const values[] = {p->command,     p->algorithm,        p->parameters, p->filter,  p->source, p->data,
                                  p->fingerprint, kind_names[p->kind], p->snapshot,   p->evidence};
    return tv_pg_int(pg,
                     "INSERT INTO trivet.run (command, algorithm, parameters, filter, source, data, fingerprint, kind, "
                     "snapshot, evidence) "
                     "VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6::jsonb, $7, $8, $9::pg_snapshot, $10) RETURNING id",
                     10, values, id, err);
}

/* In one transaction: nobody sees the row before it is held. */
enum tv_status tv_run_begin_beside(struct tv_pg *pg, const struct tv_run_plan *plan, int64_t *id, struct tv_error *err)
{
    char text[24];
    const char *value = text;
    enum tv_status status = tv_pg_exec(pg, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_run_begin(pg, plan, id, err);
    snprintf(text, sizeof text, "%lld", (long long)*id);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "SELECT trivet.hold_run($1::bigint)", 1, &value, err);
    if (status != TV_OK) {
        tv_ignore(tv_pg_exec(pg, "ROLLBACK", 0, NULL, NULL), "a lost connection rolls back by itself");
        return status;
    }
    return tv_pg_exec(pg, "COMMIT", 0, NULL, err);
}

enum tv_status tv_run_fail_abandoned(struct tv_pg *pg, int64_t *n, struct tv_error *err)
{
    enum tv_status status = tv_pg_exec(pg,
                                       "UPDATE trivet.run SET state = 'failed', finished_at = now(), "
                                       "message = 'its process ended before it was done' "
                                       "WHERE state = 'building' AND kind IN ('evaluate', 'search') AND NOT trivet.run_is_held(id)",
                                       0, NULL, err);
    *n = status == TV_OK ? tv_pg_affected(pg) : 0;
    return status;
}

/* An update of one run, $1, with up to two more texts, $2 and $3; a run that is not there is an error, not a success. */
static enum tv_status update_two(struct tv_pg *pg, const char *sql, int64_t id, const char *second, const char *third,
                                 struct tv_error *err)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)id);
    const char *const values[] = {number, second, third};
    enum tv_status status = tv_pg_exec(pg, sql, 1 + (second != NULL) + (third != NULL), values, err);
    if (status == TV_OK && tv_pg_affected(pg) != 1)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "the journal (trivet.run) has no run %lld", (long long)id);
    return status;
}

static enum tv_status update(struct tv_pg *pg, const char *sql, int64_t id, const char *second, struct tv_error *err)
{
    return update_two(pg, sql, id, second, NULL, err);
}

enum tv_status tv_run_complete(struct tv_pg *pg, int64_t id, const char *counts, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET state = 'kept', finished_at = now(), counts = $2::jsonb WHERE id = $1", id,
                  counts, err);
}

enum tv_status tv_run_done(struct tv_pg *pg, int64_t id, const char *counts, const char *metrics, struct tv_error *err)
{
    return update_two(pg,
                      "UPDATE trivet.run SET state = 'done', finished_at = now(), counts = $2::jsonb, metrics = $3::jsonb "
                      "WHERE id = $1",
                      id, counts, metrics, err);
}

enum tv_status tv_run_set_metrics(struct tv_pg *pg, int64_t id, const char *metrics, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET metrics = $2::jsonb WHERE id = $1", id, metrics, err);
}

enum tv_status tv_run_set_message(struct tv_pg *pg, int64_t id, const char *message, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET message = $2 WHERE id = $1", id, message, err);
}

enum tv_status tv_run_fail(struct tv_pg *pg, int64_t id, const char *message, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET state = 'failed', finished_at = now(), message = $2 WHERE id = $1", id,
                  message, err);
}

enum tv_status tv_run_set_state(struct tv_pg *pg, int64_t id, enum tv_run_state state, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET state = $2 WHERE id = $1", id, state_names[state], err);
}

enum tv_status tv_run_go_live(struct tv_pg *pg, int64_t id, struct tv_error *err)
{
    enum tv_status status = tv_pg_exec(pg, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "UPDATE trivet.run SET state = 'kept' WHERE state = 'live'", 0, NULL, err);
    if (status == TV_OK)
        status = update(pg, "UPDATE trivet.run SET state = 'live', live_at = now() WHERE id = $1", id, NULL, err);
    if (status != TV_OK) {
        tv_ignore(tv_pg_exec(pg, "ROLLBACK", 0, NULL, NULL), "a lost connection rolls back by itself");
        return status;
    }
    return tv_pg_exec(pg, "COMMIT", 0, NULL, err);
}

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

/* The tables' checks allow no other name. */
static int find_name(const char *const *names, int n, const char *name)
{
    int i = 0;
    while (i < n - 1 && strcmp(names[i], name) != 0)
        i++;
    return i;
}

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
    return run->parameters && run->filter && run->counts && run->metrics && run->source && run->message;
}

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
        status = tv_pg_query(pg,
                             "SELECT id, state, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
                             "to_char(live_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), algorithm, "
                             "parameters, filter, counts, source, message, kind, metrics "
                             "FROM trivet.run WHERE state = ANY ($1) ORDER BY id",
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
    }
    free(runs);
}

enum tv_status tv_run_live(struct tv_pg *pg, int64_t *live, struct tv_error *err)
{
    return tv_pg_int(pg, "SELECT coalesce(max(id), 0) FROM trivet.run WHERE state = 'live'", 0, NULL, live, err);
}

enum tv_status tv_run_previous(struct tv_pg *pg, int64_t *previous, struct tv_error *err)
{
    return tv_pg_int(pg,
                     "SELECT coalesce((SELECT id FROM trivet.run WHERE state = 'kept' AND live_at IS NOT NULL "
                     "ORDER BY live_at DESC LIMIT 1), 0)",
                     0, NULL, previous, err);
}
