/* test_progress: how far work is, on a pipe: silent for a while, then a line at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trivet/base/log.h"
#include "trivet/cli/progress.h"

static char text[4096];
static int ends[2], before;

static int pipe_stderr(void **state)
{
    (void)state;
    before = dup(STDERR_FILENO);
    if (pipe(ends) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
        return -1;
    return dup2(ends[1], STDERR_FILENO) < 0;
}

static int give_stderr_back(void **state)
{
    (void)state;
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[0]);
    close(ends[1]);
    tv_log_set_level(TV_LOG_INFO);
    return 0;
}

static const char *said(void)
{
    ssize_t n = read(ends[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* As if it had begun, and said something last, that many seconds ago. */
static void let_pass(struct tv_progress *p, double seconds)
{
    p->started -= seconds;
    p->shown -= seconds;
}

static void a_line_appears_every_ten_seconds(void **state)
{
    (void)state;
    struct tv_progress p;
    tv_progress_start(&p, "loading x.csv", "rows", 4000000);
    tv_progress_update(&p, 10);
    let_pass(&p, 5);
    tv_progress_update(&p, 100);
    assert_string_equal(said(), "");
    let_pass(&p, 95);
    tv_progress_update(&p, 1000000);
    assert_non_null(strstr(said(), "loading x.csv  1,000,000 rows  "));
    assert_non_null(strstr(text, " 25 %  ETA "));
    double eta = 0, per_second = 0;
    assert_int_equal(sscanf(strstr(text, "rows  "), "rows  %lf", &per_second), 1); /* thousands: up to the comma */
    assert_int_equal(sscanf(strstr(text, "ETA "), "ETA %lf s\n", &eta), 1);
    assert_in_range((int)per_second, 9, 10);
    assert_in_range((int)eta, 295, 320);
    tv_progress_update(&p, 1000001);
    tv_progress_end(&p);
    tv_progress_end(&p);
    assert_string_equal(said(), "");
}

static void slow_work_of_unknown_length_has_a_rate_alone(void **state)
{
    (void)state;
    struct tv_progress p;
    tv_progress_start(&p, "trying", "models", 0);
    let_pass(&p, 200);
    tv_progress_update(&p, 300);
    assert_string_equal(said(), "trying  300 models  1.5/s\n");
    tv_progress_end(&p);
}

static void nothing_is_said_below_info(void **state)
{
    (void)state;
    struct tv_progress p;
    tv_log_set_level(TV_LOG_ERROR);
    tv_progress_start(&p, "loading", "rows", 100);
    let_pass(&p, 60);
    tv_progress_update(&p, 50);
    tv_progress_end(&p);
    assert_string_equal(said(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_appears_every_ten_seconds, pipe_stderr, give_stderr_back),
        cmocka_unit_test_setup_teardown(slow_work_of_unknown_length_has_a_rate_alone, pipe_stderr, give_stderr_back),
        cmocka_unit_test_setup_teardown(nothing_is_said_below_info, pipe_stderr, give_stderr_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
