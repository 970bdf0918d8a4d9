/* table: rows of text for people (table, markdown) and programs (csv, json); reports are printed with it. */
#ifndef TRIVET_CLI_TABLE_H
#define TRIVET_CLI_TABLE_H

#include <stdio.h>

#include "trivet/base/status.h"
#include "trivet/cli/options.h"
#include "trivet/store/pg.h"
#include "trivet/store/pg_rows.h"

enum tv_table_format { TV_TABLE_PLAIN, TV_TABLE_CSV, TV_TABLE_JSON, TV_TABLE_MARKDOWN };
#define TV_TABLE_FORMATS "table|csv|json|markdown"
/* --format alone, for the commands that print a table. */
extern const struct tv_option tv_format_options[];
/* The format of a word of TV_TABLE_FORMATS. */
enum tv_table_format tv_table_format_from(const char *name);

enum tv_table_kind {
    TV_TABLE_TEXT,   /* left-aligned */
    TV_TABLE_NUMBER, /* right-aligned; digits grouped in table and markdown, bare in csv and json */
    TV_TABLE_DOCUMENT /* a JSON document: shown as it is, nested in json */
};

struct tv_table;
/* `names` and `kinds` have n_columns entries; names are copied. */
enum tv_status tv_table_create(struct tv_table **out, int n_columns, const char *const *names,
                               const enum tv_table_kind *kinds, struct tv_error *err);
/* All rows of a query, at most 64 columns; kinds follow from the columns' types. *out is NULL after a failure. */
enum tv_status tv_table_from_rows(struct tv_table **out, const struct tv_pg_rows *rows, struct tv_error *err);
void tv_table_free(struct tv_table *t);

/* Cells fill the table row by row; NULL is an empty cell (null in json). Texts are copied. */
enum tv_status tv_table_cell(struct tv_table *t, const char *text, struct tv_error *err);
enum tv_status tv_table_int(struct tv_table *t, long long value, struct tv_error *err);
enum tv_status tv_table_real(struct tv_table *t, double value, int digits, struct tv_error *err);

/* Prints the rows that are full; TV_ERR_IO where `out` takes no more. */
enum tv_status tv_table_print(const struct tv_table *t, enum tv_table_format format, FILE *out, struct tv_error *err);
/* Prints the rows of a statement to stdout as --format says. The columns are the statement's, so one that a view gets shows up
 * without a change elsewhere. */
enum tv_status tv_table_print_query(struct tv_pg *pg, const struct tv_settings *settings, const char *sql, int n,
                                    const char *const *values, struct tv_error *err);

#endif
