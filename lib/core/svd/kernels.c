/* kernels: the blocks that the loops over long vectors run over, and the loops, compiled from one source
 * for float32 and float64, for any processor and for those with AVX2.
 *
 * Lanes are written out in the source and nothing is contracted into fused multiply-adds, so all processors
 * make the same bits.
 */
#include "lib/core/svd/kernels.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

enum {
    VECTOR_BLOCK = 256, /* rows of a panel that are summed in its own type, before float64 */
    COMBINE_ROWS = 64,  /* rows of the result that stay in the first cache while the basis passes */
    STRIP = 64,         /* factors that are summed at a time */
    BLOCK_WEIGHT = 8192 /* values and rows in a block of a matrix */
};

static int count_blocks(size_t n)
{
    return (int)((n + VECTOR_BLOCK - 1) / VECTOR_BLOCK);
}

static size_t block_size(size_t n, int block)
{
    size_t left = n - (size_t)block * VECTOR_BLOCK;
    return left < VECTOR_BLOCK ? left : VECTOR_BLOCK;
}

/* out (size) = the sum of n_parts arrays that lie one after the other. */
static void sum_in_order(double *out, const double *partial, int n_parts, size_t size)
{
    memset(out, 0, size * sizeof *out);
    for (int p = 0; p < n_parts; p++)
        for (size_t i = 0; i < size; i++)
            out[i] += partial[(size_t)p * size + i];
}

/* A number from a place (splitmix64, with the place for its state), so that no state passes between threads. */
static uint64_t mix(uint64_t x)
{
    x = (x + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Walks through the rows and calls a block full at BLOCK_WEIGHT; writes the bounds unless `first` is NULL. */
static int cut_blocks(int32_t *first, const struct tv_csr *m)
{
    enum { ROW_WEIGHT = 8 }; /* a row costs about as much as eight values */
    int n = 0;
    int64_t weight = 0;
    for (int32_t row = 0; row < m->n_rows; row++) {
        if (row == 0 || weight >= BLOCK_WEIGHT) {
            if (first)
                first[n] = row;
            n++;
            weight = 0;
        }
        weight += ROW_WEIGHT + m->start[row + 1] - m->start[row];
    }
    if (first)
        first[n] = m->n_rows;
    return n;
}

enum tv_status tv_blocked_create(struct tv_blocked *out, const struct tv_csr *matrix, struct tv_error *err)
{
    *out = (struct tv_blocked){.matrix = matrix, .n_blocks = cut_blocks(NULL, matrix)};
    out->first = tv_alloc((size_t)out->n_blocks + 1, sizeof *out->first, "blocks of a matrix", err);
    if (out->first == NULL)
        return TV_ERR_NO_MEMORY;
    cut_blocks(out->first, matrix);
    return TV_OK;
}

void tv_blocked_free(struct tv_blocked *b)
{
    if (b == NULL)
        return;
    free(b->first);
    memset(b, 0, sizeof *b);
}

/* The most that any kernel needs: a small matrix for each block of rows, times the panels for `project`. */
size_t tv_svd_scratch(size_t n, const struct tv_blocked *m, size_t n_basis)
{
    size_t blocks = (size_t)count_blocks(n) * (n_basis ? n_basis : 1);
    return TV_SQUARE * (blocks > (size_t)m->n_blocks ? blocks : (size_t)m->n_blocks);
}

#define INLINE      static inline __attribute__((always_inline))
#define JOIN_(a, b) a##_##b
#define JOIN(a, b)  JOIN_(a, b)
#define NAME(x)     JOIN(x, VARIANT)

#define REAL    float
#define EPSILON FLT_EPSILON
#define VARIANT f32
#include "lib/core/svd/kernels_body.h"
#undef REAL
#undef EPSILON
#undef VARIANT

#define REAL    double
#define EPSILON DBL_EPSILON
#define VARIANT f64
#include "lib/core/svd/kernels_body.h"
#undef REAL
#undef EPSILON
#undef VARIANT

/* Written by tests, before they call tv_svd. */
int tv_svd_use_avx2 = 1;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#pragma GCC push_options
#pragma GCC target("avx2")

#define REAL    float
#define EPSILON FLT_EPSILON
#define VARIANT f32_avx2
#include "lib/core/svd/kernels_body.h"
#undef REAL
#undef EPSILON
#undef VARIANT

#define REAL    double
#define EPSILON DBL_EPSILON
#define VARIANT f64_avx2
#include "lib/core/svd/kernels_body.h"

#pragma GCC pop_options

static int has_avx2(void)
{
    return tv_svd_use_avx2 && __builtin_cpu_supports("avx2");
}

#else

#define kernels_f32_avx2 kernels_f32
#define kernels_f64_avx2 kernels_f64

static int has_avx2(void)
{
    return 0;
}

#endif

const struct tv_svd_kernels *tv_svd_kernels_f32(void)
{
    return has_avx2() ? &kernels_f32_avx2 : &kernels_f32;
}

const struct tv_svd_kernels *tv_svd_kernels_f64(void)
{
    return has_avx2() ? &kernels_f64_avx2 : &kernels_f64;
}
