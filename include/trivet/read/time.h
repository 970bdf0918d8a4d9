/* time: the moments of a column, in the one form that all of it has. */
#ifndef TRIVET_READ_TIME_H
#define TRIVET_READ_TIME_H

#include "trivet/read/number.h"

/* How a column writes moments: numbers that count from 1970 in one unit, or dates as text. */
enum tv_time_form {
    TV_TIME_SECONDS,
    TV_TIME_MILLISECONDS,
    TV_TIME_MICROSECONDS,
    TV_TIME_NANOSECONDS,
    TV_TIME_TEXT,        /* the year first */
    TV_TIME_DAY_FIRST,   /* 24.12.2004 */
    TV_TIME_MONTH_FIRST, /* 12/24/2004 */
    TV_TIME_FORMS,       /* how many there are */
    TV_TIME_EITHER_FIRST, /* 04.12.2004: of either of the two */
    TV_TIME_ABSENT,      /* no time: empty, NULL and the like */
    TV_TIME_UNKNOWN
};

/* The form that a field by itself seems to have. The units differ by a factor of 1,000, and so do the ranges they are
 * told apart by: seconds reach to the year 5138. 0 seems to be seconds. */
enum tv_time_form tv_time_form_of(const struct tv_field *f);

/* The sign between the parts of a date; 0 where there is none. */
char tv_time_divider(const struct tv_field *f);

/* Whether it is one of dates. */
int tv_time_is_date(enum tv_time_form form);

/* Whether a number is a calendar's and no count since 1970: 2005, 200504, 20050402, 20050402235347, or the days that spreadsheets
 * count from 1900, 38444.99. As seconds all but the longest are days of 1970 on which nothing was rated. */
int tv_time_is_calendar(const struct tv_field *f);

/* "seconds since 1970", "dates" */
const char *tv_time_form_name(enum tv_time_form form);

/* A moment in microseconds since 1970, or TV_NUMBER_NO_TIME for what is absent. Text is a date (2005-04-02, 2005/04/02; with the
 * year last divided by points, slashes or dashes), perhaps with a time behind a blank, comma or T (23:53, 23:53:47, 23:53:47.5, 11:53 PM),
 * perhaps with a zone (Z, UTC, +09:00, +0900, +09);
 * without one it is UTC. TV_ERR_RECORD for what is of another form. */
enum tv_status tv_time_read(enum tv_time_form form, const struct tv_field *f, int64_t *microseconds,
                            struct tv_error *err);

#endif
