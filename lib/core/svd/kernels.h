/* kernels: the loops of the block Lanczos process over long vectors, in float32 and in float64.
 *
 * Eight vectors are worked on together: a *panel* is an (n, 8) row-major array of the kernels' own type
 * behind `void *`, so that each value of the sparse matrix meets eight neighbours in memory. Small 8 x 8
 * matrices, row-major, and all sums over long vectors are float64. Every loop runs over blocks whose bounds
 * depend on the sizes alone, and partial sums are added in the order of the blocks, so the number of threads
 * changes no bit. Private to lib/core.
 */
#ifndef TRIVET_CORE_SVD_KERNELS_H
#define TRIVET_CORE_SVD_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/csr.h"

/* A matrix and where its blocks of rows begin, about equally heavy each. */
struct tv_blocked {
    const struct tv_csr *matrix; /* lent */
    int n_blocks;
    int32_t *first; /* (n_blocks + 1) rows */
};

enum tv_status tv_blocked_create(struct tv_blocked *out, const struct tv_csr *matrix, struct tv_error *err);
void tv_blocked_free(struct tv_blocked *b);

enum {
    TV_PANEL = 8,                   /* vectors in a panel, and factors that are worked on together */
    TV_SQUARE = TV_PANEL * TV_PANEL /* numbers in a small matrix */
};

/* How many float64 `partial` needs for panels of n rows, a matrix, and n_basis panels of coefficients. */
size_t tv_svd_scratch(size_t n, const struct tv_blocked *m, size_t n_basis);

/* One table for each precision and kind of processor; constant. lanczos.c and its helpers know panels as void pointers
 * and call these. */
struct tv_svd_kernels {
    size_t size;    /* bytes of one number */
    double epsilon; /* its rounding unit */

    /* y = M x - z c, with panels y, z (rows of M) and x (columns of M), and c a small matrix; z may be y, or
     * NULL for nothing to take away. gram = y' y, of which the upper triangle alone is right. */
    void (*multiply)(void *y, double *gram, const struct tv_blocked *m, const void *x, const void *z,
                     const double *c, double *partial, int threads);
    /* gram = x' x, the upper triangle. */
    void (*gram)(double *gram, const void *x, size_t n, double *partial, int threads);
    /* x = x t */
    void (*transform)(void *x, const double *t, size_t n, int threads);
    /* coefficient[p] = basis_p' x, for n_basis panels that lie one after the other. */
    void (*project)(double *coefficient, const void *basis, int n_basis, const void *x, size_t n,
                    double *partial, int threads);
    /* x -= sum of basis_p coefficient[p]. gram as above. */
    void (*subtract)(void *x, double *gram, const void *basis, int n_basis, const double *coefficient,
                     size_t n, double *partial, int threads);
    /* Column c of x gets numbers that depend on `seed` and the place alone; its norm is about 1. */
    void (*fill)(void *x, int c, uint64_t seed, size_t n);
    void (*from_doubles)(void *out, const double *in, size_t n);
    /* In the following, `width` is k rounded up to a multiple of TV_PANEL: rows of the inner arrays are
     * padded. out (n, width) row-major = basis q, with q (n_basis * TV_PANEL, width) row-major. */
    void (*combine)(void *out, const void *basis, int n_basis, const void *q, int width, size_t n,
                    int threads);
    /* out (rows of M, k) = (M x) diag(s), with x (columns of M, width), both row-major, out in float32. */
    void (*expand)(float *out, const struct tv_blocked *m, const void *x, const void *s, int k, int width,
                   int threads);
    /* out (n, k) in float32 = in (n, width). */
    void (*to_floats)(float *out, int k, const void *in, int width, size_t n);
};

/* Tests turn the vector instructions off to compare with the same loops compiled without. */
extern int tv_svd_use_avx2;

const struct tv_svd_kernels *tv_svd_kernels_f32(void), *tv_svd_kernels_f64(void);

#endif
