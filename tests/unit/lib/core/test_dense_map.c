/* test_dense_map: an id's dense index is found by a table or by search, with the same answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "trivet/core/ratings.h"

/* Every id, its neighbours, and the ends of the range. */
static void answers_like_a_search(const int64_t *ids, size_t n, int has_table)
{
    struct tv_dense_map m;
    tv_dense_map_create(&m, ids, n);
    assert_int_equal(m.place != NULL, has_table);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(tv_dense_map_find(&m, ids[i]), i);
        if (ids[i] < INT64_MAX)
            assert_int_equal(tv_dense_map_find(&m, ids[i] + 1), tv_dense_find(ids, n, ids[i] + 1));
        if (ids[i] > INT64_MIN)
            assert_int_equal(tv_dense_map_find(&m, ids[i] - 1), tv_dense_find(ids, n, ids[i] - 1));
    }
    assert_int_equal(tv_dense_map_find(&m, 12345), -1);
    assert_int_equal(tv_dense_map_find(&m, -12345), -1);
    tv_dense_map_free(&m);
    assert_null(m.place);
}

static void ids_that_lie_close_have_a_table(void **state)
{
    (void)state;
    const int64_t near[] = {-5, -4, 0, 1, 2, 900, 10000}, one[] = {INT64_MIN}, top[] = {INT64_MAX - 3, INT64_MAX};
    answers_like_a_search(near, 7, 1);
    answers_like_a_search(one, 1, 1);
    answers_like_a_search(top, 2, 1);
}

static void ids_that_lie_apart_are_searched(void **state)
{
    (void)state;
    const int64_t ends[] = {INT64_MIN, 0, INT64_MAX}, far[] = {0, 1, INT64_C(1) << 40};
    answers_like_a_search(ends, 3, 0);
    answers_like_a_search(far, 3, 0);
    answers_like_a_search(NULL, 0, 0);
}

/* 4 bytes x (64 n + 65,536) at the most. */
static void the_table_stays_within_its_bound(void **state)
{
    (void)state;
    int64_t ids[] = {0, 2 * 64 + 65535};
    struct tv_dense_map m;
    tv_dense_map_create(&m, ids, 2);
    assert_non_null(m.place);
    assert_int_equal(m.n_places, 2 * 64 + 65536);
    tv_dense_map_free(&m);
    ids[1]++;
    tv_dense_map_create(&m, ids, 2);
    assert_null(m.place);
    assert_int_equal(tv_dense_map_find(&m, ids[1]), 1);
    tv_dense_map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_that_lie_close_have_a_table),
        cmocka_unit_test(ids_that_lie_apart_are_searched),
        cmocka_unit_test(the_table_stays_within_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
