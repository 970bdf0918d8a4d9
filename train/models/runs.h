/* runs: the command `runs`: the journal for people: what was trained, judged and searched, and when. */
#ifndef TRIVET_TRAIN_MODELS_RUNS_H
#define TRIVET_TRAIN_MODELS_RUNS_H

#include "trivet/cli/options.h"

enum tv_status tv_runs_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
