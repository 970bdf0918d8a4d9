/* number: strict numbers out of record fields. */
#ifndef TRIVET_READ_NUMBER_H
#define TRIVET_READ_NUMBER_H

#include <stdint.h>

#include "trivet/read/record.h"

/* Each sets the value, or leaves it: TV_ERR_RECORD with one of a few fixed texts ("rating is not a number"). Blanks around
 * a number are no part of it, and 101.0 is the id 101. So is 1.01E2, which is how Java writes it, and 1.2345678E+7, which has all of
 * its digits. */
enum tv_status tv_number_id(const struct tv_field *f, int64_t *id, struct tv_error *err);
enum tv_status tv_number_rating(const struct tv_field *f, float *value,
                                struct tv_error *err); /* finite, also as a float */

/* How the numbers of a column are written: 1234.5; 1,234.5; 1234,5, and 12.5 with it; or 1.234,5. */
enum tv_number_form { TV_NUMBER_PLAIN, TV_NUMBER_THOUSANDS, TV_NUMBER_DECIMAL_COMMA, TV_NUMBER_POINT_GROUPS };

/* What the commas of a field can be: it has none; 12,345,678 has groups alone, 12,5 a decimal comma alone, 12,345 could be
 * either, 1,2,3 neither. */
enum { TV_NUMBER_NO_COMMA, TV_NUMBER_GROUPS, TV_NUMBER_DECIMAL, TV_NUMBER_EITHER, TV_NUMBER_NEITHER };
int tv_number_commas(const struct tv_field *f);
/* The same of its points, where a comma would be the decimal one: 12.345.678 and 1.234,5 have groups. */
int tv_number_points(const struct tv_field *f);

enum { TV_NUMBER_MAX_TEXT = 64 }; /* room for a number that is written anew */

/* The field with its groups put together and a comma turned into a point, as the form says; it lies in `out` then. 0 where its signs
 * are not of that form. */
TV_MUST_USE int tv_number_plain(enum tv_number_form form, const struct tv_field *f, char *out, size_t size,
                                struct tv_field *plain);

/* How the ids of a column are written. Everywhere 101.0 and 101,0 are 101. */
enum tv_id_form {
    TV_ID_CLEAR,        /* 1.000 and 1,000 are refused, as they could be 1 or 1000 */
    TV_ID_FRACTIONS,    /* 1.000 is 1 */
    TV_ID_COMMA_GROUPS, /* 1,000 is 1000 */
    TV_ID_POINT_GROUPS  /* 1.000 is 1000 */
};

/* The same as tv_number_id, in a column of that form. */
enum tv_status tv_number_id_written(enum tv_id_form form, const struct tv_field *f, int64_t *id, struct tv_error *err);

/* Whether all that stands behind a comma is zeros, two at most or four and more, so that it is a whole number: 101,0. */
int tv_number_is_whole_by_comma(const struct tv_field *f);

/* Whether a whole number is written as spreadsheets round it, with fewer digits than it has: 7.65612E+16, 1e+05. Without a sign behind
 * the letter it may be a text: 1e5. */
int tv_number_is_rounded(const struct tv_field *f);

/* Whether a whole number beyond 2^53 is written as a fraction, and so was one in the program that wrote it, where it has lost its last digits:
 * 76561198071234560.0. */
int tv_number_has_lost_digits(const struct tv_field *f);

/* 1 for a field that is empty but for blanks, or says NULL, \N, NA, NaN, None and the like in any case. */
int tv_number_is_absent(const struct tv_field *f);

#define TV_NUMBER_NO_TIME INT64_MIN
/* The range that both a timestamptz holds (from 4713 BC) and an int64 of microseconds since 1970 (below the year
 * 294,247). */
#define TV_NUMBER_FIRST_SECOND INT64_C(-210866803200)
#define TV_NUMBER_END_SECOND INT64_C(9223372036854)

/* Unix seconds, whole or with a fraction, from TV_NUMBER_FIRST_SECOND to below TV_NUMBER_END_SECOND; what is absent
 * is TV_NUMBER_NO_TIME. The result is in microseconds since 1970. */
enum tv_status tv_number_time(const struct tv_field *f, int64_t *microseconds, struct tv_error *err);

#endif
