/* pg_rows: what a statement of PostgreSQL returned. */
#ifndef TRIVET_STORE_PG_ROWS_H
#define TRIVET_STORE_PG_ROWS_H

#include "trivet/store/pg.h"

int tv_pg_rows_count(const struct tv_pg_rows *rows);
int tv_pg_columns_count(const struct tv_pg_rows *rows);
const char *tv_pg_column_name(const struct tv_pg_rows *rows, int column);
enum tv_pg_type { TV_PG_OTHER, TV_PG_INTEGER, TV_PG_REAL, TV_PG_TEXT, TV_PG_JSON };
enum tv_pg_type tv_pg_column_type(const struct tv_pg_rows *rows, int column);
const char *tv_pg_cell(const struct tv_pg_rows *rows, int row, int column); /* NULL for SQL null */
void tv_pg_rows_free(struct tv_pg_rows *rows);

#endif
