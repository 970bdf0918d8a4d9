/* pg_rows: statements whose answer matters: its rows, its columns and their types. A struct tv_pg_rows is libpq's
 * result as it came: cells are read where they lie and nothing is copied, so all rows are in memory until they are
 * freed. A statement of very many rows goes by COPY (pg_copy.c).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/store/pg_client.h"
#include "trivet/base/buffer.h"
#include "trivet/store/pg_rows.h"

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

/* libpq gives "" for a null, so it is asked first. */
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

/* Makes a statement's result the caller's rows, or an error. */
static enum tv_status hand_over(struct tv_pg *pg, PGresult *result, struct tv_pg_rows **rows, struct tv_error *err)
{
    struct tv_pg_rows *r = NULL;
    enum tv_status status = tv_pg_succeeded(result) ? TV_OK : tv_pg_refused(pg, result, err);
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
    return hand_over(pg, tv_pg_run(pg, sql, n, values), rows, err);
}

/* The server has one SQLSTATE for everything that cancels a statement, so a timeout of the server's cannot be told
 * from our own cancel, and both are TV_ERR_INTERRUPTED. */
enum tv_status tv_pg_query_while(struct tv_pg *pg, const char *sql, tv_pg_go_on go_on, void *context,
                                 struct tv_pg_rows **rows, struct tv_error *err)
{
    *rows = NULL;
    pg->go_on = go_on;
    pg->go_on_context = context;
    PGresult *result = tv_pg_run(pg, sql, 0, NULL);
    pg->go_on = NULL;
    if (result == NULL)
        return tv_pg_lost(pg, err);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int cancelled = state && strcmp(state, "57014") == 0; /* query_canceled */
    enum tv_status status = hand_over(pg, result, rows, err);
    if (cancelled && err)
        err->status = TV_ERR_INTERRUPTED;
    return cancelled ? TV_ERR_INTERRUPTED : status;
}

/* Without a row the statement itself is named, as the only thing to find it by. */
enum tv_status tv_pg_int(struct tv_pg *pg, const char *sql, int n, const char *const *values, int64_t *value,
                         struct tv_error *err)
{
    struct tv_pg_rows *rows;
    enum tv_status status = tv_pg_query(pg, sql, n, values, &rows, err);
    if (status != TV_OK)
        return status;
    const char *text = tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    if (text == NULL) {
        tv_fail(err, TV_ERR_NOT_FOUND, "PostgreSQL has no row for: %s", sql);
        status = tv_from(err, TV_FROM_POSTGRES);
    } else {
        *value = strtoll(text, NULL, 10);
    }
    tv_pg_rows_free(rows);
    return status;
}
