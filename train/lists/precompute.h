/* precompute: the list of every user, stored beside their factors. */
#ifndef TRIVET_TRAIN_LISTS_PRECOMPUTE_H
#define TRIVET_TRAIN_LISTS_PRECOMPUTE_H

#include "trivet/cli/options.h"

extern const struct tv_option tv_precompute_options[];
enum tv_status tv_precompute_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
