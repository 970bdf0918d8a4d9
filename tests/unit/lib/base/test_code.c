/* test_code: which ids are numbers, and what a code may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/base/code.h"

static void ids_in_their_plain_form_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t id;
    } numbers[] = {
        {"0", 0},
        {"42", 42},
        {"-7", -7},
        {"999999999999999999", INT64_C(999999999999999999)},
        {"1000000000000000000", INT64_C(1000000000000000000)},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"7999999999999999", TV_CODE_FIRST - 1},
        {"9000000000000000", TV_CODE_END},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t id = 99;
        assert_true(tv_code_is_number(numbers[i].text, strlen(numbers[i].text), &id));
        assert_true(id == numbers[i].id);
    }
}

/* Another form would make one number of two texts, and numbers of the range are the dictionary's. */
static void all_other_texts_are_codes(void **state)
{
    (void)state;
    static const char *const codes[] = {"",    "-",   "007",   "-0",
                                        "-01", "+1",  " 1",    "1 ",
                                        "1.0", "1e3", "a1",    "9223372036854775808",
                                        "00",  "--1", "12a34", "8000000000000000",
                                        "0x1", "1-2", "-a",    "8999999999999999"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        int64_t id = 99;
        if (tv_code_is_number(codes[i], strlen(codes[i]), &id))
            fail_msg("\"%s\" is a number", codes[i]);
        assert_int_equal(id, 99);
    }
}

static void what_cannot_be_a_code_is_told(void **state)
{
    (void)state;
    char text[TV_CODE_MAX + 1];
    memset(text, 'x', sizeof text);
    assert_null(tv_code_refusal("b8f0-11", 7));
    assert_null(tv_code_refusal("caf\xc3\xa9 7", 7));
    assert_null(tv_code_refusal(text, TV_CODE_MAX));
    assert_string_equal(tv_code_refusal(text, TV_CODE_MAX + 1), "id longer than 255 bytes");
    assert_string_equal(tv_code_refusal("", 0), "empty id");
    assert_string_equal(tv_code_refusal("a\tb", 3), "id with a control character");
    assert_string_equal(tv_code_refusal("a\0b", 3), "id with a control character");
    assert_string_equal(tv_code_refusal("a\x7f", 2), "id with a control character");
    assert_string_equal(tv_code_refusal("caf\xe9", 4), "invalid UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_in_their_plain_form_are_numbers),
        cmocka_unit_test(all_other_texts_are_codes),
        cmocka_unit_test(what_cannot_be_a_code_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
