/* test_clock: a clock that never goes back, the time of day, and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trivet/base/clock.h"

static void elapsed_time_grows_as_time_passes(void **state)
{
    (void)state;
    double began = tv_clock(), last = began;
    for (int i = 0; i < 1000; i++) {
        double now = tv_clock();
        assert_true(now >= last);
        last = now;
    }
    usleep(20000);
    assert_true(tv_clock() - began >= 0.02);
    assert_true(tv_clock() - began < 10);
}

static void the_time_of_day_is_the_systems(void **state)
{
    (void)state;
    time_t before = time(NULL);
    double now = tv_clock_wall();
    assert_true(now >= (double)before && now < (double)before + 10);
}

/* Pages count once they are written to. */
static void the_peak_of_memory_stays(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    double before = tv_peak_memory();
    char *block = malloc(BYTES);
    assert_non_null(block);
    memset(block, 1, BYTES);
    assert_int_equal(block[BYTES / 2], 1);
    double with = tv_peak_memory();
    free(block);
    assert_true(before > 1e5);
    assert_true(with >= before + BYTES / 2);
    assert_true(tv_peak_memory() >= with);
}

static void available_memory_is_within_the_machines(void **state)
{
    (void)state;
    double all = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    assert_true(tv_available_memory() >= 0 && tv_available_memory() <= all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elapsed_time_grows_as_time_passes),
        cmocka_unit_test(the_time_of_day_is_the_systems),
        cmocka_unit_test(the_peak_of_memory_stays),
        cmocka_unit_test(available_memory_is_within_the_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
