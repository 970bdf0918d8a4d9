/* svd_kernels: the loops over long vectors, made twice from one source, and the blocks they run over. */
#include "svd_kernels.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "clones.h"
#include "trivet/buffer.h"

enum {
    COMBINE_ROWS = 64,  /* rows of the result that stay in the first cache while the basis passes */
    STRIP = 64,         /* factors that are summed at a time */
    BLOCK_WEIGHT = 8192 /* values and rows in a block of a matrix */
};

static int count_blocks(size_t n)
{
    return (int)((n + TV_VECTOR_BLOCK - 1) / TV_VECTOR_BLOCK);
}

static size_t block_size(size_t n, int block)
{
    size_t left = n - (size_t)block * TV_VECTOR_BLOCK;
    return left < TV_VECTOR_BLOCK ? left : TV_VECTOR_BLOCK;
}

static double sum_in_order(const double *partial, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += partial[i];
    return sum;
}

/* The finaliser of splitmix64: a number from a place, so that no state passes between threads. */
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
    enum { ROW_WEIGHT = 4 }; /* a row costs about as much as four values */
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

size_t tv_svd_scratch(size_t n, const struct tv_blocked *m, size_t n_basis)
{
    size_t blocks = (size_t)count_blocks(n) * (n_basis ? n_basis : 1);
    return blocks > (size_t)m->n_blocks ? blocks : (size_t)m->n_blocks;
}

int tv_svd_use_avx2 = 1;

#define INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

/* Ones for the first n of eight lanes, n from 0 to 8. */
static inline AVX2 __m256i first_lanes(int64_t n)
{
    static const int32_t mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(mask + 8 - n));
}

/* The lanes of NAME(lanes_plain) in registers, with x read through the gather instruction and the last,
 * incomplete group through a mask: it adds zeros to the lanes beyond the end. */
static inline AVX2 void lanes_avx2_f32(float *s, const int32_t *column, const float *value, int64_t n,
                                       const float *x)
{
    __m256 sum = _mm256_setzero_ps();
    int64_t p = 0;
    for (; p + 8 <= n; p += 8) {
        __m256i at = _mm256_loadu_si256((const __m256i *)(const void *)(column + p));
        sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_loadu_ps(value + p), _mm256_i32gather_ps(x, at, 4)));
    }
    if (p < n) {
        __m256i mask = first_lanes(n - p), at = _mm256_maskload_epi32(column + p, mask);
        __m256 found = _mm256_mask_i32gather_ps(_mm256_setzero_ps(), x, at, _mm256_castsi256_ps(mask), 4);
        sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_maskload_ps(value + p, mask), found));
    }
    _mm256_storeu_ps(s, sum);
}

/* sum + value * x[column] in four lanes, those outside of the mask unchanged. */
static inline AVX2 __m256d add_four(__m256d sum, const int32_t *column, const float *value, __m128i mask,
                                    const double *x)
{
    __m256d wide = _mm256_castsi256_pd(_mm256_cvtepi32_epi64(mask));
    __m256d found =
        _mm256_mask_i32gather_pd(_mm256_setzero_pd(), x, _mm_maskload_epi32(column, mask), wide, 8);
    return _mm256_add_pd(sum, _mm256_mul_pd(_mm256_cvtps_pd(_mm_maskload_ps(value, mask)), found));
}

static inline AVX2 void lanes_avx2_f64(double *s, const int32_t *column, const float *value, int64_t n,
                                       const double *x)
{
    __m256d low = _mm256_setzero_pd(), high = low;
    for (int64_t p = 0; p < n; p += 8) {
        __m256i mask = first_lanes(n - p < 8 ? n - p : 8);
        low = add_four(low, column + p, value + p, _mm256_castsi256_si128(mask), x);
        high = add_four(high, column + p + 4, value + p + 4, _mm256_extracti128_si256(mask, 1), x);
    }
    _mm256_storeu_pd(s, low);
    _mm256_storeu_pd(s + 4, high);
}

#else

#define AVX2
#define lanes_avx2_f32 lanes_plain_f32
#define lanes_avx2_f64 lanes_plain_f64

static int has_avx2(void)
{
    return 0;
}

#endif

#define REAL    float
#define EPSILON FLT_EPSILON
#define NAME(x) x##_f32
#include "svd_kernels_body.h"
#undef REAL
#undef EPSILON
#undef NAME

#define REAL    double
#define EPSILON DBL_EPSILON
#define NAME(x) x##_f64
#include "svd_kernels_body.h"
