/* ritz: the singular values of B, which are those of A once they have converged, and right singular vectors.
 * Private to lib/core. */
#ifndef TRIVET_CORE_SVD_RITZ_H
#define TRIVET_CORE_SVD_RITZ_H

#include "lib/core/svd/lanczos.h"

/* The triplets of B at one moment; arrays are owned. */
struct tv_ritz {
    int k;
    int width;     /* k rounded up to whole panels */
    double *sigma; /* (at least k) descending; zeros where B has fewer than k */
    void *x;       /* (n_short, width) row-major in the kernels' own type, zeros beyond k */
};

enum tv_status tv_ritz_create(struct tv_ritz *out, const struct tv_lanczos *l, int k, struct tv_error *err);
void tv_ritz_free(struct tv_ritz *r);

#endif
