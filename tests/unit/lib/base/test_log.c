/* test_log: lines on standard error: levels, times, reasons, and lines that are too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trivet/base/log.h"
#include "trivet/base/text.h"

static char text[1 << 16];

/* Standard error goes into a file from here on; returns what it was. */
static int take_stderr(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int before = dup(STDERR_FILENO);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    fclose(file);
    return before;
}

/* Gives it back; `text` is what was written. */
static void give_back(int before)
{
    ssize_t n = pread(STDERR_FILENO, text, sizeof text - 1, 0);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_true(n >= 0);
    text[n] = '\0';
}

static void only_what_the_level_asks_for_is_said(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "info", "debug", "DEBUG", "loud"};
    static const enum tv_log_level levels[] = {TV_LOG_ERROR, TV_LOG_INFO, TV_LOG_DEBUG, TV_LOG_DEBUG, TV_LOG_INFO};
    static const char *const said[] = {"e 1\n", "e 1\ni 2\n", "e 1\ni 2\nd 3\n", "e 1\ni 2\nd 3\n", "e 1\ni 2\n"};
    assert_true(tv_log_enabled(TV_LOG_INFO));
    assert_false(tv_log_enabled(TV_LOG_DEBUG));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(tv_log_level_from(names[i]), levels[i]);
        int before = take_stderr();
        tv_log_set_level(tv_log_level_from(names[i]));
        tv_log_error("e %d", 1);
        tv_log_info("i %d", 2);
        tv_log_debug("d %d", 3);
        give_back(before);
        assert_string_equal(text, said[i]);
    }
    tv_log_set_level(TV_LOG_INFO);
}

static void failures_have_where_and_hint(void **state)
{
    (void)state;
    struct tv_error err;
    int before = take_stderr();
    tv_fail(&err, TV_ERR_STORE, "no");
    tv_log_failure("trivet-x", &err);
    tv_where(&err, "host");
    tv_hint(&err, "try");
    tv_log_failure("trivet-x", &err);
    give_back(before);
    assert_string_equal(text, "trivet-x: no\ntrivet-x: no (host)\nhint: try\n");
}

static void servers_have_the_time_and_the_level(void **state)
{
    (void)state;
    int year, ms;
    char level[8] = "", rest[8] = "";
    int before = take_stderr();
    tv_log_set_timestamps(1);
    tv_log_error("up");
    tv_log_set_timestamps(0);
    give_back(before);
    assert_int_equal(sscanf(text, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ %7s %7s", &year, &ms, level, rest), 4);
    assert_in_range(year, 2024, 9999);
    assert_string_equal(level, "error");
    assert_string_equal(rest, "up");
}

static void long_lines_end_at_a_character_and_with_a_newline(void **state)
{
    (void)state;
    static char message[3 * 4096];
    for (size_t i = 0; i + 2 < sizeof message; i += 2)
        memcpy(message + i, "\xc3\xa9", 3);
    for (int shift = 0; shift < 2; shift++) {
        int before = take_stderr();
        tv_log_info("%s%s", shift ? "x" : "", message);
        give_back(before);
        size_t n = strlen(text);
        assert_in_range(n, 4000, 4096);
        assert_ptr_equal(strchr(text, '\n'), text + n - 1);
        assert_true(tv_text_is_utf8(text, n));
    }
}

/* A file has no reader who could stop, so each line is there at once. */
static void a_file_gets_each_line_at_once(void **state)
{
    (void)state;
    int before = take_stderr();
    assert_int_equal(tv_log_never_wait(NULL), TV_OK);
    tv_log_info("one");
    give_back(before);
    assert_string_equal(text, "one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_level_asks_for_is_said),
        cmocka_unit_test(failures_have_where_and_hint),
        cmocka_unit_test(servers_have_the_time_and_the_level),
        cmocka_unit_test(long_lines_end_at_a_character_and_with_a_newline),
        cmocka_unit_test(a_file_gets_each_line_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
