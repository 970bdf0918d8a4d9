/* test_csr: a transposed matrix, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "trivet/core/csr.h"

static void transposing_twice_comes_back(void **state)
{
    (void)state;
    int64_t row_start[] = {0, 2, 3, 5};
    int32_t row_column[] = {0, 1, 2, 0, 2};
    float row_value[] = {1, 2, 3, 4, 5};
    const struct tv_csr m = {3, 3, 5, row_start, row_column, row_value};
    const int64_t start[] = {0, 2, 3, 5};
    const int32_t column[] = {0, 2, 0, 1, 2};
    const float value[] = {1, 4, 2, 3, 5};
    struct tv_csr t, back;
    assert_int_equal(tv_csr_transpose(&t, &m, NULL), TV_OK);
    assert_memory_equal(t.start, start, sizeof start);
    assert_memory_equal(t.column, column, sizeof column);
    assert_memory_equal(t.value, value, sizeof value);
    assert_int_equal(tv_csr_transpose(&back, &t, NULL), TV_OK);
    assert_memory_equal(back.start, m.start, 4 * sizeof *back.start);
    assert_memory_equal(back.column, m.column, 5 * sizeof *back.column);
    assert_memory_equal(back.value, m.value, 5 * sizeof *back.value);
    tv_csr_free(&t);
    assert_null(t.start);
    tv_csr_free(&back);
    tv_csr_free(NULL);
}

/* Rows and columns without a value, at the ends and in the middle. */
static void empty_rows_become_empty_columns(void **state)
{
    (void)state;
    int64_t row_start[] = {0, 0, 2, 2, 3, 3};
    int32_t row_column[] = {1, 3, 1};
    float row_value[] = {1, 2, 3};
    const struct tv_csr m = {5, 6, 3, row_start, row_column, row_value};
    const int64_t start[] = {0, 0, 2, 2, 3, 3, 3};
    const int32_t column[] = {1, 3, 1};
    const float value[] = {1, 3, 2};
    struct tv_csr t;
    assert_int_equal(tv_csr_transpose(&t, &m, NULL), TV_OK);
    assert_int_equal(t.n_rows, 6);
    assert_int_equal(t.n_cols, 5);
    assert_int_equal(t.n_values, 3);
    assert_memory_equal(t.start, start, sizeof start);
    assert_memory_equal(t.column, column, sizeof column);
    assert_memory_equal(t.value, value, sizeof value);
    tv_csr_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposing_twice_comes_back),
        cmocka_unit_test(empty_rows_become_empty_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
