/* test_rank_ids: the ids of many rows become their ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "lib/core/rank_ids.h"

static void ranks_are_by_size(void **state)
{
    (void)state;
    const int64_t ids[] = {30, 30, INT64_MAX, -5, 30, INT64_MIN, -5, 0}, expected[] = {INT64_MIN, -5, 0, 30, INT64_MAX};
    const int32_t ranks[] = {3, 3, 4, 1, 3, 0, 1, 2};
    int64_t *sorted;
    int32_t n, *dense;
    assert_int_equal(tv_rank_ids(&sorted, &n, &dense, ids, 8, "users", NULL), TV_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(sorted, expected, sizeof expected);
    assert_memory_equal(dense, ranks, sizeof ranks);
    free(sorted);
    free(dense);
}

/* Far more ids than the first table has places for, each twice, in no order. */
static void many_ids(void **state)
{
    (void)state;
    enum { N = 50021 }; /* a prime, so that multiples of 7919 meet every number below it */
    static int64_t ids[2 * N];
    int64_t *sorted;
    int32_t n, *dense;
    for (int i = 0; i < 2 * N; i++)
        ids[i] = (int64_t)((int64_t)i * 7919 % N) * 4096 - 1000000;
    assert_int_equal(tv_rank_ids(&sorted, &n, &dense, ids, 2 * N, "items", NULL), TV_OK);
    assert_int_equal(n, N);
    for (int i = 0; i < N; i++)
        assert_true(sorted[i] == (int64_t)i * 4096 - 1000000);
    for (int i = 0; i < 2 * N; i++)
        assert_true(sorted[dense[i]] == ids[i]);
    free(sorted);
    free(dense);
}

static void no_rows_have_no_ids(void **state)
{
    (void)state;
    int64_t *sorted;
    int32_t n = 7, *dense;
    assert_int_equal(tv_rank_ids(&sorted, &n, &dense, NULL, 0, "items", NULL), TV_OK);
    assert_int_equal(n, 0);
    free(sorted);
    free(dense);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_by_size),
        cmocka_unit_test(many_ids),
        cmocka_unit_test(no_rows_have_no_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
