/* test_lanczos: the banded matrix has the singular values, whatever the rank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/svd/lanczos.h"

enum { LONG = 60, SHORT = 24 };

/* (LONG, SHORT) with one value in each of the first `rank` columns: they are its singular values. */
static struct tv_csr scattered(int rank)
{
    struct tv_csr m = {.n_rows = LONG, .n_cols = SHORT};
    m.start = calloc(LONG + 1, sizeof *m.start);
    m.column = calloc(SHORT, sizeof *m.column);
    m.value = calloc(SHORT, sizeof *m.value);
    for (int r = 0; r < LONG; r++) {
        if (r % 2 == 0 && r / 2 < rank) {
            m.column[m.n_values] = r / 2;
            m.value[m.n_values++] = (float)(rank - r / 2);
        }
        m.start[r + 1] = m.n_values;
    }
    return m;
}

/* Steps until V spans the short side or the matrix is exhausted. */
static void walk(struct tv_lanczos *l)
{
    assert_int_equal(tv_lanczos_begin(l, NULL), TV_OK);
    assert_int_equal(l->coming, TV_PANEL);
    for (int i = 0; l->coming > 0 && !l->exhausted; i++) {
        assert_true(i < 10);
        assert_int_equal(tv_lanczos_step(l, NULL), TV_OK);
        assert_int_equal(l->panels, i + 1);
        assert_true(l->exhausted || l->spanned + l->coming <= SHORT);
    }
}

static void check_values(const struct tv_lanczos *l, int rank)
{
    struct tv_banded b;
    double sigma[4 * SHORT], row[4 * SHORT];
    assert_int_equal(tv_lanczos_matrix(&b, l, NULL), TV_OK);
    assert_int_equal(b.n, l->panels * TV_PANEL);
    assert_true(b.n >= rank && b.n <= 4 * SHORT);
    assert_int_equal(tv_banded_values(sigma, row, 1, &b, NULL), TV_OK);
    for (int i = 0; i < b.n; i++)
        if (!(fabs(sigma[i] - (i < rank ? rank - i : 0)) < 1e-11))
            fail_msg("singular value %d of rank %d is %.15g", i, rank, sigma[i]);
    free((void *)b.band);
}

static void check_basis(const struct tv_lanczos *l)
{
    const double *basis = l->basis;
    for (int i = 0; i < l->spanned; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            const double *x = basis + i / TV_PANEL * SHORT * TV_PANEL + i % TV_PANEL;
            const double *y = basis + j / TV_PANEL * SHORT * TV_PANEL + j % TV_PANEL;
            for (int r = 0; r < SHORT; r++)
                sum += x[r * TV_PANEL] * y[r * TV_PANEL];
            assert_true(fabs(sum - (i == j)) < 1e-13);
        }
}

static void all_values_of_matrices_of_any_rank(void **state)
{
    (void)state;
    const int ranks[] = {24, 23, 16, 9, 8, 3, 1};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        struct tv_csr down = scattered(ranks[i]), up;
        struct tv_lanczos l;
        assert_int_equal(tv_csr_transpose(&up, &down, NULL), TV_OK);
        assert_int_equal(tv_lanczos_create(&l, tv_svd_kernels_f64(), &down, &up, 1, NULL), TV_OK);
        walk(&l);
        assert_true(l.norm <= ranks[i] * (1 + 1e-12));
        check_basis(&l);
        check_values(&l, ranks[i]);
        tv_lanczos_free(&l);
        tv_csr_free(&down);
        tv_csr_free(&up);
    }
    tv_lanczos_free(NULL);
}

/* Two singular vectors are known: what follows is orthogonal to them, and finds the others. */
static void a_restart_goes_on_beside_what_is_known(void **state)
{
    (void)state;
    struct tv_csr down = scattered(SHORT), up;
    struct tv_lanczos l;
    double x[SHORT * TV_PANEL] = {0};
    const double sigma[] = {SHORT, SHORT - 1};
    x[0 * TV_PANEL + 0] = x[1 * TV_PANEL + 1] = 1;
    assert_int_equal(tv_csr_transpose(&up, &down, NULL), TV_OK);
    assert_int_equal(tv_lanczos_create(&l, tv_svd_kernels_f64(), &down, &up, 1, NULL), TV_OK);
    assert_int_equal(tv_lanczos_restart(&l, x, sigma, 2, TV_PANEL, NULL), TV_OK);
    assert_int_equal(l.panels, 1);
    assert_int_equal(l.spanned, 2);
    const double *next = (const double *)l.basis + SHORT * TV_PANEL;
    for (int c = 0; c < TV_PANEL; c++)
        assert_true(fabs(next[0 * TV_PANEL + c]) < 1e-14 && fabs(next[1 * TV_PANEL + c]) < 1e-14);
    while (l.coming > 0)
        assert_int_equal(tv_lanczos_step(&l, NULL), TV_OK);
    check_values(&l, SHORT);
    tv_lanczos_free(&l);
    tv_csr_free(&down);
    tv_csr_free(&up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_values_of_matrices_of_any_rank),
        cmocka_unit_test(a_restart_goes_on_beside_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
