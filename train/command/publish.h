/* publish: what fit and import do alike once a model is in memory: both stores, the comparison of what they give back,
 * and what is left to do when it fails; and how a model goes live with all that is of its data set. */
#ifndef TRIVET_TRAIN_COMMAND_PUBLISH_H
#define TRIVET_TRAIN_COMMAND_PUBLISH_H

#include <stdint.h>

#include "train/command/stores.h"

enum { TV_PUBLISH_KEEP_MODELS = 3 };

/* The item side into MongoDB and Redis, under the model's run number: nothing is visible yet. */
enum tv_status tv_publish_store(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err);

/* Reads the item side back from both stores, and all user documents; `users_hash` is the hash of what was written. */
enum tv_status tv_publish_check(const struct tv_stores *s, const struct tv_model *m, uint64_t users_hash,
                                struct tv_error *err);

/* Makes a model that is whole the live one, and the index of similar items of its data set, if Redis keeps one; another
 * data set's serves no longer. A kill in between leaves the rest to the next command's repair. */
enum tv_status tv_publish_activate(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err);
/* The same by run number. */
enum tv_status tv_publish_activate_run(const struct tv_stores *s, int64_t run_number, struct tv_error *err);

/* After a failure: what was written under `run_number` goes away, and the journal says why: 1. Where a store is down,
 * or the model was whole already, the next command's repair does what there is to do: 0. */
int tv_publish_undo(const struct tv_stores *s, int64_t run_number, const struct tv_error *why);

#endif
