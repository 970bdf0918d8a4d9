/* metrics_json: verdicts as trivet.run.metrics keeps them; docs/formats.md has the fields. */
#ifndef TRIVET_TRAIN_JUDGE_METRICS_JSON_H
#define TRIVET_TRAIN_JUDGE_METRICS_JSON_H

#include <jansson.h>

#include "train/judge/trial.h"
#include "train/judge/verdict.h"

/* All about `n` verdicts on `portion` of the data: the split, what was held out, and each method's numbers. NULL
 * without memory. */
json_t *tv_metrics_json(const struct tv_trial_data *d, enum tv_portion portion, const struct tv_verdict *verdicts,
                        int n);

/* 1 if both were judged on ratings kept apart in the same way, be they the same ratings or not. */
int tv_metrics_same_question(const json_t *a, const json_t *b);

#endif
