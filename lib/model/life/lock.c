/* lock: the advisory lock, and who holds it. PostgreSQL gives it back with the connection, so a process that is
 * killed leaves none behind.
 */
#include "trivet/model/life/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_rows.h"

/* How long the end of a program waits for a server that has to give the lock back. */
static const double give_back_seconds = 1;

/* The lock lives on this connection, and ends with it at the latest. */
struct tv_lock {
    struct tv_pg *pg;
    char who[64];
};

/* The session that has the lock. */
struct holder {
    char text[320], pid[24]; /* pid is empty where it ended meanwhile */
    int left;                /* its program has ended, and a pooler kept the session */
    int silent;              /* it has asked nothing for ten seconds or more */
};

/* How long the session has been silent, as text, if that is worth a word; a training may well compute for an hour. A schema that is older
 * cannot tell. */
static void look_at_silence(struct tv_pg *pg, struct holder *h)
{
    struct tv_pg_rows *rows = NULL;
    if (tv_pg_query(pg, "SELECT s FROM trivet.lock_silence() s WHERE s >= interval '10 seconds'", 0, NULL, &rows, NULL) == TV_OK &&
        tv_pg_rows_count(rows) > 0) {
        size_t n = strlen(h->text);
        snprintf(h->text + n, sizeof h->text - n, ", silent for %s", tv_pg_cell(rows, 0, 0));
        h->silent = 1;
    }
    tv_pg_rows_free(rows);
}

/* "trivet-train fit (run 12), process 4711, since 2026-01-31 12:00:00+00". None but trivet's programs take the lock, so a
 * session of another name is one that a pooler handed on. */
static enum tv_status describe_holder(struct tv_pg *pg, struct holder *h, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    enum tv_status status = tv_pg_query(
        pg, "SELECT program, pid, date_trunc('second', since) FROM trivet.lock_holder()", 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    *h = (struct holder){.text = "another process"};
    if (tv_pg_rows_count(rows) > 0) {
        const char *program = tv_pg_cell(rows, 0, 0), *since = tv_pg_cell(rows, 0, 2);
        snprintf(h->pid, sizeof h->pid, "%s", tv_pg_cell(rows, 0, 1));
        h->left = program && strncmp(program, "trivet", 6) != 0;
        snprintf(h->text, sizeof h->text, "%s%s%s, process %s, since %s",
                 h->left ? "a program that has ended: a pooler kept its session, which is used by " : "",
                 program && *program ? program : "another program", h->left ? " now" : "", h->pid,
                 since ? since : "some time");
        look_at_silence(pg, h);
    }
    tv_pg_rows_free(rows);
    return TV_OK;
}

/* What ends the session, where its program may be gone. */
static enum tv_status refuse(const struct holder *h, struct tv_error *err)
{
    tv_fail(err, TV_ERR_BUSY, "the models are locked by %s", h->text);
    if (h->left)
        return tv_hint(err, "end that session: SELECT pg_terminate_backend(%s); then run this again", h->pid);
    if (h->silent)
        return tv_hint(err, "wait for it to end, then run this again; if that program is there no more, SELECT "
                            "pg_terminate_backend(%s) ends its session", h->pid);
    return tv_hint(err, "wait for it to end, then run this again");
}

/* Makes the session one that others can judge. Its name is trivet's, whatever the address says. And a machine that is gone says no
 * goodbye: PostgreSQL would keep its session, and so the lock, for two hours; now it asks after half a minute of silence, and ends the
 * session half a minute later. */
static enum tv_status set_up_session(struct tv_lock *lock, struct tv_error *err)
{
    const char *value = lock->who;
    return tv_pg_exec(lock->pg,
                      "SELECT set_config('application_name', $1, false), set_config('tcp_keepalives_idle', '30', false), "
                      "set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)",
                      1, &value, err);
}

/* Does not wait: *got is 0 where another session has the lock. */
static enum tv_status try_lock(struct tv_pg *pg, int *got, struct tv_error *err)
{
    int64_t answer = 0;
    enum tv_status status = tv_pg_int(pg, "SELECT pg_try_advisory_lock(trivet.lock_key())::int", 0, NULL, &answer, err);
    *got = answer == 1;
    return status;
}

/* A session that its program left never gives the lock back, so nobody waits for it. The holder may be gone by the time it is asked for; then it is called "another process". Waiting is PostgreSQL's:
 * the statement returns with the lock. */
static enum tv_status lock_or_wait(struct tv_pg *pg, int wait, struct tv_error *err)
{
    struct holder holder;
    int got = 0;
    enum tv_status status = try_lock(pg, &got, err);
    if (status != TV_OK || got)
        return status;
    if ((status = describe_holder(pg, &holder, err)) != TV_OK)
        return status;
    if (!wait || holder.left)
        return refuse(&holder, err);
    tv_log_info("waiting for %s", holder.text);
    return tv_pg_exec(pg, "SELECT pg_advisory_lock(trivet.lock_key())", 0, NULL, err);
}

enum tv_status tv_lock_acquire(struct tv_lock **out, const struct tv_settings *settings, const char *who, int wait,
                               struct tv_error *err)
{
    struct tv_lock *lock = tv_alloc(1, sizeof *lock, "the lock", err);
    if (lock == NULL)
        return TV_ERR_NO_MEMORY;
    snprintf(lock->who, sizeof lock->who, "%s", who);
    enum tv_status status = tv_schema_open(&lock->pg, settings, who, err);
    if (status == TV_OK)
        status = set_up_session(lock, err);
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

/* A session that was closed ends, and gives the lock back, some time later: a command that follows at once would find it taken. So
 * it is given back first, by a server that listens. */
void tv_lock_release(struct tv_lock *lock)
{
    if (lock == NULL)
        return;
    if (lock->pg) {
        tv_pg_set_patience(lock->pg, give_back_seconds);
        tv_ignore(tv_pg_exec(lock->pg, "SELECT pg_advisory_unlock_all()", 0, NULL, NULL), "it ends with the session at the latest");
    }
    tv_pg_close(lock->pg);
    free(lock);
}
