/* name: what people may call a thing, a data set for one, so that no two are told apart by what nobody sees. */
#ifndef TRIVET_BASE_NAME_H
#define TRIVET_BASE_NAME_H

#include <stddef.h>

#include "trivet/base/status.h"

/* Writes `given` without blanks at its ends to out, which has room for `size` bytes. TV_ERR_USAGE, and out is as it was: nothing is
 * left, it is no UTF-8 or too long, or a line break, a tab or the like stands in it. */
enum tv_status tv_name_read(char *out, size_t size, const char *given, struct tv_error *err);

#endif
