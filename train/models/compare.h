/* compare: the command `compare`: two runs side by side, and what their models do to lists. */
#ifndef TRIVET_TRAIN_MODELS_COMPARE_H
#define TRIVET_TRAIN_MODELS_COMPARE_H

#include "trivet/cli/options.h"

extern const struct tv_option tv_compare_options[];
enum tv_status tv_compare_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
