/* test_banded: the SVD of small banded matrices whose answer is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/svd/banded.h"

/* A diagonal of 1 .. 5 in no order: the singular values are those numbers, the vectors unit vectors. */
static void a_diagonal_is_its_own_answer(void **state)
{
    (void)state;
    const double band[] = {0, 3, 0, -1, 0, 5, 0, 2, 0, 4};
    const struct tv_banded b = {5, 1, band};
    const int column_of[] = {2, 4, 0, 3, 1};
    double sigma[5], row[10], q[35];
    assert_int_equal(tv_banded_values(sigma, row, 2, &b, NULL), TV_OK);
    for (int i = 0; i < 5; i++) {
        assert_true(fabs(sigma[i] - (5 - i)) < 1e-14);
        assert_true(fabs(fabs(row[i]) - (column_of[i] == 3)) < 1e-14);
        assert_true(fabs(fabs(row[5 + i]) - (column_of[i] == 4)) < 1e-14);
    }
    assert_int_equal(tv_banded_vectors(sigma, q, 7, &b, NULL), TV_OK);
    for (int j = 0; j < 5; j++)
        for (int i = 0; i < 7; i++)
            assert_true(fabs(fabs(q[j * 7 + i]) - (i < 5 && column_of[i] == j)) < 1e-14);
}

/* Ones on the diagonal and beside it: sigma_i = 2 cos(i pi / (2 n + 1)). */
static void the_values_of_a_bidiagonal_matrix(void **state)
{
    (void)state;
    enum { N = 30, WIDTH = 3 };
    double band[N * (WIDTH + 1)] = {0}, sigma[N], row[N], again[N], q[N * 4], square = 0;
    for (int j = 0; j < N; j++) {
        band[j * (WIDTH + 1) + WIDTH] = 1;
        band[j * (WIDTH + 1) + WIDTH - 1] = j > 0;
    }
    const struct tv_banded b = {N, WIDTH, band};
    assert_int_equal(tv_banded_values(sigma, row, 1, &b, NULL), TV_OK);
    assert_int_equal(tv_banded_vectors(again, q, 4, &b, NULL), TV_OK);
    for (int i = 0; i < N; i++) {
        assert_true(fabs(sigma[i] - 2 * cos((i + 1) * acos(-1) / (2 * N + 1))) < 1e-13);
        assert_true(fabs(again[i] - sigma[i]) < 1e-13);
        square += row[i] * row[i];
    }
    assert_true(fabs(square - 1) < 1e-13); /* a row of an orthogonal matrix */
    for (int f = 0; f < 4; f++) {          /* B q is as long as its singular value */
        double length = 0;
        for (int i = 0; i < N; i++) {
            double y = q[i * 4 + f] + (i + 1 < N ? q[(i + 1) * 4 + f] : 0);
            length += y * y;
        }
        assert_true(fabs(sqrt(length) - sigma[f]) < 1e-13);
    }
}

static void what_is_not_finite_is_refused(void **state)
{
    (void)state;
    const double band[] = {0, 1, INFINITY, 2};
    const struct tv_banded b = {2, 1, band};
    double sigma[2], row[2], q[4];
    struct tv_error err = {0};
    assert_int_equal(tv_banded_values(sigma, row, 1, &b, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "leave the range"));
    assert_int_equal(tv_banded_vectors(sigma, q, 2, &b, NULL), TV_ERR_NUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_diagonal_is_its_own_answer),
        cmocka_unit_test(the_values_of_a_bidiagonal_matrix),
        cmocka_unit_test(what_is_not_finite_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
