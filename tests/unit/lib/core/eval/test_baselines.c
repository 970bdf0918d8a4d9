/* test_baselines: what each baseline predicts and recommends, against values computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tests/unit/lib/core/eval/evaluate_fixture.h"

static void means_predict(void **state)
{
    (void)state;
    struct tv_baseline mean = fit(TV_MEAN, &small), item = fit(TV_ITEM_MEAN, &small);
    assert_near(tv_baseline_predict(&mean, 0, 0), 3.2);
    assert_near(tv_baseline_predict(&mean, -1, -1), 3.2);
    const double expected[] = {4.5, 3, 1, 3.2};
    double scores[4];
    tv_baseline_scores(&item, 2, scores);
    for (int i = 0; i < 4; i++) {
        assert_near(tv_baseline_predict(&item, 0, i), expected[i]);
        assert_near(scores[i], expected[i]);
    }
    assert_near(tv_baseline_predict(&item, 0, -1), 3.2);
    tv_baseline_scores(&mean, 0, scores);
    assert_true(isnan(scores[0]) && isnan(scores[3]));
    assert_null(tv_baseline_method(&mean).scores);
    tv_baseline_free(&mean);
    tv_baseline_free(&item);
    assert_null(item.item);
}

/* The example of docs/metrics.md. */
static void biases_are_pulled_towards_the_mean(void **state)
{
    (void)state;
    struct tv_baseline b = fit(TV_BIAS, &small);
    const double b_i[] = {2.6 / 27, -0.4 / 27, -2.2 / 26, 0};
    const double b_u[] = {(1.6 - b_i[0] - b_i[1]) / 12, (-1.6 - b_i[0] - b_i[1] - b_i[2]) / 13, 0};
    for (int u = 0; u < 3; u++)
        for (int i = 0; i < 4; i++)
            assert_near(tv_baseline_predict(&b, u, i), 3.2 + b_u[u] + b_i[i]);
    assert_near(tv_baseline_predict(&b, -1, 0), 3.2 + b_i[0]);
    assert_near(tv_baseline_predict(&b, 0, -1), 3.2 + b_u[0]);
    assert_near(tv_baseline_predict(&b, -1, -1), 3.2);
    assert_true(fabs(tv_baseline_predict(&b, 0, 0) - 3.4228) < 5e-5);
    double scores[4];
    tv_baseline_scores(&b, 1, scores);
    assert_near(scores[2], 3.2 + b_u[1] + b_i[2]);
    tv_baseline_free(&b);
}

static void popularity_counts_and_chance_draws(void **state)
{
    (void)state;
    struct tv_baseline popular = fit(TV_POPULAR, &small), random = fit(TV_RANDOM, &small);
    double scores[4], again[4], other[4];
    tv_baseline_scores(&popular, 0, scores);
    const double counts[] = {2, 2, 1, 0};
    assert_memory_equal(scores, counts, sizeof counts);
    assert_true(isnan(tv_baseline_predict(&popular, 0, 0)));
    assert_null(tv_baseline_method(&popular).predict);
    assert_null(tv_baseline_method(&random).predict);
    tv_baseline_scores(&random, 0, scores);
    tv_baseline_scores(&random, 0, again);
    tv_baseline_scores(&random, 1, other);
    assert_memory_equal(scores, again, sizeof scores);
    assert_memory_not_equal(scores, other, sizeof scores);
    for (int i = 0; i < 4; i++)
        assert_true(scores[i] >= 0 && scores[i] < 1);
    tv_baseline_free(&popular);
    tv_baseline_free(&random);
}

static void baselines_refuse(void **state)
{
    (void)state;
    int64_t start[] = {0, 0};
    const struct tv_csr nothing = {1, 1, 0, start, small_column, small_value};
    struct tv_baseline_options o;
    struct tv_baseline b;
    tv_baseline_defaults(&o);
    assert_int_equal(tv_baseline_fit(&b, TV_MEAN, &nothing, &o, NULL), TV_ERR_INPUT);
    o.user_weight = -1;
    assert_int_equal(tv_baseline_fit(&b, TV_BIAS, &small, &o, NULL), TV_ERR_USAGE);
    for (int kind = 0; kind < TV_BASELINES; kind++)
        assert_non_null(tv_baseline_name(kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_predict),
        cmocka_unit_test(biases_are_pulled_towards_the_mean),
        cmocka_unit_test(popularity_counts_and_chance_draws),
        cmocka_unit_test(baselines_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
