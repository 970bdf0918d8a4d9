/* pg: one PostgreSQL connection, over libpq. The only place that knows libpq's errors. */
#include "trivet/pg.h"

#include <libpq-fe.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trivet/buffer.h"
#include "trivet/clock.h"
#include "trivet/log.h"

struct tv_pg {
    PGconn *conn;
    PGcancel *cancel;
    long long affected;
    double patience; /* seconds; 0: without end */
    int late;        /* an answer did not come in time, and may still come */
    tv_pg_notice told;
    void *told_context;
    char where[512]; /* the URI without its password, for messages */
};

struct tv_pg_rows {
    PGresult *result;
};

/* libpq ends its messages with a line feed, and puts several lines into one. */
static void copy_line(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
    size_t n = strlen(out);
    while (n > 0 && out[n - 1] == '\n')
        out[--n] = '\0';
    for (char *p = out; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
}

static enum tv_status lost(struct tv_pg *pg, struct tv_error *err)
{
    char text[600];
    copy_line(text, sizeof text, PQerrorMessage(pg->conn));
    if (pg->late)
        snprintf(text, sizeof text, "no answer within %g s", pg->patience);
    tv_fail(err, TV_ERR_UNAVAILABLE, "PostgreSQL at %s does not answer: %s", pg->where, text);
    return tv_hint(err, "is it running, and is --postgres (TRIVET_POSTGRES) right?");
}

/* Turns a failed result into an error: a lost connection, or what the server said. */
static enum tv_status refused(struct tv_pg *pg, const PGresult *result, struct tv_error *err)
{
    if (pg->late || PQstatus(pg->conn) == CONNECTION_BAD)
        return lost(pg, err);
    char text[900], detail[240], hint[240];
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    copy_line(text, sizeof text, primary ? primary : PQerrorMessage(pg->conn));
    copy_line(detail, sizeof detail, result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL);
    copy_line(hint, sizeof hint, result ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL);
    tv_fail(err, TV_ERR_STORE, "PostgreSQL: %s", text);
    if (detail[0] || hint[0])
        tv_hint(err, "%s%s%s", detail, detail[0] && hint[0] ? " " : "", hint);
    return TV_ERR_STORE;
}

static void on_notice(void *context, const PGresult *result)
{
    struct tv_pg *pg = context;
    char text[600];
    copy_line(text, sizeof text, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    tv_log_debug("postgres: %s", text);
    if (pg->told)
        pg->told(pg->told_context, text);
}

void tv_pg_on_notice(struct tv_pg *pg, tv_pg_notice told, void *context)
{
    pg->told = told;
    pg->told_context = context;
}

int tv_pg_steps(const char *notice, int *done, int *of)
{
    const char *colon = strrchr(notice, ':');
    return colon && sscanf(colon, ": %d of %d", done, of) == 2;
}

enum tv_status tv_pg_open(struct tv_pg **out, const char *uri, const char *name, int wait_seconds,
                          struct tv_error *err)
{
    struct tv_pg *pg = tv_alloc(1, sizeof *pg, "a PostgreSQL connection", err);
    if (pg == NULL)
        return TV_ERR_NO_MEMORY;
    tv_log_hide_password(pg->where, sizeof pg->where, uri);
    /* expand_dbname: the URI stands in dbname, our name and timeout beside it apply where it says nothing. */
    const char *const keys[] = {"connect_timeout", "dbname", "fallback_application_name", NULL};
    const char *const values[] = {"10", uri, name, NULL};
    double until = tv_clock() + wait_seconds;
    for (int attempt = 0;; attempt++) {
        pg->conn = PQconnectdbParams(keys, values, 1);
        if (pg->conn && PQstatus(pg->conn) == CONNECTION_OK)
            break;
        if (tv_clock() >= until || pg->conn == NULL) {
            enum tv_status status =
                pg->conn ? lost(pg, err) : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory");
            tv_pg_close(pg);
            return status;
        }
        if (attempt == 0)
            tv_log_info("waiting for PostgreSQL at %s", pg->where);
        PQfinish(pg->conn);
        usleep(300000);
    }
    PQsetNoticeReceiver(pg->conn, on_notice, pg);
    PQsetClientEncoding(pg->conn, "UTF8");
    pg->cancel = PQgetCancel(pg->conn);
    *out = pg;
    return TV_OK;
}

void tv_pg_close(struct tv_pg *pg)
{
    if (pg == NULL)
        return;
    PQfreeCancel(pg->cancel);
    PQfinish(pg->conn);
    free(pg);
}

static int succeeded(const PGresult *result)
{
    ExecStatusType s = PQresultStatus(result);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

/* The answer to what was sent; a connection that broke adds a second one. */
static PGresult *take_answer(struct tv_pg *pg)
{
    PGresult *result = PQgetResult(pg->conn);
    for (PGresult *more; (more = PQgetResult(pg->conn)) != NULL;)
        PQclear(more);
    return result;
}

/* 0: it did not come in time. */
static int wait_within(struct tv_pg *pg, double seconds)
{
    double until = tv_clock() + seconds;
    while (PQisBusy(pg->conn)) {
        double left = until - tv_clock();
        struct pollfd socket = {.fd = PQsocket(pg->conn), .events = POLLIN};
        if (left <= 0)
            return 0;
        if (poll(&socket, 1, (int)(left * 1000) + 1) > 0 && !PQconsumeInput(pg->conn))
            return 1;
    }
    return 1;
}

/* NULL: the connection is lost, or what it says came too late. */
static PGresult *run(struct tv_pg *pg, const char *sql, int n, const char *const *values)
{
    tv_log_debug("postgres: %s", sql);
    if (pg->patience <= 0)
        return PQexecParams(pg->conn, sql, n, NULL, values, NULL, NULL, 0);
    if (pg->late || !PQsendQueryParams(pg->conn, sql, n, NULL, values, NULL, NULL, 0))
        return NULL;
    pg->late = !wait_within(pg, pg->patience);
    return pg->late ? NULL : take_answer(pg);
}

void tv_pg_set_patience(struct tv_pg *pg, double seconds)
{
    pg->patience = seconds;
}

int tv_pg_alive(struct tv_pg *pg)
{
    PGresult *result = run(pg, "SELECT 1", 0, NULL);
    int ok = succeeded(result);
    PQclear(result);
    return ok;
}

enum tv_status tv_pg_exec(struct tv_pg *pg, const char *sql, int n, const char *const *values,
                          struct tv_error *err)
{
    PGresult *result = run(pg, sql, n, values);
    enum tv_status status = succeeded(result) ? TV_OK : refused(pg, result, err);
    pg->affected = atoll(PQcmdTuples(result));
    PQclear(result);
    return status;
}

long long tv_pg_affected(const struct tv_pg *pg)
{
    return pg->affected;
}

/* Makes a statement's result the caller's rows, or an error. */
static enum tv_status hand_over(struct tv_pg *pg, PGresult *result, struct tv_pg_rows **rows,
                                struct tv_error *err)
{
    struct tv_pg_rows *r = NULL;
    enum tv_status status = succeeded(result) ? TV_OK : refused(pg, result, err);
    if (status == TV_OK && (r = tv_alloc(1, sizeof *r, "a result", err)) == NULL)
        status = TV_ERR_NO_MEMORY;
    if (status != TV_OK) {
        PQclear(result);
        return status;
    }
    r->result = result;
    *rows = r;
    return TV_OK;
}

enum tv_status tv_pg_query(struct tv_pg *pg, const char *sql, int n, const char *const *values,
                           struct tv_pg_rows **rows, struct tv_error *err)
{
    *rows = NULL;
    return hand_over(pg, run(pg, sql, n, values), rows, err);
}

/* Waits until the answer is whole. The cancel comes from the thread that owns the connection, so it cannot
 * hit the statement after this one. */
static void wait_for_answer(struct tv_pg *pg, tv_pg_go_on go_on, void *context)
{
    enum { LOOK_EVERY_MS = 100 };
    int told = 0;
    while (PQisBusy(pg->conn)) {
        struct pollfd socket = {.fd = PQsocket(pg->conn), .events = POLLIN};
        if (poll(&socket, 1, LOOK_EVERY_MS) > 0 && !PQconsumeInput(pg->conn))
            return;
        if (!told && !go_on(context)) {
            tv_pg_cancel(pg);
            told = 1;
        }
    }
}

enum tv_status tv_pg_query_while(struct tv_pg *pg, const char *sql, int n, const char *const *values,
                                 tv_pg_go_on go_on, void *context, struct tv_pg_rows **rows,
                                 struct tv_error *err)
{
    *rows = NULL;
    tv_log_debug("postgres: %s", sql);
    if (!PQsendQueryParams(pg->conn, sql, n, NULL, values, NULL, NULL, 0))
        return lost(pg, err);
    wait_for_answer(pg, go_on, context);
    PGresult *result = take_answer(pg);
    if (result == NULL)
        return lost(pg, err);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int cancelled = state && strcmp(state, "57014") == 0; /* query_canceled */
    enum tv_status status = hand_over(pg, result, rows, err);
    if (cancelled && err)
        err->status = TV_ERR_INTERRUPTED;
    return cancelled ? TV_ERR_INTERRUPTED : status;
}

int tv_pg_rows_count(const struct tv_pg_rows *rows)
{
    return PQntuples(rows->result);
}

int tv_pg_columns_count(const struct tv_pg_rows *rows)
{
    return PQnfields(rows->result);
}

const char *tv_pg_column_name(const struct tv_pg_rows *rows, int column)
{
    return PQfname(rows->result, column);
}

/* Types by their fixed numbers in pg_type, which libpq-dev does not ship as names. */
enum tv_pg_type tv_pg_column_type(const struct tv_pg_rows *rows, int column)
{
    switch (PQftype(rows->result, column)) {
    case 20: /* int8 */
    case 21: /* int2 */
    case 23: /* int4 */
        return TV_PG_INTEGER;
    case 700:  /* float4 */
    case 701:  /* float8 */
    case 1700: /* numeric */
        return TV_PG_REAL;
    case 25:   /* text */
    case 1043: /* varchar */
        return TV_PG_TEXT;
    case 114:  /* json */
    case 3802: /* jsonb */
        return TV_PG_JSON;
    default:
        return TV_PG_OTHER;
    }
}

const char *tv_pg_cell(const struct tv_pg_rows *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

void tv_pg_rows_free(struct tv_pg_rows *rows)
{
    if (rows == NULL)
        return;
    PQclear(rows->result);
    free(rows);
}

enum tv_status tv_pg_int(struct tv_pg *pg, const char *sql, int n, const char *const *values, int64_t *value,
                         struct tv_error *err)
{
    struct tv_pg_rows *rows;
    enum tv_status status = tv_pg_query(pg, sql, n, values, &rows, err);
    if (status != TV_OK)
        return status;
    const char *text = tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    if (text == NULL)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "PostgreSQL has no row for: %s", sql);
    else
        *value = strtoll(text, NULL, 10);
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_pg_script(struct tv_pg *pg, const char *text, struct tv_error *err)
{
    PGresult *result = PQexec(pg->conn, text);
    enum tv_status status = succeeded(result) ? TV_OK : refused(pg, result, err);
    PQclear(result);
    return status;
}

/* --- COPY -------------------------------------------------------------------------------------------------
 */

enum tv_status tv_pg_copy_in(struct tv_pg *pg, const char *sql, struct tv_error *err)
{
    PGresult *result = run(pg, sql, 0, NULL);
    enum tv_status status = PQresultStatus(result) == PGRES_COPY_IN ? TV_OK : refused(pg, result, err);
    PQclear(result);
    return status;
}

/* Reads the results that follow a COPY until libpq has no more; the first failure wins. */
static enum tv_status drain(struct tv_pg *pg, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (PGresult *result; (result = PQgetResult(pg->conn)) != NULL; PQclear(result)) {
        if (succeeded(result))
            pg->affected = atoll(PQcmdTuples(result));
        else if (status == TV_OK)
            status = refused(pg, result, err);
        if (PQstatus(pg->conn) == CONNECTION_BAD) {
            PQclear(result);
            return status == TV_OK ? lost(pg, err) : status;
        }
    }
    return status;
}

enum tv_status tv_pg_copy_put(struct tv_pg *pg, const void *bytes, size_t n, struct tv_error *err)
{
    /* libpq takes an int; large runs go in pieces. */
    for (const char *p = bytes; n > 0;) {
        int piece = n > 1 << 20 ? 1 << 20 : (int)n;
        if (PQputCopyData(pg->conn, p, piece) != 1) {
            enum tv_status status = drain(pg, err);
            return status != TV_OK ? status : lost(pg, err);
        }
        p += piece;
        n -= (size_t)piece;
    }
    return TV_OK;
}

enum tv_status tv_pg_copy_end(struct tv_pg *pg, long long *rows, struct tv_error *err)
{
    if (PQputCopyEnd(pg->conn, NULL) != 1)
        return lost(pg, err);
    enum tv_status status = drain(pg, err);
    if (rows)
        *rows = pg->affected;
    return status;
}

void tv_pg_copy_abort(struct tv_pg *pg, const char *reason)
{
    if (PQputCopyEnd(pg->conn, reason) == 1)
        drain(pg, NULL);
}

enum tv_status tv_pg_copy_out(struct tv_pg *pg, const char *sql, tv_pg_take take, void *context,
                              struct tv_error *err)
{
    PGresult *result = run(pg, sql, 0, NULL);
    enum tv_status status = PQresultStatus(result) == PGRES_COPY_OUT ? TV_OK : refused(pg, result, err);
    PQclear(result);
    if (status != TV_OK)
        return status;
    char *bytes = NULL;
    int n;
    while (status == TV_OK && (n = PQgetCopyData(pg->conn, &bytes, 0)) > 0) {
        status = take(context, bytes, (size_t)n, err);
        PQfreemem(bytes);
    }
    if (status == TV_OK)
        return n == -1 ? drain(pg, err) : refused(pg, NULL, err);
    tv_pg_cancel(pg);
    while (PQgetCopyData(pg->conn, &bytes, 0) > 0)
        PQfreemem(bytes);
    drain(pg, NULL);
    return status;
}

static uint64_t read_be(const unsigned char *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* The header of a COPY stream: 0 where it is another. */
static int skip_copy_header(const unsigned char **p, size_t *n)
{
    enum { HEADER = 19 };
    static const char signature[] = "PGCOPY\n\377\r\n"; /* and the NUL that ends the literal: 11 bytes */
    if (*n < HEADER || memcmp(*p, signature, sizeof signature) != 0)
        return 0;
    *p += HEADER;
    *n -= HEADER;
    return 1;
}

/* The fourth column: eight bytes, or a null of none. */
static int read_fourth(double *value, const unsigned char *p, size_t n)
{
    *value = NAN;
    if (n == 4 && read_be(p, 4) == 0xFFFFFFFF)
        return 1;
    if (n != 12 || read_be(p, 4) != 8)
        return 0;
    uint64_t bits = read_be(p + 4, 8);
    memcpy(value, &bits, sizeof bits);
    return 1;
}

/* Takes one field of that width: 1, 0 if it is null, -1 if it is something else. */
static int take_field(const unsigned char **p, size_t *n, size_t width, uint64_t *value)
{
    uint32_t length = *n >= 4 ? (uint32_t)read_be(*p, 4) : 0;
    int is_null = length == UINT32_MAX;
    size_t size = 4 + (is_null ? 0 : width);
    if (*n < size || (!is_null && length != width))
        return -1;
    *value = is_null ? 0 : read_be(*p + 4, (int)width);
    *p += size;
    *n -= size;
    return !is_null;
}

int tv_pg_triple(const char *bytes, size_t n, int *first, struct tv_pg_triple *row)
{
    static const size_t widths[] = {8, 8, 4};
    const unsigned char *p = (const unsigned char *)bytes;
    uint64_t value[3] = {0};
    if (*first && !skip_copy_header(&p, &n))
        return -1;
    *first = 0;
    if (n == 0 || (n == 2 && read_be(p, 2) == 0xFFFF))
        return 0;
    uint64_t columns = n > 2 ? read_be(p, 2) : 0;
    if (columns != 3 && columns != 4)
        return -1;
    p += 2;
    n -= 2;
    row->nulls = 0;
    for (int i = 0; i < 3; i++) {
        int kind = take_field(&p, &n, widths[i], &value[i]);
        if (kind < 0)
            return -1;
        row->nulls |= (kind == 0) << i;
    }
    uint32_t bits = (uint32_t)value[2];
    row->a = (int64_t)value[0];
    row->b = (int64_t)value[1];
    memcpy(&row->c, &bits, sizeof bits);
    row->d = NAN;
    return columns == 3 ? (n == 0 ? 1 : -1) : read_fourth(&row->d, p, n) ? 1 : -1;
}

char *tv_pg_literal(struct tv_pg *pg, const char *text)
{
    char *quoted = PQescapeLiteral(pg->conn, text, strlen(text));
    char *copy = quoted ? strdup(quoted) : NULL;
    PQfreemem(quoted);
    return copy;
}

void tv_pg_cancel(struct tv_pg *pg)
{
    char why[256];
    if (pg->cancel)
        PQcancel(pg->cancel, why, sizeof why);
}

const char *tv_pg_library(void)
{
    static char text[32];
    int v = PQlibVersion();
    snprintf(text, sizeof text, "libpq %d.%d", v / 10000, v % 10000);
    return text;
}
