/* rating_list: the body of a request that rates, or that adds plays. */
#ifndef TRIVET_SERVE_FOLLOW_RATING_LIST_H
#define TRIVET_SERVE_FOLLOW_RATING_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "serve/model/ids.h"
#include "serve/model/resident.h"
#include "serve/web/problem.h"

/* A float holds every whole number up to 2^24; one play more would be none (trivet.rate_check). */
enum { TV_MAX_RATINGS = 1000, TV_MAX_PLAYS = 1 << 24 };

/* About 12 KB; it stands on the stack of the handler's thread. */
struct tv_rating_list {
    size_t n;
    int64_t items[TV_MAX_RATINGS]; /* in the order of the list; distinct, but for plays */
    float values[TV_MAX_RATINGS];  /* finite; of plays how many more there are */
};

/* Reads [{"item_id": 260, "rating": 4.5}, ...]: numbers or numeric strings, 1 to TV_MAX_RATINGS of them; movie_id
 * is another name of item_id, and any other member is wrong. 1, or 0 and a *problem that names the entry, from
 * 1, if one is wrong. Items are looked up by code in `s`, which may be NULL; whether one of that number exists is not
 * asked. */
TV_MUST_USE int tv_rating_list_read(struct tv_rating_list *list, const char *body, size_t size,
                                    const struct tv_resident *s, struct tv_problem *problem);
/* The same of plays, [{"item_id": 260, "count": 2}, ...]: a count is a whole number, and 1 where there is none. */
TV_MUST_USE int tv_play_list_read(struct tv_rating_list *list, const char *body, size_t size,
                                  const struct tv_resident *s, struct tv_problem *problem);
/* Reads one rating of this item: 4.5, "4.5" or {"rating": 4.5}; where an object names an item, too, it is to be this one. */
TV_MUST_USE int tv_rating_read(float *value, const char *body, size_t size, int64_t item, const struct tv_resident *s,
                               struct tv_problem *problem);

#endif
