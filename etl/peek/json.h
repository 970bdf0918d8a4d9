/* json: whether a file of JSON holds ratings, and the command that makes a table of them. */
#ifndef TRIVET_ETL_PEEK_JSON_H
#define TRIVET_ETL_PEEK_JSON_H

#include "trivet/read/input.h"

/* How much the file's first object looks like a rating: 0 for no object, or one that does not name a user and an item; 1 for these; 2
 * where it names a rating or a count, too. */
int tv_json_likeness(const struct tv_input *input, const struct tv_input_file *file);

/* A command that writes the ratings of such a file as ratings.csv; "" where it is not one. Returns `out`. */
char *tv_json_command(const struct tv_input *input, const struct tv_input_file *file, char *out, size_t size);

#endif
