/* proportion: ratings out of all proportion to the others, with which no model can be learned. */
#ifndef TRIVET_TRAIN_LEARN_PROPORTION_H
#define TRIVET_TRAIN_LEARN_PROPORTION_H

#include "trivet/base/named.h"
#include "trivet/core/csr.h"
#include "trivet/core/ratings.h"

/* A copy of the matrix without such ratings, which are in `beyond`; beyond->n is 0 where there are none, or too many to be
 * anything but how the data are. tv_csr_free, whatever this returns. */
enum tv_status tv_learn_keep_proportion(struct tv_csr *out, struct tv_named *beyond, const struct tv_matrix *d,
                                        struct tv_error *err);

#endif
