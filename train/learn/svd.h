/* svd: learning by the truncated SVD. */
#ifndef TRIVET_TRAIN_LEARN_SVD_H
#define TRIVET_TRAIN_LEARN_SVD_H

#include "train/learn/learn.h"

enum tv_status tv_learn_svd(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                            struct tv_learn_settings *s, struct tv_error *err);
double tv_learn_svd_memory(const struct tv_learn_settings *s, const struct tv_matrix *d);

#endif
