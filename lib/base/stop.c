/* stop: one moment for the whole process, after which no wait goes on. The thread that waits for signals sets it
 * (lib/cli's interrupt), the adapters of lib/store ask. It is an atomic and not a lock because any thread may ask at
 * any time. */
#include "trivet/base/stop.h"

#include <math.h>
#include <stdatomic.h>

#include "trivet/base/clock.h"

static _Atomic double stop_at = INFINITY;

/* The moment only ever comes nearer: a second signal cannot lengthen what the first one promised, and of two threads
 * that set it the earlier moment wins. */
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

double tv_stop_moment(void)
{
    return atomic_load(&stop_at);
}
