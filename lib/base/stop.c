/* stop: one moment for the whole process, after which no wait goes on. The thread that waits for signals sets it
 * (lib/cli's interrupt), the adapters of lib/store ask. It is an atomic and not a lock because any thread may ask at
 * any time. */
#include "trivet/base/stop.h"

#include <math.h>
#include <stdatomic.h>
#include <unistd.h>

#include "trivet/base/clock.h"

enum { SLICE_MS = 100, AGAIN_MS = 300 };

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

int tv_wait_ms(double until)
{
    double left = (until < atomic_load(&stop_at) ? until : atomic_load(&stop_at)) - tv_clock();
    if (left <= 0)
        return 0;
    /* Rounded up: 0 means that the time is up, and a poll() of 0 ms would turn the last millisecond into a busy
     * loop. */
    return left * 1000 < SLICE_MS ? (int)(left * 1000) + 1 : SLICE_MS;
}

/* Asks for the first signal, not for the moment itself: a connection that does not come about is not worth the seconds
 * that are left for work under way. */
int tv_wait_again(double until)
{
    if (tv_clock() >= until || tv_stop_asked())
        return 0;
    usleep(AGAIN_MS * 1000);
    return !tv_stop_asked();
}
