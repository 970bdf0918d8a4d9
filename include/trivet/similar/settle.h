/* settle: indices of similar items that are over, and what they have left in the journal, the queue and Redis.
 *
 * An index is over when another of its data set took its place, when the process that built it is gone, when its data
 * set was dropped, or when Redis has lost it. From then on nobody applies its events (sql/022_similar.sql), so the
 * events are deleted. The index of a data set that does not serve is kept, with its events.
 */
#ifndef TRIVET_SIMILAR_SETTLE_H
#define TRIVET_SIMILAR_SETTLE_H

#include "trivet/similar/similar.h"
#include "trivet/store/pg.h"
#include "trivet/store/redis.h"

/* The caller holds the lock with which indices are built (lock.h): the index of the data set that serves becomes the live
 * one (trivet.similar_wanted), as after an activation; the journal says what Redis says; and nothing is left of indices
 * that are over. `why` is noted with builds that had failed (NULL: their process ended). *live: the index that Redis
 * serves, or 0; *changed: how many the journal was wrong about (NULL is fine). Can be killed anywhere and done again. */
enum tv_status tv_similar_settle(struct tv_pg *pg, struct tv_redis *redis, const char *why, int64_t *live,
                                 int64_t *changed, struct tv_error *err);

/* The journal's part of it while others may be building: ends indices that nobody builds and that Redis does not serve;
 * their keys stay for the next build. Of indices that are called live only `followed` is ended (0: none), which the caller has
 * seen in this Redis: one that was never there may be somebody else's, in another Redis. */
enum tv_status tv_similar_end_gone(struct tv_pg *pg, struct tv_similar *index, int64_t followed, struct tv_error *err);

#endif
