/* publish: what fit and import do alike with a model: how it goes live with all that is of its data set, and what is left to do
 * when one fails. */
#ifndef TRIVET_TRAIN_COMMAND_PUBLISH_H
#define TRIVET_TRAIN_COMMAND_PUBLISH_H

#include <stdint.h>

#include "train/command/stores.h"

enum { TV_PUBLISH_KEEP_MODELS = 3 };

/* Makes a model that is whole the live one, and the index of similar items of its data set, if Redis keeps one; another
 * data set's serves no longer. A kill in between leaves the rest to the next command's repair. */
enum tv_status tv_publish_activate(const struct tv_stores *s, const struct tv_model *m, struct tv_error *err);
/* The same by run number. */
enum tv_status tv_publish_activate_run(const struct tv_stores *s, int64_t run_number, struct tv_error *err);

/* After a failure: what was written under `run_number` goes away, and the journal says why: 1. Where a store is down,
 * or the model was whole already, the next command's repair does what there is to do: 0. */
int tv_publish_undo(const struct tv_stores *s, int64_t run_number, const struct tv_error *why);

#endif
