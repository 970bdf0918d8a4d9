/* recommend: the lists of many users at once, into Postgres or a file. */
#ifndef TRIVET_TRAIN_LISTS_RECOMMEND_H
#define TRIVET_TRAIN_LISTS_RECOMMEND_H

#include "trivet/cli/options.h"

extern const struct tv_option tv_recommend_options[];
enum tv_status tv_recommend_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
