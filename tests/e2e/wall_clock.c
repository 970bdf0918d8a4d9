/* wall_clock: loaded before the C library, it lets a test set the wall clock of one program while that runs.
 *
 * The file that $WALL_CLOCK names holds seconds to add to the machine's. As in the kernel, a condition that is waited
 * for until a time of the wall clock waits longer when that goes back; one on the monotonic clock does not notice.
 * (libfaketime turns times into ones of the true clock when the wait begins, so it cannot show this.)
 *
 *   cc -shared -fPIC -o wall_clock.so wall_clock.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MONOTONIC = 4096 };
static pthread_cond_t *monotonic[MONOTONIC]; /* conditions on that clock; a place for each, by its address */

static pthread_cond_t **place_of(pthread_cond_t *c)
{
    return &monotonic[((size_t)c >> 4) % MONOTONIC];
}

static double shift(void)
{
    double seconds = 0;
    FILE *f = fopen(getenv("WALL_CLOCK"), "r");
    if (f && fscanf(f, "%lf", &seconds) != 1)
        seconds = 0;
    if (f)
        fclose(f);
    return seconds;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    int code = (int)syscall(SYS_clock_gettime, id, t);
    if (code == 0 && id == CLOCK_REALTIME)
        t->tv_sec += (time_t)shift();
    return code;
}

time_t time(time_t *out)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *t, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attributes)
{
    int (*real)(pthread_cond_t *, const pthread_condattr_t *) = dlvsym(RTLD_NEXT, "pthread_cond_init", "GLIBC_2.3.2");
    clockid_t id = CLOCK_REALTIME;
    if (attributes)
        pthread_condattr_getclock(attributes, &id);
    if (*place_of(c) == NULL || *place_of(c) == c)
        *place_of(c) = id == CLOCK_MONOTONIC ? c : NULL;
    return real(c, attributes);
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) =
        dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (*place_of(c) == c)
        return real(c, m, until);
    for (;;) { /* a tenth of a second of the true clock at a time */
        struct timespec now, soon;
        clock_gettime(CLOCK_REALTIME, &now);
        if (now.tv_sec > until->tv_sec || (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec))
            return ETIMEDOUT;
        syscall(SYS_clock_gettime, CLOCK_REALTIME, &soon);
        soon.tv_nsec += 100000000;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
        int code = real(c, m, &soon);
        if (code != ETIMEDOUT)
            return code;
    }
}
