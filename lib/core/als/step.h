/* step: half an iteration of ALS: one side solved while the other is fixed. Private to lib/core.
 *
 * Rows of factors have the columns of als.h and are padded with zeros to tv_als_stride() numbers.
 */
#ifndef TRIVET_CORE_ALS_STEP_H
#define TRIVET_CORE_ALS_STEP_H

#include "trivet/core/als/als.h"

/* Users or items. One side is solved while the other is fixed; they change places between half-steps. */
struct tv_als_side {
    int32_t n;
    float *factors; /* (n, stride) */
    int bias;       /* the column of this side's bias, which on the other side holds ones; -1: none */
    double mean;    /* added to each bias in that column: of all ratings for items, 0 for users */
};

/* One half-step, put together by als.c; all of it is lent. */
struct tv_als_step {
    const struct tv_als_options *options; /* lent; threads are filled in */
    size_t stride;
    const struct tv_csr *ratings;    /* a row of it for each row to solve */
    struct tv_als_side *solved;
    const struct tv_als_side *fixed; /* a row of it for each column of `ratings` */
    const double *gram;              /* implicit: of `fixed`, by tv_als_gram */
    int cg_steps;                    /* implicit */
    double *penalty;                 /* (rows) the row's factor of lambda in the objective */
    double *error;                   /* (rows) the row's errors in the objective; NULL: not wanted */
};

size_t tv_als_stride(const struct tv_als_options *o);

/* Explicit rows are solved exactly, implicit rows improved by cg_steps steps of conjugate gradients. */
enum tv_status tv_als_step(const struct tv_als_step *s, struct tv_error *err);

/* gram (k, k) = F' F in float64, symmetric. */
enum tv_status tv_als_gram(double *gram, const struct tv_als_side *side, size_t stride, int k, int threads,
                           struct tv_error *err);

#endif
