/* foreign: files that are no tables of text: spreadsheets, Parquet, JSON, web pages. */
#ifndef TRIVET_ETL_PEEK_FOREIGN_H
#define TRIVET_ETL_PEEK_FOREIGN_H

#include "trivet/read/input.h"

/* Whether a file is of a kind that has no lines, such as Parquet, by its first bytes. */
int tv_foreign_is(const struct tv_input *input, const struct tv_input_file *file);

/* Says what such a file is, and how a table is made of it. Always fails: TV_ERR_INPUT. */
enum tv_status tv_foreign_refuse(const struct tv_input *input, const struct tv_input_file *file, struct tv_error *err);

/* What has to be done before a command can be given the file's name: "unpack a.zip first; then ", or "". Returns `out`. */
char *tv_foreign_unpack(const struct tv_input_file *file, char *out, size_t size);

#endif
