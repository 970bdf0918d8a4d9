/* test_evidence: rows of users become pairs; repeats are averaged as SQL does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/evidence.h"
#include "trivet/core/ratings.h"

static void pairs_are_gathered_by_user(void **state)
{
    (void)state;
    struct tv_evidence e = TV_EVIDENCE_INIT;
    const struct {
        int64_t user, item;
        float rating;
    } rows[] = {{-5, 1, 4}, {-5, 9, 1}, {2, 1, 5}, {2, 1, 4}, {2, 1, 4}, {2, 3, 2.5f}, {INT64_MAX, INT64_MIN, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(tv_evidence_add(&e, rows[i].user, rows[i].item, rows[i].rating, NULL), TV_OK);
    assert_int_equal(e.n_users, 3);
    assert_int_equal(e.n_pairs, 5);
    const size_t start[] = {0, 2, 4, 5};
    assert_memory_equal(e.start, start, sizeof start);
    assert_true(e.ratings[2] == (float)(13.0 / 3.0));
    assert_true(e.ratings[3] == 2.5f);
    assert_true(e.users[2] == INT64_MAX && e.items[4] == INT64_MIN);
    float low, high;
    tv_evidence_scale(&e, &low, &high);
    assert_true(low == 1 && high == (float)(13.0 / 3.0)); /* of means: no pair has the 5 that one row has */
    tv_evidence_free(&e);
    assert_null(e.users);
    tv_evidence_scale(&e, &low, &high);
    assert_true(low == 0 && high == 0);
}

static double step_of(const float *values, size_t n)
{
    struct tv_evidence e = TV_EVIDENCE_INIT;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tv_evidence_add(&e, 1, (int64_t)i, values[i], NULL), TV_OK);
    double step = tv_evidence_step(&e);
    tv_evidence_free(&e);
    return step;
}

static void the_step_is_that_of_a_scale(void **state)
{
    (void)state;
    static const struct {
        float values[8];
        double step;
    } cases[] = {
        {{1, 2, 5, 4, 3, 1, 1, 1}, 1},
        {{5, 4.5f, 0.5f, 2, 2, 2, 2, 2}, 0.5},
        {{1, 2.5f, 4.5f, 4.5f, 1, 1, 1, 1}, 0.5}, /* no two of them are that near */
        {{0.1f, 0.3f, 0.7f, 0.1f, 0.2f, 0.1f, 0.1f, 0.1f}, 0.1},
        {{1.22f, 4.9f, 2.14f, 3.06f, 1.22f, 4.9f, 4.9f, 4.9f}, 0.92},
        {{-10, 10, -5, 0, 0, 0, 0, 0}, 5},
        {{-9.81f, 10, -10, 3.14f, 0, 0, 0, 0}, 0}, /* hundredths would be 2000 steps */
        {{3, 3, 3, 3, 3, 3, 3, 3}, 0},
        {{-3e38f, 3e38f, 0, 0, 0, 0, 0, 0}, 3e38},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(step_of(cases[i].values, 8) == cases[i].step);
    static float many[101];
    for (int i = 0; i < 101; i++)
        many[i] = (float)i;
    assert_true(step_of(many, 100) == 1 && step_of(many, 101) == 0);
    assert_true(step_of(many, 0) == 0);
    float stars[4000];
    for (int i = 0; i < 4000; i++)
        stars[i] = (float)(1 + i % 5);
    stars[7] = stars[8] = stars[9] = 3.25F; /* fewer than one in a thousand are no step */
    assert_true(step_of(stars, 4000) == 1);
    assert_true(step_of(stars, 2000) == 0.25); /* but these are more */
    stars[7] = stars[8] = 4;
    stars[9] = 0.5F; /* an end of the scale */
    assert_true(step_of(stars, 4000) == 0.5);
    /* A pair of several rows is a mean, which no row has. */
    struct tv_evidence e = TV_EVIDENCE_INIT;
    const float rows[][2] = {{1, 2}, {2, 2}, {2, 3}, {3, 5}, {4, 1}, {4, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(tv_evidence_add(&e, 1, (int64_t)rows[i][0], rows[i][1], NULL), TV_OK);
    assert_true(tv_evidence_step(&e) == 3);
    tv_evidence_free(&e);
}

static void rows_are_counted_beside_pairs(void **state)
{
    (void)state;
    struct tv_evidence e = TV_EVIDENCE_INIT;
    int64_t *items, *rows;
    int32_t n;
    const int64_t added[][2] = {{1, 7}, {1, 9}, {1, 9}, {1, 9}, {2, -4}, {2, 9}, {3, 7}, {3, 7}};
    for (size_t i = 0; i < sizeof added / sizeof *added; i++)
        assert_int_equal(tv_evidence_add(&e, added[i][0], added[i][1], 1, NULL), TV_OK);
    const int64_t user_rows[] = {4, 2, 2}, item_ids[] = {-4, 7, 9}, item_rows[] = {1, 3, 4};
    assert_memory_equal(e.user_rows, user_rows, sizeof user_rows);
    assert_int_equal(e.n_repeats, 2);
    assert_int_equal(tv_evidence_item_rows(&e, &items, &rows, &n, NULL), TV_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(items, item_ids, sizeof item_ids);
    assert_memory_equal(rows, item_rows, sizeof item_rows);
    free(items);
    free(rows);
    tv_evidence_free(&e);
    assert_int_equal(tv_evidence_item_rows(&e, &items, &rows, &n, NULL), TV_OK);
    assert_int_equal(n, 0);
    free(items);
    free(rows);
}

static void the_same_item_of_two_users_is_two_pairs(void **state)
{
    (void)state;
    struct tv_evidence e = TV_EVIDENCE_INIT;
    assert_int_equal(tv_evidence_add(&e, 1, 7, 1, NULL), TV_OK);
    assert_int_equal(tv_evidence_add(&e, 2, 7, 3, NULL), TV_OK);
    assert_int_equal(e.n_pairs, 2);
    assert_true(e.ratings[0] == 1 && e.ratings[1] == 3);
    tv_evidence_free(&e);
}

static void rows_out_of_order_are_refused(void **state)
{
    (void)state;
    struct tv_evidence e = TV_EVIDENCE_INIT;
    struct tv_error err = {0};
    assert_int_equal(tv_evidence_add(&e, 5, 5, 1, &err), TV_OK);
    assert_int_equal(tv_evidence_add(&e, 5, 4, 1, &err), TV_ERR_INPUT);
    assert_int_equal(tv_evidence_add(&e, 4, 9, 1, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "user 4"));
    tv_evidence_free(&e);
}

static void many_rows_grow_it(void **state)
{
    (void)state;
    struct tv_evidence e = TV_EVIDENCE_INIT;
    for (int64_t u = 0; u < 3000; u++)
        for (int64_t i = 0; i < 40; i++)
            assert_int_equal(tv_evidence_add(&e, u, i * u, (float)(i % 5), NULL), TV_OK);
    assert_int_equal(e.n_users, 3000);
    assert_int_equal(e.n_pairs, 2999 * 40 + 1); /* user 0 rated item 0 forty times */
    assert_true(e.ratings[0] == 2.0f);
    assert_true(e.items[e.start[2999] + 39] == 39 * 2999);
    tv_evidence_free(&e);
}

static void pairs_are_picked_with_their_rows(void **state)
{
    (void)state;
    struct tv_evidence e = TV_EVIDENCE_INIT, picked = TV_EVIDENCE_INIT;
    const int64_t rows[][3] = {{1, 5, 2}, {1, 5, 3}, {1, 6, 1}, {2, 5, 4}, {3, 1, 5}, {3, 7, 1}, {3, 7, 1}, {3, 7, 2}};
    const uint8_t marks[] = {1, 0, 0, 0, 1}; /* of five pairs: the first and the last */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(tv_evidence_add(&e, rows[i][0], rows[i][1], (float)rows[i][2], NULL), TV_OK);
    assert_int_equal(e.n_pairs, 5);
    assert_int_equal(tv_evidence_pick(&picked, &e, marks, 1, NULL), TV_OK);
    assert_int_equal(picked.n_users, 2);
    assert_true(picked.users[0] == 1 && picked.users[1] == 3);
    assert_true(picked.items[0] == 5 && picked.items[1] == 7);
    assert_true(picked.ratings[0] == 2.5f && picked.ratings[1] == e.ratings[4]);
    assert_true(picked.user_rows[0] == 2 && picked.user_rows[1] == 3);
    tv_evidence_free(&picked);
    tv_evidence_free(&e);
}

/* A table and a search answer alike, at ids next to each other, far apart, negative and at both ends. */
static void a_map_finds_what_a_search_finds(void **state)
{
    (void)state;
    const int64_t near[] = {-3, -1, 0, 7, 500, 60000};
    const int64_t far[] = {INT64_MIN, -5, 0, 1, INT64_MAX};
    const struct {
        const int64_t *ids;
        size_t n;
        int has_table;
    } cases[] = {{near, 6, 1}, {far, 5, 0}, {near, 1, 1}, {near, 0, 0}};
    const int64_t asked[] = {INT64_MIN, INT64_MIN + 1, -6, -5, -4, -3, -2, -1, 0, 1, 7, 8, 500, 59999, 60000, 60001, INT64_MAX};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tv_dense_map map;
        tv_dense_map_create(&map, cases[c].ids, cases[c].n);
        assert_int_equal(map.place != NULL, cases[c].has_table);
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
            assert_int_equal(tv_dense_map_find(&map, asked[i]), tv_dense_find(cases[c].ids, cases[c].n, asked[i]));
        tv_dense_map_free(&map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_gathered_by_user),
        cmocka_unit_test(the_step_is_that_of_a_scale),
        cmocka_unit_test(rows_are_counted_beside_pairs),
        cmocka_unit_test(the_same_item_of_two_users_is_two_pairs),
        cmocka_unit_test(rows_out_of_order_are_refused),
        cmocka_unit_test(many_rows_grow_it),
        cmocka_unit_test(pairs_are_picked_with_their_rows),
        cmocka_unit_test(a_map_finds_what_a_search_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
