/* test_text: numbers, UTF-8 and the nearest name in texts that people write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
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

/* What reads back as the same float, with no digit that it does not need: ratings, counts, and the ends of what there is. */
static void floats_are_short_and_read_back(void **state)
{
    static const struct {
        float x;
        const char *text;
    } known[] = {{3.3F, "3.3"}, {3.7F, "3.7"}, {5, "5"}, {0, "0"}, {-0.0F, "0"}, {-9.85F, "-9.85"}, {0.05F, "0.05"}, {100, "100"},
                 {11.0F / 3, "3.6666667"}, {1.22F, "1.22"}, {9999.99F, "9999.99"}, {-0.5F, "-0.5"}, {1234567, "1234567"},
                 {16777216, "16777216"}, {1e7F, "10000000"}, {9.99999936e8F, "999999936"}, {1e9F, "1e+09"}, {3.4e38F, "3.4e+38"},
                 {1e-5F, "1e-05"}, {0.001F, "0.001"}, {0.1F + 0.2F, "0.3"}};
    char text[TV_TEXT_FLOAT];
    uint32_t bits = 1;
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(tv_text_float(text, known[i].x), known[i].text);
    for (int i = 0; i < 300000; i++) {
        float x;
        bits = bits * 1664525 + 1013904223;
        memcpy(&x, &bits, sizeof x);
        if (isfinite(x))
            assert_true(strtof(tv_text_float(text, x), NULL) == x);
    }
    for (int n = -1200000; n <= 1200000; n += 7) { /* two decimals, and their neighbours, which have more */
        char wanted[32];
        float x = (float)(n / 100.0);
        snprintf(wanted, sizeof wanted, "%.6g", n / 100.0);
        if (strtof(wanted, NULL) == x)
            assert_string_equal(tv_text_float(text, x), strcmp(wanted, "-0") == 0 ? "0" : wanted);
        assert_true(strtof(tv_text_float(text, nextafterf(x, 1e9F)), NULL) == nextafterf(x, 1e9F));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(decimals_are_those_of_strtod),
        cmocka_unit_test(utf8_is_checked), cmocka_unit_test(counts_are_of_one_or_of_many),
        cmocka_unit_test(nearest_name_is_found),
        cmocka_unit_test(numbers_read_well),
        cmocka_unit_test(floats_are_short_and_read_back),
        cmocka_unit_test(copies_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
