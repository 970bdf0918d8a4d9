/* svd: learning by the truncated SVD. */
#ifndef TRIVET_TRAIN_LEARN_SVD_H
#define TRIVET_TRAIN_LEARN_SVD_H

#include "train/learn/learn.h"

enum tv_status learn_svd(struct tv_model **out, struct learn_report *report, const struct tv_dense *d,
                         struct learn_settings *s, struct tv_error *err);
double learn_svd_memory(const struct learn_settings *s, const struct tv_dense *d);

#endif
