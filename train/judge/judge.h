/* judge: a model in memory as a method to evaluate: users are folded in from their training ratings, as fit does. */
#ifndef TRIVET_TRAIN_JUDGE_JUDGE_H
#define TRIVET_TRAIN_JUDGE_JUDGE_H

#include "trivet/core/eval/evaluate.h"
#include "trivet/core/evidence.h"
#include "trivet/core/ratings.h"
#include "trivet/model/model.h"

struct tv_judge; /* opaque: scratch memory for each thread */

/* Everything is lent. Users are folded in from `evidence`; `training` has all its users and items, and perhaps more,
 * and the model knows some of these items. `threads` as of tv_evaluate_threads. */
enum tv_status tv_judge_create(struct tv_judge **out, const struct tv_model *model, const struct tv_evidence *evidence,
                               const struct tv_matrix *training, int threads, struct tv_error *err);
void tv_judge_free(struct tv_judge *j);

/* Scores items that the model does not know with NaN; predicts ratings only if that is what the model's scores are.
 * The method is valid as long as the judge. */
struct tv_method tv_judge_method(struct tv_judge *j);

#endif
