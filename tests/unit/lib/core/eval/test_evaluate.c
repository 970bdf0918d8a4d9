/* test_evaluate: evaluations against a plain second way, at any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tests/unit/lib/core/eval/evaluate_fixture.h"

/* 0: neither, otherwise the rating. */
static float rating_of(const struct tv_csr *m, int user, int item)
{
    for (int64_t p = m->start[user]; p < m->start[user + 1]; p++)
        if (m->column[p] == item)
            return m->value[p];
    return 0;
}

/* A user's list the slow way: again and again the best unseen item that is not yet in it. */
static int plain_list(int32_t *list, int depth, const struct world *w, const struct tv_baseline *b, int user)
{
    double scores[ITEMS];
    uint8_t taken[ITEMS] = {0};
    int n = 0;
    tv_baseline_scores(b, user, scores);
    for (int i = 0; i < ITEMS; i++)
        taken[i] = rating_of(&w->training, user, i) > 0;
    while (n < depth) {
        int best = -1;
        for (int i = 0; i < ITEMS; i++)
            if (!taken[i] && (best < 0 || scores[i] > scores[best]))
                best = i;
        if (best < 0)
            break;
        taken[best] = 1;
        list[n++] = best;
    }
    return n;
}

static void lists_equal_the_plain_way(enum tv_baseline_kind kind, float min_relevant)
{
    struct world w = make_world(min_relevant);
    struct tv_baseline b = fit(kind, &w.training);
    struct tv_method method = tv_baseline_method(&b);
    struct tv_evaluate_options o;
    struct tv_ranking_result r;
    tv_evaluate_defaults(&o);
    assert_int_equal(tv_evaluate_ranking(&r, &method, &w.training, &w.holdout, &o, NULL), TV_OK);
    int judged = 0;
    double mean[4] = {0};
    for (int u = 0; u < USERS; u++) {
        int32_t list[100];
        int n_list = plain_list(list, 100, &w, &b, u), total = w.holdout.unreachable[u];
        for (int i = 0; i < ITEMS; i++) {
            float value = rating_of(&w.holdout.test, u, i);
            total += value > 0 && value >= min_relevant;
        }
        if (total == 0)
            continue;
        assert_int_equal(r.user[judged], u);
        for (int j = 0; j < 100; j++)
            assert_int_equal(r.list[judged * 100 + j], j < n_list ? list[j] : -1);
        for (int c = 0; c < 4; c++) {
            double gain = 0, ideal = 0;
            for (int j = 0; j < o.cuts.k[c]; j++) {
                float value = j < n_list ? rating_of(&w.holdout.test, u, list[j]) : 0;
                gain += value > 0 && value >= min_relevant ? log(2) / log(j + 2) : 0;
                ideal += j < total ? log(2) / log(j + 2) : 0;
            }
            mean[c] += gain / ideal;
        }
        judged++;
    }
    assert_true(judged > USERS / 4 && judged < USERS);
    assert_int_equal(r.n_users, judged);
    assert_int_equal(r.n_without_relevant, USERS - judged);
    assert_int_equal(r.n_without_list, 0);
    for (int c = 0; c < 4; c++)
        assert_near(tv_ranking_mean(&r, c).of[TV_NDCG], mean[c] / judged);
    tv_ranking_result_free(&r);
    tv_baseline_free(&b);
    free_world(&w);
}

static void rankings_equal_the_plain_way(void **state)
{
    (void)state;
    lists_equal_the_plain_way(TV_POPULAR, -INFINITY);
    lists_equal_the_plain_way(TV_BIAS, 4);
    lists_equal_the_plain_way(TV_RANDOM, 5);
}

/* Everything that can be asked, at once, so that it can be compared byte by byte. */
struct everything {
    struct tv_list_quality mean[4];
    struct tv_interval ndcg, rmse;
    struct tv_rating_error total;
    uint64_t lists;
};

static struct everything evaluate(const struct world *w, struct tv_baseline *b, int threads)
{
    struct tv_method method = tv_baseline_method(b);
    struct tv_evaluate_options o;
    struct tv_bootstrap_options bootstrap;
    struct tv_ranking_result r;
    struct tv_rating_result e;
    struct everything all;
    memset(&all, 0, sizeof all);
    tv_evaluate_defaults(&o);
    tv_bootstrap_defaults(&bootstrap);
    o.threads = bootstrap.threads = threads;
    assert_int_equal(tv_evaluate_ranking(&r, &method, &w->training, &w->holdout, &o, NULL), TV_OK);
    assert_int_equal(tv_evaluate_ratings(&e, &method, &w->holdout, &o, NULL), TV_OK);
    for (int c = 0; c < 4; c++)
        all.mean[c] = tv_ranking_mean(&r, c);
    assert_int_equal(tv_ranking_interval(&all.ndcg, &r, 1, TV_NDCG, &bootstrap, NULL), TV_OK);
    assert_int_equal(tv_rmse_interval(&all.rmse, &e, &bootstrap, NULL), TV_OK);
    all.total = e.total;
    struct tv_lists lists = tv_ranking_lists(&r);
    for (int64_t i = 0; i < (int64_t)lists.n_users * lists.depth; i++)
        all.lists = all.lists * 31 + (uint64_t)(int64_t)lists.item[i];
    tv_ranking_result_free(&r);
    tv_rating_result_free(&e);
    return all;
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    struct world w = make_world(3);
    struct tv_baseline b = fit(TV_BIAS, &w.training);
    struct everything one = evaluate(&w, &b, 1);
    for (int threads = 2; threads <= 5; threads++) {
        struct everything more = evaluate(&w, &b, threads);
        assert_memory_equal(&more, &one, sizeof one);
    }
    assert_true(one.ndcg.low < one.ndcg.value && one.ndcg.value < one.ndcg.high);
    assert_true(one.ndcg.value == one.mean[1].of[TV_NDCG]);
    assert_true(one.rmse.low < one.rmse.value && one.rmse.value < one.rmse.high);
    assert_near(one.rmse.value, tv_rmse(&one.total));
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
    struct tv_ranking_result r;
    tv_evaluate_defaults(&o);
    o.threads = 4;
    assert_int_equal(tv_evaluate_ranking(&r, &method, &w.training, &w.holdout, &o, NULL), TV_OK);
    int odd = 0;
    for (int32_t u = 0; u < r.n_users; u++) {
        odd += r.user[u] % 2;
        for (int j = 0; j < 100; j++)
            assert_true(r.list[u * 100 + j] < (r.user[u] % 2 ? 0 : 10));
        for (int m = 0; m < TV_MEASURES && r.user[u] % 2; m++)
            assert_true(r.quality[u * 4 + 3].of[m] == 0);
    }
    assert_int_equal(r.n_without_list, odd);
    tv_ranking_result_free(&r);
    free_world(&w);
}

static int stop_halfway(void *context, int32_t done, int32_t n)
{
    assert_true(done > *(int32_t *)context && done <= n);
    *(int32_t *)context = done;
    return done >= n / 2;
}

static void failures_end_an_evaluation(void **state)
{
    (void)state;
    struct world w = make_world(-INFINITY);
    struct half h = {1237};
    struct tv_method method = {&h, half_scores, half_predict}, mute = {0};
    struct tv_evaluate_options o;
    struct tv_ranking_result r;
    struct tv_error err;
    tv_evaluate_defaults(&o);
    o.threads = 2;
    assert_int_equal(tv_evaluate_ranking(&r, &method, &w.training, &w.holdout, &o, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "user 1237 is too much"));
    assert_null(r.list);
    assert_int_equal(tv_evaluate_ranking(&r, &mute, &w.training, &w.holdout, &o, NULL), TV_ERR_USAGE);
    assert_int_equal(tv_evaluate_ranking(&r, &method, &small, &w.holdout, &o, NULL), TV_ERR_USAGE);
    int32_t done = 0;
    h.fails = -1;
    o.progress = stop_halfway;
    o.context = &done;
    assert_int_equal(tv_evaluate_ranking(&r, &method, &w.training, &w.holdout, &o, NULL), TV_ERR_INTERRUPTED);
    assert_true(done > 0 && done < USERS);
    o.progress = NULL;
    o.cuts.k[0] = 0;
    assert_int_equal(tv_evaluate_ranking(&r, &method, &w.training, &w.holdout, &o, NULL), TV_ERR_USAGE);
    free_world(&w);
}

/* All four items are shorter than any list, nobody has a relevant rating, and there are no cold counts at all. */
static void small_worlds(void **state)
{
    (void)state;
    int64_t start[] = {0, 1, 1, 1};
    int32_t column[] = {3};
    float value[] = {2};
    struct tv_holdout h = {{3, 4, 1, start, column, value}, NULL, -INFINITY, {0}};
    struct tv_baseline b = fit(TV_POPULAR, &small);
    struct tv_method method = tv_baseline_method(&b);
    struct tv_evaluate_options o;
    struct tv_ranking_result r;
    tv_evaluate_defaults(&o);
    assert_int_equal(tv_evaluate_ranking(&r, &method, &small, &h, &o, NULL), TV_OK);
    assert_int_equal(r.n_users, 1);
    assert_int_equal(r.n_without_relevant, 2);
    const int32_t list[] = {2, 3, -1}; /* items 0 and 1 are seen */
    assert_memory_equal(r.list, list, sizeof list);
    assert_near(tv_ranking_mean(&r, 0).of[TV_MRR], 0.5);
    assert_near(tv_ranking_mean(&r, 0).of[TV_PRECISION], 0.2);
    tv_ranking_result_free(&r);
    h.min_relevant = 3;
    assert_int_equal(tv_evaluate_ranking(&r, &method, &small, &h, &o, NULL), TV_OK);
    assert_int_equal(r.n_users, 0);
    assert_true(isnan(tv_ranking_mean(&r, 0).of[TV_NDCG]));
    struct tv_bootstrap_options bootstrap;
    struct tv_interval i;
    tv_bootstrap_defaults(&bootstrap);
    assert_int_equal(tv_ranking_interval(&i, &r, 0, TV_NDCG, &bootstrap, NULL), TV_OK);
    assert_true(isnan(i.low));
    tv_ranking_result_free(&r);
    tv_baseline_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rankings_equal_the_plain_way),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(what_a_method_does_not_know_is_counted),
        cmocka_unit_test(failures_end_an_evaluation),
        cmocka_unit_test(small_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
