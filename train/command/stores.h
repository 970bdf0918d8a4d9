/* stores: the three connections of a command that changes models, and the model a command names. */
#ifndef TRIVET_TRAIN_COMMAND_STORES_H
#define TRIVET_TRAIN_COMMAND_STORES_H

#include <stdint.h>

#include "trivet/cli/options.h"
#include "trivet/model/life/lifecycle.h"
#include "trivet/model/model.h"

/* Opens MongoDB and Redis, warns of a Redis that would lose data, takes the lock, and repairs what an earlier
 * process left. `who` is what others are told while they wait. On failure nothing stays open. */
enum tv_status tv_train_open(struct tv_stores *s, const struct tv_settings *settings, const char *who,
                             struct tv_error *err);
/* Like tv_train_open without the repair: for trivet-train repair, which makes a thorough one itself. */
enum tv_status tv_train_open_locked(struct tv_stores *s, const struct tv_settings *settings, const char *who,
                                    struct tv_error *err);
/* The stores without the lock and without repair: for commands that only look. */
enum tv_status tv_train_open_readonly(struct tv_stores *s, const struct tv_settings *settings, struct tv_error *err);
/* Says so where Redis would lose what is written to it. */
void tv_train_warn_of_redis(struct tv_redis *redis);
void tv_train_close(struct tv_stores *s);

/* A model as a command line names it: "live" is 0, everything else a run number, from 1 on. */
enum tv_status tv_train_run_number(const char *text, int64_t *run_number, struct tv_error *err);
/* 0 becomes the run number of the live model. */
enum tv_status tv_train_live_run_number(const struct tv_stores *s, int64_t *run_number, struct tv_error *err);
/* The item side of a model (0: the live one), from Redis, or from MongoDB where Redis has lost it. */
enum tv_status tv_train_load_model(struct tv_model **out, const struct tv_stores *s, int64_t run_number,
                                   struct tv_error *err);

#endif
