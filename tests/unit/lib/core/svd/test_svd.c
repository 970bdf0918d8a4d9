/* test_svd: against LAPACK's dense SVD, on matrices whose answer is known, and on hopeless ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/svd/kernels.h"
#include "trivet/core/svd/svd.h"

struct dense {
    int m, n;
    float *a; /* (m, n) row-major */
};

static struct dense dense(int m, int n)
{
    return (struct dense){m, n, calloc((size_t)(m * n), sizeof(float))};
}

static uint32_t random_state;

/* [-1, 1) */
static float next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (float)(int32_t)random_state * 0x1p-31f;
}

static struct tv_csr to_csr(const struct dense *d)
{
    struct tv_csr s = {.n_rows = d->m, .n_cols = d->n};
    s.start = calloc((size_t)d->m + 1, sizeof *s.start);
    s.column = calloc((size_t)(d->m * d->n), sizeof *s.column);
    s.value = calloc((size_t)(d->m * d->n), sizeof *s.value);
    for (int r = 0; r < d->m; r++) {
        for (int c = 0; c < d->n; c++)
            if (d->a[r * d->n + c] != 0) {
                s.column[s.n_values] = c;
                s.value[s.n_values++] = d->a[r * d->n + c];
            }
        s.start[r + 1] = s.n_values;
    }
    return s;
}

/* All singular values by LAPACK in float64. */
static double *lapack_values(const struct dense *d)
{
    int least = d->m < d->n ? d->m : d->n;
    double *a = calloc((size_t)(d->m * d->n), sizeof *a), *s = calloc((size_t)least, sizeof *s);
    double *work = calloc((size_t)least + 1, sizeof *work), unused;
    for (int i = 0; i < d->m * d->n; i++)
        a[i] = (double)d->a[i];
    assert_int_equal(
        LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', d->m, d->n, a, d->n, s, &unused, 1, &unused, d->n, work),
        0);
    free(a);
    free(work);
    return s;
}

static enum tv_status run(struct tv_svd *out, const struct dense *d, int k, int threads, struct tv_error *err)
{
    struct tv_svd_options o;
    tv_svd_defaults(&o);
    o.factors = k;
    o.threads = threads;
    struct tv_csr s = to_csr(d);
    enum tv_status status = tv_svd(out, &s, &o, err);
    tv_csr_free(&s);
    return status;
}

static double column_dot(const float *x, int rows, int k, int i, int j)
{
    double sum = 0;
    for (int r = 0; r < rows; r++)
        sum += (double)x[r * k + i] * (double)x[r * k + j];
    return sum;
}

static void assert_orthonormal(const float *x, int rows, int k)
{
    for (int i = 0; i < k; i++)
        for (int j = 0; j <= i; j++)
            assert_true(fabs(column_dot(x, rows, k, i, j) - (i == j)) < 2e-5);
}

/* Of all matrices of rank k, U S V' comes closest to A: the distance is the tail of the singular values. */
static void assert_best_approximation(const struct dense *d, const struct tv_svd *s, const double *all)
{
    int k = s->factors, least = d->m < d->n ? d->m : d->n;
    double distance = 0, tail = 0, whole = 0;
    for (int i = k; i < least; i++)
        tail += all[i] * all[i];
    for (int i = 0; i < least; i++)
        whole += all[i] * all[i];
    for (int r = 0; r < d->m; r++)
        for (int c = 0; c < d->n; c++) {
            double x = (double)d->a[r * d->n + c];
            for (int f = 0; f < k; f++)
                x -= (double)s->u[r * k + f] * s->sigma[f] * (double)s->v[c * k + f];
            distance += x * x;
        }
    assert_true(fabs(sqrt(distance) - sqrt(tail)) < 2e-6 * sqrt(whole));
}

static void assert_signs(const struct tv_svd *s)
{
    for (int f = 0; f < s->factors; f++) {
        float largest = 0;
        for (int c = 0; c < s->cols; c++)
            if (fabsf(s->v[c * s->factors + f]) > fabsf(largest))
                largest = s->v[c * s->factors + f];
        assert_true(largest > 0);
    }
}

static void assert_same_bytes(const struct tv_svd *a, const struct tv_svd *b)
{
    size_t k = (size_t)a->factors;
    assert_int_equal(a->steps, b->steps);
    assert_memory_equal(a->sigma, b->sigma, k * sizeof *a->sigma);
    assert_memory_equal(a->u, b->u, k * (size_t)a->rows * sizeof *a->u);
    assert_memory_equal(a->v, b->v, k * (size_t)a->cols * sizeof *a->v);
}

/* Everything that must hold for the k largest triplets of *d, which is freed. */
static void check(struct dense d, int k)
{
    struct tv_svd one, two, plain;
    struct tv_error err = {0};
    if (run(&one, &d, k, 1, &err) != TV_OK)
        fail_msg("%d x %d, k = %d: %s", d.m, d.n, k, err.message);
    assert_int_equal(one.factors, k);
    assert_int_equal(one.rows, d.m);
    assert_int_equal(one.cols, d.n);
    double *all = lapack_values(&d);
    for (int i = 0; i < k; i++)
        if (!(fabs(one.sigma[i] - all[i]) <= 1e-5 * all[i]))
            fail_msg("%d x %d: singular value %d is %.9g, should be %.9g", d.m, d.n, i, one.sigma[i], all[i]);
    assert_orthonormal(one.u, d.m, k);
    assert_orthonormal(one.v, d.n, k);
    assert_best_approximation(&d, &one, all);
    assert_signs(&one);
    assert_int_equal(run(&two, &d, k, 2, NULL), TV_OK);
    assert_same_bytes(&one, &two);
    tv_svd_use_avx2 = 0;
    assert_int_equal(run(&plain, &d, k, 1, NULL), TV_OK);
    tv_svd_use_avx2 = 1;
    assert_same_bytes(&one, &plain);
    tv_svd_free(&one);
    tv_svd_free(&two);
    tv_svd_free(&plain);
    free(all);
    free(d.a);
}

/* Ratings 0.5 .. 5 in about `share` of the cells. */
static struct dense ratings(int m, int n, double share)
{
    struct dense d = dense(m, n);
    for (int i = 0; i < m * n; i++)
        if ((next_random() + 1) / 2 < (float)share)
            d.a[i] = ceilf((next_random() + 1) * 5) / 2;
    return d;
}

static void random_ratings(void **state)
{
    (void)state;
    random_state = 1;
    check(ratings(60, 40, 0.3), 10);
    check(ratings(40, 60, 0.3), 10);
    check(ratings(300, 200, 0.1), 50);
    check(ratings(150, 700, 0.05), 20);
    check(ratings(700, 150, 0.05), 1);
    check(ratings(600, 520, 0.02), 15); /* several blocks of vectors and rows */
}

static struct dense scaled(struct dense d, float by)
{
    for (int i = 0; i < d.m * d.n; i++)
        d.a[i] *= by;
    return d;
}

/* Sums of squares would leave a float at one end or the other. */
static void very_large_and_very_small_values(void **state)
{
    (void)state;
    random_state = 3;
    check(scaled(ratings(60, 40, 0.3), 6e37f), 10);
    check(scaled(ratings(60, 40, 0.3), 1e20f), 10);
    check(scaled(ratings(60, 40, 0.3), 1e-25f), 10);
    struct dense d = ratings(40, 60, 0.3);
    d.a[7] = 3e38f;
    check(d, 1);
}

static void nearly_all_factors(void **state)
{
    (void)state;
    random_state = 2;
    check(ratings(30, 20, 0.5), 19);
    check(ratings(20, 30, 0.5), 19);
    check(ratings(8, 9, 0.9), 7);
    check(ratings(3, 3, 1), 2);
    check(ratings(2, 2, 1), 1);
    check(ratings(2, 500, 1), 1);
}

static void one_row_or_column(void **state)
{
    (void)state;
    random_state = 3;
    check(ratings(1, 9, 1), 1);
    check(ratings(9, 1, 1), 1);
    check(ratings(1, 1, 1), 1);
}

static struct dense diagonal(int m, int n, double (*value)(int))
{
    struct dense d = dense(m, n);
    for (int i = 0; i < m && i < n; i++)
        d.a[i * n + i] = (float)value(i);
    return d;
}

static double always_one(int i)
{
    return i * 0 + 1;
}

static double in_threes(int i)
{
    return 10.0 - i / 3;
}

static double in_twenties(int i)
{
    return 20.0 - i / 20;
}

static double repeated_top(int i)
{
    return i < 2 ? 10 : 9.0 / (i + 1);
}

static double fading(int i)
{
    return pow(10, -i / 2.0);
}

static struct dense checkerboard(int m, int n)
{
    struct dense d = dense(m, n);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            d.a[i * n + j] = (float)((i + j) % 2);
    return d;
}

/* The same block of ratings `times` times along the diagonal: every singular value comes `times` times. */
static struct dense repeated_blocks(int m, int n, int times)
{
    struct dense block = ratings(m, n, 0.6), d = dense(m * times, n * times);
    for (int t = 0; t < times; t++)
        for (int i = 0; i < m; i++)
            memcpy(d.a + (t * m + i) * d.n + t * n, block.a + i * n, (size_t)n * sizeof(float));
    free(block.a);
    return d;
}

static void repeated_values(void **state)
{
    (void)state;
    random_state = 4;
    check(diagonal(40, 40, always_one), 10);
    check(diagonal(40, 40, always_one), 39);
    check(diagonal(60, 45, in_threes), 12);
    check(diagonal(45, 60, in_threes), 17);
    check(diagonal(200, 200, repeated_top), 3);
    check(diagonal(300, 300, repeated_top), 2);
    check(checkerboard(20, 30), 2);
    check(repeated_blocks(12, 10, 2), 8);
    check(repeated_blocks(9, 14, 5), 20);
    check(repeated_blocks(20, 25, 12), 30); /* more copies than one chain sees */
    check(diagonal(400, 300, in_twenties), 50);
}

/* A product of random m x rank and rank x n matrices, with small whole numbers, so that it is exact. */
static struct dense of_rank(int m, int n, int rank)
{
    struct dense left = dense(m, rank), right = dense(rank, n), d = dense(m, n);
    for (int i = 0; i < m * rank; i++)
        left.a[i] = floorf(next_random() * 4);
    for (int i = 0; i < rank * n; i++)
        right.a[i] = floorf(next_random() * 4);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            for (int r = 0; r < rank; r++)
                d.a[i * n + j] += left.a[i * rank + r] * right.a[r * n + j];
    free(left.a);
    free(right.a);
    return d;
}

/* Takes *d away. */
static void refuse_rank(struct dense d, int k, int rank)
{
    struct tv_svd s;
    struct tv_error err = {0};
    char named[64];
    snprintf(named, sizeof named, "of %d x %d has rank %d:", d.m, d.n, rank);
    assert_int_equal(run(&s, &d, k, 2, &err), TV_ERR_NUMERIC);
    if (strstr(err.message, named) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, named);
    assert_int_equal(s.rank, rank);
    assert_null(s.u);
    assert_null(s.sigma);
    free(d.a);
}

static void rank_is_named(void **state)
{
    (void)state;
    random_state = 5;
    check(of_rank(50, 40, 7), 7);
    refuse_rank(of_rank(50, 40, 7), 8, 7);
    refuse_rank(of_rank(40, 90, 7), 39, 7);
    refuse_rank(of_rank(300, 280, 3), 50, 3);
    refuse_rank(of_rank(60, 60, 1), 2, 1);
    refuse_rank(checkerboard(20, 30), 3, 2);
    check(repeated_blocks(4, 3, 3), 8);
}

static void no_ratings_have_rank_zero(void **state)
{
    (void)state;
    refuse_rank(dense(5, 4), 1, 0);
    refuse_rank(dense(1, 4), 1, 0);
}

/* Float32 would lose the smallest of these. */
static void small_values_are_exact(void **state)
{
    (void)state;
    random_state = 6;
    check(diagonal(20, 20, fading), 15);
    struct dense d = ratings(80, 60, 0.5);
    for (int j = 0; j < d.n; j++)
        for (int i = 0; i < d.m; i++)
            d.a[i * d.n + j] *= (float)pow(10, -j / 8.0);
    check(d, 50);
}

static void wrong_k_is_refused(void **state)
{
    (void)state;
    random_state = 7;
    struct dense d = ratings(6, 4, 1);
    struct tv_svd s;
    struct tv_error err = {0};
    assert_int_equal(run(&s, &d, 4, 1, &err), TV_ERR_USAGE);
    assert_string_equal(err.message, "4 factors of a matrix of 6 x 4: 1 to 3 are possible");
    assert_int_equal(run(&s, &d, 0, 1, &err), TV_ERR_USAGE);
    free(d.a);
}

static int stop_at_once(void *context, int steps, int converged)
{
    int *calls = context;
    assert_true(steps > 0 && converged >= 0);
    return ++*calls;
}

static int watch(void *context, int steps, int converged)
{
    int *last = context;
    assert_true(steps > last[0]);
    last[0] = steps;
    last[1] = converged;
    return 0;
}

static void progress_is_told_and_heard(void **state)
{
    (void)state;
    random_state = 8;
    struct dense d = ratings(300, 250, 0.1);
    struct tv_csr m = to_csr(&d);
    struct tv_svd_options o;
    struct tv_svd s;
    struct tv_error err = {0};
    int last[2] = {0, 0}, calls = 0;
    tv_svd_defaults(&o);
    o.factors = 12;
    o.progress = watch;
    o.context = last;
    assert_int_equal(tv_svd(&s, &m, &o, &err), TV_OK);
    assert_int_equal(last[0], s.steps);
    assert_int_equal(last[1], 12);
    assert_true(s.residual > 0 && s.residual <= o.tolerance);
    tv_svd_free(&s);
    o.progress = stop_at_once;
    o.context = &calls;
    assert_int_equal(tv_svd(&s, &m, &o, &err), TV_ERR_INTERRUPTED);
    assert_int_equal(calls, 1);
    o.progress = NULL;
    o.max_steps = 20;
    assert_int_equal(tv_svd(&s, &m, &o, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "of 12 singular values converged in 16 steps"));
    assert_int_equal(tv_svd(&s, &m, &o, NULL), TV_ERR_NUMERIC); /* as a caller sees it who wants no words */
    tv_svd_free(NULL);
    tv_csr_free(&m);
    free(d.a);
}

static void memory_grows_with_the_matrix(void **state)
{
    (void)state;
    double small = tv_svd_memory(1000, 500, 10000, 50), large = tv_svd_memory(6040, 3706, 1000209, 50);
    assert_true(small > 8.0 * 10000 && large > small);
    assert_true(large > 8.0 * 1000209 && large < 40e6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_ratings),
        cmocka_unit_test(very_large_and_very_small_values), cmocka_unit_test(nearly_all_factors),
        cmocka_unit_test(one_row_or_column),
        cmocka_unit_test(repeated_values),
        cmocka_unit_test(rank_is_named),
        cmocka_unit_test(no_ratings_have_rank_zero),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(wrong_k_is_refused),
        cmocka_unit_test(progress_is_told_and_heard),
        cmocka_unit_test(memory_grows_with_the_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
