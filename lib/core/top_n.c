/* top_n: scores of all items for a user, and the best of them by a bounded heap. This is the inner loop of every list:
 * a list costs one pass over all item factors and one over the scores. */
#include "trivet/core/top_n.h"

#include <math.h>

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

/* Blocks of both sides are widened into panels that stay in the first cache, 16 KB each; rows are filled up with zeros
 * to whole registers, which changes no sum. */
enum { PANEL = 2048, USERS = 8 };

static AVX2 void widen(double *panel, const float *factors, size_t rows, size_t k, size_t padded)
{
    size_t whole = k & ~(size_t)3;
    __m128i rest = _mm_cmpgt_epi32(_mm_set1_epi32((int)(k - whole)), _mm_setr_epi32(0, 1, 2, 3));
    for (size_t r = 0; r < rows; r++, factors += k, panel += padded) {
        for (size_t f = 0; f < whole; f += 4)
            _mm256_storeu_pd(panel + f, _mm256_cvtps_pd(_mm_loadu_ps(factors + f)));
        if (whole < padded)
            _mm256_storeu_pd(panel + whole, _mm256_cvtps_pd(_mm_maskload_ps(factors + whole, rest)));
    }
}

/* Four items and two users: eight sums of four lanes are as many as fit into registers beside what they are made of. */
static inline AVX2 void four_by_two(double *first, double *second, const double *items, const double *users, size_t padded)
{
    __m256d a[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
    __m256d b[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
    for (size_t f = 0; f < padded; f += 4) {
        __m256d u = _mm256_loadu_pd(users + f), v = _mm256_loadu_pd(users + padded + f);
        for (size_t j = 0; j < 4; j++) {
            __m256d item = _mm256_loadu_pd(items + j * padded + f);
            a[j] = _mm256_add_pd(a[j], _mm256_mul_pd(item, u));
            b[j] = _mm256_add_pd(b[j], _mm256_mul_pd(item, v));
        }
    }
    store_totals(first, a[0], a[1], a[2], a[3]);
    store_totals(second, b[0], b[1], b[2], b[3]);
}

/* Up to USERS users, an even number, and items in fours. */
static AVX2 void block_avx2(double *scores, const float *item_factors, size_t n_items, size_t n_scored, size_t k,
                            const float *users, size_t n_users)
{
    size_t padded = (k + 3) & ~(size_t)3, rows = PANEL / padded & ~(size_t)3;
    double user_panel[PANEL], item_panel[PANEL];
    widen(user_panel, users, n_users, k, padded);
    for (size_t i = 0; i < n_scored; i += rows) {
        size_t n = n_scored - i < rows ? n_scored - i : rows;
        widen(item_panel, item_factors + i * k, n, k, padded);
        for (size_t u = 0; u < n_users; u += 2)
            for (size_t j = 0; j < n; j += 4) {
                double *out = scores + u * n_items + i + j;
                four_by_two(out, out + n_items, item_panel + j * padded, user_panel + u * padded, padded);
            }
    }
}

/* How many users at a time; 0 where rows are too long for panels. */
static size_t users_in_panel(size_t k)
{
    size_t padded = (k + 3) & ~(size_t)3, fit = PANEL / padded;
    return fit < 4 ? 0 : fit < USERS ? fit & ~(size_t)1 : USERS;
}

/* Returns how many of the users it has scored. */
static size_t users_avx2(double *scores, const float *item_factors, size_t n_items, size_t k, const float *users,
                         size_t n_users)
{
    size_t at_a_time = users_in_panel(k), done = 0, fours = n_items & ~(size_t)3;
    while (at_a_time > 0 && n_users - done >= 2) {
        size_t n = n_users - done < at_a_time ? (n_users - done) & ~(size_t)1 : at_a_time;
        double *out = scores + done * n_items;
        block_avx2(out, item_factors, n_items, fours, k, users + done * k, n);
        for (size_t u = 0; u < n; u++)
            tv_scores_reference(out + u * n_items + fours, item_factors + fours * k, n_items - fours, (int)k,
                                users + (done + u) * k);
        done += n;
    }
    return done;
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

static size_t users_avx2(double *scores, const float *item_factors, size_t n_items, size_t k, const float *users, size_t n_users)
{
    (void)scores, (void)item_factors, (void)n_items, (void)k, (void)users, (void)n_users;
    return 0;
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

void tv_scores_of_users(double *scores, const float *item_factors, size_t n_items, int factors, const float *users,
                        size_t n_users)
{
    size_t k = (size_t)factors, done = has_avx2() ? users_avx2(scores, item_factors, n_items, k, users, n_users) : 0;
    for (; done < n_users; done++)
        tv_scores(scores + done * n_items, item_factors, n_items, factors, users + done * k);
}

/* Whether a belongs below b in the list. */
static int is_worse(struct tv_scored a, struct tv_scored b)
{
    return a.score < b.score || (a.score == b.score && a.item > b.item);
}

/* Puts `entry` at place `at` of a heap of n whose worst entry is the root, and restores the order below. */
static void sift_down(struct tv_scored *heap, size_t n, size_t at, struct tv_scored entry)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && is_worse(heap[child + 1], heap[child]))
            child++;
        if (!is_worse(heap[child], entry))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
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
    for (size_t at = n / 2; at-- > 0;)
        sift_down(out, n, at, out[at]);
    /* The heap is full. Items come in ascending order, so one that ties with the worst ranks below it. A NaN
     * compares false. */
    double worst = n == top ? out[0].score : 0;
    for (; i < n_items; i++)
        if (scores[i] > worst && !(skip && skip[i])) {
            sift_down(out, n, 0, (struct tv_scored){(int32_t)i, scores[i]});
            worst = out[0].score;
        }
    for (size_t last = n; last-- > 1;) { /* the worst of what is left goes to the end */
        struct tv_scored worst_left = out[0];
        sift_down(out, last, 0, out[last]);
        out[last] = worst_left;
    }
    return n;
}
