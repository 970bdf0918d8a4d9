/* test_fourth_algorithm: what CONTRIBUTING.md asks of a new algorithm is enough. This program has a table of algorithms
 * and one of foldings of its own, with one that is in no other: "liked" gives each item one factor, the root of how
 * many rated it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/learn/algorithm.h"
#include "train/learn/learn.h"
#include "train/learn/packing.h"
#include "trivet/core/explain.h"
#include "trivet/core/formats/half.h"

/* --- the algorithm: what would be train/learn/liked.c ------------------------------------------------------------- */

static double liked_memory(const struct tv_learn_settings *s, const struct tv_matrix *d)
{
    (void)s;
    return (double)d->csr.n_cols * sizeof(float);
}

static enum tv_status learn_liked(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                                  struct tv_learn_settings *s, struct tv_error *err)
{
    struct tv_learn_packing packing = {.beyond = &report->beyond};
    struct tv_model *m = tv_learn_new_model(d, s, 1, err);
    if (m == NULL)
        return TV_ERR_NO_MEMORY;
    for (int32_t item = 0; item < d->csr.n_cols; item++) {
        int n = 0;
        for (int64_t i = 0; i < d->csr.n_values; i++)
            n += d->csr.column[i] == item;
        const float row = sqrtf((float)n);
        tv_learn_pack_row(&packing, m, (size_t)item, &row);
    }
    m->lambda = s->lambda;
    m->alpha = 1;
    *out = m;
    return tv_learn_end_packing(&packing, m, s->quiet, "ask fewer people", err);
}

/* --- its rows: what would stand in train/learn/algorithms.c and lib/model/foldings.c ------------------------------ */

const struct tv_learn_algorithm tv_learn_algorithms[] = {
    {.name = "liked",
     .score_kind = "relevance",
     .takes_counts = 1,
     .factors = 1,
     .remedy = "ask more people",
     .settings = {{"lambda", 0.5}, {"seed", NAN}},
     .memory = liked_memory,
     .learn = learn_liked},
    {.name = NULL},
};

static enum tv_status prepare_liked(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err)
{
    return tv_fold_in_als_implicit(out, m->item_factors, m->n_items, m->factors, m->lambda, m->alpha, err);
}

const struct tv_model_folding tv_model_foldings[] = {{.algorithm = "liked", .prepare = prepare_liked},
                                                     {.algorithm = NULL}};

/* --- the tests ---------------------------------------------------------------------------------------------------- */

/* Three users: 1 rated items 10, 20 and 30, 2 rated 10 and 20, 3 rated 10 and 30; so 3, 2 and 2 rated each. */
static struct tv_matrix seven_ratings(void)
{
    static const int64_t pairs[][2] = {{1, 10}, {1, 20}, {1, 30}, {2, 10}, {2, 20}, {3, 10}, {3, 30}};
    struct tv_ratings *r = NULL;
    struct tv_matrix d;
    assert_int_equal(tv_ratings_create(&r, NULL), TV_OK);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_int_equal(tv_ratings_add(r, pairs[i][0], pairs[i][1], 1, NULL), TV_OK);
    assert_int_equal(tv_ratings_matrix(&d, r, NULL), TV_OK);
    tv_ratings_free(r);
    return d;
}

static struct tv_model *learned(const struct tv_matrix *d)
{
    struct tv_learn_settings s;
    struct tv_learn_report report;
    struct tv_model *m = NULL;
    tv_learn_defaults(&s, tv_learn_algorithm_of("liked"));
    s.quiet = 1;
    assert_int_equal(tv_learn(&m, &report, d, &s, NULL), TV_OK);
    tv_learn_report_free(&report);
    return m;
}

static void it_learns_a_whole_model(void **state)
{
    (void)state;
    struct tv_matrix d = seven_ratings();
    struct tv_model *m = learned(&d);
    assert_string_equal(m->algorithm, "liked");
    assert_int_equal(m->n_items, 3);
    assert_int_equal(m->item_ids[2], 30);
    assert_true(fabsf(tv_half_to_float(m->item_factors[0]) - sqrtf(3)) < 1e-3f);
    assert_true(fabsf(tv_half_to_float(m->item_factors[2]) - sqrtf(2)) < 1e-3f);
    assert_int_equal(tv_model_check(m, NULL), TV_OK);
    tv_model_free(m);
    tv_matrix_free(&d);
}

static void it_folds_in_and_explains(void **state)
{
    (void)state;
    const int32_t items[] = {0, 1};
    const float ratings[] = {1, 2};
    const struct tv_user_ratings rated = {.items = items, .ratings = ratings, .n = 2};
    struct tv_matrix d = seven_ratings();
    struct tv_model *m = learned(&d);
    struct tv_fold_in f;
    struct tv_explained terms;
    uint16_t user = 0;
    double contributions[2];
    assert_int_equal(tv_model_fold_in(&f, m, NULL), TV_OK);
    assert_int_equal(tv_fold_in_factors(&f, &user, &rated, NULL), TV_OK);
    assert_int_equal(tv_explain(&f, contributions, &terms, 2, &rated, NULL), TV_OK);
    float score = tv_half_to_float(user) * tv_half_to_float(m->item_factors[2]);
    assert_true(score > 0);
    assert_true(fabs(terms.sum - (double)score) < 2e-3);
    assert_true(fabs(contributions[0] + contributions[1] - terms.sum) < 1e-12);
    assert_true(contributions[0] > 0 && contributions[1] > contributions[0]); /* the higher rating says more */
    tv_fold_in_free(&f);
    tv_model_free(m);
    tv_matrix_free(&d);
}

static void its_settings_are_those_of_its_row(void **state)
{
    (void)state;
    struct tv_learn_settings s, back;
    struct tv_error err = {0};
    struct tv_buffer json = TV_BUFFER_INIT(4096), line = TV_BUFFER_INIT(4096);
    tv_learn_defaults(&s, tv_learn_algorithm_of("liked"));
    assert_true(s.lambda == 0.5 && s.factors == 1);
    assert_int_equal(tv_learn_set(&s, "lambda", "2", &err), TV_OK);
    assert_int_equal(tv_learn_set(&s, "alpha", "2", &err), TV_ERR_USAGE);
    assert_int_equal(tv_learn_json(&s, &json, NULL), TV_OK);
    assert_int_equal(tv_learn_from_json(&back, "liked", tv_buffer_string(&json), NULL), TV_OK);
    assert_true(back.lambda == 2);
    assert_int_equal(tv_learn_flags(&s, &line, NULL), TV_OK);
    assert_non_null(strstr(tv_buffer_string(&line), "--algorithm liked"));
    assert_null(tv_learn_algorithm_of("svd"));
    tv_buffer_free(&json);
    tv_buffer_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_a_whole_model),
        cmocka_unit_test(it_folds_in_and_explains),
        cmocka_unit_test(its_settings_are_those_of_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
