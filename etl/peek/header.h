/* header: whether a file's first line names its columns, or is a line like the others. */
#ifndef TRIVET_ETL_PEEK_HEADER_H
#define TRIVET_ETL_PEEK_HEADER_H

#include "trivet/read/record.h"

/* Whether a record could be a header: it has several fields, and none is a number or a moment. */
int tv_header_may_be(const struct tv_record *record);

/* Whether it names a user and an item, which no line of ids does. */
int tv_header_names_both(const struct tv_record *record);

/* Whether the file's first record is one: it could be, and names a user or an item; or the next lines have none of its fields at
 * its place. In a file that is all text they do, since users and items return. */
enum tv_status tv_header_is(const struct tv_input *input, const struct tv_input_file *file, const struct tv_dialect *dialect, int *yes,
                            struct tv_error *err);

#endif
