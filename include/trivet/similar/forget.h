/* forget: indices of similar items lose a user or an item that is to be forgotten. */
#ifndef TRIVET_SIMILAR_FORGET_H
#define TRIVET_SIMILAR_FORGET_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/pg.h"
#include "trivet/store/redis.h"

/* Whose events are to be heard, and gone then. */
struct tv_similar_forgotten {
    struct tv_pg *pg; /* holds the lock with which indices are built (lock.h) */
    struct tv_redis *redis;
    const char *postgres_uri, *reader_uri, *redis_uri; /* of a feed; reader_uri may be NULL */
    int is_item;
    int64_t id;
};

/* After the user's or the item's ratings are gone from Postgres: the live index of the current data set hears of that, by its
 * events, from this process or from a server that follows. What cannot be taken out ends the index: it is kept and not
 * live, or has a row for the item, which stands in it for ever. *ended is how many; then trivet-train similar builds one. No event
 * that names the id is left. Can be killed and done again. */
enum tv_status tv_similar_forget(const struct tv_similar_forgotten *f, int64_t *ended, struct tv_error *err);

/* *found: an index of the current data set has a row for the item. A user whose ratings are gone is known by waiting events alone. */
enum tv_status tv_similar_finds(const struct tv_similar_forgotten *f, int *found, struct tv_error *err);

#endif
