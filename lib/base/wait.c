/* wait: pauses between tries, and how long a wait may sleep, on the clock that never goes back. */
#include "trivet/base/wait.h"

#include <unistd.h>

#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/stop.h"

/* A try costs a connection, and a line of the log of a store that is still starting: three a second are enough. A wait
 * that only sleeps and looks whether it is to go on costs nothing: that is ten times a second. */
enum { PAUSE_MS = 300, SLICE_MS = 100 };

struct tv_wait tv_wait_for(const char *whom, const char *where, double seconds)
{
    return (struct tv_wait){.until = tv_clock() + seconds, .whom = whom, .where = where};
}

/* Asks for the first signal, not for the moment itself: a connection that does not come about is not worth the seconds
 * that are left for work under way. */
int tv_wait_more(struct tv_wait *wait)
{
    if (tv_clock() >= wait->until || tv_stop_asked())
        return 0;
    if (wait->whom)
        tv_log_info("waiting for %s at %s", wait->whom, wait->where);
    wait->whom = NULL; /* it is said once */
    usleep(PAUSE_MS * 1000);
    return !tv_stop_asked();
}

int tv_wait_ms(double until)
{
    double stop = tv_stop_moment(), left = (until < stop ? until : stop) - tv_clock();
    if (left <= 0)
        return 0;
    /* Rounded up: 0 means that the time is up, and a poll() of 0 ms would turn the last millisecond into a busy
     * loop. */
    return left * 1000 < SLICE_MS ? (int)(left * 1000) + 1 : SLICE_MS;
}
