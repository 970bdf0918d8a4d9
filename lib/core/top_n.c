/* top_n: scores of all items for a user, and the best of them by a bounded heap: one pass over all item factors and one
 * over the scores. It says what a list is; scan/ makes the same one from the scores of few items. */
#include "trivet/core/top_n.h"

#include <math.h>

#include "lib/core/best.h"

/* The definition of a score, and the code of processors without AVX2. Sums go to four accumulators because that is how
 * the vectors below add; another order may round differently. */
void tv_scores_reference(double *scores, const float *item_factors, size_t n_items, int factors,
                         const float *user)
{
    for (size_t i = 0; i < n_items; i++) {
        const float *item = item_factors + i * (size_t)factors;
        double sum[4] = {0, 0, 0, 0};
        for (int f = 0; f < factors; f++)
            sum[f % 4] += (double)user[f] * (double)item[f];
        scores[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Multiply and add stay two steps: one fused instruction would round once instead of twice, and give other bits. */
static inline AVX2 __m256d add_products(__m256d sum, const float *item, __m256d user)
{
    return _mm256_add_pd(sum, _mm256_mul_pd(_mm256_cvtps_pd(_mm_loadu_ps(item)), user));
}

/* (s0 + s1) + (s2 + s3) of four sums at once. */
static inline AVX2 void store_totals(double *out, __m256d a, __m256d b, __m256d c, __m256d d)
{
    __m256d ab = _mm256_hadd_pd(a, b); /* a0+a1 b0+b1 a2+a3 b2+b3 */
    __m256d cd = _mm256_hadd_pd(c, d);
    __m256d low = _mm256_permute2f128_pd(ab, cd, 0x20);
    __m256d high = _mm256_permute2f128_pd(ab, cd, 0x31);
    _mm256_storeu_pd(out, _mm256_add_pd(low, high));
}

/* Four items side by side hide the latency of the additions; the four lanes of a register are the four
 * running sums of one item. The last, incomplete group of factors is read through a mask. */
static AVX2 void scores_avx2(double *scores, const float *item_factors, size_t n_items, int factors,
                             const float *user)
{
    size_t k = (size_t)factors, whole = k & ~(size_t)3, i = 0;
    __m128i rest = _mm_cmpgt_epi32(_mm_set1_epi32((int)(k - whole)), _mm_setr_epi32(0, 1, 2, 3));
    __m256d user_rest =
        k > whole ? _mm256_cvtps_pd(_mm_maskload_ps(user + whole, rest)) : _mm256_setzero_pd();
    for (; i + 4 <= n_items; i += 4) {
        const float *item = item_factors + i * k;
        __m256d sum[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
        for (size_t f = 0; f < whole; f += 4) {
            __m256d u = _mm256_cvtps_pd(_mm_loadu_ps(user + f));
            for (size_t j = 0; j < 4; j++)
                sum[j] = add_products(sum[j], item + j * k + f, u);
        }
        if (k > whole)
            for (size_t j = 0; j < 4; j++) {
                __m256d last = _mm256_cvtps_pd(_mm_maskload_ps(item + j * k + whole, rest));
                sum[j] = _mm256_add_pd(sum[j], _mm256_mul_pd(last, user_rest));
            }
        store_totals(scores + i, sum[0], sum[1], sum[2], sum[3]);
    }
    tv_scores_reference(scores + i, item_factors + i * k, n_items - i, factors, user);
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

#else

static void scores_avx2(double *scores, const float *item_factors, size_t n_items, int factors, const float *user)
{
    tv_scores_reference(scores, item_factors, n_items, factors, user);
}

static int has_avx2(void)
{
    return 0;
}

#endif

void tv_scores(double *scores, const float *item_factors, size_t n_items, int factors, const float *user)
{
    if (has_avx2())
        scores_avx2(scores, item_factors, n_items, factors, user);
    else
        tv_scores_reference(scores, item_factors, n_items, factors, user);
}

/* A heap of `top` entries whose root is the worst of them: an item that is no better than the root is passed over with
 * one comparison, and most are. O(n_items), and O(log top) for each item that does get in. */
size_t tv_top_n(struct tv_scored *out, size_t top, const double *scores, const uint8_t *skip, size_t n_items)
{
    size_t n = 0, i = 0;
    if (top == 0)
        return 0;
    for (; i < n_items && n < top; i++)
        if (!(skip && skip[i]) && !isnan(scores[i]))
            out[n++] = (struct tv_scored){(int32_t)i, scores[i]};
    tv_heapify(out, n);
    /* The heap is full. Items come in ascending order, so one that ties with the worst ranks below it. A NaN
     * compares false. */
    double worst = n == top ? out[0].score : 0;
    for (; i < n_items; i++)
        if (scores[i] > worst && !(skip && skip[i])) {
            tv_sift_down(out, n, 0, (struct tv_scored){(int32_t)i, scores[i]});
            worst = out[0].score;
        }
    tv_sort_heap(out, n);
    return n;
}
