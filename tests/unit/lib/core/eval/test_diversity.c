/* test_diversity: the lists of all users: the worked example of docs/metrics.md, drawn pairs, and edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "../numbers_fixture.h"
#include "trivet/core/eval/metrics.h"

static void the_diversity_example(void **state)
{
    (void)state;
    const int32_t lists[] = {0, 1, 2, 0, 2, 3, 4, 0, -1};
    const int64_t popularity[] = {90, 50, 30, 20, 10, 5, 3, 2};
    const struct tv_lists l = {3, 3, 8, lists};
    const struct tv_cuts cuts = {2, {1, 3}};
    struct tv_diversity d[2];
    assert_int_equal(tv_diversity(d, &cuts, &l, popularity, 10000, 1, NULL), TV_OK);
    assert_near(d[0].coverage, 2 / 8.0);
    assert_near(d[0].popularity, (90 + 90 + 10) / 3.0);
    assert_near(d[0].overlap, 1 / 3.0);
    assert_near(d[0].jaccard, 1 / 3.0);
    assert_near(d[1].coverage, 5 / 8.0);
    assert_near(d[1].popularity, (90 + 50 + 30 + 90 + 30 + 20 + 10 + 90) / 8.0);
    assert_near(d[1].overlap, (2 + 1 + 1) / 3.0);
    assert_near(d[1].jaccard, (2 / 4.0 + 1 / 4.0 + 1 / 4.0) / 3);
}

/* Pairs that are drawn: the mean of many comes near the mean of all, and the seed decides. */
static void overlap_of_drawn_pairs(void **state)
{
    (void)state;
    enum { USERS = 60, DEPTH = 5, ITEMS = 12 };
    int32_t lists[USERS * DEPTH];
    int64_t popularity[ITEMS] = {0};
    for (int u = 0; u < USERS; u++)
        for (int j = 0; j < DEPTH; j++)
            lists[u * DEPTH + j] = (u * u % 7 + j) % ITEMS;
    const struct tv_lists l = {USERS, DEPTH, ITEMS, lists};
    const struct tv_cuts cuts = {2, {2, 5}};
    struct tv_diversity all[2], drawn[2], again[2], other[2];
    assert_int_equal(tv_diversity(all, &cuts, &l, popularity, USERS * (USERS - 1) / 2, 1, NULL), TV_OK);
    assert_int_equal(tv_diversity(drawn, &cuts, &l, popularity, 1700, 1, NULL), TV_OK);
    assert_int_equal(tv_diversity(again, &cuts, &l, popularity, 1700, 1, NULL), TV_OK);
    assert_int_equal(tv_diversity(other, &cuts, &l, popularity, 1700, 2, NULL), TV_OK);
    assert_memory_equal(drawn, again, sizeof drawn);
    assert_true(drawn[1].overlap != other[1].overlap);
    double plain = 0;
    for (int a = 0; a < USERS; a++)
        for (int b = a + 1; b < USERS; b++)
            for (int i = 0; i < DEPTH; i++)
                for (int j = 0; j < DEPTH; j++)
                    plain += lists[a * DEPTH + i] == lists[b * DEPTH + j];
    assert_near(all[1].overlap, plain / (USERS * (USERS - 1) / 2));
    for (int c = 0; c < 2; c++) {
        assert_true(fabs(drawn[c].overlap / all[c].overlap - 1) < 0.1);
        assert_true(fabs(drawn[c].jaccard / all[c].jaccard - 1) < 0.1);
    }
}

static void nobody_is_compared_with_themselves(void **state)
{
    (void)state;
    const int32_t lists[] = {0, 1, 2};
    const int64_t popularity[] = {1, 1, 1};
    const struct tv_lists l = {3, 1, 3, lists};
    const struct tv_cuts cuts = {1, {1}};
    struct tv_diversity d;
    for (uint64_t seed = 0; seed < 50; seed++) {
        assert_int_equal(tv_diversity(&d, &cuts, &l, popularity, 2, seed, NULL), TV_OK);
        assert_true(d.overlap == 0 && d.coverage == 1);
    }
}

static void lists_that_do_not_tell(void **state)
{
    (void)state;
    const int32_t empty[] = {-1, -1, -1, -1};
    const int64_t popularity[] = {1, 2, 3};
    const struct tv_cuts cuts = {1, {2}};
    struct tv_diversity d;
    const struct tv_lists two = {2, 2, 3, empty}, one = {1, 2, 3, empty}, none = {0, 2, 3, NULL};
    assert_int_equal(tv_diversity(&d, &cuts, &two, popularity, 10, 1, NULL), TV_OK);
    assert_true(d.coverage == 0 && isnan(d.popularity) && d.overlap == 0 && d.jaccard == 0);
    assert_int_equal(tv_diversity(&d, &cuts, &one, popularity, 10, 1, NULL), TV_OK);
    assert_true(isnan(d.overlap) && isnan(d.jaccard));
    assert_int_equal(tv_diversity(&d, &cuts, &none, popularity, 10, 1, NULL), TV_OK);
    assert_true(d.coverage == 0 && isnan(d.overlap));
    const struct tv_cuts deep = {1, {3}};
    assert_int_equal(tv_diversity(&d, &deep, &two, popularity, 10, 1, NULL), TV_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_diversity_example),
        cmocka_unit_test(overlap_of_drawn_pairs),
        cmocka_unit_test(nobody_is_compared_with_themselves),
        cmocka_unit_test(lists_that_do_not_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
