/* test_panel: a panel of columns becomes an orthonormal Q, and Q S is the panel that came in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/svd/panel.h"

enum { ROWS = 500, N = TV_PANEL };

static uint32_t random_state = 1;

static double next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (double)(int32_t)random_state * 0x1p-31;
}

struct result {
    double q[ROWS * N], s[TV_SQUARE], gram[TV_SQUARE];
};

static void orthonormalise(struct result *r, const double *x, double floor)
{
    const struct tv_svd_kernels *kernels = tv_svd_kernels_f64();
    const struct tv_blocked none = {0};
    struct tv_panel_work w = {kernels, calloc(tv_svd_scratch(ROWS, &none, 1) + TV_SQUARE, sizeof(double)), 1};
    memcpy(r->q, x, sizeof r->q);
    kernels->gram(r->gram, r->q, ROWS, w.partial, 1);
    tv_panel_orthonormalise(&w, r->q, ROWS, r->gram, floor, r->s);
    free(w.partial);
}

/* Q' Q is 1 for columns that are there and 0 for others; S is upper triangular; Q S is X, but for `error`. */
static void check(const struct result *r, const double *x, unsigned there, double error)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int row = 0; row < ROWS; row++)
                sum += r->q[row * N + i] * r->q[row * N + j];
            assert_true(fabs(sum - (i == j && there >> i & 1)) < 1e-13);
            assert_true(i <= j || r->s[i * N + j] == 0);
        }
    for (int row = 0; row < ROWS; row++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int i = 0; i < N; i++)
                sum += r->q[row * N + i] * r->s[i * N + j];
            assert_true(fabs(sum - x[row * N + j]) < error);
        }
}

static void columns_in_general_position(void **state)
{
    (void)state;
    static double x[ROWS * N];
    static struct result r;
    for (int i = 0; i < ROWS * N; i++)
        x[i] = next_random();
    orthonormalise(&r, x, 0);
    check(&r, x, 0xff, 1e-13);
    for (int i = 0; i < N; i++)
        assert_true(r.s[i * N + i] > 0);
}

/* Columns that differ in a millionth: one pass is not enough. */
static void columns_that_nearly_depend(void **state)
{
    (void)state;
    static double x[ROWS * N];
    static struct result r;
    for (int row = 0; row < ROWS; row++) {
        double common = next_random();
        for (int j = 0; j < N; j++)
            x[row * N + j] = common + 1e-6 * next_random();
    }
    orthonormalise(&r, x, 0);
    check(&r, x, 0xff, 1e-13);
}

/* The third is a sum of the first two, the sixth is nothing. */
static void columns_of_which_nothing_is_left_are_zeros(void **state)
{
    (void)state;
    static double x[ROWS * N];
    static struct result r;
    for (int row = 0; row < ROWS; row++) {
        for (int j = 0; j < N; j++)
            x[row * N + j] = j == 5 ? 0 : next_random();
        x[row * N + 2] = x[row * N] + x[row * N + 1];
    }
    orthonormalise(&r, x, 1e-10);
    check(&r, x, 0xff & ~(1u << 2) & ~(1u << 5), 1e-9);
    for (int j = 0; j < N; j++)
        assert_true(r.s[2 * N + j] == 0 && r.s[5 * N + j] == 0);
}

static void small_matrices(void **state)
{
    (void)state;
    double a[TV_SQUARE], b[TV_SQUARE] = {0}, c[TV_SQUARE];
    for (int i = 0; i < TV_SQUARE; i++)
        a[i] = i;
    for (int i = 0; i < N; i++)
        b[i * N + N - 1 - i] = 2; /* mirrors the columns, doubled */
    tv_square_multiply(c, a, b);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            assert_true(c[i * N + j] == 2 * a[i * N + N - 1 - j]);
    tv_square_transpose(b, a);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            assert_true(b[i * N + j] == a[j * N + i]);
    memcpy(c, a, sizeof c);
    tv_square_multiply(a, a, a);
    double corner = 0;
    for (int i = 0; i < N; i++)
        corner += c[i] * c[i * N];
    assert_true(a[0] == corner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_in_general_position),
        cmocka_unit_test(columns_that_nearly_depend),
        cmocka_unit_test(columns_of_which_nothing_is_left_are_zeros),
        cmocka_unit_test(small_matrices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
