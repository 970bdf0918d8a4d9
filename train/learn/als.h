/* als: learning by alternating least squares, explicit or, where the algorithm takes counts, implicit. */
#ifndef TRIVET_TRAIN_LEARN_ALS_H
#define TRIVET_TRAIN_LEARN_ALS_H

#include "train/learn/learn.h"

enum tv_status tv_learn_als(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                            struct tv_learn_settings *s, struct tv_error *err);
double tv_learn_als_memory(const struct tv_learn_settings *s, const struct tv_matrix *d);

#endif
