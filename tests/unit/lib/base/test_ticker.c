/* test_ticker: a thread rests, is woken, ends, whatever the wall clock does meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <unistd.h>

#include "trivet/base/clock.h"
#include "trivet/base/ticker.h"
#include "wall_clock_fixture.h"

struct work {
    atomic_int done;
    double rest;
    struct tv_ticker *ticker;
    int is_long; /* works until it is to end */
};

static double tick(void *context)
{
    struct work *w = context;
    atomic_fetch_add(&w->done, 1);
    while (w->is_long && !tv_ticker_stopping(w->ticker))
        usleep(1000);
    return w->rest;
}

static int comes_to(struct work *w, int n)
{
    for (int i = 0; i < 2000 && atomic_load(&w->done) < n; i++)
        usleep(1000);
    return atomic_load(&w->done) >= n;
}

static void test_it_works_at_once_and_at_intervals(void **state)
{
    (void)state;
    struct work w = {.rest = 0.01};
    assert_int_equal(tv_ticker_start(&w.ticker, "for a test", 0, tick, &w, NULL), TV_OK);
    assert_true(comes_to(&w, 4));
    tv_ticker_stop(w.ticker);
    int done = atomic_load(&w.done);
    usleep(30000);
    assert_int_equal(atomic_load(&w.done), done);
}

static void test_it_is_woken_sooner_but_never_later(void **state)
{
    (void)state;
    struct work w = {.rest = 3600};
    assert_int_equal(tv_ticker_start(&w.ticker, "for a test", 0, tick, &w, NULL), TV_OK);
    assert_true(comes_to(&w, 1));
    usleep(20000); /* it rests */
    tv_ticker_wake(w.ticker, 7200);
    tv_ticker_wake(w.ticker, 0.05);
    tv_ticker_wake(w.ticker, 3000);
    assert_int_equal(atomic_load(&w.done), 1);
    assert_true(comes_to(&w, 2));
    usleep(20000);
    tv_ticker_wake(w.ticker, 0);
    assert_true(comes_to(&w, 3));
    usleep(100000); /* what woke it once does not do so again */
    assert_int_equal(atomic_load(&w.done), 3);
    double began = tv_clock();
    tv_ticker_stop(w.ticker);
    assert_true(tv_clock() - began < 1);
}

static void test_the_first_work_comes_when_it_is_wanted(void **state)
{
    (void)state;
    struct work w = {.rest = 3600}, never = {.rest = 3600};
    double began = tv_clock();
    assert_int_equal(tv_ticker_start(&w.ticker, "for a test", 0.1, tick, &w, NULL), TV_OK);
    assert_int_equal(tv_ticker_start(&never.ticker, "for a test", 3600, tick, &never, NULL), TV_OK);
    assert_true(comes_to(&w, 1));
    assert_true(tv_clock() - began >= 0.1);
    tv_ticker_stop(never.ticker);
    assert_int_equal(atomic_load(&never.done), 0);
    tv_ticker_wake(w.ticker, 0);
    assert_true(comes_to(&w, 2));
    tv_ticker_stop(w.ticker);
    assert_true(tv_clock() - began < 3);
}

static void test_whoever_works_hears_of_the_end(void **state)
{
    (void)state;
    struct work w = {.rest = 3600, .is_long = 1};
    assert_int_equal(tv_ticker_start(&w.ticker, "for a test", 0, tick, &w, NULL), TV_OK);
    assert_true(comes_to(&w, 1));
    tv_ticker_stop(w.ticker);
    tv_ticker_wake(NULL, 0);
    tv_ticker_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_works_at_once_and_at_intervals),
        cmocka_unit_test(test_it_is_woken_sooner_but_never_later),
        cmocka_unit_test(test_the_first_work_comes_when_it_is_wanted),
        cmocka_unit_test(test_whoever_works_hears_of_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
