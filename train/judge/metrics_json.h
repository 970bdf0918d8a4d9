/* metrics_json: verdicts as trivet.run.metrics keeps them; docs/formats.md has the fields. */
#ifndef TRIVET_TRAIN_JUDGE_METRICS_JSON_H
#define TRIVET_TRAIN_JUDGE_METRICS_JSON_H

#include <jansson.h>

#include "train/judge/trial.h"
#include "train/judge/verdict.h"

/* All about `n` verdicts on `part` of the data: the split, what was held out, and each method's numbers. NULL without
 * memory. */
json_t *metrics_json(const struct trial_data *d, enum tv_part part, const struct verdict *verdicts, int n);

/* 1 if both were judged on ratings kept apart in the same way, be they the same ratings or not. */
int metrics_same_question(const json_t *a, const json_t *b);

#endif
