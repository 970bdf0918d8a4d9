/* test_evaluate: baselines by hand, and evaluations against a plain second way, at any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/eval/baselines.h"
#include "trivet/core/eval/evaluate.h"

static uint32_t random_state = 1;

static uint32_t next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

/* --- baselines --- */

/* Three users, four items; item 3 has no rating, and user 2 none. */
static int64_t small_start[] = {0, 2, 5, 5};
static int32_t small_column[] = {0, 1, 0, 1, 2};
static float small_value[] = {5, 3, 4, 3, 1};
static const struct tv_csr small = {3, 4, 5, small_start, small_column, small_value};

static struct tv_baseline fit(enum tv_baseline_kind kind, const struct tv_csr *m)
{
    struct tv_baseline_options o;
    struct tv_baseline b;
    tv_baseline_defaults(&o);
    assert_int_equal(tv_baseline_fit(&b, kind, m, &o, NULL), TV_OK);
    return b;
}

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

/* --- evaluation --- */

enum { USERS = 2500, ITEMS = 150 };

/* Ratings drawn for each user and item: some to learn from, some held out, full of ties. */
struct world {
    struct tv_csr training;
    struct tv_holdout holdout;
};

static void add_value(struct tv_csr *m, int item, float value)
{
    m->column[m->n_values] = item;
    m->value[m->n_values++] = value;
}

static struct tv_csr empty_matrix(void)
{
    return (struct tv_csr){USERS, ITEMS, 0, calloc(USERS + 1, sizeof(int64_t)), calloc(USERS * ITEMS, sizeof(int32_t)),
                           calloc(USERS * ITEMS, sizeof(float))};
}

static struct world make_world(float min_relevant)
{
    struct world w = {empty_matrix(), {empty_matrix(), calloc(USERS, sizeof(int32_t)), min_relevant, {0}}};
    random_state = 1;
    for (int u = 0; u < USERS; u++) {
        for (int i = 0; i < ITEMS; i++) {
            uint32_t die = next_random() % 40;
            float value = (float)(next_random() % 5 + 1);
            if (die < 4 && (i < ITEMS / 2 || die == 0))
                add_value(&w.training, i, value);
            else if (die == 5 && u % 5 != 0) /* every fifth user has nothing held out */
                add_value(&w.holdout.test, i, value);
        }
        w.training.start[u + 1] = w.training.n_values;
        w.holdout.test.start[u + 1] = w.holdout.test.n_values;
        w.holdout.unreachable[u] = u % 11 == 0 ? 2 : 0;
    }
    return w;
}

static void free_world(struct world *w)
{
    tv_csr_free(&w->training);
    tv_holdout_free(&w->holdout);
}

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

/* --- methods that cannot, and callers that stop --- */

/* Knows the first ten items of even users; fails for user `fails`. */
struct half {
    int32_t fails;
};

static enum tv_status half_scores(void *context, int thread, int32_t user, double *scores, struct tv_error *err)
{
    const struct half *h = context;
    assert_in_range(thread, 0, 3);
    for (int i = 0; i < ITEMS; i++)
        scores[i] = user % 2 == 0 && i < 10 ? -i : NAN;
    return user == h->fails ? tv_fail(err, TV_ERR_NUMERIC, "user %d is too much", user) : TV_OK;
}

static enum tv_status half_predict(void *context, int thread, int32_t user, const int32_t *items, size_t n,
                                   double *predicted, struct tv_error *err)
{
    const struct half *h = context;
    assert_in_range(thread, 0, 3);
    for (size_t i = 0; i < n; i++)
        predicted[i] = user % 2 == 0 && items[i] < 10 ? 3 : NAN;
    return user == h->fails ? tv_fail(err, TV_ERR_NUMERIC, "user %d is too much", user) : TV_OK;
}

static void what_a_method_does_not_know_is_counted(void **state)
{
    (void)state;
    struct world w = make_world(-INFINITY);
    struct half h = {-1};
    struct tv_method method = {&h, half_scores, half_predict};
    struct tv_evaluate_options o;
    struct tv_ranking_result r;
    struct tv_rating_result e;
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
    struct tv_rating_result e;
    struct tv_error err;
    tv_evaluate_defaults(&o);
    o.threads = 2;
    assert_int_equal(tv_evaluate_ranking(&r, &method, &w.training, &w.holdout, &o, &err), TV_ERR_NUMERIC);
    assert_non_null(strstr(err.message, "user 1237 is too much"));
    assert_null(r.list);
    assert_int_equal(tv_evaluate_ratings(&e, &method, &w.holdout, &o, NULL), TV_ERR_NUMERIC);
    assert_null(e.error);
    assert_int_equal(tv_evaluate_ranking(&r, &mute, &w.training, &w.holdout, &o, NULL), TV_ERR_USAGE);
    assert_int_equal(tv_evaluate_ratings(&e, &mute, &w.holdout, &o, NULL), TV_ERR_USAGE);
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
        cmocka_unit_test(means_predict),
        cmocka_unit_test(biases_are_pulled_towards_the_mean),
        cmocka_unit_test(popularity_counts_and_chance_draws),
        cmocka_unit_test(baselines_refuse),
        cmocka_unit_test(rankings_equal_the_plain_way),
        cmocka_unit_test(rating_errors_equal_the_plain_way),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(what_a_method_does_not_know_is_counted),
        cmocka_unit_test(failures_end_an_evaluation),
        cmocka_unit_test(small_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
