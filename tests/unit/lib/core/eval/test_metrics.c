/* test_metrics: the worked examples of docs/metrics.md, the edges, and plain recomputations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "../numbers_fixture.h"
#include "trivet/core/eval/metrics.h"

static struct tv_rating_error errors(const double *predicted, const double *rating, int from, int to)
{
    struct tv_rating_error e = {0};
    for (int i = from; i < to; i++)
        tv_rating_error_add(&e, predicted[i], rating[i]);
    return e;
}

static void the_rating_example(void **state)
{
    (void)state;
    const double predicted[] = {3.5, 3, 4.5, 2}, rating[] = {4, 3, 5, 4};
    struct tv_rating_error e = errors(predicted, rating, 0, 4);
    assert_int_equal(e.n, 4);
    assert_near(e.squared, 4.5);
    assert_near(tv_rmse(&e), sqrt(1.125));
    assert_near(tv_mae(&e), 0.75);
    assert_near(tv_r2(&e), 1 - 4.5 / 2);
}

/* In parts of any size, also empty ones; and around 10^6, where a sum of squares would lose the spread. */
static void rating_errors_merge(void **state)
{
    (void)state;
    enum { N = 300 };
    double predicted[N], rating[N], squared = 0, absolute = 0, mean = 0, spread = 0;
    for (int i = 0; i < N; i++) {
        rating[i] = 1e6 + (double)(next_random() % 1000) / 1024;
        predicted[i] = rating[i] + (double)(next_random() % 64) / 64 - 0.5;
        squared += (predicted[i] - rating[i]) * (predicted[i] - rating[i]);
        absolute += fabs(predicted[i] - rating[i]);
        mean += (rating[i] - 1e6) / N;
    }
    for (int i = 0; i < N; i++)
        spread += (rating[i] - 1e6 - mean) * (rating[i] - 1e6 - mean);
    const int cuts[] = {0, 0, 1, 7, 200, 200, N};
    struct tv_rating_error all = {0};
    for (int c = 0; c < 6; c++) {
        struct tv_rating_error part = errors(predicted, rating, cuts[c], cuts[c + 1]);
        tv_rating_error_merge(&all, &part);
    }
    assert_int_equal(all.n, N);
    assert_near(tv_rmse(&all), sqrt(squared / N));
    assert_near(tv_mae(&all), absolute / N);
    assert_true(fabs(all.spread / spread - 1) < 1e-9);
    assert_true(fabs(tv_r2(&all) - (1 - squared / spread)) < 1e-9);
}

static void ratings_that_do_not_tell(void **state)
{
    (void)state;
    const double predicted[] = {3, 5}, rating[] = {4, 4};
    struct tv_rating_error none = {0}, equal = errors(predicted, rating, 0, 2);
    assert_true(isnan(tv_rmse(&none)) && isnan(tv_mae(&none)) && isnan(tv_r2(&none)));
    assert_true(isnan(tv_r2(&equal)));
    assert_near(tv_rmse(&equal), 1);
}

static void the_list_example(void **state)
{
    (void)state;
    const struct tv_cuts cuts = {3, {3, 5, 10}};
    const int32_t list[] = {4, 7, 1, 9, 2}, relevant[] = {1, 2, 6};
    struct tv_list_quality q[3];
    tv_list_quality(q, &cuts, list, 5, relevant, 3, 0);
    const double ideal = 1 + 1 / log2(3) + 0.5;
    const double expected[3][TV_MEASURES] = {
        {1 / 3.0, 1 / 3.0, (1 / 3.0) / 3, 0.5 / ideal, 1, 1 / 3.0},
        {2 / 5.0, 2 / 3.0, (1 / 3.0 + 2 / 5.0) / 3, (0.5 + 1 / log2(6)) / ideal, 1, 1 / 3.0},
        {2 / 10.0, 2 / 3.0, (1 / 3.0 + 2 / 5.0) / 3, (0.5 + 1 / log2(6)) / ideal, 1, 1 / 3.0}, /* the list is over */
    };
    for (int c = 0; c < 3; c++)
        for (int m = 0; m < TV_MEASURES; m++)
            assert_near(q[c].of[m], expected[c][m]);
    assert_true(fabs(q[0].of[TV_NDCG] - 0.2346) < 5e-5 && fabs(q[1].of[TV_NDCG] - 0.4162) < 5e-5);
    assert_true(fabs(q[0].of[TV_MAP] - 0.1111) < 5e-5 && fabs(q[1].of[TV_MAP] - 0.2444) < 5e-5);
}

/* Item 6 could not be in the list, and item 3 is not even in the catalogue: the same values. */
static void unreachable_items_are_missed(void **state)
{
    (void)state;
    const struct tv_cuts cuts = {2, {3, 5}};
    const int32_t list[] = {4, 7, 1, 9, 2}, relevant[] = {1, 2, 6};
    struct tv_list_quality q[2], fewer[2];
    tv_list_quality(q, &cuts, list, 5, relevant, 3, 0);
    tv_list_quality(fewer, &cuts, list, 5, relevant, 2, 1);
    assert_memory_equal(q, fewer, sizeof q);
    tv_list_quality(q, &cuts, list, 5, NULL, 0, 2);
    for (int m = 0; m < TV_MEASURES; m++)
        assert_true(q[0].of[m] == 0 && q[1].of[m] == 0);
}

static void lists_at_the_edges(void **state)
{
    (void)state;
    const struct tv_cuts cuts = {2, {1, 2}};
    const int32_t list[] = {3, 5}, both[] = {3, 5}, other[] = {4};
    struct tv_list_quality q[2];
    tv_list_quality(q, &cuts, list, 2, both, 2, 0);
    for (int m = 0; m < TV_MEASURES; m++) {
        assert_true(q[1].of[m] == 1);
        assert_true(q[0].of[m] == (m == TV_RECALL ? 0.5 : 1));
    }
    const struct {
        size_t n_list, n_relevant;
    } nothing[] = {{2, 1}, {2, 0}, {0, 1}, {0, 0}};
    for (size_t i = 0; i < 4; i++) {
        tv_list_quality(q, &cuts, list, nothing[i].n_list, other, nothing[i].n_relevant, 0);
        for (int m = 0; m < TV_MEASURES; m++)
            assert_true(q[0].of[m] == 0 && q[1].of[m] == 0);
    }
}

/* The definitions once more, as plainly as they can be written. */
static void plain_quality(double *q, const uint8_t *hit, int n_list, int total, int k)
{
    int hits = 0, first = 0;
    double precisions = 0, gain = 0, ideal = 0;
    for (int j = 1; j <= k && j <= n_list; j++)
        if (hit[j - 1]) {
            int so_far = 0;
            for (int i = 0; i < j; i++)
                so_far += hit[i];
            precisions += (double)so_far / j;
            gain += log(2) / log(j + 1);
            first = first ? first : j;
            hits++;
        }
    int best = total < k ? total : k;
    for (int j = 1; j <= best; j++)
        ideal += log(2) / log(j + 1);
    q[TV_PRECISION] = (double)hits / k;
    q[TV_RECALL] = (double)hits / total;
    q[TV_MAP] = precisions / best;
    q[TV_NDCG] = gain / ideal;
    q[TV_HIT_RATE] = hits ? 1 : 0;
    q[TV_MRR] = first ? 1.0 / first : 0;
}

static void random_lists_equal_the_plain_way(void **state)
{
    (void)state;
    enum { ITEMS = 60 };
    const struct tv_cuts cuts = {5, {1, 5, 10, 37, 100}};
    for (int round = 0; round < 500; round++) {
        int32_t list[ITEMS], relevant[ITEMS];
        uint8_t is_relevant[ITEMS], hit[ITEMS];
        int n_list = (int)(next_random() % (ITEMS + 1)), n_relevant = 0, extra = (int)(next_random() % 3);
        for (int i = 0; i < ITEMS; i++) {
            list[i] = i;
            is_relevant[i] = next_random() % 7 == 0;
            if (is_relevant[i])
                relevant[n_relevant++] = i;
        }
        for (int i = 0; i < n_list; i++) {
            int with = i + (int)(next_random() % (uint32_t)(ITEMS - i));
            int32_t item = list[with];
            list[with] = list[i];
            list[i] = item;
            hit[i] = is_relevant[item];
        }
        if (n_relevant + extra == 0)
            continue;
        struct tv_list_quality q[5];
        tv_list_quality(q, &cuts, list, (size_t)n_list, relevant, (size_t)n_relevant, (size_t)extra);
        for (int c = 0; c < cuts.n; c++) {
            double plain[TV_MEASURES];
            plain_quality(plain, hit, n_list, n_relevant + extra, cuts.k[c]);
            for (int m = 0; m < TV_MEASURES; m++)
                assert_near(q[c].of[m], plain[m]);
        }
    }
}

static void cuts_ascend(void **state)
{
    (void)state;
    const struct tv_cuts good = {2, {1, 2}};
    const struct tv_cuts bad[] = {
        {0, {0}}, {TV_MAX_CUTS + 1, {1, 2, 3, 4, 5, 6, 7, 8}}, {1, {0}}, {2, {5, 5}}, {2, {5, 4}}};
    assert_int_equal(tv_cuts_check(&good, NULL), TV_OK);
    assert_int_equal(tv_cuts_depth(&good), 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tv_cuts_check(&bad[i], NULL), TV_ERR_USAGE);
    for (int m = 0; m < TV_MEASURES; m++)
        assert_non_null(tv_measure_name(m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rating_example),
        cmocka_unit_test(rating_errors_merge),
        cmocka_unit_test(ratings_that_do_not_tell),
        cmocka_unit_test(the_list_example),
        cmocka_unit_test(unreachable_items_are_missed),
        cmocka_unit_test(lists_at_the_edges),
        cmocka_unit_test(random_lists_equal_the_plain_way),
        cmocka_unit_test(cuts_ascend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
