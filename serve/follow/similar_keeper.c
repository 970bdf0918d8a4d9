/* similar_keeper: connections to the index of similar items, and the thread that keeps it up to date. Requests and the
 * thread use connections of their own; all they share is the refusal, which /readyz tells.
 */
#include "serve/follow/similar_keeper.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/stop.h"
#include "trivet/base/text.h"
#include "trivet/base/ticker.h"
#include "trivet/similar/feed.h"

enum { CONNECTIONS = 4, REDIS_MS = 1000, LOOK_SECONDS = 2, STATEMENT_SECONDS = 20, EVENTS_AT_ONCE = 500 };

struct tv_similar_keeper {
    struct tv_breaker *redis;
    pthread_mutex_t mutex; /* guards the idle connections, and all to `made_of` */
    int64_t version, dataset; /* of the index that was live last; 0: none yet */
    char refusal[sizeof((struct tv_error *)0)->message];
    char data[1024]; /* a sentence, or "" */
    struct tv_similar_made made; /* of `made_of`; as PostgreSQL said last */
    int64_t made_of;
    pthread_cond_t free;
    struct tv_similar *idle[CONNECTIONS];
    int n_idle;
    struct tv_ticker *ticker;
    struct tv_similar_feed *feed; /* the ticker's, as is the next */
    int behind;                   /* the last step failed: said once */
};

/* --- asking --------------------------------------------------------------------------------------------- */

/* There are fewer connections than workers: a request waits for one, which is short, as each answers or fails
 * within REDIS_MS a round trip. */
static struct tv_similar *take(struct tv_similar_keeper *a)
{
    pthread_mutex_lock(&a->mutex);
    while (a->n_idle == 0)
        pthread_cond_wait(&a->free, &a->mutex);
    struct tv_similar *s = a->idle[--a->n_idle];
    pthread_mutex_unlock(&a->mutex);
    return s;
}

/* Gives a connection back and wakes one thread that waits for one. */
static void give(struct tv_similar_keeper *a, struct tv_similar *s)
{
    pthread_mutex_lock(&a->mutex);
    a->idle[a->n_idle++] = s;
    pthread_cond_signal(&a->free);
    pthread_mutex_unlock(&a->mutex);
}

/* The error while Redis is away; its hint is the way to ask that needs no Redis. */
static enum tv_status away(struct tv_error *err)
{
    tv_fail(err, TV_ERR_UNAVAILABLE, "Redis, which has the index of similar items, does not answer");
    tv_from(err, TV_FROM_REDIS);
    return tv_hint(err, "by=factors needs no Redis");
}

/* Redis may have an index all the same, of another data set than the one that serves. */
static enum tv_status none_of_this(struct tv_similar_keeper *a, struct tv_error *err)
{
    char data[sizeof a->data];
    tv_similar_keeper_data(a, data, sizeof data);
    if (data[0] == '\0')
        return TV_ERR_NOT_FOUND;
    tv_fail(err, TV_ERR_NOT_FOUND, "%s", data);
    return tv_hint(err, "trivet-train similar builds one of what is loaded; by=factors asks the model");
}

/* The breaker is looked at twice. A connection that was waited for may have been given back by a thread that found
 * Redis hanging; without the second look every waiting request would find that out for itself, one timeout after
 * the other. */
enum tv_status tv_similar_keeper_ask(struct tv_similar_keeper *a, int64_t item, size_t top,
                                     struct tv_similar_answer *out, int *known, struct tv_error *err)
{
    *out = (struct tv_similar_answer){0};
    if (a == NULL || !tv_breaker_is_up(a->redis))
        return away(err);
    struct tv_similar *s = take(a);
    int is_up = tv_breaker_is_up(a->redis);
    enum tv_status status = is_up ? tv_similar_ask(s, item, top, out, known, err) : away(err);
    give(a, s);
    if (is_up && status == TV_ERR_UNAVAILABLE)
        tv_breaker_trip(a->redis, err);
    return status == TV_ERR_NOT_FOUND && *known < 0 ? none_of_this(a, err) : status;
}

/* The index that was live last, so that titles are found while Redis is away. */
static enum tv_status last_index(struct tv_similar_keeper *a, int64_t *version, int64_t *dataset, struct tv_error *err)
{
    pthread_mutex_lock(&a->mutex);
    *version = a->version;
    *dataset = a->dataset;
    pthread_mutex_unlock(&a->mutex);
    return *version ? TV_OK : away(err);
}

static void note_index(struct tv_similar_keeper *a, int64_t version, int64_t dataset)
{
    pthread_mutex_lock(&a->mutex);
    a->version = version;
    a->dataset = dataset;
    pthread_mutex_unlock(&a->mutex);
}

enum tv_status tv_similar_keeper_index(struct tv_similar_keeper *a, int64_t *version, int64_t *dataset, struct tv_error *err)
{
    *version = *dataset = 0;
    if (a == NULL)
        return away(err);
    if (!tv_breaker_is_up(a->redis))
        return last_index(a, version, dataset, err);
    struct tv_similar *s = take(a);
    struct tv_error why = {0}; /* the breaker's, whoever does not want it */
    enum tv_status status = tv_similar_look(s, version, NULL, &why);
    if (status == TV_OK)
        *dataset = tv_similar_dataset(s);
    give(a, s);
    if (status == TV_OK || status == TV_ERR_NOT_FOUND)
        note_index(a, status == TV_OK ? *version : 0, *dataset);
    if (status != TV_OK && err)
        *err = why;
    if (status != TV_ERR_UNAVAILABLE)
        return status;
    tv_breaker_trip(a->redis, &why);
    return last_index(a, version, dataset, err);
}

int64_t tv_similar_keeper_seen(struct tv_similar_keeper *a)
{
    int64_t version = 0, dataset;
    if (a)
        tv_ignore(last_index(a, &version, &dataset, NULL), "none is an answer, too");
    return version;
}

/* --- following ------------------------------------------------------------------------------------------ */

void tv_similar_keeper_look(struct tv_similar_keeper *a, char *out, size_t size)
{
    out[0] = '\0';
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->mutex);
    tv_text_copy(out, size, a->refusal);
    pthread_mutex_unlock(&a->mutex);
}

void tv_similar_keeper_data(struct tv_similar_keeper *a, char *out, size_t size)
{
    out[0] = '\0';
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->mutex);
    tv_text_copy(out, size, a->data);
    pthread_mutex_unlock(&a->mutex);
}

void tv_similar_keeper_made(struct tv_similar_keeper *a, int64_t version, struct tv_similar_made *out)
{
    *out = (struct tv_similar_made){0};
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->mutex);
    if (version && a->made_of == version)
        *out = a->made;
    pthread_mutex_unlock(&a->mutex);
}

/* Told once in the log, and to all who look as long as it is so. What an index is made of stays known while PostgreSQL is away. */
static void note_data(struct tv_similar_keeper *a, int64_t version)
{
    struct tv_similar_made made;
    char sentence[sizeof a->data] = "";
    const char *what = made.notice;
    int told = tv_similar_feed_made(a->feed, version, &made);
    if (what[0] && version)
        snprintf(sentence, sizeof sentence, "the index of similar items (%" PRId64 ") %s", version, what);
    else if (what[0])
        tv_text_copy(sentence, sizeof sentence, what);
    pthread_mutex_lock(&a->mutex);
    int changed = strcmp(a->data, sentence) != 0;
    tv_text_copy(a->data, sizeof a->data, sentence);
    if (told) {
        a->made = made;
        a->made_of = version;
    }
    pthread_mutex_unlock(&a->mutex);
    if (changed && sentence[0])
        tv_log_info("%s; trivet-train similar makes a new one", sentence);
}

/* Told once in the log, and to all who look as long as it is so. A store that is away is left to its breaker; what fails because this
 * process ends is none. */
static void note_failure(struct tv_similar_keeper *a, int failed, const struct tv_error *err)
{
    if (failed && tv_stop_due())
        return;
    if (failed && !a->behind)
        tv_log_reason(TV_LOG_INFO, "similar items do not follow ratings for now", err);
    else if (!failed && a->behind)
        tv_log_info("similar items follow ratings again");
    a->behind = failed;
    pthread_mutex_lock(&a->mutex);
    tv_text_copy(a->refusal, sizeof a->refusal, failed && err->status != TV_ERR_UNAVAILABLE ? err->message : "");
    pthread_mutex_unlock(&a->mutex);
}

/* The ticker's step: applies all events that wait, EVENTS_AT_ONCE at a time. Without an index (TV_ERR_NOT_FOUND),
 * or where another went live meanwhile (TV_ERR_BUSY), nothing is wrong: the next step looks anew. A failure is
 * tried again after a rest. Returns the seconds until the next step. */
static double catch_up(void *context)
{
    struct tv_similar_keeper *a = context;
    struct tv_error err = {0};
    int64_t applied = 0, total = 0, version, dataset;
    int elsewhere = 0;
    enum tv_status status = TV_OK;
    if (!tv_breaker_is_up(a->redis))
        return LOOK_SECONDS;
    tv_ignore(tv_similar_keeper_index(a, &version, &dataset, NULL), "it is noted for whoever asks, and looked for again");
    do {
        status = tv_similar_feed_step(a->feed, EVENTS_AT_ONCE, &applied, &elsewhere, &err);
        total += applied;
    } while (status == TV_OK && applied > 0 && !tv_ticker_stopping(a->ticker));
    if (total > 0)
        tv_log_debug("similar items: %" PRId64 " changes applied", total);
    if (status == TV_OK || status == TV_ERR_NOT_FOUND)
        note_data(a, version);
    note_failure(a, status != TV_OK && status != TV_ERR_NOT_FOUND && status != TV_ERR_BUSY, &err);
    return LOOK_SECONDS;
}

void tv_similar_keeper_wake(struct tv_similar_keeper *a)
{
    if (a)
        tv_ticker_wake(a->ticker, 0);
}

/* --- its life ------------------------------------------------------------------------------------------- */

/* A failure half-way ends in tv_similar_keeper_stop, which takes what there is. */
enum tv_status tv_similar_keeper_start(struct tv_similar_keeper **out, const char *redis_uri, const char *postgres_uri,
                                       const char *reader_uri, struct tv_breaker *redis, struct tv_error *err)
{
    struct tv_similar_keeper *a = tv_alloc(1, sizeof *a, "the index of similar items", err);
    if (a == NULL)
        return TV_ERR_NO_MEMORY;
    a->redis = redis;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->free, NULL);
    enum tv_status status = tv_similar_feed_open(&a->feed, postgres_uri, reader_uri, redis_uri, STATEMENT_SECONDS, err);
    while (status == TV_OK && a->n_idle < CONNECTIONS)
        if ((status = tv_similar_open(&a->idle[a->n_idle], redis_uri, REDIS_MS, err)) == TV_OK)
            a->n_idle++;
    if (status == TV_OK)
        status = tv_ticker_start(&a->ticker, "for keeping similar items up to date", 0, catch_up, a, err);
    if (status == TV_OK)
        *out = a;
    else
        tv_similar_keeper_stop(a);
    return status;
}

void tv_similar_keeper_stop(struct tv_similar_keeper *a)
{
    if (a == NULL)
        return;
    tv_ticker_stop(a->ticker);
    while (a->n_idle > 0)
        tv_similar_close(a->idle[--a->n_idle]);
    tv_similar_feed_close(a->feed);
    pthread_cond_destroy(&a->free);
    pthread_mutex_destroy(&a->mutex);
    free(a);
}
