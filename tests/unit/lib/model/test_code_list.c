/* test_code_list: whether the codes of some ids have to be read at all, and a list that holds none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "trivet/base/code.h"
#include "trivet/model/code_list.h"

static void only_ids_of_the_range_need_a_list(void **state)
{
    (void)state;
    const int64_t below[] = {-7, 0, TV_CODE_FIRST - 1}, above[] = {3, TV_CODE_END, INT64_MAX};
    const int64_t first[] = {3, TV_CODE_FIRST, TV_CODE_END}, last[] = {TV_CODE_END - 1},
                  live[] = {1, 2, TV_CODE_SINGLE};
    assert_false(tv_code_list_needed(NULL, 0));
    assert_false(tv_code_list_needed(below, 3));
    assert_false(tv_code_list_needed(above, 3));
    assert_true(tv_code_list_needed(first, 3));
    assert_true(tv_code_list_needed(last, 1));
    assert_true(tv_code_list_needed(live, 3));
}

static void an_empty_list_has_no_code(void **state)
{
    (void)state;
    struct tv_code_list list = {.n = 0};
    assert_null(tv_code_list_find(&list, TV_CODE_FIRST));
    assert_null(tv_code_list_find(&list, 7));
    tv_code_list_free(&list);
    tv_code_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_ids_of_the_range_need_a_list),
        cmocka_unit_test(an_empty_list_has_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
