/* test_text: numbers, UTF-8 and the nearest name in texts that people write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"

static void numbers_are_strict(void **state)
{
    (void)state;
    int64_t i = 7;
    double d = 7;
    assert_true(tv_text_int64("9223372036854775807", 19, &i) && i == INT64_MAX);
    assert_true(tv_text_int64("-9223372036854775808", 20, &i) && i == INT64_MIN);
    const char *const bad_ints[] = {"9223372036854775808", "", " 1", "1 ", "+1", "1.0", "0x10", "-", "1e3"};
    for (size_t k = 0; k < sizeof bad_ints / sizeof *bad_ints; k++)
        assert_false(tv_text_int64(bad_ints[k], strlen(bad_ints[k]), &i));
    assert_true(tv_text_double("4.5", 3, &d) && d == 4.5);
    const char *const bad_reals[] = {"nan", "inf", "-infinity", "1e999", "", "4,5", " 4", "0x1p3", "4.5x"};
    for (size_t k = 0; k < sizeof bad_reals / sizeof *bad_reals; k++)
        assert_false(tv_text_double(bad_reals[k], strlen(bad_reals[k]), &d));
}

/* Short numbers are read by hand, longer ones by strtod, and nobody may see from a value which of the two it was. */
static void decimals_are_those_of_strtod(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int k = 0; k < 200000; k++) {
        char text[24];
        size_t n = 0;
        seed = seed * 1664525 + 1013904223;
        size_t digits = 1 + (seed >> 24) % 18, point = (seed >> 16) % (digits + 2);
        for (size_t i = 0; i < digits; i++) {
            if (i > 0 && i == point)
                text[n++] = '.';
            seed = seed * 1664525 + 1013904223;
            text[n++] = (char)('0' + (seed >> 24) % 10);
        }
        text[n] = '\0';
        double value = -1;
        assert_true(tv_text_double(text, n, &value));
        assert_true(value == strtod(text, NULL));
    }
}

static void counts_are_of_one_or_of_many(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(tv_text_count(out, 0, "row"), "0 rows");
    assert_string_equal(tv_text_count(out, 1, "row"), "1 row");
    assert_string_equal(tv_text_count(out, 1234, "row"), "1,234 rows");
    assert_string_equal(tv_text_are(out, 1, "row"), "1 row is");
    assert_string_equal(tv_text_are(out, 1234, "row"), "1,234 rows are");
}

static void utf8_is_checked(void **state)
{
    (void)state;
    const char *const good[] = {"", "plain", "Les Mis\xc3\xa9rables", "\xe2\x82\xac", "\xf0\x9f\x8e\xac", "\xf4\x8f\xbf\xbf"};
    const char *const bad[] = {"\xe9t\xe9", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"};
    for (size_t k = 0; k < sizeof good / sizeof *good; k++)
        assert_true(tv_text_is_utf8(good[k], strlen(good[k])));
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(tv_text_is_utf8(bad[k], strlen(bad[k])));
}

static void nearest_name_is_found(void **state)
{
    (void)state;
    const char *const names[] = {"min_users_for_item", "min_items_for_user", "max_row_number", NULL};
    assert_string_equal(tv_text_nearest("min_user_for_item", names), "min_users_for_item");
    assert_string_equal(tv_text_nearest("MAX_ROW_NUMBER", names), "max_row_number");
    assert_null(tv_text_nearest("genres", names));
}

static void numbers_read_well(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(tv_text_number(out, 0), "0");
    assert_string_equal(tv_text_number(out, -1234567), "-1,234,567");
    assert_string_equal(tv_text_number(out, 999), "999");
    assert_string_equal(tv_text_bytes(out, 12345678), "11.8 MB");
}

/* A copy that is too long ends at the end of a character, whatever byte the end falls on. */
static void copies_are_cut_between_characters(void **state)
{
    (void)state;
    static const char *const letters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xac"};
    char text[256], copy[64];
    for (size_t l = 0; l < sizeof letters / sizeof *letters; l++)
        for (size_t shift = 0; shift < 4; shift++) {
            size_t n = shift, size = strlen(letters[l]);
            memset(text, 'x', shift);
            for (; n + size < sizeof text; n += size)
                memcpy(text + n, letters[l], size);
            text[n] = '\0';
            tv_text_copy(copy, sizeof copy, text);
            assert_true(tv_text_is_utf8(copy, strlen(copy)));
            assert_true(strlen(copy) + size >= sizeof copy - 1);
        }
    assert_string_equal(tv_text_copy(copy, 3, "\xc3\xa9"), "\xc3\xa9");
    assert_string_equal(tv_text_copy(copy, 2, "\xc3\xa9"), "");
    assert_string_equal(tv_text_copy(copy, 1, "a"), "");
    assert_int_equal(tv_text_utf8_prefix("ab\xff", 3), 2);
    assert_int_equal(tv_text_utf8_prefix("\xe2\x82", 2), 0);
    assert_int_equal(tv_text_utf8_prefix("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(decimals_are_those_of_strtod),
        cmocka_unit_test(utf8_is_checked), cmocka_unit_test(counts_are_of_one_or_of_many),
        cmocka_unit_test(nearest_name_is_found),
        cmocka_unit_test(numbers_read_well),
        cmocka_unit_test(copies_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
