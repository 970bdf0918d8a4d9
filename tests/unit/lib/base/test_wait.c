/* test_wait: tries come at intervals, for as long as they may, whatever the wall clock does, and end with the process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "wall_clock_fixture.h"
#include "trivet/base/clock.h"
#include "trivet/base/stop.h"
#include "trivet/base/wait.h"

static void test_the_wall_clock_is_set_in_this_test(void **state)
{
    (void)state;
    assert_true(fabs(tv_clock_wall() - tv_clock_wall()) > 3600);
}

static void test_a_try_comes_every_three_tenths_of_a_second(void **state)
{
    (void)state;
    int tries = 0;
    double began = tv_clock();
    struct tv_wait wait = tv_wait_for(NULL, NULL, 60);
    do
        tries++;
    while (tries < 3 && tv_wait_more(&wait));
    assert_int_equal(tries, 3);
    assert_true(tv_clock() - began >= 0.6 && tv_clock() - began < 5);
}

static void test_it_ends_when_the_time_is_up(void **state)
{
    (void)state;
    int tries = 0;
    double began = tv_clock();
    struct tv_wait none = tv_wait_for(NULL, NULL, 0), wait = tv_wait_for(NULL, NULL, 0.5);
    assert_false(tv_wait_more(&none));
    assert_true(tv_clock() - began < 0.2); /* without a pause */
    do
        tries++;
    while (tv_wait_more(&wait));
    assert_in_range(tries, 2, 3); /* at 0, .3 and .6 s; fewer on a busy machine */
    assert_false(tv_wait_more(&wait));
}

/* The log goes to standard error, here a file. */
static void test_it_says_once_whom_it_waits_for(void **state)
{
    (void)state;
    char text[512] = "";
    FILE *file = tmpfile();
    int terminal = dup(STDERR_FILENO);
    struct tv_wait wait = tv_wait_for("Redis", "127.0.0.1:6379", 60), none = tv_wait_for("MongoDB", "nowhere", 0);
    fflush(stderr);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    int first = tv_wait_more(&wait), second = tv_wait_more(&wait), never = tv_wait_more(&none);
    fflush(stderr);
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    rewind(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_true(first && second && !never);
    const char *said = strstr(text, "waiting for Redis at 127.0.0.1:6379");
    assert_non_null(said);
    assert_null(strstr(said + 1, "waiting for"));
}

static void test_a_sleep_is_a_tenth_of_a_second_or_what_is_left(void **state)
{
    (void)state;
    assert_int_equal(tv_wait_ms(INFINITY), 100);
    assert_in_range(tv_wait_ms(tv_clock() + 0.02), 1, 21);
    assert_int_equal(tv_wait_ms(tv_clock() - 1), 0);
}

/* The last one: a process ends only once. */
static void test_a_stop_ends_every_wait(void **state)
{
    (void)state;
    struct tv_wait wait = tv_wait_for(NULL, NULL, 60);
    assert_true(tv_wait_more(&wait));
    tv_stop_within(0.05);
    double began = tv_clock();
    assert_false(tv_wait_more(&wait));
    assert_true(tv_clock() - began < 0.2);
    assert_in_range(tv_wait_ms(INFINITY), 0, 51);
    usleep(60000);
    assert_int_equal(tv_wait_ms(INFINITY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_wall_clock_is_set_in_this_test),
        cmocka_unit_test(test_a_try_comes_every_three_tenths_of_a_second),
        cmocka_unit_test(test_it_ends_when_the_time_is_up),
        cmocka_unit_test(test_it_says_once_whom_it_waits_for),
        cmocka_unit_test(test_a_sleep_is_a_tenth_of_a_second_or_what_is_left),
        cmocka_unit_test(test_a_stop_ends_every_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
