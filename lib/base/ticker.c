/* ticker: one thread, one condition on the monotonic clock. Each thread of the server's that rests is one
 * (docs/threads.md). The mutex guards the ticker's own members alone; data that a tick shares with other threads need
 * a lock of their own. */
#include "trivet/base/ticker.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"

/* tick and context never change, so the thread reads them without the mutex. */
struct tv_ticker {
    tv_tick tick;
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    double rest; /* seconds, from the end of the last work on */
    int stopping;
};

static struct timespec timespec_of(double seconds)
{
    double whole = floor(seconds);
    return (struct timespec){.tv_sec = (time_t)whole, .tv_nsec = (long)((seconds - whole) * 1e9)};
}

/* With the mutex held, which the wait gives up. A wake-up may shorten `rest` meanwhile, so the end is computed again
 * each time round; spurious wake-ups of the condition are harmless for the same reason. */
static void rest(struct tv_ticker *t)
{
    double began = tv_clock();
    while (!t->stopping && tv_clock() < began + t->rest) {
        struct timespec until = timespec_of(began + t->rest);
        pthread_cond_timedwait(&t->changed, &t->mutex, &until);
    }
}

/* `rest` is infinite while the tick works, so a tv_ticker_wake that arrives then is kept, and the shorter of it and of
 * the tick's own answer counts. Without that, an event in the middle of a tick would be slept over. */
static void *run(void *context)
{
    struct tv_ticker *t = context;
    pthread_mutex_lock(&t->mutex);
    for (rest(t); !t->stopping; rest(t)) {
        t->rest = INFINITY;
        pthread_mutex_unlock(&t->mutex);
        double seconds = t->tick(t->context);
        pthread_mutex_lock(&t->mutex);
        t->rest = seconds < t->rest ? seconds : t->rest;
    }
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

static void ticker_free(struct tv_ticker *t)
{
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

enum tv_status tv_ticker_start(struct tv_ticker **out, const char *what, double first, tv_tick tick, void *context,
                               struct tv_error *err)
{
    struct tv_ticker *t = tv_alloc(1, sizeof *t, "a thread", err);
    pthread_condattr_t monotonic;
    if (t == NULL)
        return TV_ERR_NO_MEMORY;
    t->tick = tick;
    t->context = context;
    t->rest = first;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&t->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* Before the thread begins: the first tick may already ask tv_ticker_stopping(), through the caller's own
     * pointer. */
    *out = t;
    if (pthread_create(&t->thread, NULL, run, t) == 0)
        return TV_OK;
    *out = NULL;
    ticker_free(t);
    return tv_fail(err, TV_ERR_NO_MEMORY, "no thread %s", what);
}

/* Only ever shortens the rest: many wake-ups for the same work are one, and a later one cannot put an earlier one
 * off. */
void tv_ticker_wake(struct tv_ticker *t, double seconds)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->mutex);
    if (seconds < t->rest) {
        t->rest = seconds;
        pthread_cond_signal(&t->changed);
    }
    pthread_mutex_unlock(&t->mutex);
}

int tv_ticker_stopping(struct tv_ticker *t)
{
    pthread_mutex_lock(&t->mutex);
    int stopping = t->stopping;
    pthread_mutex_unlock(&t->mutex);
    return stopping;
}

/* Never called from within the tick, which would wait for itself. */
void tv_ticker_stop(struct tv_ticker *t)
{
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->mutex);
    t->stopping = 1;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    ticker_free(t);
}
