/* test_items: items are found by id and by code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/model/items.h"

static struct tv_items four_items(void)
{
    static const struct tv_item items[] = {
        {.id = -3, .code = "zebra"}, {.id = 5}, {.id = 8, .code = "Zebra"}, {.id = INT64_MAX, .code = "apple"}};
    struct tv_items out = {.n = 4, .items = malloc(sizeof items)};
    assert_non_null(out.items);
    memcpy(out.items, items, sizeof items);
    return out;
}

static void by_id(void **state)
{
    (void)state;
    struct tv_items items = four_items(), none = {0};
    for (size_t i = 0; i < items.n; i++)
        assert_ptr_equal(tv_items_find(&items, items.items[i].id), &items.items[i]);
    assert_null(tv_items_find(&items, 6));
    assert_null(tv_items_find(&items, INT64_MIN));
    assert_null(tv_items_find(&none, 5));
    tv_items_free(&items);
    assert_int_equal(items.n, 0);
    tv_items_free(NULL);
}

static void by_code(void **state)
{
    (void)state;
    struct tv_items items = four_items();
    assert_null(tv_items_find_code(&items, "zebra"));
    assert_int_equal(tv_items_sort_codes(&items, NULL), TV_OK);
    assert_int_equal(items.n_codes, 3);
    assert_string_equal(items.by_code[0]->code, "Zebra");
    assert_string_equal(items.by_code[1]->code, "apple");
    assert_string_equal(items.by_code[2]->code, "zebra");
    assert_int_equal(tv_items_find_code(&items, "zebra")->id, -3);
    assert_int_equal(tv_items_find_code(&items, "Zebra")->id, 8);
    assert_null(tv_items_find_code(&items, "zebr"));
    assert_null(tv_items_find_code(&items, "5")); /* that one is its own number */
    tv_items_free(&items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_id),
        cmocka_unit_test(by_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
