/* pg_wait: every wait for PostgreSQL: to connect, to send, for an answer, for a row of a COPY.
 *
 * libpq is only used in its non-blocking mode, and turn() is the one place that sleeps: a tenth of a second at a time,
 * until the server speaks, the time is up, somebody wants the statement cancelled, or the process has to end. A
 * server that hangs (its machine stopped, its process stopped, its network gone) so costs what the caller allows,
 * and no more. A name that DNS has to resolve is the exception: libpq calls getaddrinfo(), whose time /etc/resolv.conf
 * limits.
 */
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/pg_client.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/stop.h"
#include "trivet/base/wait.h"

/* Seconds for connecting to each host, for the answer to a cancel, and for the cancel itself: while a statement is
 * waited for, and when nobody waits any more. */
static const double connect_seconds = 10, answer_seconds = 2, cancel_seconds = 1, parting_seconds = 0.2;

/* --- cancelling ----------------------------------------------------------------------------------------------- */

/* PQcancel waits until the server has closed its end, which a server that hangs never does. So a thread of its own
 * calls it, and may stay behind; the second of the two to be done frees this. */
struct cancel {
    PGcancel *request;
    atomic_int left; /* how many of the two are done */
};

static void leave(struct cancel *c)
{
    if (atomic_fetch_add(&c->left, 1) == 1) {
        PQfreeCancel(c->request);
        free(c);
    }
}

static void *run_cancel(void *context)
{
    struct cancel *c = context;
    char why[256];
    PQcancel(c->request, why, sizeof why);
    leave(c);
    return NULL;
}

/* The thread is detached, because nobody can wait for one that may hang. */
static int start_cancel(struct cancel *c)
{
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int code = pthread_create(&thread, &detached, run_cancel, c);
    pthread_attr_destroy(&detached);
    return code == 0;
}

/* 1: PQcancel came back in time, whether the server heard it or not; 0: it hangs, or could not be started. */
static int send_cancel(struct tv_pg *pg, double seconds)
{
    struct cancel *c = calloc(1, sizeof *c);
    if (c == NULL || (c->request = PQgetCancel(pg->conn)) == NULL || !start_cancel(c)) {
        if (c)
            PQfreeCancel(c->request);
        free(c);
        return 0;
    }
    double until = tv_clock() + seconds;
    while (atomic_load(&c->left) == 0 && tv_clock() < until)
        usleep(1000);
    int heard = atomic_load(&c->left) == 1;
    leave(c);
    return heard;
}

/* --- waiting -------------------------------------------------------------------------------------------------- */

/* A moment of tv_clock(). Patience is for each answer and each part of a COPY, not for a COPY as a whole. */
static double end_of_wait(const struct tv_pg *pg)
{
    return pg->patience > 0 ? tv_clock() + pg->patience : INFINITY;
}

/* From here on the connection is good for nothing but closing: the answer may still come, and would be taken for
 * that of another statement. Returns 0, for callers to return. */
static int give_up(struct tv_pg *pg, const char *why)
{
    pg->late = 1;
    pg->why = why;
    return 0;
}

/* 1 as long as neither another thread (tv_pg_cancel) nor the caller's go_on wants the statement cancelled. */
static int is_wanted(struct tv_pg *pg)
{
    return !atomic_load(&pg->asked) && (pg->go_on == NULL || pg->go_on(pg->go_on_context));
}

/* 1: wait on. A wish to cancel is passed on once, by the thread that owns the connection, so that it cannot hit the
 * statement after this one; then the answer, whatever it is, has a moment to come. */
static int is_patient(struct tv_pg *pg, double until)
{
    int cancelled = pg->answer_until > 0;
    if (tv_wait_ms(cancelled && pg->answer_until < until ? pg->answer_until : until) == 0) {
        send_cancel(pg, parting_seconds);
        return give_up(pg, cancelled       ? "it was told to cancel a statement, and says nothing"
                           : tv_stop_due() ? "it had not answered when this program had to end"
                                           : "no answer in time");
    }
    if (cancelled || is_wanted(pg))
        return 1;
    if (!send_cancel(pg, cancel_seconds))
        return give_up(pg, "it was told to cancel a statement, and does not listen");
    pg->answer_until = tv_clock() + answer_seconds;
    return 1;
}

/* One turn of every wait: what libpq still holds is sent, what the server says is read. 0: it is given up, or the
 * connection broke. */
static int turn(struct tv_pg *pg, double until)
{
    if (pg->late || PQstatus(pg->conn) == CONNECTION_BAD || !is_patient(pg, until))
        return 0;
    int unsent = PQflush(pg->conn);
    struct pollfd line = {.fd = PQsocket(pg->conn), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
    if (unsent < 0)
        return 0;
    if (poll(&line, 1, tv_wait_ms(until)) > 0 && (line.revents & ~POLLOUT))
        return PQconsumeInput(pg->conn);
    return 1;
}

int tv_pg_wait_result(struct tv_pg *pg)
{
    double until = end_of_wait(pg);
    while (PQisBusy(pg->conn))
        if (!turn(pg, until))
            return 0;
    return 1;
}

int tv_pg_wait_sent(struct tv_pg *pg)
{
    double until = end_of_wait(pg);
    for (int unsent; (unsent = PQflush(pg->conn)) != 0;)
        if (unsent < 0 || !turn(pg, until))
            return 0;
    return 1;
}

/* The row is libpq's memory, to be freed with PQfreemem. */
int tv_pg_wait_row(struct tv_pg *pg, char **bytes)
{
    double until = end_of_wait(pg);
    int n;
    while ((n = PQgetCopyData(pg->conn, bytes, 1)) == 0)
        if (!turn(pg, until))
            return -2;
    return n;
}

/* --- a statement ---------------------------------------------------------------------------------------------- */

/* A COPY that has begun is neither of the two; tv_pg_is_copy asks for that. */
int tv_pg_succeeded(const PGresult *result)
{
    ExecStatusType s = PQresultStatus(result);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

int tv_pg_is_copy(const PGresult *result)
{
    ExecStatusType s = PQresultStatus(result);
    return s == PGRES_COPY_IN || s == PGRES_COPY_OUT;
}

/* Gives up a COPY that an earlier caller began and did not end, as PQexec would. Without it the next statement
 * would get the COPY's results. */
static void leave_copy(struct tv_pg *pg)
{
    for (PGresult *left; tv_pg_wait_result(pg) && (left = PQgetResult(pg->conn)) != NULL; PQclear(left))
        if (PQstatus(pg->conn) == CONNECTION_BAD || PQresultStatus(left) == PGRES_COPY_OUT ||
            (PQresultStatus(left) == PGRES_COPY_IN && PQputCopyEnd(pg->conn, "given up") != 1)) {
            PQclear(left);
            return;
        }
}

/* A wish to cancel that is older than the statement is not about it, and is forgotten. */
int tv_pg_send(struct tv_pg *pg, const char *sql, int n, const char *const *values)
{
    if (!pg->late && tv_stop_due())
        give_up(pg, "this program has to end");
    if (pg->late)
        return 0;
    leave_copy(pg);
    atomic_store(&pg->asked, 0);
    pg->answer_until = 0;
    return n < 0 ? PQsendQuery(pg->conn, sql) : PQsendQueryParams(pg->conn, sql, n, NULL, values, NULL, NULL, 0);
}

/* The first failure stays the answer: a connection that broke adds a result to the one that says why. */
PGresult *tv_pg_take_answer(struct tv_pg *pg)
{
    PGresult *answer = NULL, *next;
    while (tv_pg_wait_result(pg) && (next = PQgetResult(pg->conn)) != NULL) {
        if (answer == NULL || tv_pg_succeeded(answer)) {
            PQclear(answer);
            answer = next;
        } else {
            PQclear(next);
        }
        if (tv_pg_is_copy(answer) || PQstatus(pg->conn) == CONNECTION_BAD)
            break;
    }
    if (!pg->late)
        return answer;
    PQclear(answer);
    return NULL;
}

/* --- connecting ----------------------------------------------------------------------------------------------- */

/* How long connecting may take: what the URI says of each host, of which there may be several, and at most
 * `patience`. */
static double limit_of(PGconn *conn, double patience)
{
    PQconninfoOption *options = PQconninfo(conn);
    double limit = connect_seconds;
    int hosts = 1;
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, "connect_timeout") == 0 && o->val && atoi(o->val) > 0)
            limit = atoi(o->val);
        for (const char *p = strcmp(o->keyword, "host") == 0 ? o->val : NULL; p && *p; p++)
            hosts += *p == ',';
    }
    PQconninfoFree(options);
    return patience > 0 && patience < limit * hosts ? patience : limit * hosts;
}

/* libpq connects in steps, and says before each what it waits for. */
static void connect_within(struct tv_pg *pg, double seconds)
{
    double until = tv_clock() + seconds;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (PQstatus(pg->conn) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
        struct pollfd line = {.fd = PQsocket(pg->conn), .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int ms = tv_wait_ms(until);
        if (ms == 0) {
            give_up(pg, tv_stop_due() ? "this program has to end" : "no connection in time");
            return;
        }
        if (poll(&line, 1, ms) > 0)
            next = PQconnectPoll(pg->conn);
    }
}

void tv_pg_dial(struct tv_pg *pg, const char *uri, const char *name, double patience)
{
    /* expand_dbname: the URI stands in dbname. Keywords ahead of it are defaults, those behind it are set whatever it
     * says. Keepalives notice within a minute that a machine or its network is gone, while a statement without a limit
     * runs. */
    const char *const keys[] = {"keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "dbname",
                                "fallback_application_name",
                                "client_encoding",
                                NULL};
    const char *const values[] = {"30", "10", "3", uri, name, "UTF8", NULL};
    pg->late = 0;
    pg->conn = PQconnectStartParams(keys, values, 1);
    if (pg->conn == NULL)
        return;
    PQsetNoticeReceiver(pg->conn, pg->take_notice, pg);
    connect_within(pg, limit_of(pg->conn, patience));
    PQsetnonblocking(pg->conn, 1);
}
