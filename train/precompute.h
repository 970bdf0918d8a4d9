/* precompute: the list of every user, stored beside their factors. */
#ifndef TRAIN_PRECOMPUTE_H
#define TRAIN_PRECOMPUTE_H

#include "trivet/options.h"

extern const struct tv_option precompute_options[];
enum tv_status precompute_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
