/* test_fold_in_document: a user's document from ratings of items, some of which the model does not have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/formats/half.h"
#include "trivet/model/fold_in_document.h"

enum { ITEMS = 4, FACTORS = 2 };

static const int64_t item_ids[ITEMS] = {10, 20, 30, INT64_MAX};
static const double sigma[FACTORS] = {4, 1};
static uint16_t item_factors[ITEMS * FACTORS];

struct folding {
    struct tv_fold_in fold_in;
    struct tv_fold_in_model f;
    struct tv_fold_in_space space;
};

static int make_folding(void **state)
{
    struct folding *g = calloc(1, sizeof *g);
    const float factors[] = {1, 0, 0, 1, 2, 2, 60000, 0};
    tv_half_from_floats(item_factors, factors, ITEMS * FACTORS);
    *state = g;
    if (tv_fold_in_svd(&g->fold_in, item_factors, ITEMS, FACTORS, sigma, 0.5, NULL) != TV_OK)
        return -1;
    tv_fold_in_model_init(&g->f, &g->fold_in, item_ids);
    tv_fold_in_space_init(&g->space);
    return 0;
}

static int free_folding(void **state)
{
    struct folding *g = *state;
    tv_fold_in_space_free(&g->space);
    tv_fold_in_model_free(&g->f);
    tv_fold_in_free(&g->fold_in);
    free(g);
    return 0;
}

/* p = r I diag(1 / sigma): 3 of item 20 and 2 of item 30 are (4, 7) before the division. */
static void known_items_make_the_factors(void **state)
{
    struct folding *g = *state;
    const int64_t items[] = {-1, 20, 25, 30};
    const float ratings[] = {5, 3, 4, 2};
    assert_int_equal(tv_fold_in_document(&g->f, &g->space, 77, items, ratings, 4, NULL), TV_OK);
    const struct tv_user_document *u = &g->space.document;
    assert_int_equal(u->user_id, 77);
    assert_int_equal(u->row, -1);
    assert_int_equal(u->rev, 0);
    assert_null(u->code);
    assert_null(u->why);
    assert_int_equal(u->n_seen, 2);
    assert_int_equal(u->seen[0], 1);
    assert_int_equal(u->seen[1], 2);
    assert_int_equal(u->n_rated, 4);
    assert_ptr_equal(u->rated, items);
    assert_true(tv_half_to_float(u->value[0]) == 1 && tv_half_to_float(u->value[1]) == 7);
    assert_true(tv_user_document_is_placed(u));
    assert_true(g->space.blobs.value.size > 0 && g->space.blobs.ratings.size > 0);
}

static void who_rated_nothing_of_the_model_has_no_place(void **state)
{
    struct folding *g = *state;
    const int64_t items[] = {11};
    const float ratings[] = {5};
    for (size_t n = 0; n <= 1; n++) {
        assert_int_equal(tv_fold_in_document(&g->f, &g->space, 1, items, ratings, n, NULL), TV_OK);
        assert_int_equal(g->space.document.n_seen, 0);
        assert_int_equal(g->space.document.n_rated, n);
        assert_true(g->space.document.value[0] == 0 && g->space.document.value[1] == 0);
        assert_false(tv_user_document_is_placed(&g->space.document));
    }
}

/* 9 times 60,000 / 4 is more than a float16 holds: this user's alone, and the next one is folded in again. */
static void factors_that_cannot_be_kept_say_why(void **state)
{
    struct folding *g = *state;
    const int64_t items[] = {INT64_MAX};
    float ratings[] = {9};
    assert_int_equal(tv_fold_in_document(&g->f, &g->space, 1, items, ratings, 1, NULL), TV_OK);
    assert_non_null(g->space.document.why);
    assert_true(g->space.document.value[0] == 0);
    ratings[0] = 1;
    assert_int_equal(tv_fold_in_document(&g->f, &g->space, 2, items, ratings, 1, NULL), TV_OK);
    assert_null(g->space.document.why);
    assert_true(tv_half_to_float(g->space.document.value[0]) == 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_items_make_the_factors),
        cmocka_unit_test(who_rated_nothing_of_the_model_has_no_place),
        cmocka_unit_test(factors_that_cannot_be_kept_say_why),
    };
    return cmocka_run_group_tests(tests, make_folding, free_folding);
}
