/* test_fold_in: a user's factors from ratings, against the formula and against the SVD itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numbers_fixture.h"
#include "trivet/core/fold_in.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/svd/svd.h"

/* The formula, one factor after the other. */
static uint16_t expected_factor(const struct tv_fold_in *f, int factor, const int32_t *items,
                                const float *ratings, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)ratings[i] * (double)tv_half_to_float(f->item_factors[items[i] * f->factors + factor]);
    return tv_half_from_double(sum * f->scale[factor]);
}

static void follows_the_formula(void **state)
{
    (void)state;
    enum { ITEMS = 50 };
    const int ks[] = {1, 3, 7, 8, 50, 63, 64, 65, 130};
    for (size_t t = 0; t < sizeof ks / sizeof *ks; t++) {
        int k = ks[t];
        uint16_t *factors = calloc((size_t)(ITEMS * k), sizeof *factors),
                 *user = calloc((size_t)k, sizeof *user);
        double *sigma = calloc((size_t)k, sizeof *sigma);
        int32_t items[ITEMS];
        float ratings[ITEMS];
        size_t n = 0;
        for (int i = 0; i < ITEMS * k; i++)
            factors[i] = tv_half_from_float((float)(next_random() % 2000) / 1000 - 1);
        for (int f = 0; f < k; f++)
            sigma[f] = 100.0 / (f + 1);
        for (int i = 0; i < ITEMS; i++)
            if (next_random() % 3) {
                items[n] = i;
                ratings[n++] = (float)(next_random() % 10 + 1) / 3;
            }
        struct tv_fold_in f;
        assert_int_equal(tv_fold_in_svd(&f, factors, ITEMS, k, sigma, 0.5, NULL), TV_OK);
        assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){items, ratings, n}, NULL), TV_OK);
        for (int c = 0; c < k; c++)
            assert_int_equal(user[c], expected_factor(&f, c, items, ratings, n));
        tv_fold_in_free(&f);
        free(factors);
        free(user);
        free(sigma);
    }
}

static void nothing_rated_gives_zeros(void **state)
{
    (void)state;
    const uint16_t factors[] = {0x3c00, 0x3c00};
    const double sigma[] = {2, 1};
    uint16_t user[2] = {1, 1};
    struct tv_fold_in f;
    assert_int_equal(tv_fold_in_svd(&f, factors, 1, 2, sigma, 0.5, NULL), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){0}, NULL), TV_OK);
    assert_int_equal(user[0] | user[1], 0);
    tv_fold_in_free(&f);
    tv_fold_in_free(NULL);
}

static void exponent_of_sigma(void **state)
{
    (void)state;
    const uint16_t factors[] = {0x3c00}; /* 1 */
    const double sigma[] = {4};
    const struct {
        double a, user;
    } cases[] = {{0, 3}, {0.5, 0.75}, {1, 0.1875}};
    const int32_t item = 0;
    const float rating = 3;
    for (int i = 0; i < 3; i++) {
        uint16_t user;
        struct tv_fold_in f;
        assert_int_equal(tv_fold_in_svd(&f, factors, 1, 1, sigma, cases[i].a, NULL), TV_OK);
        assert_int_equal(tv_fold_in_factors(&f, &user, &(struct tv_user_ratings){&item, &rating, 1}, NULL), TV_OK);
        assert_true((double)tv_half_to_float(user) == cases[i].user);
        tv_fold_in_free(&f);
    }
}

static void overflow_is_refused(void **state)
{
    (void)state;
    const uint16_t factors[] = {0x3c00, 0x7bff, 0x3c00, 0x7bff}; /* 1, 65504 */
    const double sigma[] = {1, 1};
    const int32_t items[] = {0, 1};
    const float ratings[] = {1, 1};
    uint16_t user[2];
    struct tv_fold_in f;
    struct tv_error err = {0};
    assert_int_equal(tv_fold_in_svd(&f, factors, 2, 2, sigma, 0.5, NULL), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){items, ratings, 1}, &err), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, user, &(struct tv_user_ratings){items, ratings, 2}, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "factor 2 of a user is 131008"));
    tv_fold_in_free(&f);
}

static void bad_sigmas_are_refused(void **state)
{
    (void)state;
    const uint16_t factors[] = {0, 0};
    const double bad[][2] = {{1, 0}, {1, -1}, {1, NAN}};
    struct tv_fold_in f;
    struct tv_error err = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tv_fold_in_svd(&f, factors, 1, 2, bad[i], 0.5, &err), TV_ERR_NUMERIC);
        assert_non_null(strstr(err.message, "singular value 2"));
        assert_null(f.scale);
    }
    assert_int_equal(tv_fold_in_svd(&f, factors, 1, 0, bad[0], 0.5, &err), TV_ERR_USAGE);
}

enum { USERS = 80, ITEMS = 60, K = 12 };

/* Ratings of half of all pairs. */
static struct tv_csr make_ratings(void)
{
    struct tv_csr m = {.n_rows = USERS, .n_cols = ITEMS};
    m.start = calloc(USERS + 1, sizeof *m.start);
    m.column = calloc(USERS * ITEMS, sizeof *m.column);
    m.value = calloc(USERS * ITEMS, sizeof *m.value);
    for (int u = 0; u < USERS; u++) {
        for (int i = 0; i < ITEMS; i++)
            if (next_random() % 2) {
                m.column[m.n_values] = i;
                m.value[m.n_values++] = (float)(next_random() % 10 + 1) / 2;
            }
        m.start[u + 1] = m.n_values;
    }
    return m;
}

/* A row of the training matrix folds in to what the SVD gave for it, U sqrt(S), up to rounding. */
static void training_rows_come_back(void **state)
{
    (void)state;
    struct tv_csr m = make_ratings();
    struct tv_svd s;
    struct tv_svd_options o;
    tv_svd_defaults(&o);
    o.factors = K;
    assert_int_equal(tv_svd(&s, &m, &o, NULL), TV_OK);
    uint16_t item_factors[ITEMS * K], user[K];
    for (int i = 0; i < ITEMS; i++)
        for (int f = 0; f < K; f++)
            item_factors[i * K + f] = tv_half_from_double((double)s.v[i * K + f] * sqrt(s.sigma[f]));
    struct tv_fold_in f;
    assert_int_equal(tv_fold_in_svd(&f, item_factors, ITEMS, K, s.sigma, 0.5, NULL), TV_OK);
    for (int u = 0; u < USERS; u++) {
        int64_t at = m.start[u];
        assert_int_equal(
            tv_fold_in_factors(
                &f, user, &(struct tv_user_ratings){m.column + at, m.value + at, (size_t)(m.start[u + 1] - at)}, NULL),
            TV_OK);
        for (int c = 0; c < K; c++) {
            double solver = (double)s.u[u * K + c] * sqrt(s.sigma[c]);
            /* Rounding moves each of 60 item factors by at most 2^-11 of itself: with ratings up to 5 and
             * factors up to sqrt(sigma), the sum stays well within 2e-3 of a user's largest factor,
             * sqrt(sigma_1). */
            assert_true(fabs((double)tv_half_to_float(user[c]) - solver) < 2e-3 * sqrt(s.sigma[0]));
        }
    }
    tv_fold_in_free(&f);
    tv_svd_free(&s);
    tv_csr_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_formula),    cmocka_unit_test(nothing_rated_gives_zeros),
        cmocka_unit_test(exponent_of_sigma),      cmocka_unit_test(overflow_is_refused),
        cmocka_unit_test(bad_sigmas_are_refused), cmocka_unit_test(training_rows_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
