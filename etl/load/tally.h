/* tally: what a load's report says about the ratings, counted while they stream by.
 *
 * In nearly all sets the rows of one user stand together. Then repeated pairs can be counted on the way: an
 * item remembers the last user who rated it. Where a user comes back later, Postgres must count.
 */
#ifndef TRIVET_ETL_LOAD_TALLY_H
#define TRIVET_ETL_LOAD_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* A map from ids to a number: open addressing, at most half full. */
struct tv_tally_map {
    struct tv_id_slot {
        int64_t id, number;
        int used;
    } * slots;
    size_t capacity, n;
};

enum { TV_TALLY_MAX_VALUES = 64 };

/* Times other than 0, which many files write for none. */
struct tv_tally_times {
    long long n, early;  /* early: between 1970 and 1990, when hardly anything was rated */
    int64_t first_early; /* the first of these */
};

/* One end of the scale: its value, how many rows have it, and the next one inwards. Those of the low end have the sign turned round. */
struct tv_tally_end {
    float value, next;
    long long n;
    int has_next;
};

struct tv_tally {
    long long rows;
    struct tv_tally_map users, items;
    int64_t user;                      /* of the last row */
    long long repeats;                 /* rows whose pair stood before, unless users_apart */
    int users_apart;                   /* a user came back after another one: `repeats` is not known */
    float values[TV_TALLY_MAX_VALUES]; /* the distinct ratings, in order of appearance, while they are few */
    int n_values;                      /* TV_TALLY_MAX_VALUES + 1: more */
    float min, max;
    struct tv_tally_end low, high;
    long long odd_times; /* rows whose time is before 1970 or after 2100, which hardly any rating has */
    struct tv_tally_times times, tag_times; /* of ratings, and of tags */
};

void tv_tally_free(struct tv_tally *t);
/* Whether most times are of 1970 to 1990: days or hours since 1970, or seconds since 2001, look so. */
int tv_tally_is_early(const struct tv_tally_times *times);

/* Whether an end of the scale is a word for no rating, such as Jester's 99 on a scale to 10: all nines, and far beyond all other values. */
int tv_tally_is_word(const struct tv_tally_end *end);

enum tv_status tv_tally_add(struct tv_tally *t, int64_t user, int64_t item, float value,
                            struct tv_error *err);
/* The time of a row, in microseconds since 1970, or TV_NUMBER_NO_TIME. */
void tv_tally_add_time(struct tv_tally *t, int64_t time);
/* The same of a tag. */
void tv_tally_add_tag_time(struct tv_tally *t, int64_t time);

/* 1 if the item was rated in a row that was added. */
int tv_tally_has_item(const struct tv_tally *t, int64_t item);

/* "0.5 to 5 by 0.5", "-9.8 to 10.8", "none". `out` holds at least 96 bytes; returns `out`. */
char *tv_tally_scale(const struct tv_tally *t, char *out);

#endif
