/* breaker: whether a store answers. The ticker asks; requests read one flag (tv_breaker_is_up), and report failures
 * of their own (tv_breaker_trip). app.c starts one for MongoDB and one for Redis.
 */
#include "serve/stores/breaker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/stop.h"
#include "trivet/base/ticker.h"

/* The flag, and since when and why, for /readyz. */
struct tv_breaker {
    const char *name;
    tv_ask ask;
    void *context;
    double interval; /* seconds */
    struct tv_ticker *ticker;
    atomic_int up;         /* written under the mutex, read by any thread without it */
    pthread_mutex_t mutex; /* guards the rest */
    double since;
    char message[1024];
};

/* A wait that ends because this process does says nothing of the store. Every change is logged once. `why` is read only where the store is away; the message that is kept names no
 * address, as /readyz shows it. */
static void set(struct tv_breaker *b, int up, const struct tv_error *why)
{
    char is_away[64];
    if (!up && tv_stop_due())
        return;
    pthread_mutex_lock(&b->mutex);
    int changed = atomic_load(&b->up) != up;
    if (changed)
        b->since = tv_clock();
    snprintf(b->message, sizeof b->message, "%s", up ? "" : why->message);
    atomic_store(&b->up, up);
    pthread_mutex_unlock(&b->mutex);
    if (changed && up)
        tv_log_info("%s answers", b->name);
    if (!changed || up)
        return;
    snprintf(is_away, sizeof is_away, "%s is away", b->name);
    tv_log_reason(TV_LOG_ERROR, is_away, why);
}

/* The ticker's step. Only its answer closes the breaker; it waits outside the mutex. */
static double ask(void *context)
{
    struct tv_breaker *b = context;
    struct tv_error err = {0};
    enum tv_status status = b->ask(b->context, &err);
    set(b, status == TV_OK, &err);
    return b->interval;
}

static void breaker_free(struct tv_breaker *b)
{
    pthread_mutex_destroy(&b->mutex);
    free(b);
}

/* The first question is asked here, on the caller's thread, so that requests never see a breaker that does not
 * know. */
enum tv_status tv_breaker_start(struct tv_breaker **out, const char *name, tv_ask question, void *context,
                                int interval_ms, struct tv_error *err)
{
    char to_watch[64];
    struct tv_breaker *b = tv_alloc(1, sizeof *b, "a breaker", err);
    if (b == NULL)
        return TV_ERR_NO_MEMORY;
    b->name = name;
    b->ask = question;
    b->context = context;
    b->interval = interval_ms / 1000.0;
    b->since = tv_clock();
    atomic_init(&b->up, -1); /* so that the first answer is told, whichever it is */
    pthread_mutex_init(&b->mutex, NULL);
    ask(b);
    snprintf(to_watch, sizeof to_watch, "to watch %s", name);
    enum tv_status status = tv_ticker_start(&b->ticker, to_watch, b->interval, ask, b, err);
    if (status == TV_OK)
        *out = b;
    else
        breaker_free(b);
    return status;
}

void tv_breaker_stop(struct tv_breaker *b)
{
    if (b == NULL)
        return;
    tv_ticker_stop(b->ticker);
    breaker_free(b);
}

/* Relaxed: nothing is read through the flag, and every request reads it. */
int tv_breaker_is_up(const struct tv_breaker *b)
{
    return atomic_load_explicit(&b->up, memory_order_relaxed);
}

void tv_breaker_trip(struct tv_breaker *b, const struct tv_error *why)
{
    set(b, 0, why);
}

/* All three of one moment, for /readyz. */
void tv_breaker_look(struct tv_breaker *b, struct tv_breaker_state *state)
{
    pthread_mutex_lock(&b->mutex);
    state->up = atomic_load(&b->up);
    state->seconds = tv_clock() - b->since;
    memcpy(state->message, b->message, sizeof state->message);
    pthread_mutex_unlock(&b->mutex);
}
