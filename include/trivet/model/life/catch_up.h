/* catch_up: brings MongoDB up to single ratings, users and items (sql/004_live.sql).
 *
 * A server folds a user in right after a rating. Sometimes it cannot finish, because it was killed or MongoDB was
 * away, and a training does not see what comes while it runs. The rest is done by the first to come by: a server, or
 * the trainer before and after it switches.
 */
#ifndef TRIVET_MODEL_LIFE_CATCH_UP_H
#define TRIVET_MODEL_LIFE_CATCH_UP_H

#include <stdint.h>

#include "trivet/model/life/fold_in_anew.h"

/* Users or items, ascending, and the change each of them has got to. */
struct tv_changes {
    size_t n;
    int64_t *ids, *revs; /* (n) owned */
    int64_t dataset;     /* whose they are; 0: none is known */
};
void tv_changes_free(struct tv_changes *c); /* also makes it empty */

/* The outcome of catching up, added up over calls. */
struct tv_catch_up_work {
    int64_t users, items; /* users folded in, and items whose counts were written */
    int64_t waiting; /* users who are not folded in: the row source cannot be read, or MongoDB refuses the document */
    struct tv_fold_in_told told;
    int left; /* as many waited as the limit allows, so there may be more to do */
};
/* One line of log for each of the three reasons why users could not be folded in: the row source, the users' own
 * rows, MongoDB. Nothing where all went well. */
void tv_catch_up_report(const struct tv_catch_up_work *work, int64_t model);

/* Folds in all users whose ratings changed after the model was trained, and counts the items that they rated. Users
 * whose document has their rev already are skipped. With `live`, after the switch, PostgreSQL is told of each user
 * whether it was done. Users who cannot be folded in are in `work`, and no failure. *work begins anew. */
enum tv_status tv_catch_up(struct tv_catch_up_work *work, const struct tv_fold_in_anew *r,
                           struct tv_fold_in_stores *stores, int live, struct tv_error *err);

/* The users who wait to be folded in, at most `limit`; with `refused` also those with whom it was tried in vain. */
enum tv_status tv_catch_up_waiting(struct tv_changes *out, struct tv_pg *pg, int limit, int refused,
                                   struct tv_error *err);
/* Folds them in and notes what came of it. `r` must be the model that was live after tv_catch_up_waiting returned: a
 * process that switches to another model afterwards sees the same changes, and folds the same users into that one. */
enum tv_status tv_catch_up_fold_in(struct tv_catch_up_work *work, const struct tv_changes *waiting,
                                   const struct tv_fold_in_anew *r, struct tv_fold_in_stores *stores,
                                   struct tv_error *err);
/* At most `limit` items that wait: their n and mean. Costs one pass over all ratings, however many they are. */
enum tv_status tv_catch_up_count(struct tv_catch_up_work *work, struct tv_pg *pg, struct tv_mongo *mongo, int limit,
                                 struct tv_error *err);
/* The n and mean of items whose documents say something else, though they may be of the rev that Postgres has. */
enum tv_status tv_catch_up_recount(struct tv_catch_up_work *work, struct tv_pg *pg, struct tv_mongo *mongo,
                                   const int64_t *items, size_t n, struct tv_error *err);

#endif
