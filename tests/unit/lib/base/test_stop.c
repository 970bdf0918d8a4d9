/* test_stop: the waits of a process end with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <unistd.h>

#include "trivet/base/clock.h"
#include "trivet/base/stop.h"

/* One test alone: a process ends only once. */
static void test_a_stop_ends_every_wait(void **state)
{
    (void)state;
    assert_int_equal(tv_wait_ms(INFINITY), 100);
    assert_in_range(tv_wait_ms(tv_clock() + 0.02), 1, 21);
    assert_int_equal(tv_wait_ms(tv_clock() - 1), 0);
    assert_false(tv_wait_again(tv_clock()));
    assert_true(tv_wait_again(tv_clock() + 5));
    assert_false(tv_stop_asked());
    tv_stop_within(0.05);
    tv_stop_within(10); /* later than what was promised: not taken */
    assert_true(tv_stop_asked());
    assert_in_range(tv_wait_ms(INFINITY), 0, 51);
    assert_false(tv_wait_again(tv_clock() + 5));
    usleep(60000);
    assert_true(tv_stop_due());
    assert_int_equal(tv_wait_ms(INFINITY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_stop_ends_every_wait)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
