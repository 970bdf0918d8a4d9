/* lanczos: a bidiagonal matrix B with A V = U B, grown until its k largest singular triplets are those of A.
 * Private to lib/core. */
#ifndef TRIVET_CORE_LANCZOS_H
#define TRIVET_CORE_LANCZOS_H

#include "svd_kernels.h"
#include "trivet/svd.h"

struct tv_lanczos {
    const struct tv_svd_kernels *kernels;
    const struct tv_svd_options *options; /* lent; threads and max_steps are filled in */
    struct tv_blocked down;               /* A, (long side, short side) */
    struct tv_blocked up;                 /* its transpose */
    size_t n_short, n_long;

    int steps, capacity;
    void *basis;   /* V: (capacity) vectors of n_short, orthonormal; `steps` are in use */
    double *alpha; /* (capacity) diagonal of B */
    double *beta;  /* (capacity) beta[j] stands right of alpha[j] */
    double *left;  /* (capacity) left[j]: what was cut off behind step j when a chain was ended early */
    void *u;       /* (n_long) the latest left vector, times u_norm */
    double u_norm;
    void *r;     /* (n_short) what the latest step left over: the next basis vector, times its beta */
    double norm; /* a lower bound of the largest singular value */
    double *coefficient, *partial; /* scratch */
    double residual; /* of the worst of the k triplets, relative to the largest singular value */
};

/* `down` has at least as many rows as columns; `up` is its transpose. Both, and the options, stay lent. */
enum tv_status tv_lanczos_create(struct tv_lanczos *out, const struct tv_svd_kernels *kernels,
                                 const struct tv_csr *down, const struct tv_csr *up,
                                 const struct tv_svd_options *options, struct tv_error *err);
void tv_lanczos_free(struct tv_lanczos *l);

/* Runs until the k = options->factors largest have converged, or until the matrix has no more to give: then
 * l->steps may be less than k. */
enum tv_status tv_lanczos_run(struct tv_lanczos *l, struct tv_error *err);

#endif
