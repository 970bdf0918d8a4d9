/* pg_rows: what a statement of PostgreSQL returned. Rows and columns count from 0. Names and cells belong to the
 * rows and live as long as they do; whatever the type, a cell is text.
 */
#ifndef TRIVET_STORE_PG_ROWS_H
#define TRIVET_STORE_PG_ROWS_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

struct tv_pg_rows;

/* Runs one statement and hands over its rows as text; free with tv_pg_rows_free (NULL is fine). */
enum tv_status tv_pg_query(struct tv_pg *pg, const char *sql, int n, const char *const *values,
                           struct tv_pg_rows **rows, struct tv_error *err);
/* The same for a statement without parameters that somebody may stop waiting for: `go_on` is asked ten times a second,
 * and once it returns 0 the server is told to cancel. TV_ERR_INTERRUPTED: it was cancelled, by us, by the server's
 * statement_timeout, or by an administrator; the message is the server's. */
typedef int (*tv_pg_go_on)(void *context);
enum tv_status tv_pg_query_while(struct tv_pg *pg, const char *sql, tv_pg_go_on go_on, void *context,
                                 struct tv_pg_rows **rows, struct tv_error *err);
/* One value: the first column of the first row as an integer; TV_ERR_NOT_FOUND if there is no row or it is null. */
enum tv_status tv_pg_int(struct tv_pg *pg, const char *sql, int n, const char *const *values, int64_t *value,
                         struct tv_error *err);

int tv_pg_rows_count(const struct tv_pg_rows *rows);
int tv_pg_columns_count(const struct tv_pg_rows *rows);
const char *tv_pg_column_name(const struct tv_pg_rows *rows, int column);
/* The types that callers tell apart; TV_PG_REAL has numeric, too. */
enum tv_pg_type { TV_PG_OTHER, TV_PG_INTEGER, TV_PG_REAL, TV_PG_TEXT, TV_PG_JSON };
enum tv_pg_type tv_pg_column_type(const struct tv_pg_rows *rows, int column);
const char *tv_pg_cell(const struct tv_pg_rows *rows, int row, int column); /* NULL for SQL null */
void tv_pg_rows_free(struct tv_pg_rows *rows);

#endif
