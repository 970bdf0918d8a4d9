/* lock: the advisory lock, and who holds it. PostgreSQL gives it back with the connection, so a process that is
 * killed leaves none behind.
 */
#include "trivet/model/life/lock.h"

#include <stdio.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/model/journal.h"
#include "trivet/store/pg_rows.h"

/* The lock lives on this connection, and ends with it. */
struct tv_lock {
    struct tv_pg *pg;
    char who[64];
};

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

/* Does not wait: *got is 0 where another session has the lock. */
static enum tv_status try_lock(struct tv_pg *pg, int *got, struct tv_error *err)
{
    int64_t answer = 0;
    enum tv_status status = tv_pg_int(pg, "SELECT pg_try_advisory_lock(trivet.lock_key())::int", 0, NULL, &answer, err);
    *got = answer == 1;
    return status;
}

/* The holder may be gone by the time it is asked for; then it is called "another process". Waiting is PostgreSQL's:
 * the statement returns with the lock. */
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

/* Other programs read the name from pg_stat_activity (trivet.lock_holder). */
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

/* Closing the connection gives the lock back. */
void tv_lock_release(struct tv_lock *lock)
{
    if (lock == NULL)
        return;
    tv_pg_close(lock->pg);
    free(lock);
}
