/* svd: the k largest singular triplets of a sparse matrix whose missing values are zeros.
 *
 * Block Golub-Kahan-Lanczos bidiagonalisation, eight vectors at a time (Golub, Luk and Overton, "A block Lanczos
 * method for computing the singular values and corresponding singular vectors of a matrix", ACM TOMS 7(2), 1981),
 * in float32, with one-sided reorthogonalisation on the shorter side (Simon and Zha, "Low-rank matrix
 * approximation using the Lanczos bidiagonalization process", SIAM J. Sci. Comput. 21(6), 2000), sums in float64
 * over blocks; all of it again in float64 where sigma_k is so small beside sigma_1 that float32 could not tell it,
 * or the rank is in doubt. Repeated singular values are found as often as they come. The start vectors and the
 * signs are fixed and sums run over fixed blocks, so that the same matrix gives the same bytes at any number of
 * threads. OpenBLAS is set to one thread for the whole process.
 */
#ifndef TRIVET_CORE_SVD_SVD_H
#define TRIVET_CORE_SVD_SVD_H

#include "trivet/base/status.h"
#include "trivet/core/csr.h"

struct tv_svd_options {
    int factors;       /* k, 1 .. min(n_rows, n_cols) - 1 (1 is allowed for a 1 x n matrix) */
    double tolerance;  /* stop when every residual is below tolerance * sigma_1 */
    int max_steps;     /* Lanczos vectors at the most, eight a step; 0: as many as the shorter side */
    int threads;       /* 0: as OpenMP decides */
    /* Called after each step of eight with the Lanczos vectors so far and how many of the k have converged; may be
     * NULL. Returning nonzero stops the work with TV_ERR_INTERRUPTED. */
    int (*progress)(void *context, int steps, int converged);
    void *context;
};
void tv_svd_defaults(struct tv_svd_options *o); /* 50 factors, tolerance good for 1e-6 in the singular values */

/* The factors. Arrays are malloc'ed, and tv_svd_free releases them. */
struct tv_svd {
    int factors, rows, cols;
    float *u;      /* (rows, factors) row-major, left singular vectors */
    float *v;      /* (cols, factors) row-major, right singular vectors */
    double *sigma; /* (factors) descending */
    int steps;     /* Lanczos vectors it took */
    double residual; /* the largest residual, relative to sigma_1 */
    int rank;        /* 0, or on failure for a rank below k: that rank */
};

/* Sign rule: in each column of v the entry of largest magnitude (the first of equals) is positive.
 * Fails with TV_ERR_NUMERIC when the rank is below k (the message names the rank: sigma_k <= sigma_1 * max(m, n)
 * * eps) or when max_steps do not suffice, TV_ERR_USAGE for a k out of range. On failure *out is empty but for `rank`.
 */
enum tv_status tv_svd(struct tv_svd *out, const struct tv_csr *matrix, const struct tv_svd_options *options,
                      struct tv_error *err);
void tv_svd_free(struct tv_svd *s);

/* Bytes the work will take beside the matrix, for --dry-run. */
double tv_svd_memory(int64_t rows, int64_t cols, int64_t n_values, int factors);

#endif
