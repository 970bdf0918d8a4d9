/* code: ids that are text.
 *
 * An id that is a whole number in its plain form is that number. Any other, a code such as a UUID, has a number from
 * the dictionary trivet.code, out of a range that is the dictionary's alone: so a number means one thing, whatever
 * sets were loaded, and turns back into the text that came. Numbers in the range, should a set hold such, are taken
 * as codes, too.
 */
#ifndef TRIVET_BASE_CODE_H
#define TRIVET_BASE_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* Beyond the ids that people use, and still exact in a double: notebooks and spreadsheets show them unharmed. Loads
 * take numbers from the first half, one after the other; a code that first comes with a single rating takes one from
 * the second half (the sequence trivet.code_live). */
#define TV_CODE_FIRST  INT64_C(8000000000000000)
#define TV_CODE_SINGLE INT64_C(8500000000000000)
#define TV_CODE_END    INT64_C(9000000000000000)

enum { TV_CODE_MAX = 255 }; /* bytes of UTF-8 */

/* 1 and *id if the text is an id that is its own number: "42", "-7", but not "007", "+1" or one of the range. */
TV_MUST_USE int tv_code_is_number(const char *text, size_t n, int64_t *id);

/* NULL if the text may be a code, else why not: "empty id", "id longer than 255 bytes", ... */
const char *tv_code_refusal(const char *text, size_t n);

#endif
