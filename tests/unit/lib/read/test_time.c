/* test_time: units are told apart, and dates are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/read/time.h"

#define SECOND INT64_C(1112484727) /* 2005-04-02 23:32:07 */

static void forms_are_told_by_size(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum tv_time_form form;
    } cases[] = {
        {"1112484727", TV_TIME_SECONDS},
        {" 1112484727.5 ", TV_TIME_SECONDS},
        {"0", TV_TIME_SECONDS},
        {"-5", TV_TIME_SECONDS},
        {"99999999999", TV_TIME_SECONDS},
        {"100000000000", TV_TIME_MILLISECONDS},
        {"1112484727123", TV_TIME_MILLISECONDS},
        {"1.112484727123e12", TV_TIME_MILLISECONDS},
        {"1112484727123456", TV_TIME_MICROSECONDS},
        {"1112484727123456789", TV_TIME_NANOSECONDS},
        {"11124847271234567890", TV_TIME_UNKNOWN},
        {"2005-04-02", TV_TIME_TEXT},
        {"24.12.2004", TV_TIME_DAY_FIRST},
        {"12/24/2004 11:53 PM", TV_TIME_MONTH_FIRST},
        {"04.12.2004", TV_TIME_EITHER_FIRST},
        {"13.13.2004", TV_TIME_UNKNOWN},
        {"", TV_TIME_ABSENT},
        {"NULL", TV_TIME_ABSENT},
        {"yesterday", TV_TIME_UNKNOWN},
        {"03/04/2005", TV_TIME_EITHER_FIRST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tv_time_form_of(&(struct tv_field){cases[i].text, strlen(cases[i].text)}), cases[i].form);
}

static void a_calendar_s_numbers_are_no_counts(void **state)
{
    (void)state;
    static const char *const calendars[] = {"2005", "200504", "20050402", "20050402.0", " 20050402 ", "20050402235347", "38444", "38444.99"};
    static const char *const counts[] = {"0", "-5", "1000", "1899", "2101", "20051301", "20050432", "200513", "20050402245347",
                                         "1112484727", "1112484727123", "2005-04-02", "", "NA", "1e300"};
    for (size_t i = 0; i < sizeof calendars / sizeof *calendars; i++)
        assert_true(tv_time_is_calendar(&(struct tv_field){calendars[i], strlen(calendars[i])}));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        assert_false(tv_time_is_calendar(&(struct tv_field){counts[i], strlen(counts[i])}));
}

static void moments_are_read(void **state)
{
    (void)state;
    static const struct {
        enum tv_time_form form;
        const char *text;
        int64_t microseconds;
        const char *why; /* or NULL */
    } cases[] = {
        {TV_TIME_SECONDS, "1112484727", SECOND * 1000000, NULL},
        {TV_TIME_SECONDS, "1112484727123", 0, "time in another unit than the file's"},
        {TV_TIME_SECONDS, "2005-04-02", 0, "time is not a number"},
        {TV_TIME_MILLISECONDS, "1112484727123", SECOND * 1000000 + 123000, NULL},
        {TV_TIME_MILLISECONDS, "1112484727123.5", SECOND * 1000000 + 123500, NULL},
        {TV_TIME_MILLISECONDS, "1112484727", 0, "time in another unit than the file's"},
        {TV_TIME_MILLISECONDS, "0", 0, NULL},
        {TV_TIME_MILLISECONDS, "NA", TV_NUMBER_NO_TIME, NULL},
        {TV_TIME_MICROSECONDS, "1112484727123456", SECOND * 1000000 + 123456, NULL},
        {TV_TIME_MICROSECONDS, "x", 0, "time is not a number"},
        {TV_TIME_NANOSECONDS, "1112484727123456789", SECOND * 1000000 + 123456, NULL},
        {TV_TIME_TEXT, "2005-04-02 23:32:07", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-02T23:32:07Z", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-02 23:32:07 UTC", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-03T08:32:07+09:00", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-03T08:32:07+0900", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-03T08:32:07+09", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-02T19:02:07-04:30", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-02 23:32:07.5", SECOND * 1000000 + 500000, NULL},
        {TV_TIME_TEXT, "2005-04-02 23:32:07.123456789", SECOND * 1000000 + 123456, NULL},
        {TV_TIME_TEXT, "2005-04-02 23:32", (SECOND - 7) * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-02", INT64_C(1112400000000000), NULL},
        {TV_TIME_TEXT, " 2005/4/2 ", INT64_C(1112400000000000), NULL},
        {TV_TIME_TEXT, "1969-12-31 23:59:59", -1000000, NULL},
        {TV_TIME_TEXT, "2004-02-29", INT64_C(1078012800000000), NULL},
        {TV_TIME_TEXT, "2016-12-31 23:59:60", INT64_C(1483228800000000), NULL},
        {TV_TIME_TEXT, "", TV_NUMBER_NO_TIME, NULL},
        {TV_TIME_TEXT, "\\N", TV_NUMBER_NO_TIME, NULL},
        {TV_TIME_TEXT, "2005-02-29", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-13-01", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04/02", 0, "time is not a date"},
        {TV_TIME_TEXT, "05-04-02", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04-02 24:00:00", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04-02 23:32:07.", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04-02 23:32:07 CET", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04-02T23:32:07+9", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04-02x", 0, "time is not a date"},
        {TV_TIME_TEXT, "1112484727", 0, "time is not a date"},
        {TV_TIME_TEXT, "2005-04-02 11:32:07 PM", SECOND * 1000000, NULL},
        {TV_TIME_TEXT, "2005-04-02 13:32:07 PM", 0, "time is not a date"},
        {TV_TIME_TEXT, "02.04.2005", 0, "time is not a date"},
        {TV_TIME_DAY_FIRST, "02.04.2005 23:32:07", SECOND * 1000000, NULL},
        {TV_TIME_DAY_FIRST, "2/4/2005, 23:32:07", SECOND * 1000000, NULL},
        {TV_TIME_DAY_FIRST, "02-04-2005", INT64_C(1112400000000000), NULL},
        {TV_TIME_MONTH_FIRST, "4/2/2005 11:32:07 pm", SECOND * 1000000, NULL},
        {TV_TIME_MONTH_FIRST, "04/02/2005 12:00 AM", INT64_C(1112400000000000), NULL},
        {TV_TIME_MONTH_FIRST, "", TV_NUMBER_NO_TIME, NULL},
        {TV_TIME_DAY_FIRST, "04/24/2005", 0, "day and month in another order than the file's"},
        {TV_TIME_MONTH_FIRST, "24.04.2005", 0, "day and month in another order than the file's"},
        {TV_TIME_DAY_FIRST, "31.02.2005", 0, "time is not a date"},
        {TV_TIME_DAY_FIRST, "02.04/2005", 0, "time is not a date"},
        {TV_TIME_DAY_FIRST, "02.04.05", 0, "time is not a date"},
        {TV_TIME_DAY_FIRST, "2005-04-02", 0, "time is not a date"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tv_field f = {cases[i].text, strlen(cases[i].text)};
        struct tv_error err = {.message = ""};
        int64_t got = 0;
        enum tv_status status = tv_time_read(cases[i].form, &f, &got, &err);
        assert_int_equal(status, cases[i].why ? TV_ERR_RECORD : TV_OK);
        assert_string_equal(err.message, cases[i].why ? cases[i].why : "");
        assert_true(cases[i].why || got == cases[i].microseconds);
    }
    assert_string_equal(tv_time_form_name(TV_TIME_TEXT), "dates");
    assert_string_equal(tv_time_form_name(TV_TIME_MONTH_FIRST), "dates with the month first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms_are_told_by_size),
        cmocka_unit_test(a_calendar_s_numbers_are_no_counts), cmocka_unit_test(moments_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
