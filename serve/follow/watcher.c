/* watcher: a thread that notices new models. */
#include "serve/follow/watcher.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/stores/workers.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/model/model.h"
#include "trivet/model/model_redis.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/redis.h"
#include "trivet/store/redis_subscriber.h"

/* Slices of a second, so that stopping does not take one. */
enum { SLICE_MS = 250, SLICES = 4, BYTES_EVERY_SECONDS = 60 };

struct tv_watcher {
    struct tv_models *models; /* lent, as are */
    struct tv_metrics *metrics;
    char *redis_uri;
    pthread_t thread;
    atomic_int stopping;
    struct tv_redis_subscriber *subscriber;
    int64_t measured_model;
    double measured_at;
};

/* Waits for a notice, a second, or the end. Without a subscription it waits all the same: the key is read
 * anyway. */
static void wait_for_notice(struct tv_watcher *w)
{
    struct tv_buffer message = TV_BUFFER_INIT(4096);
    struct tv_error err;
    int got = 0;
    if (w->subscriber == NULL && tv_breaker_is_up(w->models->redis_breaker) &&
        tv_redis_subscribe(&w->subscriber, w->redis_uri, TV_LIVE_KEY, &err) == TV_OK)
        return; /* something may have changed while nobody listened */
    for (int i = 0; i < SLICES && !got && !atomic_load(&w->stopping); i++) {
        if (w->subscriber == NULL) {
            usleep(SLICE_MS * 1000);
        } else if (tv_redis_wait(w->subscriber, SLICE_MS, &message, &got, &err) != TV_OK) {
            tv_redis_unsubscribe(w->subscriber);
            w->subscriber = NULL;
        }
    }
    if (got)
        tv_log_debug("redis: notice on " TV_LIVE_KEY ": %s", tv_buffer_string(&message));
    tv_buffer_free(&message);
}

static void measure(struct tv_watcher *w)
{
    struct tv_models *models = w->models;
    struct tv_snapshot *s = tv_shelf_live(models->shelf);
    double now = tv_clock(), mongo = -1, redis = -1;
    if (s && (s->number != w->measured_model || now - w->measured_at > BYTES_EVERY_SECONDS) &&
        tv_models_reachable(models)) {
        if (tv_user_bytes(models->mongo, s->number, &mongo, NULL) != TV_OK)
            mongo = -1;
        if (tv_shelf_redis_bytes(models->shelf, s->number, &redis, NULL) != TV_OK)
            redis = -1;
        tv_metrics_bytes(w->metrics, mongo, redis);
        w->measured_model = s->number;
        w->measured_at = now;
    }
    tv_snapshot_release(s);
}

static void *run(void *context)
{
    struct tv_watcher *w = context;
    tv_thread_behind_requests();
    while (!atomic_load(&w->stopping)) {
        wait_for_notice(w);
        if (atomic_load(&w->stopping) || !tv_breaker_is_up(w->models->redis_breaker))
            continue;
        struct tv_error err = {0};
        struct tv_last_run last;
        if (tv_shelf_refresh(w->models->shelf, &err) == TV_OK)
            measure(w);
        else
            tv_log_reason(TV_LOG_DEBUG, "refresh", &err);
        if (tv_shelf_last_run(w->models->shelf, &last, NULL) == TV_OK)
            tv_metrics_last_run(w->metrics, &last);
    }
    return NULL;
}

static void watcher_free(struct tv_watcher *w)
{
    tv_redis_unsubscribe(w->subscriber);
    free(w->redis_uri);
    free(w);
}

enum tv_status tv_watcher_start(struct tv_watcher **out, struct tv_models *models, struct tv_metrics *metrics,
                                const char *redis_uri, struct tv_error *err)
{
    struct tv_watcher *w = tv_alloc(1, sizeof *w, "the watcher", err);
    if (w == NULL)
        return TV_ERR_NO_MEMORY;
    w->models = models;
    w->metrics = metrics;
    w->redis_uri = strdup(redis_uri);
    if (w->redis_uri == NULL || pthread_create(&w->thread, NULL, run, w) != 0) {
        watcher_free(w);
        return tv_fail(err, TV_ERR_NO_MEMORY, "no thread to watch for new models");
    }
    *out = w;
    return TV_OK;
}

void tv_watcher_stop(struct tv_watcher *w)
{
    if (w == NULL)
        return;
    atomic_store(&w->stopping, 1);
    pthread_join(w->thread, NULL);
    watcher_free(w);
}
