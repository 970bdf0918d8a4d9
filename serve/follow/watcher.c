/* watcher: a thread that notices new models. Each step waits for a notice or a second, asks Redis which model is
 * live (tv_shelf_refresh, which loads it if it is another), and sees to the counters that only a store can tell.
 */
#include "serve/follow/watcher.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "serve/stores/workers.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/ticker.h"
#include "trivet/model/model.h"
#include "trivet/model/model_redis.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/redis.h"
#include "trivet/store/redis_subscriber.h"

/* The thread waits on its subscription, a socket, for a second in slices, so that stopping does not take one; without a
 * subscription there is nothing to wait on, and the ticker has it rest. */
enum { SLICE_MS = 250, SLICES = 4, UNTOLD_SECONDS = 1, BYTES_EVERY_SECONDS = 60 };

struct tv_watcher {
    struct tv_models *models; /* lent, as are */
    struct tv_counters *counters;
    char *redis_uri;
    struct tv_ticker *ticker;
    struct tv_redis_subscriber *subscriber; /* the ticker's, as are the next; NULL: no subscription */
    int64_t measured_model;
    double measured_at;
};

/* Subscribes to the switch's channel; 1: from now on notices come. */
static int subscribe(struct tv_watcher *w)
{
    return tv_breaker_is_up(w->models->redis_breaker) &&
           tv_redis_subscribe(&w->subscriber, w->redis_uri, TV_LIVE_KEY, NULL) == TV_OK;
}

/* Waits for a notice, a second, or the end. 0: the subscription is lost. */
static int wait_for_notice(struct tv_watcher *w)
{
    struct tv_buffer message = TV_BUFFER_INIT(4096);
    int got = 0;
    for (int i = 0; w->subscriber && i < SLICES && !got && !tv_ticker_stopping(w->ticker); i++)
        if (tv_redis_wait(w->subscriber, SLICE_MS, &message, &got, NULL) != TV_OK) {
            tv_redis_unsubscribe(w->subscriber);
            w->subscriber = NULL;
        }
    if (got)
        tv_log_debug("redis: notice on " TV_LIVE_KEY ": %s", tv_buffer_string(&message));
    tv_buffer_free(&message);
    return w->subscriber != NULL;
}

/* Bytes in the stores, for /metrics: when the model is new, and once a minute besides. A store that does not tell
 * leaves its number unknown. */
static void measure(struct tv_watcher *w)
{
    struct tv_models *models = w->models;
    struct tv_resident *s = tv_shelf_live(models->shelf);
    double now = tv_clock(), mongo = -1, redis = -1;
    if (s && (s->run_number != w->measured_model || now - w->measured_at > BYTES_EVERY_SECONDS) &&
        tv_models_reachable(models)) {
        if (tv_user_bytes(models->mongo, s->run_number, &mongo, NULL) != TV_OK)
            mongo = -1;
        if (tv_shelf_redis_bytes(models->shelf, s->run_number, &redis, NULL) != TV_OK)
            redis = -1;
        tv_counters_bytes(w->counters, mongo, redis);
        w->measured_model = s->run_number;
        w->measured_at = now;
    }
    tv_resident_release(s);
}

/* A refresh that fails is no error here: the shelf keeps the reason, and the breakers tell of stores that are away. */
static void look(struct tv_watcher *w)
{
    struct tv_error err = {0};
    struct tv_last_run last;
    if (tv_shelf_refresh(w->models->shelf, &err) == TV_OK)
        measure(w);
    else
        tv_log_reason(TV_LOG_DEBUG, "refresh", &err);
    if (tv_shelf_last_run(w->models->shelf, &last, NULL) == TV_OK)
        tv_counters_last_run(w->counters, &last);
}

/* The ticker's step. The key is read whether there was a notice or not: one may have been lost, and something may have
 * changed before the subscription. With one there is no rest between steps, as waiting is in the step. */
static double watch(void *context)
{
    struct tv_watcher *w = context;
    tv_thread_behind_requests();
    int is_told = w->subscriber ? wait_for_notice(w) : subscribe(w);
    if (!tv_ticker_stopping(w->ticker) && tv_breaker_is_up(w->models->redis_breaker))
        look(w);
    return is_told ? 0 : UNTOLD_SECONDS;
}

static void watcher_free(struct tv_watcher *w)
{
    tv_redis_unsubscribe(w->subscriber);
    free(w->redis_uri);
    free(w);
}

/* The first step comes at once (the ticker's first rest is 0), so a server that began without Redis is not a second
 * late. */
enum tv_status tv_watcher_start(struct tv_watcher **out, struct tv_models *models, struct tv_counters *counters,
                                const char *redis_uri, struct tv_error *err)
{
    struct tv_watcher *w = tv_alloc(1, sizeof *w, "the watcher", err);
    if (w == NULL)
        return TV_ERR_NO_MEMORY;
    w->models = models;
    w->counters = counters;
    w->redis_uri = strdup(redis_uri);
    enum tv_status status = w->redis_uri ? tv_ticker_start(&w->ticker, "to watch for new models", 0, watch, w, err)
                                         : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the watcher");
    if (status == TV_OK)
        *out = w;
    else
        watcher_free(w);
    return status;
}

void tv_watcher_stop(struct tv_watcher *w)
{
    if (w == NULL)
        return;
    tv_ticker_stop(w->ticker);
    watcher_free(w);
}
