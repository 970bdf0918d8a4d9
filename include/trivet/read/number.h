/* number: strict numbers out of record fields. */
#ifndef TRIVET_READ_NUMBER_H
#define TRIVET_READ_NUMBER_H

#include <stdint.h>

#include "trivet/read/record.h"

/* Each sets the value, or leaves it: TV_ERR_RECORD with one of a few fixed texts ("rating is not a number"). */
enum tv_status tv_number_id(const struct tv_field *f, int64_t *id, struct tv_error *err);
enum tv_status tv_number_rating(const struct tv_field *f, float *value,
                                struct tv_error *err); /* finite, also as a float */

#define TV_NUMBER_NO_TIME INT64_MIN
/* The range that both a timestamptz holds (from 4713 BC) and an int64 of microseconds since 1970 (below the year
 * 294,247). */
#define TV_NUMBER_FIRST_SECOND INT64_C(-210866803200)
#define TV_NUMBER_END_SECOND INT64_C(9223372036854)

/* Unix seconds, whole or with a fraction, from TV_NUMBER_FIRST_SECOND to below TV_NUMBER_END_SECOND; empty is
 * TV_NUMBER_NO_TIME. The result is in microseconds since 1970. */
enum tv_status tv_number_time(const struct tv_field *f, int64_t *microseconds, struct tv_error *err);

#endif
