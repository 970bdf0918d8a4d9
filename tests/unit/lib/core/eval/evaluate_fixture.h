/* evaluate_fixture: ratings to learn from, ratings held out, and methods to judge, for the tests of evaluations. */
#ifndef TRIVET_TESTS_UNIT_LIB_CORE_EVAL_EVALUATE_FIXTURE_H
#define TRIVET_TESTS_UNIT_LIB_CORE_EVAL_EVALUATE_FIXTURE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../numbers_fixture.h"
#include "trivet/core/eval/baselines.h"
#include "trivet/core/eval/evaluate.h"

/* Three users, four items; item 3 has no rating, and user 2 none. */
static int64_t small_start[] = {0, 2, 5, 5};
static int32_t small_column[] = {0, 1, 0, 1, 2};
static float small_value[] = {5, 3, 4, 3, 1};
static const struct tv_csr small = {3, 4, 5, small_start, small_column, small_value};

static inline struct tv_baseline fit(enum tv_baseline_kind kind, const struct tv_csr *m)
{
    struct tv_baseline_options o;
    struct tv_baseline b;
    tv_baseline_defaults(&o);
    assert_int_equal(tv_baseline_fit(&b, kind, m, &o, NULL), TV_OK);
    return b;
}

enum { USERS = 2500, ITEMS = 150 };

/* Ratings drawn for each user and item: some to learn from, some held out, full of ties. */
struct world {
    struct tv_csr training;
    struct tv_holdout holdout;
};

static inline void add_value(struct tv_csr *m, int item, float value)
{
    m->column[m->n_values] = item;
    m->value[m->n_values++] = value;
}

static inline struct tv_csr empty_matrix(void)
{
    return (struct tv_csr){USERS, ITEMS, 0, calloc(USERS + 1, sizeof(int64_t)), calloc(USERS * ITEMS, sizeof(int32_t)),
                           calloc(USERS * ITEMS, sizeof(float))};
}

static inline struct world make_world(float min_relevant)
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

static inline void free_world(struct world *w)
{
    tv_csr_free(&w->training);
    tv_holdout_free(&w->holdout);
}

/* Knows the first ten items of even users; fails for user `fails`. */
struct half {
    int32_t fails;
};

static inline enum tv_status half_scores(void *context, int thread, int32_t user, double *scores, struct tv_error *err)
{
    const struct half *h = context;
    assert_in_range(thread, 0, 3);
    for (int i = 0; i < ITEMS; i++)
        scores[i] = user % 2 == 0 && i < 10 ? -i : NAN;
    return user == h->fails ? tv_fail(err, TV_ERR_NUMERIC, "user %d is too much", user) : TV_OK;
}

static inline enum tv_status half_predict(void *context, int thread, int32_t user, const int32_t *items, size_t n,
                                   double *predicted, struct tv_error *err)
{
    const struct half *h = context;
    assert_in_range(thread, 0, 3);
    for (size_t i = 0; i < n; i++)
        predicted[i] = user % 2 == 0 && items[i] < 10 ? 3 : NAN;
    return user == h->fails ? tv_fail(err, TV_ERR_NUMERIC, "user %d is too much", user) : TV_OK;
}

#endif
