/* test_holdout: held-out ratings beside a training matrix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "trivet/core/eval/holdout.h"
#include "trivet/core/eval/split.h"

/* User 1 is known with an item that is not, user 3 is cold, item 9 comes with both; item 8 only with user 3. */
static void what_is_cold_is_counted(void **state)
{
    (void)state;
    const int64_t user[] = {1, 1, 1, 1, 2, 2, 3, 3, 3}, item[] = {4, 5, 6, 9, 4, 6, 4, 8, 9};
    const float value[] = {1, 2, 3, 4, 5, 2, 5, 5, 5};
    struct tv_pairs pairs = {9, user, item, value, NULL};
    uint8_t portion[] = {0, 0, 1, 1, 1, 0, 1, 1, 1};
    struct tv_split s = {portion, {3, 6, 0}};
    struct tv_matrix training;
    struct tv_holdout h;
    assert_int_equal(tv_split_matrix(&training, &pairs, &s, TV_TRAINING, NULL), TV_OK);
    assert_int_equal(training.csr.n_rows, 2);
    assert_int_equal(training.csr.n_cols, 3);
    assert_int_equal(tv_holdout_create(&h, &pairs, &s, TV_TEST, &training, 4, NULL), TV_OK);
    const int64_t start[] = {0, 1, 2};
    const int32_t column[] = {2, 0}, unreachable[] = {1, 0};
    const float kept[] = {3, 5};
    assert_memory_equal(h.test.start, start, sizeof start);
    assert_memory_equal(h.test.column, column, sizeof column);
    assert_memory_equal(h.test.value, kept, sizeof kept);
    assert_memory_equal(h.unreachable, unreachable, sizeof unreachable);
    struct tv_holdout_counts counts = {6, 3, 4, 1, 2, 3, 1};
    assert_memory_equal(&h.counts, &counts, sizeof counts);
    tv_holdout_free(&h);
    assert_int_equal(tv_holdout_create(&h, &pairs, &s, TV_TEST, &training, 4.5f, NULL), TV_OK);
    assert_int_equal(h.unreachable[0], 0); /* a 4 is not relevant any more */
    assert_int_equal(h.test.n_values, 2);  /* but every rating is there to be predicted */
    tv_holdout_free(&h);
    assert_int_equal(tv_holdout_create(&h, &pairs, &s, TV_VALIDATION, &training, 4, NULL), TV_OK);
    assert_int_equal(h.counts.rows + h.counts.users + h.counts.items + h.test.n_values, 0);
    tv_holdout_free(&h);
    assert_null(h.test.start);
    tv_matrix_free(&training);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_cold_is_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
