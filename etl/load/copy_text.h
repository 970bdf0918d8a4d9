/* copy_text: rows in the text format of COPY, which small tables go through (ratings use the binary one). */
#ifndef TRIVET_ETL_LOAD_COPY_TEXT_H
#define TRIVET_ETL_LOAD_COPY_TEXT_H

#include <stdint.h>

#include "trivet/base/buffer.h"

/* One column each; the caller ends a row with tv_copy_text_end. NULL text is SQL null. */
enum tv_status tv_copy_text_text(struct tv_buffer *out, const char *text, struct tv_error *err);
enum tv_status tv_copy_text_int(struct tv_buffer *out, int64_t value, int is_null, struct tv_error *err);
/* Microseconds since 1970, or TV_NUMBER_NO_TIME. */
enum tv_status tv_copy_text_time(struct tv_buffer *out, int64_t microseconds, struct tv_error *err);
/* A text[]: {"Film-Noir","War"}. */
enum tv_status tv_copy_text_array(struct tv_buffer *out, const char *const *texts, int n, int is_null,
                                  struct tv_error *err);
enum tv_status tv_copy_text_end(struct tv_buffer *out, struct tv_error *err);

#endif
