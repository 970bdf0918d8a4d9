/* publish: the second transaction of a load, which makes its rows visible and drops what they replace.
 *
 * It needs strong locks for some milliseconds, and must not queue up for them in front of readers. So it runs with a short
 * lock_timeout, and is rolled back and begun again while somebody is in the way (include/trivet/schema/patient.h).
 */
#include <stdio.h>
#include <unistd.h>

#include "etl/load/load.h"
#include "trivet/cli/interrupt.h"
#include "trivet/schema/patient.h"
#include "trivet/store/pg_rows.h"

static const char *is_append(const struct tv_load *l)
{
    return l->append ? "true" : "false";
}

/* Takes the locks behind a savepoint, so that unlock gives back these and nothing else. */
static enum tv_status try_lock(struct tv_load *l, struct tv_error *err)
{
    const char *const values[] = {l->target.number, is_append(l)};
    enum tv_status status = tv_pg_exec(l->data, "SAVEPOINT unlocked", 0, NULL, err);
    return status == TV_OK ? tv_pg_exec(l->data, "SELECT trivet.load_lock(nullif($1, '')::bigint, $2)", 2, values, err)
                           : status;
}

/* Gives back the locks that try_lock took. */
static enum tv_status unlock(struct tv_load *l, struct tv_error *err)
{
    return tv_pg_exec(l->data, "ROLLBACK TO unlocked", 0, NULL, err);
}

/* Takes the locks for good. Codes and items are in place by now, which may have taken seconds, so a few more tries here
 * are cheaper than to begin the transaction again. */
static enum tv_status lock_ratings(struct tv_load *l, struct tv_error *err)
{
    enum { TRIES = 10, PAUSE_US = 50000 };
    for (int tries = 1;; tries++) {
        enum tv_status status = try_lock(l, err);
        if (status == TV_OK || tries == TRIES || !tv_pg_lock_refused(l->data) || tv_interrupted())
            return status;
        if ((status = unlock(l, err)) != TV_OK)
            return status;
        usleep(PAUSE_US);
    }
}

/* One attempt at transaction 2. The locks are tried and given back first: while a query is in the way, the seconds for
 * codes and items would be lost. They are taken for good at the end, and held for milliseconds. */
static enum tv_status publish_once(void *context, struct tv_error *err)
{
    struct tv_load *l = context;
    char rows[24], rejects[24];
    snprintf(rows, sizeof rows, "%lld", l->stage.tally.rows - (long long)l->report.added_up);
    snprintf(rejects, sizeof rejects, "%lld", l->rejects.n);
    char dataset[24];
    const char *const named[] = {l->name, is_append(l)};
    const char *const published[] = {l->id_text, is_append(l)};
    const char *const values[] = {l->id_text, dataset, is_append(l), rows, rejects};
    const char *const counted[] = {rows, l->id_text};
    int64_t items = 0, number = 0, added = 0, gave_way = 0;
    enum tv_status status = try_lock(l, err);
    if (status == TV_OK)
        status = unlock(l, err);
    if (status == TV_OK)
        status = tv_pg_int(l->data, "SELECT trivet.load_dataset($1, $2)", 2, named, &number, err);
    snprintf(dataset, sizeof dataset, "%lld", (long long)number);
    if (status == TV_OK)
        status = tv_pg_exec(l->data, "SELECT trivet.load_publish_codes($1)", 1, published, err);
    if (status == TV_OK)
        status = tv_pg_int(l->data, "SELECT trivet.load_publish_items($1, $2)", 2, published, &items, err);
    if (status == TV_OK)
        status = lock_ratings(l, err);
    if (status == TV_OK)
        status = tv_lock_check(l->lock, err);
    if (status == TV_OK && l->append && l->set.counts)
        status = tv_pg_int(l->data, "SELECT trivet.load_add_to_loaded($1)", 1, values, &added, err);
    if (status == TV_OK)
        status = tv_pg_exec(l->data, "SELECT trivet.load_attach($1, $2, $3, $4, $5)", 5, values, err);
    if (status == TV_OK)
        status = tv_pg_int(l->data, "SELECT $1::bigint - row_count FROM trivet.load WHERE id = $2::bigint", 2, counted, &gave_way, err);
    l->report.items = items;
    l->report.added_to_loaded = added;
    l->report.gave_way = gave_way;
    return status;
}

/* A load that is appended drops nothing and puts nothing away, so readers are not in its way. */
enum tv_status tv_load_publish(struct tv_load *l, struct tv_error *err)
{
    const struct tv_patience patience = {
        .what = "waiting for queries on trivet.rating to end, to put the new ratings in place",
        .tables = "{trivet.rating,trivet.code,trivet.item}",
        .readers = !l->append,
        .seconds = (int)tv_settings_int(l->settings, "lock-wait")};
    enum tv_status status = tv_patiently(l->data, &patience, publish_once, l, err);
    tv_report_step(&l->report, "publish", &l->clock);
    return status;
}
