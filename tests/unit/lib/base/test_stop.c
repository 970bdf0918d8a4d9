/* test_stop: a process has one moment at which all its waits end, and a later one is not taken. */
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
static void test_a_stop_has_one_moment(void **state)
{
    (void)state;
    assert_false(tv_stop_asked());
    assert_false(tv_stop_due());
    assert_true(isinf(tv_stop_moment()));
    tv_stop_within(0.05);
    double moment = tv_stop_moment();
    tv_stop_within(10); /* later than what was promised: not taken */
    assert_true(tv_stop_moment() == moment);
    assert_true(moment <= tv_clock() + 0.05);
    assert_true(tv_stop_asked());
    usleep(60000);
    assert_true(tv_stop_due());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_stop_has_one_moment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
