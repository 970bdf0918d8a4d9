/* pg: one PostgreSQL connection, over libpq: it opens, runs statements, and translates what libpq and the server
 * say into errors (pg_rows.c tells a cancelled statement apart by itself). pg_wait.c does all the waiting,
 * pg_copy.c the COPY.
 *
 * A NULL result needs no care: libpq takes it as one that failed, without rows, words or a count.
 */
#include "trivet/store/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/pg_client.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/base/wait.h"

/* libpq ends its messages with a line feed and puts several lines into one; a line of the log is one line. */
static void copy_line(char *out, size_t size, const char *text)
{
    size_t n = strlen(tv_text_copy(out, size, text ? text : ""));
    while (n > 0 && out[n - 1] == '\n')
        out[--n] = '\0';
    for (char *p = out; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
}

/* libpq's words go into `where`, which only log and terminal show, and without the secrets of the address, which
 * libpq may quote. */
enum tv_status tv_pg_lost(struct tv_pg *pg, struct tv_error *err)
{
    char text[600];
    copy_line(text, sizeof text, PQerrorMessage(pg->conn));
    if (pg->late)
        snprintf(text, sizeof text, "%s", pg->why);
    tv_pg_address_mask(&pg->address, text);
    tv_fail(err, TV_ERR_UNAVAILABLE, "PostgreSQL does not answer");
    tv_from(err, TV_FROM_POSTGRES);
    tv_where(err, "%s: %s", pg->address.where, text);
    return tv_hint(err, "is it running, and is --postgres (TRIVET_POSTGRES) right?");
}

/* What follows the server's own hint for undefined_function: a parameter that the filter has got since the schema was made is a
 * function with another signature. */
#define OLDER " If it is one of trivet's, the schema may be older than this program: trivet-etl schema."

static int has_state(const PGresult *result, const char *state)
{
    const char *has = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    return has && strcmp(has, state) == 0;
}

/* Whether the statement failed because others held a lock, so that it may succeed later (patient.h). */
static int is_about_a_lock(const PGresult *result)
{
    return has_state(result, "55P03") || has_state(result, "40P01"); /* lock_not_available, deadlock_detected */
}

/* A function of ours that refuses something: RAISE EXCEPTION ... USING ERRCODE = 'TV001', with COLUMN = 'genres' where it is a
 * parameter. Other errors have columns of tables there. */
static int is_refusal_of_ours(const PGresult *result)
{
    return has_state(result, "TV001");
}

static enum tv_status kind_of(const PGresult *result, const char *parameter)
{
    if (!is_refusal_of_ours(result))
        return TV_ERR_STORE;
    return parameter ? TV_ERR_USAGE : TV_ERR_INPUT;
}

/* The words are the server's own, if it answered; those of a function of ours need no word of where they come from. Where no
 * answer can be had any more, the lost connection is told instead. */
enum tv_status tv_pg_refused(struct tv_pg *pg, const PGresult *result, struct tv_error *err)
{
    if (pg->late || PQstatus(pg->conn) == CONNECTION_BAD)
        return tv_pg_lost(pg, err);
    char text[900], detail[240], hint[240];
    pg->lock_refused = is_about_a_lock(result);
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    copy_line(text, sizeof text, primary ? primary : PQerrorMessage(pg->conn));
    copy_line(detail, sizeof detail, result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL);
    copy_line(hint, sizeof hint, result ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL);
    const char *parameter = is_refusal_of_ours(result) ? PQresultErrorField(result, PG_DIAG_COLUMN_NAME) : NULL;
    enum tv_status status = kind_of(result, parameter);
    tv_fail(err, status, "%s%s", status == TV_ERR_STORE ? "PostgreSQL: " : "", text);
    tv_from(err, TV_FROM_POSTGRES);
    tv_about(err, parameter);
    if (detail[0] || hint[0])
        tv_hint(err, "%s%s%s%s", detail, detail[0] && hint[0] ? " " : "", hint, has_state(result, "42883") ? OLDER : "");
    return status;
}

/* Called by libpq while it reads, in the thread that waits for the statement. What a server says while it is connected to is about
 * the database as a whole, such as another version of its collation, and is for whoever runs it. */
static void take_notice(void *context, const PGresult *result)
{
    struct tv_pg *pg = context;
    char text[600];
    copy_line(text, sizeof text, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    tv_log(PQstatus(pg->conn) == CONNECTION_OK ? TV_LOG_DEBUG : TV_LOG_INFO, "postgres: %s", text);
    if (pg->told)
        pg->told(pg->told_context, text);
}

void tv_pg_on_notice(struct tv_pg *pg, tv_pg_notice told, void *context)
{
    pg->told = told;
    pg->told_context = context;
}

/* The colon is looked for from the end, because the name ahead of it may hold others. */
int tv_pg_steps(const char *notice, int *done, int *of)
{
    const char *colon = strrchr(notice, ':');
    return colon && sscanf(colon, ": %d of %d", done, of) == 2;
}

/* --- sessions that a pooler shares ---------------------------------------------------------------------------- */

/* PgBouncer in transaction mode gives one session of the server's to many clients in turn, so locks and settings of a session would
 * stay with a process that answers somebody else next. A server tells each client which process serves it, and a pooler makes a
 * number up, to know by it whose statement is to be cancelled. So one question tells of a pooler, and only behind one there is more
 * to find out: whether a process answers two clients that are both there, or two processes one client. */

/* How often the two clients ask in turn. Others may take a process in the moment between two questions, so once is too few. */
enum { ROUNDS = 5 };

/* Seconds that the second client has to connect, and to be answered. A pooler whose clients keep all its sessions lets it wait,
 * and then nothing can be said. */
static const double second_seconds = 1;

/* The process that serves this connection at this moment; 0 if it does not say. The first question to a session: it settles by the way
 * what a database or a role may have another default for. All our transactions are made to see what is committed meanwhile, but for
 * those that begin as REPEATABLE READ. */
static long long process_of(struct tv_pg *pg)
{
    PGresult *result =
        tv_pg_run(pg, "SELECT pg_backend_pid(), set_config('default_transaction_isolation', 'read committed', false)", 0, NULL);
    long long process = PQntuples(result) > 0 ? atoll(PQgetvalue(result, 0, 0)) : 0;
    PQclear(result);
    return process;
}

/* A pooler hands out the session that came back last, which the second client then has, or all in turn, which the first one sees. */
static int is_shared(struct tv_pg *pg, const char *uri)
{
    struct tv_pg second = {.patience = second_seconds, .take_notice = take_notice};
    int shared = 0;
    tv_pg_dial(&second, uri, "trivet, looking for a pooler", second_seconds);
    for (int i = 0; i < ROUNDS && !shared && !second.late && PQstatus(second.conn) == CONNECTION_OK; i++) {
        long long first = process_of(pg), again = process_of(pg), other = process_of(&second);
        shared = (first && again && first != again) || (other && other == again);
    }
    PQfinish(second.conn);
    return shared;
}

/* A connection that does not answer is no matter here: its first statement will tell. */
static enum tv_status check_session(struct tv_pg *pg, const char *uri, struct tv_error *err)
{
    long long process = process_of(pg);
    if (process == 0 || process == PQbackendPID(pg->conn) || !is_shared(pg, uri))
        return TV_OK;
    tv_fail(err, TV_ERR_STORE,
            "between here and PostgreSQL is a pooler that shares sessions, such as PgBouncer in transaction mode, and locks do "
            "not hold there");
    tv_from(err, TV_FROM_POSTGRES);
    tv_where(err, "%s", pg->address.where);
    return tv_hint(err, "give PostgreSQL's own address with --postgres (TRIVET_POSTGRES), or that of a pool in session mode "
                        "(PgBouncer: pool_mode=session)");
}

/* --- connecting ----------------------------------------------------------------------------------------------- */

/* A connection that failed is closed before the next try, and the last one is kept, because its error is told. */
static enum tv_status connect_within(struct tv_pg *pg, const char *uri, const char *name, double patience,
                                     int wait_seconds, struct tv_error *err)
{
    struct tv_wait wait = tv_wait_for("PostgreSQL", pg->address.where, wait_seconds);
    for (;;) {
        tv_pg_dial(pg, uri, name, patience);
        if (pg->conn == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a PostgreSQL connection");
        if (PQstatus(pg->conn) == CONNECTION_OK)
            return TV_OK;
        if (!tv_wait_more(&wait))
            return tv_pg_lost(pg, err);
        PQfinish(pg->conn);
    }
}

static enum tv_status open_within(struct tv_pg **out, const char *uri, const char *name, double patience,
                                  int wait_seconds, struct tv_error *err)
{
    struct tv_pg *pg = tv_alloc(1, sizeof *pg, "a PostgreSQL connection", err);
    if (pg == NULL)
        return TV_ERR_NO_MEMORY;
    pg->patience = patience;
    pg->take_notice = take_notice;
    enum tv_status status = tv_pg_address_read(&pg->address, uri, err);
    if (status == TV_OK)
        status = connect_within(pg, uri, name, patience, wait_seconds, err);
    if (status != TV_OK) {
        tv_pg_close(pg);
        return status;
    }
    status = check_session(pg, uri, err);
    if (status != TV_OK) {
        tv_pg_close(pg);
        return status;
    }
    *out = pg;
    return TV_OK;
}

enum tv_status tv_pg_open(struct tv_pg **out, const char *uri, const char *name, int wait_seconds, struct tv_error *err)
{
    return open_within(out, uri, name, 0, wait_seconds, err);
}

enum tv_status tv_pg_open_within(struct tv_pg **out, const char *uri, const char *name, double patience,
                                 struct tv_error *err)
{
    return open_within(out, uri, name, patience, 0, err);
}

void tv_pg_close(struct tv_pg *pg)
{
    if (pg == NULL)
        return;
    PQfinish(pg->conn);
    tv_pg_address_free(&pg->address);
    free(pg);
}

/* All statements but COPY's data go this way. NULL: given up or lost, which tv_pg_refused tells. */
PGresult *tv_pg_run(struct tv_pg *pg, const char *sql, int n, const char *const *values)
{
    tv_log_debug("postgres: %s", n < 0 ? "a script" : sql);
    pg->lock_refused = 0;
    return tv_pg_send(pg, sql, n, values) ? tv_pg_take_answer(pg) : NULL;
}

void tv_pg_set_patience(struct tv_pg *pg, double seconds)
{
    pg->patience = seconds;
}

int tv_pg_alive(struct tv_pg *pg)
{
    PGresult *result = tv_pg_run(pg, "SELECT 1", 0, NULL);
    int ok = tv_pg_succeeded(result);
    PQclear(result);
    return ok;
}

enum tv_status tv_pg_exec(struct tv_pg *pg, const char *sql, int n, const char *const *values,
                          struct tv_error *err)
{
    PGresult *result = tv_pg_run(pg, sql, n, values);
    enum tv_status status = tv_pg_succeeded(result) ? TV_OK : tv_pg_refused(pg, result, err);
    pg->affected = atoll(PQcmdTuples(result));
    PQclear(result);
    return status;
}

int tv_pg_lock_refused(const struct tv_pg *pg)
{
    return pg->lock_refused;
}

long long tv_pg_affected(const struct tv_pg *pg)
{
    return pg->affected;
}

enum tv_status tv_pg_script(struct tv_pg *pg, const char *text, struct tv_error *err)
{
    PGresult *result = tv_pg_run(pg, text, -1, NULL);
    enum tv_status status = tv_pg_succeeded(result) ? TV_OK : tv_pg_refused(pg, result, err);
    PQclear(result);
    return status;
}

/* The text is copied, because libpq's memory takes PQfreemem and the caller uses free. */
char *tv_pg_literal(struct tv_pg *pg, const char *text)
{
    char *quoted = PQescapeLiteral(pg->conn, text, strlen(text));
    char *copy = quoted ? strdup(quoted) : NULL;
    PQfreemem(quoted);
    return copy;
}

/* Only notes the wish. The thread that waits sends the cancel itself (is_patient in pg_wait.c), so it never hits a
 * later statement. */
void tv_pg_cancel(struct tv_pg *pg)
{
    atomic_store(&pg->asked, 1);
}

const char *tv_pg_library(void)
{
    static char text[32];
    int v = PQlibVersion();
    snprintf(text, sizeof text, "libpq %d.%d", v / 10000, v % 10000);
    return text;
}
