/* test_normal: normal equations from rows, solved, against an answer known beforehand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "lib/core/normal.h"

enum { MAX_UNKNOWNS = 21, ROWS = 75 }; /* two whole groups and a part */

static uint32_t random_state = 1;

/* [-1, 1) */
static double next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (double)(int32_t)random_state * 0x1p-31;
}

/* Rows whose targets an x explains without error: without a ridge, the solution is that x. */
static void make_rows(double *rows, const double *x, int n)
{
    size_t width = tv_normal_width(n);
    for (int r = 0; r < ROWS; r++) {
        double *row = rows + (size_t)r * width;
        for (int i = 0; i < n; i++) {
            row[i] = (double)(float)next_random();
            row[n] += row[i] * x[i];
        }
    }
}

static int rows_from(int first)
{
    return ROWS - first < TV_NORMAL_GROUP ? ROWS - first : TV_NORMAL_GROUP;
}

static double worst_f64(const double *rows, const double *x, int n)
{
    size_t width = tv_normal_width(n);
    double found[MAX_UNKNOWNS], worst = 0, *equations = calloc(tv_normal_size(n), sizeof *equations);
    for (int r = 0; r < ROWS; r += TV_NORMAL_GROUP)
        tv_normal_add_f64(equations, n, rows + (size_t)r * width, rows + (size_t)r * width, rows_from(r));
    assert_int_equal(tv_normal_solve_f64(found, equations, n, 0), 0);
    for (int i = 0; i < n; i++)
        worst = fmax(worst, fabs(found[i] - x[i]));
    free(equations);
    return worst;
}

static double worst_f32(const double *rows, const double *x, int n)
{
    size_t width = tv_normal_width(n);
    float found[MAX_UNKNOWNS], *equations = calloc(tv_normal_size(n), sizeof *equations);
    float *narrow = calloc(ROWS * width, sizeof *narrow);
    double worst = 0;
    for (size_t i = 0; i < ROWS * width; i++)
        narrow[i] = (float)rows[i];
    for (int r = 0; r < ROWS; r += TV_NORMAL_GROUP)
        tv_normal_add_f32(equations, n, narrow + (size_t)r * width, narrow + (size_t)r * width, rows_from(r));
    assert_int_equal(tv_normal_solve_f32(found, equations, n, 0), 0);
    for (int i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)found[i] - x[i]));
    free(equations);
    free(narrow);
    return worst;
}

static void solutions_that_are_known_are_found(void **state)
{
    (void)state;
    for (int n = 1; n <= MAX_UNKNOWNS; n++) {
        double x[MAX_UNKNOWNS], *rows = calloc(ROWS * tv_normal_width(n), sizeof *rows);
        assert_true(tv_normal_width(n) > (size_t)n && tv_normal_size(n) >= (size_t)n * tv_normal_width(n));
        for (int i = 0; i < n; i++)
            x[i] = i - 3;
        make_rows(rows, x, n);
        assert_true(worst_f64(rows, x, n) < 1e-11);
        assert_true(worst_f32(rows, x, n) < 1e-3);
        free(rows);
    }
}

/* (1 + ridge) x = 2 */
static void the_ridge_is_added_to_the_diagonal(void **state)
{
    (void)state;
    double row[16] = {1, 2}, equations[64] = {0}, x;
    assert_true(tv_normal_width(1) <= 16 && tv_normal_size(1) <= 64);
    tv_normal_add_f64(equations, 1, row, row, 1);
    assert_int_equal(tv_normal_solve_f64(&x, equations, 1, 3), 0);
    assert_true(fabs(x - 0.5) < 1e-15);
}

/* The same row twice, once with each of two unknowns equal: A has rank 1. */
static void equations_without_an_answer_are_told(void **state)
{
    (void)state;
    double row[16] = {1, 1, 5}, equations[128] = {0}, x[2];
    float row32[16] = {1, 1, 5}, equations32[128] = {0}, x32[2];
    tv_normal_add_f64(equations, 2, row, row, 1);
    tv_normal_add_f32(equations32, 2, row32, row32, 1);
    assert_int_equal(tv_normal_solve_f64(x, equations, 2, 0), 1);
    assert_int_equal(tv_normal_solve_f32(x32, equations32, 2, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_that_are_known_are_found),
        cmocka_unit_test(the_ridge_is_added_to_the_diagonal),
        cmocka_unit_test(equations_without_an_answer_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
