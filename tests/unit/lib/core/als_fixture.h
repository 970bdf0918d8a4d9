/* als_fixture: small matrices and plain dense algebra for the tests of ALS. */
#ifndef TRIVET_TESTS_UNIT_LIB_CORE_ALS_FIXTURE_H
#define TRIVET_TESTS_UNIT_LIB_CORE_ALS_FIXTURE_H

#include <lapacke.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/als/als.h"

static uint32_t random_state = 1;

/* [0, 1) */
static inline double next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (double)(random_state >> 8) * 0x1p-24;
}

/* The values of a dense matrix (rows, cols) that are not NaN. */
static inline struct tv_csr csr_of(const float *a, int rows, int cols)
{
    struct tv_csr m = {.n_rows = rows, .n_cols = cols};
    m.start = calloc((size_t)rows + 1, sizeof *m.start);
    m.column = calloc((size_t)(rows * cols) + 1, sizeof *m.column);
    m.value = calloc((size_t)(rows * cols) + 1, sizeof *m.value);
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++)
            if (!isnan(a[r * cols + c])) {
                m.column[m.n_values] = c;
                m.value[m.n_values++] = a[r * cols + c];
            }
        m.start[r + 1] = m.n_values;
    }
    return m;
}

/* Half stars from 0.5 to 5 for about `density` of all pairs. */
static inline struct tv_csr random_ratings(int rows, int cols, double density)
{
    float *a = calloc((size_t)(rows * cols), sizeof *a);
    for (int i = 0; i < rows * cols; i++)
        a[i] = next_random() < density ? (float)(1 + (int)(next_random() * 10)) / 2 : NAN;
    struct tv_csr m = csr_of(a, rows, cols);
    free(a);
    return m;
}

/* x (n) = inverse of symmetric a (n, n) times b, by LAPACK. Nonzero if it fails. */
static inline int solve_plainly(double *x, double *a, const double *b, int n)
{
    memcpy(x, b, (size_t)n * sizeof *x);
    return LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', n, 1, a, n, x, 1);
}

static inline double score(const struct tv_als *a, int user, int item)
{
    double sum = 0;
    for (int c = 0; c < a->columns; c++)
        sum += (double)a->user_factors[user * a->columns + c] * (double)a->item_factors[item * a->columns + c];
    return sum;
}

#endif
