/* conjugate: the method as in Takacs, Pilaszy and Tikk (2011), eight rows at a time: x is loaded once for eight rows,
 * and eight sums side by side need not wait for each other's additions.
 *
 * Helpers are forced inline because TV_CLONES compiles the function it stands at for AVX2, and not the functions that
 * are called from it.
 */
#include "lib/core/als/conjugate.h"

#include <string.h>

#include "lib/core/clones.h"

#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(32), aligned(4), may_alias));

enum { GROUP = 8, LANES = 8 };

/* Sums of neighbours within each half: a0+a1 a2+a3 b0+b1 b2+b3 | a4+a5 a6+a7 b4+b5 b6+b7. */
#define PAIRS(a, b)                                                                                          \
    (__builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14) +                                              \
     __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15))

/* product[j] = rows[j] . x for eight rows. */
INLINE void dot_rows(vector *product, const float *const *rows, const float *x, size_t stride)
{
    vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    for (size_t f = 0; f < stride; f += LANES) {
        vector v = *(const vector *)(x + f);
        s0 += v * *(const vector *)(rows[0] + f);
        s1 += v * *(const vector *)(rows[1] + f);
        s2 += v * *(const vector *)(rows[2] + f);
        s3 += v * *(const vector *)(rows[3] + f);
        s4 += v * *(const vector *)(rows[4] + f);
        s5 += v * *(const vector *)(rows[5] + f);
        s6 += v * *(const vector *)(rows[6] + f);
        s7 += v * *(const vector *)(rows[7] + f);
    }
    vector s01 = PAIRS(s0, s1), s23 = PAIRS(s2, s3), s45 = PAIRS(s4, s5), s67 = PAIRS(s6, s7);
    vector low = PAIRS(s01, s23), high = PAIRS(s45, s67);
    *product = __builtin_shufflevector(low, high, 0, 1, 2, 3, 8, 9, 10, 11) +
               __builtin_shufflevector(low, high, 4, 5, 6, 7, 12, 13, 14, 15);
}

/* out += sum of weight[j] * rows[j] for eight rows. */
INLINE void add_rows(float *out, const float *weight, const float *const *rows, size_t stride)
{
    float w0 = weight[0], w1 = weight[1], w2 = weight[2], w3 = weight[3];
    float w4 = weight[4], w5 = weight[5], w6 = weight[6], w7 = weight[7];
    for (size_t f = 0; f < stride; f += LANES) {
        vector low = (w0 * *(const vector *)(rows[0] + f) + w1 * *(const vector *)(rows[1] + f)) +
                     (w2 * *(const vector *)(rows[2] + f) + w3 * *(const vector *)(rows[3] + f));
        vector high = (w4 * *(const vector *)(rows[4] + f) + w5 * *(const vector *)(rows[5] + f)) +
                      (w6 * *(const vector *)(rows[6] + f) + w7 * *(const vector *)(rows[7] + f));
        *(vector *)(out + f) += low + high;
    }
}

/* Eight stored values from place `p` on; places beyond the end repeat the last row, with weight 0, so that the loops
 * need no other case. Returns how many are real. */
INLINE int load_group(const float **rows, float *w, const struct tv_conjugate *c, int64_t p)
{
    int n = c->n - p < GROUP ? (int)(c->n - p) : GROUP;
    for (int j = 0; j < GROUP; j++) {
        int64_t at = j < n ? p + j : c->n - 1;
        rows[j] = c->fixed + (size_t)c->row[at] * c->stride;
        w[j] = j < n ? c->alpha * c->value[at] : 0;
    }
    return n;
}

/* out += sum of (target (1 + w) - w (i . x)) i, with target 1 or 0: with 1 the right-hand side less the matrix times x,
 * without the Gram part; with 0 minus the matrix times x, without it. */
INLINE void add_weighted(float *out, const struct tv_conjugate *c, const float *x, float target)
{
    for (int64_t p = 0; p < c->n; p += GROUP) {
        const float *rows[GROUP];
        float w[GROUP], weight[GROUP];
        vector product;
        int n = load_group(rows, w, c, p);
        dot_rows(&product, rows, x, c->stride);
        for (int j = 0; j < GROUP; j++)
            weight[j] = j < n ? target * (1 + w[j]) - w[j] * product[j] : 0;
        add_rows(out, weight, rows, c->stride);
    }
}

/* out -= gram x */
INLINE void subtract_gram(float *out, const struct tv_conjugate *c, const float *x)
{
    for (size_t g = 0; g < c->stride; g += GROUP) {
        const float *rows[GROUP];
        float weight[GROUP];
        for (size_t j = 0; j < GROUP; j++) {
            rows[j] = c->gram + (g + j) * c->stride;
            weight[j] = -x[g + j];
        }
        add_rows(out, weight, rows, c->stride);
    }
}

INLINE float dot(const float *x, const float *y, size_t stride)
{
    vector s = {0};
    for (size_t f = 0; f < stride; f += LANES)
        s += *(const vector *)(x + f) * *(const vector *)(y + f);
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* to += factor * x */
INLINE void add_scaled(float *to, float factor, const float *x, size_t stride)
{
    for (size_t f = 0; f < stride; f += LANES)
        *(vector *)(to + f) += factor * *(const vector *)(x + f);
}

/* Stops early where the rest is as good as zero: the next step would divide 0 by 0. */
TV_CLONES void tv_conjugate_gradients(float *x, const struct tv_conjugate *c, int steps)
{
    size_t stride = c->stride;
    float *rest = c->scratch, *direction = rest + stride, *applied = direction + stride;
    memset(rest, 0, stride * sizeof *rest);
    add_weighted(rest, c, x, 1);
    subtract_gram(rest, c, x);
    memcpy(direction, rest, stride * sizeof *rest);
    float square = dot(rest, rest, stride);
    for (int step = 0; step < steps && square > 1e-20f; step++) {
        memset(applied, 0, stride * sizeof *applied); /* minus the matrix times the direction */
        add_weighted(applied, c, direction, 0);
        subtract_gram(applied, c, direction);
        float length = -square / dot(direction, applied, stride), before = square;
        add_scaled(x, length, direction, stride);
        add_scaled(rest, length, applied, stride);
        square = dot(rest, rest, stride);
        for (size_t f = 0; f < stride; f++)
            direction[f] = rest[f] + square / before * direction[f];
    }
}

/* (1 + w) (1 - s)^2 for a stored pair, less the s^2 that the product of the Gram matrices counts for it as for all
 * pairs. */
TV_CLONES double tv_conjugate_error(const float *x, const struct tv_conjugate *c)
{
    double sum = 0;
    for (int64_t p = 0; p < c->n; p += GROUP) {
        const float *rows[GROUP];
        float w[GROUP];
        vector product;
        int n = load_group(rows, w, c, p);
        dot_rows(&product, rows, x, c->stride);
        for (int j = 0; j < n; j++) {
            double s = (double)product[j];
            sum += (1 + (double)w[j]) * (1 - s) * (1 - s) - s * s;
        }
    }
    return sum;
}
