/* test_number: ids, ratings and times as they stand in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/read/number.h"

static struct tv_field field(const char *text)
{
    return (struct tv_field){text, strlen(text)};
}

static void ids_are_64_bit_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t id;
        const char *reason;
    } cases[] = {
        {"0", 0, NULL},
        {"193609", 193609, NULL},
        {"-7", -7, NULL},
        {"007", 7, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"-9223372036854775808", INT64_MIN, NULL},
        {"9223372036854775808", 0, "id beyond 64 bits"},
        {"99999999999999999999999999", 0, "id beyond 64 bits"},
        {"-9223372036854775809", 0, "id beyond 64 bits"},
        {"", 0, "empty id"},
        {"1.0", 1, NULL},
        {"101.000", 101, NULL},
        {"1.", 0, "id is not an integer"},
        {"1.5", 0, "id is not an integer"},
        {".0", 0, "id is not an integer"},
        {"abc", 0, "id is not an integer"},
        {" 1", 1, NULL},
        {"1 \t", 1, NULL},
        {" ", 0, "empty id"},
        {"1 2", 0, "id is not an integer"},
        {"1e3", 0, "id is not an integer"},
        {"-", 0, "id is not an integer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_field f = field(cases[i].text);
        int64_t id = 0;
        struct tv_error err;
        enum tv_status status = tv_number_id(&f, &id, &err);
        if (cases[i].reason) {
            assert_int_equal(status, TV_ERR_RECORD);
            assert_string_equal(err.message, cases[i].reason);
        } else {
            assert_int_equal(status, TV_OK);
            assert_true(id == cases[i].id);
        }
    }
}

static void ratings_are_finite(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        float value;
        const char *reason;
    } cases[] = {
        {"4", 4, NULL},
        {"4.5", 4.5f, NULL},
        {"0.5", 0.5f, NULL},
        {"3.7", 3.7f, NULL},
        {"-1", -1, NULL},
        {"352698", 352698, NULL},
        {"1e2", 100, NULL},
        {"2.25", 2.25f, NULL},
        {"nan", 0, "NaN rating"},
        {"-NaN", 0, "NaN rating"},
        {"inf", 0, "infinite rating"},
        {"-Infinity", 0, "infinite rating"},
        {"1e39", 0, "infinite rating"},
        {"", 0, "empty rating"},
        {"4,5", 0, "rating is not a number"},
        {"four", 0, "rating is not a number"},
        {"1.x", 0, "rating is not a number"},
        {"1e999", 0, "rating is not a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_field f = field(cases[i].text);
        float value = 0;
        struct tv_error err;
        enum tv_status status = tv_number_rating(&f, &value, &err);
        if (cases[i].reason) {
            assert_int_equal(status, TV_ERR_RECORD);
            assert_string_equal(err.message, cases[i].reason);
        } else {
            assert_int_equal(status, TV_OK);
            assert_true(value == cases[i].value);
        }
    }
}

/* The short way through a rating gives the same float as the C library, for every rating it takes. */
static void quick_ratings_equal_strtof(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d.%d", i / 10, i % 10);
        struct tv_field f = field(text);
        float value;
        assert_int_equal(tv_number_rating(&f, &value, NULL), TV_OK);
        assert_true(value == strtof(text, NULL));
    }
}

static void refused_time(const struct tv_field *f, const char *why)
{
    int64_t t;
    struct tv_error err;
    assert_int_equal(tv_number_time(f, &t, &err), TV_ERR_RECORD);
    assert_string_equal(err.message, why);
}

static void times_are_seconds(void **state)
{
    (void)state;
    int64_t t;
    struct tv_field f = field("964982703");
    assert_int_equal(tv_number_time(&f, &t, NULL), TV_OK);
    assert_true(t == INT64_C(964982703000000));
    f = field("1.5");
    assert_int_equal(tv_number_time(&f, &t, NULL), TV_OK);
    assert_true(t == 1500000);
    f = field("0");
    assert_int_equal(tv_number_time(&f, &t, NULL), TV_OK);
    assert_true(t == 0);
    f = field("");
    assert_int_equal(tv_number_time(&f, &t, NULL), TV_OK);
    assert_true(t == TV_NUMBER_NO_TIME);
    f = field("9224318016000");
    refused_time(&f, "time out of range");
    f = field("-210866803201");
    refused_time(&f, "time out of range");
    /* The last second whose microseconds an int64 holds, and the first that it does not. */
    f = field("9223372036853");
    assert_int_equal(tv_number_time(&f, &t, NULL), TV_OK);
    assert_true(t == INT64_C(9223372036853000000));
    f = field("9223372036853.5");
    assert_int_equal(tv_number_time(&f, &t, NULL), TV_OK);
    assert_true(t > INT64_C(9223372036853499000) && t < INT64_C(9223372036853501000)); /* as a double has it */
    f = field("-210866803200");
    assert_int_equal(tv_number_time(&f, &t, NULL), TV_OK);
    assert_true(t == INT64_C(-210866803200000000));
    static const char *const beyond[] = {"9223372036854",        "9223372036854.0",      "9223372036855",
                                         "9224318015999",        "9223372036854775807",  "-9223372036854775808",
                                         "9223372036854775808",  "-9223372036854775809", "99999999999999999999999",
                                         "-210866803200.5",      "1e300",                "-1e300"};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        f = field(beyond[i]);
        refused_time(&f, "time out of range");
    }
    f = field("yesterday");
    refused_time(&f, "time is not a number");
}

static void commas_divide_or_stand_for_a_point(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int commas;
        const char *thousands, *decimal, *groups; /* NULL: refused */
    } cases[] = {
        {"12.5", TV_NUMBER_NO_COMMA, "12.5", "12.5", NULL},
        {"1,234", TV_NUMBER_EITHER, "1234", "1.234", "1.234"},
        {" -1,234 ", TV_NUMBER_EITHER, " -1234 ", " -1.234 ", " -1.234 "},
        {"1,234,567", TV_NUMBER_GROUPS, "1234567", NULL, NULL},
        {"1,234.5", TV_NUMBER_GROUPS, "1234.5", NULL, NULL},
        {"4,5", TV_NUMBER_DECIMAL, NULL, "4.5", "4.5"},
        {"0,500", TV_NUMBER_DECIMAL, NULL, "0.500", "0.500"},
        {"1234,567", TV_NUMBER_DECIMAL, NULL, "1234.567", "1234.567"},
        {"1,2345", TV_NUMBER_DECIMAL, NULL, "1.2345", "1.2345"},
        {"1,2,3", TV_NUMBER_NEITHER, NULL, NULL, NULL},
        {",5", TV_NUMBER_DECIMAL, NULL, ".5", ".5"},
        {",", TV_NUMBER_NEITHER, NULL, NULL, NULL},
        {"5,", TV_NUMBER_NEITHER, NULL, NULL, NULL},
        {"a,b", TV_NUMBER_NEITHER, NULL, NULL, NULL},
        {"1,234,56", TV_NUMBER_NEITHER, NULL, NULL, NULL},
        {"", TV_NUMBER_NO_COMMA, "", "", ""},
        {"7", TV_NUMBER_NO_COMMA, "7", "7", "7"},
        {"1.234", TV_NUMBER_NO_COMMA, "1.234", NULL, "1234"},
        {"1.234.567", TV_NUMBER_NO_COMMA, "1.234.567", "1.234.567", "1234567"}, /* the first two are no number then */
        {"-1.234,5", TV_NUMBER_NEITHER, NULL, NULL, "-1234.5"},
        {"1.234,567.8", TV_NUMBER_NEITHER, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_field f = field(cases[i].text), plain;
        char out[TV_NUMBER_MAX_TEXT];
        const char *const expected[] = {cases[i].thousands, cases[i].decimal, cases[i].groups};
        assert_int_equal(tv_number_commas(&f), cases[i].commas);
        for (int form = TV_NUMBER_THOUSANDS; form <= TV_NUMBER_POINT_GROUPS; form++) {
            const char *want = expected[form - TV_NUMBER_THOUSANDS];
            int can = tv_number_plain((enum tv_number_form)form, &f, out, sizeof out, &plain);
            assert_int_equal(can, want != NULL);
            if (want) {
                assert_int_equal(plain.n, strlen(want));
                assert_memory_equal(plain.text, want, plain.n);
            }
        }
    }
}

/* The id that a text is in each form; 0 is none, which is refused. */
static void ids_are_written_in_several_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ids[4]; /* clear, fractions, comma groups, point groups */
    } cases[] = {
        {"7", {7, 7, 7, 7}},
        {"101.0", {101, 101, 101, 101}},
        {"101,0", {101, 101, 0, 101}},
        {"1234,00", {1234, 1234, 0, 1234}},
        {"1.000", {0, 1, 1, 1000}},
        {"1,000", {0, 0, 1000, 0}},
        {"-1.001", {0, 0, 0, -1001}},
        {"1,001", {0, 0, 1001, 0}},
        {"1.234.567", {0, 0, 0, 1234567}},
        {"1,234,567", {0, 0, 1234567, 0}},
        {"1.2345678E7", {12345678, 12345678, 12345678, 12345678}},
        {"-1.2345678E7", {-12345678, -12345678, -12345678, -12345678}},
        {"1.0E7", {10000000, 10000000, 10000000, 10000000}},
        {"9.007199254740992E15", {9007199254740992, 9007199254740992, 9007199254740992, 9007199254740992}},
        {"9007199254740992.0", {9007199254740992, 9007199254740992, 9007199254740992, 9007199254740992}},
        {"9.007199254740994E15", {0}}, /* it has been a double, in which its neighbours are the same */
        {"9007199254740994.0", {0}},
        {"-9007199254740994.0", {0}},
        {"9007199254740994,00", {0}},
        {"1.2345678E+7", {12345678, 12345678, 12345678, 12345678}},
        {"1.2345678e+07", {12345678, 12345678, 12345678, 12345678}},
        {"1.234568E+7", {0}},
        {"1.2345678e7", {12345678, 12345678, 12345678, 12345678}},
        {"1.0e7", {0}},
        {"1.2345678E6", {0}},
        {"1E7", {0}},
        {"12.5E7", {0}},
        {"1.5E-1", {0}},
        {"1.5E", {0}},
        {"1.0E19", {0}},
        {"9.3E18", {0}},
        {"4,5", {0}},
        {",0", {0}},
        {"1.5", {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int form = TV_ID_CLEAR; form <= TV_ID_POINT_GROUPS; form++) {
            struct tv_field f = field(cases[i].text);
            int64_t id = 0;
            struct tv_error err;
            enum tv_status status = tv_number_id_written((enum tv_id_form)form, &f, &id, &err);
            assert_int_equal(status, cases[i].ids[form] ? TV_OK : TV_ERR_RECORD);
            assert_true(id == cases[i].ids[form]);
        }
}

static void some_words_say_that_nothing_is_there(void **state)
{
    (void)state;
    static const char *const absent[] = {"", "  ", "NULL", "null", "\\N", "NA", "nan", "None", "NaT"};
    static const char *const there[] = {"0", "N", "nothing", "-"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_true(tv_number_is_absent(&(struct tv_field){absent[i], strlen(absent[i])}));
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        assert_false(tv_number_is_absent(&(struct tv_field){there[i], strlen(there[i])}));
}

static void a_spreadsheet_rounds_long_numbers(void **state)
{
    (void)state;
    static const char *const rounded[] = {"7.65612E+16", "1E+05", "1e+05", "-1.11E+09", " 1.11e+09 "};
    static const char *const not[] = {"1.112484727E+09", "1.112484727E9", "1e5", "12E+5", "1E+", "1.E+5", "E+5", "4.5", "", "5E+0", "1E+x"};
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++)
        assert_true(tv_number_is_rounded(&(struct tv_field){rounded[i], strlen(rounded[i])}));
    for (size_t i = 0; i < sizeof not / sizeof *not; i++)
        assert_false(tv_number_is_rounded(&(struct tv_field){not[i], strlen(not[i])}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_64_bit_integers),
        cmocka_unit_test(ratings_are_finite),
        cmocka_unit_test(quick_ratings_equal_strtof),
        cmocka_unit_test(times_are_seconds), cmocka_unit_test(commas_divide_or_stand_for_a_point),
        cmocka_unit_test(ids_are_written_in_several_ways),
        cmocka_unit_test(some_words_say_that_nothing_is_there), cmocka_unit_test(a_spreadsheet_rounds_long_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
