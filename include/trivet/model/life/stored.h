/* stored: a model that was made in memory into both stores, and whether they give back what was written. */
#ifndef TRIVET_MODEL_LIFE_STORED_H
#define TRIVET_MODEL_LIFE_STORED_H

#include <stdint.h>

#include "trivet/model/life/lifecycle.h"

/* The item side into MongoDB and Redis, under the model's run number: nothing is visible yet. */
enum tv_status tv_model_store(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err);

/* Reads the item side back from both stores, and all user documents; `users_hash` is the hash of what was written. */
enum tv_status tv_model_check_stored(const struct tv_stores *s, const struct tv_model *m, uint64_t users_hash,
                                     struct tv_error *err);

#endif
