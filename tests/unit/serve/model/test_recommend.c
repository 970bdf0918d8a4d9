/* test_recommend: rankings against a sort of all scores, and which reason is given when. */
#include "../serve_fixture.h"

#include "serve/model/recommend.h"

enum { ITEMS = 211, FACTORS = 13 };

static const double *scores_to_sort;

static int best_first(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    double sx = scores_to_sort[x], sy = scores_to_sort[y];
    return sx != sy ? (sx > sy ? -1 : 1) : (x > y) - (x < y);
}

/* Every item scored in float64, the seen ones taken out, all sorted. Returns how many are left. */
static size_t brute_force(int32_t *order, double *scores, const struct tv_resident *s, const struct tv_user_document *u)
{
    size_t n = 0, k = (size_t)s->factors;
    for (int32_t i = 0; i < s->n_items; i++) {
        int seen = 0;
        for (size_t j = 0; j < u->n_seen; j++)
            seen |= u->seen[j] == i;
        scores[i] = 0;
        for (size_t f = 0; f < k; f++)
            scores[i] += (double)tv_half_to_float(s->item_factors[(size_t)i * k + f]) * (double)tv_half_to_float(u->value[f]);
        if (!seen)
            order[n++] = i;
    }
    scores_to_sort = scores;
    qsort(order, n, sizeof *order, best_first);
    return n;
}

static void rankings_equal_a_full_sort(void **state)
{
    (void)state;
    struct tv_workspace w = {0};
    for (int64_t number = 1; number <= 20; number++) {
        struct tv_resident *s = fixture_resident(number, ITEMS, FACTORS, "A title", NULL);
        struct tv_user_document *u = fixture_user(s, 100 + number, 0, 2 + (int)number % 5);
        double scores[ITEMS];
        int32_t order[ITEMS];
        size_t eligible = brute_force(order, scores, s, u);
        const size_t tops[] = {1, 15, 100, eligible, eligible + 1, 1000};
        for (size_t t = 0; t < sizeof tops / sizeof *tops; t++) {
            struct tv_ranking r;
            assert_int_equal(tv_recommend(&r, &w, s, u, NULL, tops[t], NULL), TV_OK);
            assert_int_equal(r.n, tops[t] < eligible ? tops[t] : eligible);
            for (size_t i = 0; i < r.n; i++) {
                assert_int_equal(r.best[i].item, order[i]);
                assert_true(r.best[i].score == scores[order[i]]);
            }
        }
        tv_user_document_free(u);
        tv_resident_release(s);
    }
    tv_workspace_free(&w);
}

static enum tv_reason reason_of(struct tv_workspace *w, struct tv_resident *s, struct tv_user_document *u)
{
    struct tv_ranking r;
    assert_int_equal(tv_recommend(&r, w, s, u, NULL, 5, NULL), TV_OK);
    assert_string_equal(r.score_kind, r.reason == TV_REASON_POPULAR ? "count" : "relevance");
    tv_user_document_free(u);
    return r.reason;
}

static void the_reason_says_where_a_list_comes_from(void **state)
{
    (void)state;
    struct tv_workspace w = {0};
    struct tv_resident *s = fixture_resident(3, ITEMS, FACTORS, "A title", NULL);
    struct tv_user_document *zeros = fixture_user(s, 4, 7, 3);
    for (int f = 0; f < FACTORS; f++)
        zeros->value[f] = f % 2 ? 0x8000 : 0; /* -0 is zero, too */
    assert_int_equal(reason_of(&w, s, fixture_user(s, 1, 0, 3)), TV_REASON_PERSONAL);
    assert_int_equal(reason_of(&w, s, fixture_user(s, 2, -1, 3)), TV_REASON_FOLDED_IN);
    assert_int_equal(reason_of(&w, s, fixture_user(s, 3, 5, 0)), TV_REASON_POPULAR);
    assert_int_equal(reason_of(&w, s, zeros), TV_REASON_POPULAR);
    assert_int_equal(reason_of(&w, s, NULL), TV_REASON_POPULAR);
    tv_workspace_free(&w);
    tv_resident_release(s);
}

static void the_popular_list_is_by_ratings_then_id(void **state)
{
    (void)state;
    struct tv_workspace w = {0};
    struct tv_ranking r;
    struct tv_resident *s = fixture_resident(3, ITEMS, FACTORS, "A title", NULL);
    assert_int_equal(tv_recommend(&r, &w, s, NULL, NULL, 1000, NULL), TV_OK);
    assert_int_equal(r.n, ITEMS);
    for (size_t i = 1; i < r.n; i++) {
        struct tv_scored a = r.best[i - 1], b = r.best[i];
        assert_true(a.score > b.score || (a.score == b.score && a.item < b.item));
        assert_true(b.score == (double)(b.item % 7));
    }
    struct tv_user_document *u = fixture_user(s, 4, -1, 3);
    memset(u->value, 0, FACTORS * sizeof *u->value);
    assert_int_equal(tv_recommend(&r, &w, s, u, NULL, 1000, NULL),
                     TV_OK); /* popular, and still nothing seen in it */
    assert_int_equal(r.reason, TV_REASON_POPULAR);
    assert_int_equal(r.n, ITEMS - u->n_seen);
    for (size_t i = 0; i < r.n; i++)
        assert_int_not_equal(r.best[i].item % 3, 0);
    tv_user_document_free(u);
    tv_workspace_free(&w);
    tv_resident_release(s);
}

static void a_workspace_serves_models_of_any_size(void **state)
{
    (void)state;
    struct tv_workspace w = {0};
    const int32_t sizes[] = {5, 400, 1, 37};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tv_ranking r;
        struct tv_resident *s = fixture_resident(9, sizes[i], 3 + (int)i, "A title", NULL);
        struct tv_user_document *u = fixture_user(s, 1, 0, 2);
        assert_int_equal(tv_recommend(&r, &w, s, u, NULL, 1000, NULL), TV_OK);
        assert_int_equal(r.n, (size_t)sizes[i] - u->n_seen);
        tv_user_document_free(u);
        tv_resident_release(s);
    }
    tv_workspace_free(&w);
}

static void a_kept_ranking_is_the_beginning_of_the_whole(void **state)
{
    (void)state;
    struct tv_workspace w = {0};
    struct tv_ranking whole, part;
    struct tv_resident *s = fixture_resident(3, ITEMS, FACTORS, "A title", NULL);
    struct tv_user_document *u = fixture_user(s, 4, 0, 3);
    assert_int_equal(tv_recommend(&whole, &w, s, u, NULL, 120, NULL), TV_OK);
    struct tv_kept_ranking *kept = tv_ranking_keep(&whole);
    assert_true(tv_ranking_from_kept(&part, kept, s, 15));
    assert_int_equal(part.n, 15);
    assert_int_equal(part.reason, whole.reason);
    assert_string_equal(part.score_kind, "relevance");
    for (size_t i = 0; i < part.n; i++)
        assert_int_equal(part.best[i].item, whole.best[i].item);
    assert_false(tv_ranking_from_kept(&part, kept, s, TV_KEPT_ITEMS + 1)); /* there are more than it holds */
    free(kept);
    whole.n = 7; /* a list that is all there is answers for any number */
    kept = tv_ranking_keep(&whole);
    assert_true(tv_ranking_from_kept(&part, kept, s, 1000));
    assert_int_equal(part.n, 7);
    free(kept);
    tv_user_document_free(u);
    tv_workspace_free(&w);
    tv_resident_release(s);
}

static void a_stored_list_is_taken_while_it_is_long_enough(void **state)
{
    (void)state;
    struct tv_workspace w = {0};
    struct tv_ranking r;
    struct tv_resident *s = fixture_resident(3, ITEMS, FACTORS, "A title", NULL);
    struct tv_user_document *u = fixture_user(s, 4, 0, 3);
    assert_false(tv_recommend_stored(&r, &w, s, u, 1)); /* there is none */
    struct tv_pair list[] = {{120, 7.5}, {20, 7.25}, {500, -1}};
    u->top = list;
    u->n_top = 3;
    assert_true(tv_recommend_stored(&r, &w, s, u, 2));
    assert_int_equal(r.n, 2);
    assert_int_equal(r.reason, TV_REASON_PERSONAL);
    assert_true(r.best[0].item == 11 && r.best[0].score == 7.5 && r.best[1].item == 1);
    assert_false(tv_recommend_stored(&r, &w, s, u, 4));
    list[1].integer = 21; /* no item of the model */
    assert_true(tv_recommend_stored(&r, &w, s, u, 1));
    assert_false(tv_recommend_stored(&r, &w, s, u, 2));
    memset(u->value, 0, FACTORS * sizeof *u->value); /* gets the popular list */
    assert_false(tv_recommend_stored(&r, &w, s, u, 1));
    u->top = NULL;
    tv_user_document_free(u);
    tv_workspace_free(&w);
    tv_resident_release(s);
}

static void factors_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    static const int64_t ids[] = {1, 2};
    static const uint16_t factors[] = {0x3C00, 0x3C00, 0x7C00, 0x3C00}; /* 1 1, infinity 1 */
    struct tv_model model = {.run_number = 1, .factors = 2, .n_items = 2, .item_ids = malloc(sizeof ids), .item_factors = malloc(sizeof factors)};
    struct tv_item_side *side = NULL;
    struct tv_error err = {0};
    memcpy(model.item_ids, ids, sizeof ids);
    memcpy(model.item_factors, factors, sizeof factors);
    assert_int_equal(tv_item_side_create(&side, &model, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "item 2"));
    assert_null(side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rankings_equal_a_full_sort),
        cmocka_unit_test(the_reason_says_where_a_list_comes_from),
        cmocka_unit_test(the_popular_list_is_by_ratings_then_id),
        cmocka_unit_test(a_workspace_serves_models_of_any_size),
        cmocka_unit_test(a_kept_ranking_is_the_beginning_of_the_whole),
        cmocka_unit_test(a_stored_list_is_taken_while_it_is_long_enough),
        cmocka_unit_test(factors_that_are_no_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
