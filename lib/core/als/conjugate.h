/* conjugate: a few steps of conjugate gradients for one row of implicit ALS, in float32.
 *
 * The equations (G + sum of w i i') x = sum of (1 + w) i are never built: a step takes one pass through the rows i
 * of the fixed side. `stride`, the padded length of a row, is a multiple of TV_CONJUGATE_PAD, padded with zeros.
 * Products are summed in lanes and groups of rows that the source spells out, so wider vectors change no bit.
 * Private to lib/core.
 */
#ifndef TRIVET_CORE_ALS_CONJUGATE_H
#define TRIVET_CORE_ALS_CONJUGATE_H

#include <stddef.h>
#include <stdint.h>

enum { TV_CONJUGATE_PAD = 8 };

/* One row to improve, and the numbers it depends on; all of it is lent. Rows are independent, so each thread has one of
 * these. */
struct tv_conjugate {
    size_t stride;
    const float *gram;  /* (stride, stride) symmetric, with lambda on its diagonal; zeros in the padding */
    const float *fixed; /* (rows, stride) */
    const int32_t *row; /* (n) of `fixed` */
    const float *value; /* (n) */
    int64_t n;
    float alpha;        /* w = alpha * value */
    float *scratch;     /* (3, stride) */
};

/* Improves x (stride) by at most `steps` steps. */
void tv_conjugate_gradients(float *x, const struct tv_conjugate *c, int steps);

/* sum of (1 + w) (1 - x . i)^2 - (x . i)^2: the part of the objective that stored values add. */
double tv_conjugate_error(const float *x, const struct tv_conjugate *c);

#endif
