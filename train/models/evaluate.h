/* evaluate: the command: how good a setting is on ratings that were kept apart, beside plain baselines. */
#ifndef TRIVET_TRAIN_MODELS_EVALUATE_H
#define TRIVET_TRAIN_MODELS_EVALUATE_H

#include "trivet/cli/options.h"

extern const struct tv_option tv_evaluate_options[];
enum tv_status tv_evaluate_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
