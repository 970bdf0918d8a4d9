/* stores: the three connections of a command that changes models. */
#ifndef TRAIN_STORES_H
#define TRAIN_STORES_H

#include "trivet/lifecycle.h"
#include "trivet/options.h"

/* Opens MongoDB and Redis, warns of a Redis that would lose data, takes the lock, and repairs what an earlier
 * process left. `who` is what others are told while they wait. On failure nothing stays open. */
enum tv_status train_open(struct tv_stores *s, const struct tv_settings *settings, const char *who,
                          struct tv_error *err);
/* The stores without the lock and without repair: for commands that only look. */
enum tv_status train_open_readonly(struct tv_stores *s, const struct tv_settings *settings, struct tv_error *err);
void train_close(struct tv_stores *s);

#endif
