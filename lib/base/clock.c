/* clock: elapsed time and this process's memory. */
#include "trivet/clock.h"

#include <sys/resource.h>
#include <time.h>

static double read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double tv_clock(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double tv_clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

double tv_peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024.0;
}
