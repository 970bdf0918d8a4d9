/* row_scores: scores of a few items out of many, straight from the float16 factors that a model keeps. The same bits as
 * tv_scores (top_n.c) gives for these items: each product and each sum is the same, in the same order.
 */
#include "trivet/core/scan/row_scores.h"

#include "lib/core/formats/half_paths.h"
#include "trivet/core/formats/half.h"

static double score_plain(const uint16_t *row, int factors, const float *user)
{
    double sum[4] = {0, 0, 0, 0};
    for (int f = 0; f < factors; f++)
        sum[f % 4] += (double)user[f] * (double)tv_half_to_float(row[f]);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

#if defined(__x86_64__)
#include <immintrin.h>

/* ROWS: items side by side, whose additions do not wait for each other. */
enum { ROWS = 4 };

#define AVX2 __attribute__((target("avx2,f16c")))

/* Four halves as doubles; `n` below four: the rest are zeros, which add nothing. */
static inline AVX2 __m256d widen(const uint16_t *row, size_t n)
{
    __m128i four = n >= 4 ? _mm_loadl_epi64((const __m128i *)(const void *)row)
                          : _mm_setr_epi16((short)row[0], n > 1 ? (short)row[1] : 0, n > 2 ? (short)row[2] : 0, 0, 0, 0, 0, 0);
    return _mm256_cvtps_pd(_mm_cvtph_ps(four));
}

/* Lane f mod 4 has the running sum of the definition. */
static AVX2 void scores_of_four(double *scores, const uint16_t *const *row, size_t factors, const float *user)
{
    __m256d sum[ROWS] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
    size_t f = 0;
    for (; f + 4 <= factors; f += 4) {
        __m256d u = _mm256_cvtps_pd(_mm_loadu_ps(user + f));
        for (int j = 0; j < ROWS; j++)
            sum[j] = _mm256_add_pd(sum[j], _mm256_mul_pd(widen(row[j] + f, 4), u));
    }
    if (f < factors) {
        size_t n = factors - f;
        __m256d u = _mm256_setr_pd((double)user[f], n > 1 ? (double)user[f + 1] : 0, n > 2 ? (double)user[f + 2] : 0, 0);
        for (int j = 0; j < ROWS; j++)
            sum[j] = _mm256_add_pd(sum[j], _mm256_mul_pd(widen(row[j] + f, n), u));
    }
    for (int j = 0; j < ROWS; j++) {
        double s[4];
        _mm256_storeu_pd(s, sum[j]);
        scores[j] = (s[0] + s[1]) + (s[2] + s[3]);
    }
}

/* The last rows are filled up with the first of them again. */
static void scores_avx2(double *scores, const uint16_t *item_factors, const int32_t *items, size_t n, int factors,
                        const float *user)
{
    size_t k = (size_t)factors;
    for (size_t i = 0; i < n; i += ROWS) {
        const uint16_t *row[ROWS];
        double four[ROWS];
        for (size_t j = 0; j < ROWS; j++)
            row[j] = item_factors + (size_t)items[i + j < n ? i + j : i] * k;
        scores_of_four(four, row, k, user);
        for (size_t j = 0; j < ROWS && i + j < n; j++)
            scores[i + j] = four[j];
    }
}

#else

static void scores_avx2(double *scores, const uint16_t *item_factors, const int32_t *items, size_t n, int factors,
                        const float *user)
{
    for (size_t i = 0; i < n; i++)
        scores[i] = score_plain(item_factors + (size_t)items[i] * (size_t)factors, factors, user);
}

#endif

void tv_scores_of_rows(double *scores, const uint16_t *item_factors, const int32_t *items, size_t n, int factors,
                       const float *user)
{
    if (tv_half_has_f16c()) {
        scores_avx2(scores, item_factors, items, n, factors, user);
        return;
    }
    for (size_t i = 0; i < n; i++)
        scores[i] = score_plain(item_factors + (size_t)items[i] * (size_t)factors, factors, user);
}
