/* test_codes: the dictionary of a load gives the same code the same number each time, and another code another number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "etl/load/codes.h"
#include "trivet/base/code.h"

static int64_t number(struct tv_codes *codes, enum tv_code_kind kind, const char *text)
{
    int64_t id = 0;
    assert_int_equal(tv_codes_number(codes, kind, text, strlen(text), &id, NULL), TV_OK);
    return id;
}

static void numbers_are_given_in_the_order_of_appearance(void **state)
{
    (void)state;
    struct tv_codes *codes = NULL;
    assert_int_equal(tv_codes_create(&codes, NULL), TV_OK);
    assert_int_equal(number(codes, TV_CODE_USER, "ann"), TV_CODE_FIRST);
    assert_int_equal(number(codes, TV_CODE_ITEM, "ann"), TV_CODE_FIRST + 1); /* an item is nobody's namesake */
    assert_int_equal(number(codes, TV_CODE_USER, "Ann"), TV_CODE_FIRST + 2);
    assert_int_equal(number(codes, TV_CODE_USER, "ann"), TV_CODE_FIRST);
    assert_int_equal(number(codes, TV_CODE_USER, "an"), TV_CODE_FIRST + 3);
    assert_int_equal(tv_codes_new(codes, TV_CODE_USER), 3);
    assert_int_equal(tv_codes_new(codes, TV_CODE_ITEM), 1);
    tv_codes_free(codes);
}

/* Through many doublings of the table and several blocks of text. */
static void many_codes_keep_their_numbers(void **state)
{
    enum { MANY = 40000 };
    (void)state;
    struct tv_codes *codes = NULL;
    char text[64];
    assert_int_equal(tv_codes_create(&codes, NULL), TV_OK);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "%08x-5f1e-4c3a-9b7d-%012d", (unsigned)i * 2654435761u, i);
            if (number(codes, TV_CODE_USER, text) != TV_CODE_FIRST + i)
                fail_msg("%s has another number in pass %d", text, pass);
        }
    assert_int_equal(tv_codes_new(codes, TV_CODE_USER), MANY);
    tv_codes_free(codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_given_in_the_order_of_appearance),
        cmocka_unit_test(many_codes_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
