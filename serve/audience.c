/* audience: connections to the index of similar items, and the thread that keeps it up to date. */
#include "audience.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "trivet/buffer.h"
#include "trivet/log.h"
#include "trivet/similar_feed.h"

enum { CONNECTIONS = 4, REDIS_MS = 1000, LOOK_SECONDS = 2, STATEMENT_SECONDS = 20, EVENTS_AT_ONCE = 500 };

struct tv_audience {
    struct tv_breaker *redis;
    pthread_mutex_t mutex; /* guards what follows, up to the thread's own */
    pthread_cond_t free, wake;
    struct tv_similar *idle[CONNECTIONS];
    int n_idle, stopping, told;
    pthread_t thread;
    int running;
    struct tv_similar_feed *feed; /* the thread's */
    int behind;                   /* the last step failed: said once */
};

/* --- asking --------------------------------------------------------------------------------------------- */

static struct tv_similar *take(struct tv_audience *a)
{
    pthread_mutex_lock(&a->mutex);
    while (a->n_idle == 0)
        pthread_cond_wait(&a->free, &a->mutex);
    struct tv_similar *s = a->idle[--a->n_idle];
    pthread_mutex_unlock(&a->mutex);
    return s;
}

static void give(struct tv_audience *a, struct tv_similar *s)
{
    pthread_mutex_lock(&a->mutex);
    a->idle[a->n_idle++] = s;
    pthread_cond_signal(&a->free);
    pthread_mutex_unlock(&a->mutex);
}

enum tv_status tv_audience_ask(struct tv_audience *a, int64_t item, size_t top, struct tv_similar_answer *out,
                               int *known, struct tv_error *err)
{
    *out = (struct tv_similar_answer){0};
    if (a == NULL || !tv_breaker_is_up(a->redis)) {
        tv_fail(err, TV_ERR_UNAVAILABLE, "Redis, which has the index of similar items, does not answer");
        return tv_hint(err, "by=factors needs no Redis");
    }
    struct tv_similar *s = take(a);
    enum tv_status status = tv_similar_ask(s, item, top, out, known, err);
    give(a, s);
    if (status == TV_ERR_UNAVAILABLE)
        tv_breaker_trip(a->redis, err);
    return status;
}

/* --- following ------------------------------------------------------------------------------------------ */

/* Waits until somebody rates, or for a while; 0: it is to end. */
static int rest(struct tv_audience *a)
{
    struct timespec until;
    pthread_mutex_lock(&a->mutex);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOOK_SECONDS;
    while (!a->stopping && !a->told && pthread_cond_timedwait(&a->wake, &a->mutex, &until) == 0)
        ;
    a->told = 0;
    int go_on = !a->stopping;
    pthread_mutex_unlock(&a->mutex);
    return go_on;
}

static int is_stopping(struct tv_audience *a)
{
    pthread_mutex_lock(&a->mutex);
    int stopping = a->stopping;
    pthread_mutex_unlock(&a->mutex);
    return stopping;
}

/* All that waits. Without an index nothing does; a failure is tried again after a rest. */
static void catch_up(struct tv_audience *a)
{
    struct tv_error err = {0};
    int64_t applied = 0, total = 0;
    int elsewhere = 0;
    enum tv_status status = TV_OK;
    if (!tv_breaker_is_up(a->redis))
        return;
    do {
        status = tv_similar_feed_step(a->feed, EVENTS_AT_ONCE, &applied, &elsewhere, &err);
        total += applied;
    } while (status == TV_OK && applied > 0 && !is_stopping(a));
    if (total > 0)
        tv_log_debug("similar items: %" PRId64 " changes applied", total);
    int failed = status != TV_OK && status != TV_ERR_NOT_FOUND && status != TV_ERR_BUSY;
    if (failed && !a->behind)
        tv_log_info("similar items do not follow ratings for now: %s", err.message);
    else if (!failed && a->behind)
        tv_log_info("similar items follow ratings again");
    a->behind = failed;
}

static void *run(void *context)
{
    struct tv_audience *a = context;
    do
        catch_up(a);
    while (rest(a));
    return NULL;
}

void tv_audience_wake(struct tv_audience *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->mutex);
    a->told = 1;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->mutex);
}

/* --- its life ------------------------------------------------------------------------------------------- */

enum tv_status tv_audience_start(struct tv_audience **out, const char *redis_uri, const char *postgres_uri,
                                 const char *reader_uri, struct tv_breaker *redis, struct tv_error *err)
{
    struct tv_audience *a = tv_alloc(1, sizeof *a, "the index of similar items", err);
    if (a == NULL)
        return TV_ERR_NO_MEMORY;
    a->redis = redis;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->free, NULL);
    pthread_cond_init(&a->wake, NULL);
    enum tv_status status = tv_similar_feed_open(&a->feed, postgres_uri, reader_uri, redis_uri, STATEMENT_SECONDS, err);
    while (status == TV_OK && a->n_idle < CONNECTIONS)
        if ((status = tv_similar_open(&a->idle[a->n_idle], redis_uri, REDIS_MS, err)) == TV_OK)
            a->n_idle++;
    if (status == TV_OK && pthread_create(&a->thread, NULL, run, a) != 0)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "no thread to keep similar items up to date");
    a->running = status == TV_OK;
    if (status == TV_OK)
        *out = a;
    else
        tv_audience_stop(a);
    return status;
}

void tv_audience_stop(struct tv_audience *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->mutex);
    a->stopping = 1;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->mutex);
    if (a->running)
        pthread_join(a->thread, NULL);
    while (a->n_idle > 0)
        tv_similar_close(a->idle[--a->n_idle]);
    tv_similar_feed_close(a->feed);
    pthread_cond_destroy(&a->free);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->mutex);
    free(a);
}
