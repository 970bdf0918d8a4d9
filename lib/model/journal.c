/* journal: writes the rows of trivet.run. Each change of state is a statement or a short transaction of its own,
 * committed at once, so that it outlives whatever the run does on other connections.
 */
#include "trivet/model/journal.h"

#include <inttypes.h>
#include <stdio.h>

#include "trivet/store/pg_rows.h"

/* The row's state is the column's default, building. The snapshot is stored as PostgreSQL's pg_snapshot, so that
 * trivet.changed_users can ask of each later change whether the training saw it. */
enum tv_status tv_run_begin(struct tv_pg *pg, const struct tv_run_plan *p, int64_t *run_number, struct tv_error *err)
{
    char dataset[24];
    snprintf(dataset, sizeof dataset, "%" PRId64, p->dataset);
    const char *const values[] = {p->command,  p->algorithm, p->parameters,  p->filter,
                                  p->source,   p->data,      p->fingerprint, tv_run_kind_name(p->kind),
                                  p->snapshot, p->evidence,  dataset};
    return tv_pg_int(pg,
                     "INSERT INTO trivet.run (command, algorithm, parameters, filter, source, data, fingerprint, kind, "
                     "snapshot, evidence, dataset) "
                     "VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6::jsonb, $7, $8, $9::pg_snapshot, $10, "
                     "nullif($11::bigint, 0)) RETURNING id",
                     11, values, run_number, err);
}

/* Row and hold are one transaction, so nobody sees a row that is not held yet and takes its process for dead. */
enum tv_status tv_run_begin_beside(struct tv_pg *pg, const struct tv_run_plan *plan, int64_t *run_number,
                                   struct tv_error *err)
{
    char text[24];
    const char *value = text;
    enum tv_status status = tv_pg_exec(pg, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_run_begin(pg, plan, run_number, err);
    snprintf(text, sizeof text, "%lld", (long long)*run_number);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "SELECT trivet.hold_run($1::bigint)", 1, &value, err);
    if (status != TV_OK) {
        tv_ignore(tv_pg_exec(pg, "ROLLBACK", 0, NULL, NULL), "a lost connection rolls back by itself");
        return status;
    }
    return tv_pg_exec(pg, "COMMIT", 0, NULL, err);
}

/* A run whose process is there holds its row (tv_run_begin_beside). Runs that make models are repair's to judge. */
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
static enum tv_status update_two(struct tv_pg *pg, const char *sql, int64_t run_number, const char *second,
                                 const char *third, struct tv_error *err)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)run_number);
    const char *const values[] = {number, second, third};
    enum tv_status status = tv_pg_exec(pg, sql, 1 + (second != NULL) + (third != NULL), values, err);
    if (status == TV_OK && tv_pg_affected(pg) != 1)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "the journal (trivet.run) has no run %lld", (long long)run_number);
    return status;
}

/* The same with one more text at most. */
static enum tv_status update(struct tv_pg *pg, const char *sql, int64_t run_number, const char *second,
                             struct tv_error *err)
{
    return update_two(pg, sql, run_number, second, NULL, err);
}

/* The model is whole in MongoDB and Redis by now; it is not shown until it is activated. */
enum tv_status tv_run_complete(struct tv_pg *pg, int64_t run_number, const char *counts, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET state = 'kept', finished_at = now(), counts = $2::jsonb WHERE id = $1",
                  run_number, counts, err);
}

enum tv_status tv_run_count_again(struct tv_pg *pg, int64_t run_number, const char *counts, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET counts = counts || $2::jsonb WHERE id = $1", run_number, counts, err);
}

enum tv_status tv_run_done(struct tv_pg *pg, int64_t run_number, const char *counts, const char *metrics,
                           struct tv_error *err)
{
    return update_two(
        pg,
        "UPDATE trivet.run SET state = 'done', finished_at = now(), counts = $2::jsonb, metrics = $3::jsonb "
        "WHERE id = $1",
        run_number, counts, metrics, err);
}

enum tv_status tv_run_set_metrics(struct tv_pg *pg, int64_t run_number, const char *metrics, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET metrics = $2::jsonb WHERE id = $1", run_number, metrics, err);
}

enum tv_status tv_run_set_message(struct tv_pg *pg, int64_t run_number, const char *message, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET message = $2 WHERE id = $1", run_number, message, err);
}

enum tv_status tv_run_fail(struct tv_pg *pg, int64_t run_number, const char *message, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET state = 'failed', finished_at = now(), message = $2 WHERE id = $1",
                  run_number, message, err);
}

enum tv_status tv_run_set_state(struct tv_pg *pg, int64_t run_number, enum tv_run_state state, struct tv_error *err)
{
    return update(pg, "UPDATE trivet.run SET state = $2 WHERE id = $1", run_number, tv_run_state_name(state), err);
}

/* The live run gives its state up first, because the table allows one such row (run_one_live). */
enum tv_status tv_run_go_live(struct tv_pg *pg, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_pg_exec(pg, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "UPDATE trivet.run SET state = 'kept' WHERE state = 'live'", 0, NULL, err);
    if (status == TV_OK)
        status =
            update(pg, "UPDATE trivet.run SET state = 'live', live_at = now() WHERE id = $1", run_number, NULL, err);
    if (status != TV_OK) {
        tv_ignore(tv_pg_exec(pg, "ROLLBACK", 0, NULL, NULL), "a lost connection rolls back by itself");
        return status;
    }
    return tv_pg_exec(pg, "COMMIT", 0, NULL, err);
}
