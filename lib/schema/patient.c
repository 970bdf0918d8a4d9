/* patient: tries again and again, and says whom it waits for. The header tells why. */
#include "trivet/schema/patient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/wait.h"
#include "trivet/cli/interrupt.h"
#include "trivet/store/pg_rows.h"

/* How long it waits before it says so, and how long between two such lines. */
static const double FIRST_WORD = 1, NEXT_WORD = 60; /* seconds */

/* *refused: a lock could not be had, or a deadlock was ended. */
static enum tv_status try_once(struct tv_pg *pg, tv_attempt attempt, void *context, int *refused, struct tv_error *err)
{
    enum tv_status status = tv_pg_exec(pg, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "SET LOCAL lock_timeout = '100ms'", 0, NULL, err);
    if (status == TV_OK)
        status = attempt(context, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "COMMIT", 0, NULL, err);
    *refused = status != TV_OK && tv_pg_lock_refused(pg);
    if (status != TV_OK)
        tv_ignore(tv_pg_exec(pg, "ROLLBACK", 0, NULL, NULL), "a lost connection rolls back by itself");
    return status;
}

/* Tells who is in the way, as text. Returns the process, or 0 where nobody can say: it has just ended, or the
 * schema is older. */
static int64_t look(struct tv_pg *pg, const struct tv_patience *p, char *out, size_t size)
{
    const char *const values[] = {p->tables, p->readers ? "true" : "false"};
    struct tv_pg_rows *rows = NULL;
    int64_t pid = 0;
    snprintf(out, size, "a transaction that has ended by now");
    if (tv_pg_query(pg,
                    "SELECT pid, program, date_trunc('second', since), holds "
                    "FROM trivet.in_the_way($1::regclass[], $2)",
                    2, values, &rows, NULL) == TV_OK &&
        tv_pg_rows_count(rows) > 0) {
        const char *program = tv_pg_cell(rows, 0, 1), *since = tv_pg_cell(rows, 0, 2);
        pid = strtoll(tv_pg_cell(rows, 0, 0), NULL, 10);
        snprintf(out, size, "process %s (%s), whose transaction has %s since %s", tv_pg_cell(rows, 0, 0),
                 program && *program ? program : "it has no name", tv_pg_cell(rows, 0, 3), since ? since : "some time");
    }
    tv_pg_rows_free(rows);
    return pid;
}

/* Where there was no time to wait, the message does not say that anything was waited for. */
static enum tv_status give_up(const struct tv_patience *p, const char *who, int64_t pid, struct tv_error *err)
{
    if (p->seconds == 0)
        tv_fail(err, TV_ERR_BUSY, "in the way is %s", who);
    else
        tv_fail(err, TV_ERR_BUSY, "gave up after %d s of %s: in the way is %s", p->seconds, p->what, who);
    if (pid == 0)
        return tv_hint(err, "nothing was changed; run this again");
    return tv_hint(
        err, "nothing was changed; let it end, or end it with SELECT pg_terminate_backend(%lld), then run this again",
        (long long)pid);
}

/* A line is due after FIRST_WORD, then every NEXT_WORD, and when somebody else is in the way than was told. */
enum tv_status tv_patiently(struct tv_pg *pg, const struct tv_patience *p, tv_attempt attempt, void *context,
                            struct tv_error *err)
{
    char who[256];
    double word = tv_clock() + FIRST_WORD;
    /* A pause (0.3 s) is three times lock_timeout, so between two tries the others have time to go on. */
    struct tv_wait wait = tv_wait_for(NULL, NULL, p->seconds);
    int64_t told = 0;
    for (int refused;;) {
        enum tv_status status = try_once(pg, attempt, context, &refused, err);
        if (status == TV_OK || !refused)
            return status;
        int64_t pid = look(pg, p, who, sizeof who);
        double now = tv_clock();
        if (now >= wait.until)
            return give_up(p, who, pid, err);
        if (now >= word || (told && pid && pid != told)) {
            tv_log_info("%s: in the way is %s", p->what, who);
            told = pid;
            word = now + NEXT_WORD;
        }
        if (!tv_wait_more(&wait) && tv_interrupted())
            return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted");
    }
}
