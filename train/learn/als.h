/* als: learning by alternating least squares, explicit or, where the algorithm takes counts, implicit. */
#ifndef TRIVET_TRAIN_LEARN_ALS_H
#define TRIVET_TRAIN_LEARN_ALS_H

#include "train/learn/learn.h"

enum tv_status learn_als(struct tv_model **out, struct learn_report *report, const struct tv_dense *d,
                         struct learn_settings *s, struct tv_error *err);
double learn_als_memory(const struct learn_settings *s, const struct tv_dense *d);

#endif
