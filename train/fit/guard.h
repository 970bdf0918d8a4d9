/* guard: whether a new model may take the live one's place (--guard). */
#ifndef TRIVET_TRAIN_FIT_GUARD_H
#define TRIVET_TRAIN_FIT_GUARD_H

#include "train/fit/fit.h"
#include "trivet/base/status.h"

enum tv_status tv_fit_guard_read(struct tv_fit *f, const char *text,
                                 struct tv_error *err); /* "ndcg@10:0.02"; NULL: no guard */
/* Between reading the ratings and choosing rows: compares, and keeps what it measured. */
enum tv_status tv_fit_guard_judge(struct tv_fit *f, struct tv_error *err);
/* TV_ERR_WORSE with the numbers, which the journal keeps, too. The model is whole. */
enum tv_status tv_fit_guard_refuse(struct tv_fit *f, struct tv_error *err);

#endif
