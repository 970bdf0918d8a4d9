/* test_interrupt: a signal is taken by a thread, remembered, and lets every wait end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

#include "trivet/base/stop.h"
#include "trivet/base/wait.h"
#include "trivet/cli/interrupt.h"

/* One test alone: a process is interrupted once, and ends some ten seconds later. */
static void a_signal_is_remembered(void **state)
{
    (void)state;
    assert_int_equal(tv_interrupt_watch(NULL, NULL), TV_OK);
    assert_int_equal(tv_interrupt_watch(NULL, NULL), TV_OK); /* again: the same thread */
    assert_false(tv_interrupted());
    assert_false(tv_stop_asked());
    assert_int_equal(kill(getpid(), SIGINT), 0);
    assert_int_equal(tv_interrupt_wait(), SIGINT);
    assert_int_equal(tv_interrupt_wait(), SIGINT);
    assert_true(tv_interrupted());
    assert_true(tv_stop_asked());
    assert_false(tv_stop_due()); /* what is under way has ten seconds */
    struct tv_wait wait = tv_wait_for(NULL, NULL, 3600);
    assert_false(tv_wait_more(&wait));
    assert_int_equal(kill(getpid(), SIGTERM), 0); /* a second one kills nobody */
    usleep(20000);
    assert_true(tv_interrupted());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_signal_is_remembered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
