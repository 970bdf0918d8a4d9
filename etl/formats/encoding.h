/* encoding: text fields become UTF-8. */
#ifndef TRIVET_ETL_FORMATS_ENCODING_H
#define TRIVET_ETL_FORMATS_ENCODING_H

#include <stddef.h>

#include "trivet/base/buffer.h"

/* Appends n bytes of ISO-8859-1 as UTF-8. */
enum tv_status tv_encoding_from_latin1(struct tv_buffer *out, const char *text, size_t n,
                                       struct tv_error *err);

/* Appends bytes of unknown origin so that any UTF-8 store takes them: what is no well-formed UTF-8, and
 * control characters but tab, become \xNN. Stops after `max` bytes of input, never inside a character. */
enum tv_status tv_encoding_printable(struct tv_buffer *out, const char *text, size_t n, size_t max,
                                     struct tv_error *err);

#endif
