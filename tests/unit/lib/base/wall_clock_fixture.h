/* wall_clock_fixture: a wall clock that is set an hour back or on between any two looks at it, while the monotonic one
 * goes on as it is. Code that rests or measures time must not notice; code that asks for the date gets nonsense.
 */
#ifndef TRIVET_TESTS_UNIT_LIB_BASE_WALL_CLOCK_FIXTURE_H
#define TRIVET_TESTS_UNIT_LIB_BASE_WALL_CLOCK_FIXTURE_H

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Takes the place of the C library's in this program. */
int clock_gettime(clockid_t id, struct timespec *t)
{
    static atomic_int looks;
    int code = (int)syscall(SYS_clock_gettime, id, t);
    if (id == CLOCK_REALTIME)
        t->tv_sec += atomic_fetch_add(&looks, 1) % 2 ? 3600 : -3600;
    return code;
}

#endif
