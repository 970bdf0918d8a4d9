/* stop: one moment for the whole process, after which no wait goes on. */
#include "trivet/base/stop.h"

#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

#include "trivet/base/clock.h"

enum { SLICE_MS = 100, AGAIN_MS = 300 };

static _Atomic double stop_at = INFINITY;

void tv_stop_within(double seconds)
{
    double at = tv_clock() + seconds, set = atomic_load(&stop_at);
    while (at < set && !atomic_compare_exchange_weak(&stop_at, &set, at))
        ;
}

int tv_stop_asked(void)
{
    return atomic_load(&stop_at) < INFINITY;
}

int tv_stop_due(void)
{
    return tv_clock() >= atomic_load(&stop_at);
}

int tv_wait_ms(double until)
{
    double left = (until < atomic_load(&stop_at) ? until : atomic_load(&stop_at)) - tv_clock();
    if (left <= 0)
        return 0;
    return left * 1000 < SLICE_MS ? (int)(left * 1000) + 1 : SLICE_MS;
}

int tv_wait_again(double until)
{
    if (tv_clock() >= until || tv_stop_asked())
        return 0;
    usleep(AGAIN_MS * 1000);
    return !tv_stop_asked();
}
