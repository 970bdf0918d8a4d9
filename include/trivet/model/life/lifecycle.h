/* lifecycle: what happens to a model once it is complete: activate, repair, prune, discard.
 *
 * All of it is done while holding the lock (lock.h), and each step can be killed: whatever is left half done is
 * finished or undone by tv_lifecycle_repair, which every command that takes the lock runs first.
 *
 *   activating: the rows of the model's data set are loaded again, if others are; users whose ratings changed since the
 *   training are folded in; the journal says `activating N`; the item documents say what a score of N is; Redis switches
 *   (MULTI ... EXEC: this is the moment); the Mongo views `item` and `user` move; users whose ratings changed meanwhile are
 *   folded in; the journal says `live`.
 */
#ifndef TRIVET_MODEL_LIFE_LIFECYCLE_H
#define TRIVET_MODEL_LIFE_LIFECYCLE_H

#include "trivet/base/status.h"
#include "trivet/model/model.h"
#include "trivet/store/mongo.h"
#include "trivet/store/redis.h"

/* The stores of a command that changes models, or looks at them. */
struct tv_stores {
    struct tv_lock *lock; /* held; its connection writes the journal. NULL for a command that only looks */
    struct tv_mongo *mongo;
    struct tv_redis *redis;
    const char *reader_uri; /* lent; the login that reads an analyst's row source (reader.h); NULL: none */
    int lock_wait;          /* seconds that an activation waits for those who are in its data set's way (patient.h) */
};

/* Makes `m`, which stands complete in MongoDB and Redis, the live model, and its data set the one that is loaded. */
enum tv_status tv_lifecycle_activate(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err);

/* Does what is left of an activation once Redis has switched to the model. */
enum tv_status tv_lifecycle_finish(const struct tv_stores *s, int64_t run_number, struct tv_error *err);
/* Folds the users in whom nobody has yet (trivet.user_change), and counts items; *users counts those, and *unwritten those
 * whose documents MongoDB refuses. */
enum tv_status tv_lifecycle_fold_in_waiting(const struct tv_stores *s, int64_t live, int64_t *users, int64_t *unwritten,
                                            struct tv_error *err);

/* Compares the live model's documents of n users, ascending, with their ratings (tv_fold_in_compare). *compared is 0
 * where that cannot be told: their ratings come from SQL of one's own or stand elsewhere, or a load came after the
 * training. */
enum tv_status tv_lifecycle_compare_users(const struct tv_stores *s, int64_t live, const int64_t *user_ids, size_t n,
                                          char *differs, int *compared, struct tv_error *err);

/* The same by run number: refills Redis from MongoDB first where that is needed. TV_ERR_NOT_FOUND for a model that is
 * not kept (any more). */
enum tv_status tv_lifecycle_activate_run(const struct tv_stores *s, int64_t run_number, struct tv_error *err);

/* The same for the model that the journal calls live, whatever is loaded: that stays. */
enum tv_status tv_lifecycle_show_again(const struct tv_stores *s, int64_t run_number, struct tv_error *err);

/* Brings Postgres, MongoDB and Redis to agree after a kill, a restart, a lost or a damaged store (lib/repair). Says
 * what it did at log level info, and at level error what is lost. With a `report` it is thorough: it reads every
 * document and every rating once, and says one line a check; without (NULL), it looks at what can be told in a
 * fraction of a second. */
struct tv_repair_report {
    void (*say)(void *context, const char *line);
    void *context;
};
/* A repair's outcome in numbers; the exit code follows from them. */
struct tv_repair_counts {
    int changes;  /* what was mended */
    int problems; /* what was found and could not be */
    int64_t live; /* the model that is live now, or 0 */
    int64_t longest_list; /* of those that are stored with its users; 0: none is, or the repair was not thorough */
};
enum tv_status tv_lifecycle_repair(const struct tv_stores *s, const struct tv_repair_report *report,
                                   struct tv_repair_counts *counts, struct tv_error *err);

/* Keeps the newest `keep` models of each data set, the live one and the one live before it; deletes the rest. */
enum tv_status tv_lifecycle_prune(const struct tv_stores *s, int keep, struct tv_error *err);

/* Deletes all that is stored under N; the journal is not touched. */
enum tv_status tv_lifecycle_discard(const struct tv_stores *s, int64_t run_number, struct tv_error *err);

#endif
