/* refusal: the words for a file of ratings that is not understood: what was seen, what is needed, and what to type. */
#ifndef TRIVET_ETL_DETECT_REFUSAL_H
#define TRIVET_ETL_DETECT_REFUSAL_H

#include "etl/detect/detect.h"
#include "etl/detect/given.h"

/* Reads the beginning of the file and says why no kind fits it. Always fails: TV_ERR_INPUT, or what reading it ended
 * with. */
enum tv_status tv_refuse_file(const struct tv_input *input, const struct tv_input_file *file,
                              const struct tv_given *given, struct tv_error *err);

/* The names of a header, or the fields of a first line, divided by commas, fit to be shown. Returns `out`. */
char *tv_refusal_fields(const struct tv_record *record, char *out, size_t size);

/* Whether a file is of Netflix's kind, where a line with a film stands before its ratings. */
int tv_refusal_is_films(const struct tv_input *input, const struct tv_input_file *file);

#endif
