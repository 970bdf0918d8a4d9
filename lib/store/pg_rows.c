/* pg_rows: what a statement returned: its rows, its columns and their types. */
#include <stdlib.h>

#include "lib/store/pg_client.h"
#include "trivet/store/pg_rows.h"

int tv_pg_succeeded(const PGresult *result)
{
    ExecStatusType s = PQresultStatus(result);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
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
