/* live: brings MongoDB up to ratings that came one by one, users and items (sql/004_live.sql).
 *
 * A server folds a user in right after a rating. What it could not finish, because it was killed or MongoDB
 * was away, and what a training did not see, is done by whoever comes first: a server, or the trainer before
 * and after it switches.
 */
#ifndef TRIVET_LIVE_H
#define TRIVET_LIVE_H

#include <stdint.h>

#include "trivet/refold.h"

/* Users or items, ascending, and the change each of them has got to. */
struct tv_changes {
    size_t n;
    int64_t *ids, *revs; /* (n) owned */
};
void tv_changes_free(struct tv_changes *c); /* also makes it empty */

/* What some work did; *left: there is more, or some of it failed. */
struct tv_live_work {
    int64_t users, items;
    int left;
};

/* Everybody whose ratings changed after the model was trained, and the counts of the items they rated. Those whose
 * document has their rev already are skipped. With `live` they are noted as done: the switch has happened. */
enum tv_status tv_live_catch_up(struct tv_live_work *work, struct tv_refold *r, struct tv_pg *pg,
                                struct tv_mongo *mongo, int live, struct tv_error *err);

/* Who waits to be folded in, at most `limit`. */
enum tv_status tv_live_waiting(struct tv_changes *out, struct tv_pg *pg, int limit, struct tv_error *err);
/* Folds them in and notes them as done. `r` must be the model that was live after tv_live_waiting returned:
 * who switches to another one afterwards sees the same changes. One who cannot be folded in is told in the
 * log and passed over. */
enum tv_status tv_live_fold(struct tv_live_work *work, const struct tv_changes *waiting, struct tv_refold *r,
                            struct tv_pg *pg, struct tv_mongo *mongo, struct tv_error *err);
/* At most `limit` items that wait: their n and mean. Costs one pass over all ratings, however many they are. */
enum tv_status tv_live_count_waiting(struct tv_live_work *work, struct tv_pg *pg, struct tv_mongo *mongo, int limit,
                                     struct tv_error *err);

#endif
