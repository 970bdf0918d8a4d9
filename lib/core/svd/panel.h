/* panel: makes the eight vectors of a panel orthonormal. Private to lib/core. */
#ifndef TRIVET_CORE_SVD_PANEL_H
#define TRIVET_CORE_SVD_PANEL_H

#include "lib/core/svd/kernels.h"

/* The parts of a factorisation that the functions here need; lent. */
struct tv_panel_work {
    const struct tv_svd_kernels *kernels;
    double *partial; /* scratch as of tv_svd_scratch */
    int threads;
};

/* X = Q S: x (n rows) becomes Q, s gets S, upper triangular, both small; gram is X' X and is overwritten.
 * Where of a column no more than `floor` is left beside those before it, the column of Q and the row of S are
 * zeros. */
void tv_panel_orthonormalise(const struct tv_panel_work *w, void *x, size_t n, double *gram, double floor,
                             double *s);

/* c = a b, small matrices; c may be a or b. */
void tv_square_multiply(double *c, const double *a, const double *b);
void tv_square_transpose(double *out, const double *a); /* out is not a */

#endif
