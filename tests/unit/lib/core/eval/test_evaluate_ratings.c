/* test_evaluate_ratings: errors of predictions against a plain second way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tests/unit/lib/core/eval/evaluate_fixture.h"

static void rating_errors_equal_the_plain_way(void **state)
{
    (void)state;
    struct world w = make_world(4);
    struct tv_baseline b = fit(TV_BIAS, &w.training);
    struct tv_method method = tv_baseline_method(&b);
    struct tv_evaluate_options o;
    struct tv_rating_result r;
    tv_evaluate_defaults(&o);
    assert_int_equal(tv_evaluate_ratings(&r, &method, &w.holdout, &o, NULL), TV_OK);
    double squared = 0, absolute = 0;
    int users = 0;
    for (int u = 0; u < USERS; u++) {
        for (int64_t p = w.holdout.test.start[u]; p < w.holdout.test.start[u + 1]; p++) {
            double d = tv_baseline_predict(&b, u, w.holdout.test.column[p]) - (double)w.holdout.test.value[p];
            squared += d * d;
            absolute += fabs(d);
        }
        if (w.holdout.test.start[u] < w.holdout.test.start[u + 1])
            assert_int_equal(r.user[users++], u);
    }
    assert_int_equal(r.n_users, users);
    assert_int_equal(r.total.n, w.holdout.test.n_values); /* also what is not relevant */
    assert_int_equal(r.n_unpredicted, 0);
    assert_near(tv_rmse(&r.total), sqrt(squared / (double)r.total.n));
    assert_near(tv_mae(&r.total), absolute / (double)r.total.n);
    tv_rating_result_free(&r);
    tv_baseline_free(&b);
    free_world(&w);
}

static void what_a_method_does_not_know_is_counted(void **state)
{
    (void)state;
    struct world w = make_world(-INFINITY);
    struct half h = {-1};
    struct tv_method method = {&h, half_scores, half_predict};
    struct tv_evaluate_options o;
    struct tv_rating_result e;
    tv_evaluate_defaults(&o);
    o.threads = 4;
    assert_int_equal(tv_evaluate_ratings(&e, &method, &w.holdout, &o, NULL), TV_OK);
    int64_t known = 0;
    for (int u = 0; u < USERS; u += 2)
        for (int64_t p = w.holdout.test.start[u]; p < w.holdout.test.start[u + 1]; p++)
            known += w.holdout.test.column[p] < 10;
    assert_true(known > 0);
    assert_int_equal(e.total.n, known);
    assert_int_equal(e.n_unpredicted, w.holdout.test.n_values - known);
    for (int32_t u = 0; u < e.n_users; u++)
        assert_true(e.error[u].n > 0 && e.user[u] % 2 == 0);
    tv_rating_result_free(&e);
    free_world(&w);
}

static void failures_end_an_evaluation(void **state)
{
    (void)state;
    struct world w = make_world(-INFINITY);
    struct half h = {1237};
    struct tv_method method = {&h, half_scores, half_predict}, mute = {0};
    struct tv_evaluate_options o;
    struct tv_rating_result e;
    struct tv_error err;
    tv_evaluate_defaults(&o);
    o.threads = 2;
    assert_int_equal(tv_evaluate_ratings(&e, &method, &w.holdout, &o, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "user 1237 is too much"));
    assert_null(e.error);
    assert_int_equal(tv_evaluate_ratings(&e, &mute, &w.holdout, &o, NULL), TV_ERR_USAGE);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rating_errors_equal_the_plain_way),
        cmocka_unit_test(what_a_method_does_not_know_is_counted),
        cmocka_unit_test(failures_end_an_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
