/* svd_kernels: the loops of the Lanczos process over long vectors, in float32 and in float64.
 *
 * Vectors are arrays of the kernels' own type behind `void *`; scalars, coefficients and norms are float64.
 * Every loop runs over blocks whose bounds depend on the sizes alone, and partial sums are added in the order
 * of the blocks, so the number of threads changes no bit. Private to lib/core.
 */
#ifndef TRIVET_CORE_SVD_KERNELS_H
#define TRIVET_CORE_SVD_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/csr.h"
#include "trivet/status.h"

/* A matrix and where its blocks of rows begin, about equally heavy each. */
struct tv_blocked {
    const struct tv_csr *matrix; /* lent */
    int n_blocks;
    int32_t *first; /* (n_blocks + 1) rows */
};

enum tv_status tv_blocked_create(struct tv_blocked *out, const struct tv_csr *matrix, struct tv_error *err);
void tv_blocked_free(struct tv_blocked *b);

enum {
    TV_VECTOR_BLOCK = 256, /* entries of a vector that are summed at a time */
    TV_WIDTH_STEP = 8      /* factors that are worked on together */
};

/* How many float64 `partial` needs for vectors of n entries, a matrix, and n_basis coefficients. */
size_t tv_svd_scratch(size_t n, const struct tv_blocked *m, size_t n_basis);

struct tv_svd_kernels {
    size_t size;    /* bytes of one number */
    double epsilon; /* its rounding unit */

    /* y = s * (M x) - c * z, where z may be y. Returns |y|^2. */
    double (*multiply)(void *y, const struct tv_blocked *m, double s, const void *x, double c, const void *z,
                       double *partial, int threads);
    /* coefficient[b] = basis_b . r for n_basis vectors of n entries that lie one after the other. */
    void (*project)(double *coefficient, const void *basis, int n_basis, const void *r, size_t n,
                    double *partial, int threads);
    /* r -= sum of coefficient[b] * basis_b. Returns |r|^2. */
    double (*subtract)(void *r, const void *basis, int n_basis, const double *coefficient, size_t n,
                       double *partial, int threads);
    /* out = s * r */
    void (*scale)(void *out, const void *r, double s, size_t n);
    /* r gets numbers in [-1, 1) that depend on `seed` and the place alone. */
    void (*fill)(void *r, uint64_t seed, size_t n);
    void (*from_doubles)(void *out, const double *in, size_t n);
    /* In the following, `width` is k rounded up to a multiple of TV_WIDTH_STEP: rows of the inner arrays are
     * padded. out (n, width) row-major = basis * q, with q (n_basis, width) row-major. */
    void (*combine)(void *out, const void *basis, int n_basis, const void *q, int width, size_t n,
                    int threads);
    /* out (rows of M, k) = (M x) diag(s), with x (columns of M, width), both row-major, out in float32. */
    void (*expand)(float *out, const struct tv_blocked *m, const void *x, const void *s, int k, int width,
                   int threads);
    /* out (n, k) in float32 = in (n, width). */
    void (*to_floats)(float *out, int k, const void *in, int width, size_t n);
};

/* Tests turn the vector instructions off to compare with the plain loops. */
extern int tv_svd_use_avx2;

extern const struct tv_svd_kernels tv_svd_kernels_f32, tv_svd_kernels_f64;

#endif
