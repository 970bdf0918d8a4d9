/* codes: see codes.h. Floats are rounded here in any way that is good; what counts is that the loss is measured after it. */
#include "lib/core/scan/codes.h"

#include <math.h>
#include <string.h>

/* Codes of a row are looked for in the largest value's 127th parts. */
enum { MOST_ITEM = 127, MOST_USER = 32767 };

static double largest(const float *row, int n)
{
    float most = 0;
    for (int f = 0; f < n; f++)
        most = fabsf(row[f]) > most ? fabsf(row[f]) : most;
    return (double)most;
}

/* Halves are rounded away from zero by hand: rint is a call for each on processors of before 2008, and this is most of what
 * a model waits for. The scale is a float, so a quotient may be beyond MOST_ITEM by a part of 2^24, and no more. */
float tv_code_item(int8_t *block, size_t at, const float *row, int factors, double *lost)
{
    float scale = (float)(largest(row, factors) / MOST_ITEM);
    double sum = 0, inverse = scale > 0 ? 1 / (double)scale : 0;
    for (int f = 0; f < factors; f++) {
        double quotient = (double)row[f] * inverse;
        int code = (int)(quotient < 0 ? quotient - .5 : quotient + .5);
        double rest = (double)row[f] - code * (double)scale;
        block[(size_t)(f / 2) * 2 * TV_CODE_BLOCK + at * 2 + (size_t)(f % 2)] = (int8_t)code;
        sum += rest * rest;
    }
    *lost = sqrt(sum);
    return scale;
}

/* As large as 32 bits allow for the sum: factors * MOST_ITEM * most stays below 2^31. */
void tv_code_user(struct tv_coded_user *out, const float *user, int factors)
{
    double most = fmin(MOST_USER, floor((double)INT32_MAX / MOST_ITEM / factors)), sum = 0;
    double above = 0;
    for (int f = 0; f < factors; f++)
        above += fabs((double)user[f]);
    out->step = isfinite(above) ? largest(user, factors) / most : 0;
    for (int f = 0; f < factors; f++) {
        double code = out->step > 0 ? rint((double)user[f] / out->step) : 0;
        double rest = (double)user[f] - code * out->step;
        out->code[f] = (int16_t)code;
        sum += rest * rest;
    }
    if (factors % 2)
        out->code[factors] = 0;
    out->lost = sqrt(sum);
}

void tv_code_dots_plain(int32_t *dots, const int8_t *block, const struct tv_coded_user *user, int factors)
{
    memset(dots, 0, TV_CODE_BLOCK * sizeof *dots);
    for (size_t p = 0; p < tv_code_pairs(factors); p++, block += 2 * TV_CODE_BLOCK)
        for (size_t t = 0; t < TV_CODE_BLOCK; t++)
            dots[t] += block[2 * t] * user->code[2 * p] + block[2 * t + 1] * user->code[2 * p + 1];
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Eight registers of eight sums are the whole block. */
static __attribute__((target("avx2"))) void dots_avx2(int32_t *dots, const int8_t *block, const struct tv_coded_user *user,
                                                      int factors)
{
    __m256i sum[TV_CODE_BLOCK / 8];
    for (int j = 0; j < TV_CODE_BLOCK / 8; j++)
        sum[j] = _mm256_setzero_si256();
    for (size_t p = 0; p < tv_code_pairs(factors); p++) {
        int32_t pair;
        memcpy(&pair, user->code + 2 * p, sizeof pair);
        __m256i u = _mm256_set1_epi32(pair);
        for (int j = 0; j < TV_CODE_BLOCK / 8; j++, block += 16) {
            __m256i items = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)block));
            sum[j] = _mm256_add_epi32(sum[j], _mm256_madd_epi16(items, u));
        }
    }
    for (int j = 0; j < TV_CODE_BLOCK / 8; j++)
        _mm256_storeu_si256((__m256i *)(void *)(dots + 8 * j), sum[j]);
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

#else

static void dots_avx2(int32_t *dots, const int8_t *block, const struct tv_coded_user *user, int factors)
{
    tv_code_dots_plain(dots, block, user, factors);
}

static int has_avx2(void)
{
    return 0;
}

#endif

void tv_code_dots(int32_t *dots, const int8_t *block, const struct tv_coded_user *user, int factors)
{
    if (has_avx2())
        dots_avx2(dots, block, user, factors);
    else
        tv_code_dots_plain(dots, block, user, factors);
}
