/* shelf: the resident models. shelf.h tells how threads meet here. The watcher refreshes it, every second and when
 * Redis tells of a switch, and so does a rating that is to be folded in; a worker loads a model that somebody asked
 * for by run number; the follower renews the live one when ratings were counted. All others only take references.
 */
#include "serve/model/shelf.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/model/load.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/model/model_redis.h"

/* How long Redis may take to answer: a load may read many megabytes from a store that is busy; a question waits for a
 * few bytes.
 */
enum { LOAD_MS = 5000, QUESTION_MS = 1000 };

/* How old a catalogue without a model may be: nobody tells the server of what changes in it. */
enum { CATALOGUE_SECONDS = 30 };

/* Two locks, and what each guards. `loading` is taken first where both are. */
struct tv_shelf {
    pthread_mutex_t shown; /* guards all above the next */
    struct tv_resident *live;
    struct tv_resident *others[TV_SHELF_OTHERS]; /* last used first */
    char notice[1024];
    struct tv_resident *catalogue; /* of an index of similar items, without a model; NULL: none was asked for yet */
    struct tv_indexed indexed;     /* whose it is, */
    double read_at;                /* and when it was read, by tv_clock */

    pthread_mutex_t loading; /* guards all below */
    int is_old;              /* 1: the live one was resident before it was shown, and has not been read again since */
    struct tv_redis *redis;
    struct tv_mongo *mongo; /* lent; a pool */
    double away_at;         /* tv_clock() when a store was last found away */
};

/* redis_uri is NULL in tests, which show models themselves (tv_shelf_show). */
enum tv_status tv_shelf_create(struct tv_shelf **out, const char *redis_uri, struct tv_mongo *mongo,
                               struct tv_error *err)
{
    struct tv_shelf *shelf = tv_alloc(1, sizeof *shelf, "the models", err);
    if (shelf == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&shelf->shown, NULL);
    pthread_mutex_init(&shelf->loading, NULL);
    shelf->mongo = mongo;
    enum tv_status status =
        redis_uri ? tv_redis_open(&shelf->redis, redis_uri, QUESTION_MS, -1, err) : TV_OK;
    if (status == TV_OK)
        *out = shelf;
    else
        tv_shelf_free(shelf);
    return status;
}

void tv_shelf_free(struct tv_shelf *shelf)
{
    if (shelf == NULL)
        return;
    tv_resident_release(shelf->live);
    tv_resident_release(shelf->catalogue);
    for (size_t i = 0; i < TV_SHELF_OTHERS; i++)
        tv_resident_release(shelf->others[i]);
    tv_redis_close(shelf->redis);
    pthread_mutex_destroy(&shelf->shown);
    pthread_mutex_destroy(&shelf->loading);
    free(shelf);
}

/* --- what is shown -------------------------------------------------------------------------------------- */

struct tv_resident *tv_shelf_live(struct tv_shelf *shelf)
{
    pthread_mutex_lock(&shelf->shown);
    struct tv_resident *s = shelf->live ? tv_resident_acquire(shelf->live) : NULL;
    pthread_mutex_unlock(&shelf->shown);
    return s;
}

/* Moves others[0..i) one back and puts `s` first. */
static void put_first(struct tv_shelf *shelf, size_t i, struct tv_resident *s)
{
    memmove(shelf->others + 1, shelf->others, i * sizeof *shelf->others);
    shelf->others[0] = s;
}

/* Called with `shown` held. Finding a model makes it the one used last, so it will be dropped last. */
static struct tv_resident *find_other(struct tv_shelf *shelf, int64_t run_number)
{
    for (size_t i = 0; i < TV_SHELF_OTHERS; i++) {
        struct tv_resident *s = shelf->others[i];
        if (s && s->run_number == run_number) {
            put_first(shelf, i, s);
            return s;
        }
    }
    return NULL;
}

struct tv_resident *tv_shelf_held(struct tv_shelf *shelf, int64_t run_number)
{
    pthread_mutex_lock(&shelf->shown);
    struct tv_resident *s =
        shelf->live && shelf->live->run_number == run_number ? shelf->live : find_other(shelf, run_number);
    if (s)
        tv_resident_acquire(s);
    pthread_mutex_unlock(&shelf->shown);
    return s;
}

/* Puts a model first among the others. The reference passes to the shelf, which gives up its own to the model that
 * falls off the end: outside the lock, because the last reference frees many megabytes. */
static void keep_other(struct tv_shelf *shelf, struct tv_resident *s)
{
    pthread_mutex_lock(&shelf->shown);
    struct tv_resident *last = shelf->others[TV_SHELF_OTHERS - 1];
    put_first(shelf, TV_SHELF_OTHERS - 1, s);
    pthread_mutex_unlock(&shelf->shown);
    tv_resident_release(last);
}

/* A request that still has a reference goes on with the model; only the shelf's own reference is given up. */
void tv_shelf_forget(struct tv_shelf *shelf, int64_t run_number)
{
    struct tv_resident *found = NULL;
    pthread_mutex_lock(&shelf->shown);
    if (find_other(shelf, run_number)) {
        found = shelf->others[0];
        memmove(shelf->others, shelf->others + 1, (TV_SHELF_OTHERS - 1) * sizeof *shelf->others);
        shelf->others[TV_SHELF_OTHERS - 1] = NULL;
    }
    pthread_mutex_unlock(&shelf->shown);
    tv_resident_release(found);
}

/* Called with `loading` held (tests aside), so no other switch comes between the times that `shown` is taken. */
void tv_shelf_show(struct tv_shelf *shelf, struct tv_resident *resident)
{
    tv_shelf_forget(shelf, resident->run_number); /* a rollback shows one that was among the others */
    pthread_mutex_lock(&shelf->shown);
    struct tv_resident *old = shelf->live;
    shelf->live = resident;
    pthread_mutex_unlock(&shelf->shown);
    if (old)
        keep_other(shelf, old); /* likely to be asked for: /models compares the new model with the one before */
}

void tv_shelf_notice(struct tv_shelf *shelf, char *out, size_t size)
{
    pthread_mutex_lock(&shelf->shown);
    snprintf(out, size, "%s", shelf->notice);
    pthread_mutex_unlock(&shelf->shown);
}

/* The watcher fails anew every second as long as the reason stands; the log is told of a reason once. */
static void set_notice(struct tv_shelf *shelf, const char *text)
{
    pthread_mutex_lock(&shelf->shown);
    int changed = strcmp(shelf->notice, text) != 0;
    snprintf(shelf->notice, sizeof shelf->notice, "%s", text);
    pthread_mutex_unlock(&shelf->shown);
    if (changed && text[0])
        tv_log_error("%s", text);
}

/* --- loading -------------------------------------------------------------------------------------------- */

/* Called with `loading` held. Redis has `patience_ms` for each answer; afterwards the connection is back at QUESTION_MS for
 * all others. */
static enum tv_status read_model(struct tv_shelf *shelf, int64_t run_number, const struct tv_resident *held, int patience_ms,
                                 struct tv_resident **out, struct tv_error *err)
{
    tv_redis_set_timeout(shelf->redis, patience_ms);
    enum tv_status status = tv_resident_load(out, shelf->redis, shelf->mongo, run_number, held, err);
    tv_redis_set_timeout(shelf->redis, QUESTION_MS);
    return status;
}

/* read_model with the patience of a load, and a line in the log. */
static enum tv_status load(struct tv_shelf *shelf, int64_t run_number, struct tv_resident **out, struct tv_error *err)
{
    double start = tv_clock();
    enum tv_status status = read_model(shelf, run_number, NULL, LOAD_MS, out, err);
    if (status == TV_OK)
        tv_log_info("model %" PRId64 " loaded: %d items, %d factors, %.2f s", run_number, (int)(*out)->n_items,
                    (*out)->factors, tv_clock() - start);
    return status;
}

/* One of the others that is of the live one's data set and has another catalogue, with a reference; NULL: there is none. */
static struct tv_resident *find_outdated(struct tv_shelf *shelf, const struct tv_resident *live)
{
    struct tv_resident *found = NULL;
    pthread_mutex_lock(&shelf->shown);
    for (size_t i = 0; i < TV_SHELF_OTHERS && found == NULL; i++) {
        struct tv_resident *s = shelf->others[i];
        if (s && s->dataset == live->dataset && s->catalogue != live->catalogue)
            found = tv_resident_acquire(s);
    }
    pthread_mutex_unlock(&shelf->shown);
    return found;
}

/* Puts a copy in the place of one of the others, wherever that stands by now. The references pass to the shelf and to the caller:
 * returned is what the shelf held, or the copy, where nobody holds the old one any more. */
static struct tv_resident *replace_other(struct tv_shelf *shelf, const struct tv_resident *old, struct tv_resident *copy)
{
    struct tv_resident *out = copy;
    pthread_mutex_lock(&shelf->shown);
    for (size_t i = 0; i < TV_SHELF_OTHERS && out == copy; i++)
        if (shelf->others[i] == old) {
            out = shelf->others[i];
            shelf->others[i] = copy;
        }
    pthread_mutex_unlock(&shelf->shown);
    return out;
}

/* Called with `loading` held. The other models of the live one's data set get its catalogue: one data set has one count of an item,
 * whatever model is asked. One that cannot be made is let go, and loaded again when somebody asks for it. */
static void renew_others(struct tv_shelf *shelf, const struct tv_resident *live)
{
    struct tv_resident *old;
    while ((old = find_outdated(shelf, live)) != NULL) {
        struct tv_resident *copy = NULL;
        if (tv_resident_renew(&copy, old, live->catalogue, NULL) == TV_OK)
            tv_resident_release(replace_other(shelf, old, copy));
        else
            tv_shelf_forget(shelf, old->run_number);
        tv_resident_release(old);
    }
}

/* Reads the live model's catalogue once more, and its factors where they are others now, and shows the new copy. Called with `loading` held, so no other model is shown
 * meanwhile. Ratings that are folded in wait for the same lock (tv_shelf_refresh), and the copy that is there will
 * do for now: so Redis gets no more than the time of a question. On failure is_old stays as it was, so that
 * the next refresh reads a copy again that was found old. */
static enum tv_status renew(struct tv_shelf *shelf, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    struct tv_resident *new = NULL, *old = tv_shelf_live(shelf);
    if (old)
        status = read_model(shelf, old->run_number, old, QUESTION_MS, &new, err);
    if (new) {
        pthread_mutex_lock(&shelf->shown);
        shelf->live = new;
        pthread_mutex_unlock(&shelf->shown);
        tv_resident_release(old); /* the shelf's own reference; the one taken above is given up below */
        renew_others(shelf, new);
        tv_log_debug("model %" PRId64 " read again", new->run_number);
    }
    shelf->is_old = shelf->is_old && status != TV_OK;
    tv_resident_release(old);
    return status;
}

enum tv_status tv_shelf_renew(struct tv_shelf *shelf, struct tv_error *err)
{
    pthread_mutex_lock(&shelf->loading);
    enum tv_status status = renew(shelf, err);
    if (status == TV_ERR_UNAVAILABLE)
        shelf->away_at = tv_clock();
    pthread_mutex_unlock(&shelf->loading);
    return status;
}

/* Several requests may ask for the same model at once: the first loads it, and the others find it resident when
 * they get the lock. */
enum tv_status tv_shelf_load(struct tv_shelf *shelf, int64_t run_number, struct tv_resident **out, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    pthread_mutex_lock(&shelf->loading);
    *out = tv_shelf_held(shelf, run_number); /* the thread that held the lock before may have loaded it */
    if (*out == NULL) {
        status = load(shelf, run_number, out, err);
        if (status == TV_OK)
            keep_other(shelf, tv_resident_acquire(*out));
    }
    pthread_mutex_unlock(&shelf->loading);
    return status;
}

/* The live model, if it is of that data set, or the catalogue as it was read for the same index; with a reference. An index
 * of an older trivet does not say whose it is: then it is taken for the live model's, as it was then. */
static struct tv_resident *find_catalogue(struct tv_shelf *shelf, const struct tv_indexed *index, int however_old)
{
    struct tv_resident *found = NULL;
    pthread_mutex_lock(&shelf->shown);
    if (shelf->live && (index->dataset == 0 || shelf->live->dataset == index->dataset))
        found = shelf->live;
    else if (shelf->catalogue && shelf->indexed.version == index->version && shelf->indexed.dataset == index->dataset &&
             shelf->indexed.forgets == index->forgets &&
             (however_old || tv_clock() < shelf->read_at + CATALOGUE_SECONDS))
        found = shelf->catalogue;
    if (found)
        tv_resident_acquire(found);
    pthread_mutex_unlock(&shelf->shown);
    return found;
}

static enum tv_status read_catalogue(struct tv_shelf *shelf, const struct tv_indexed *index, struct tv_resident **out,
                                     struct tv_error *err)
{
    struct tv_resident *new = NULL;
    enum tv_status status = tv_resident_load_catalogue(&new, shelf->mongo, index->dataset, err);
    if (status != TV_OK)
        return status;
    tv_log_debug("the catalogue of data set %" PRId64 " was read for similar items", index->dataset);
    *out = tv_resident_acquire(new);
    pthread_mutex_lock(&shelf->shown);
    struct tv_resident *old = shelf->catalogue;
    shelf->catalogue = new;
    shelf->indexed = *index;
    shelf->read_at = tv_clock();
    pthread_mutex_unlock(&shelf->shown);
    tv_resident_release(old);
    return TV_OK;
}

/* Where MongoDB is away, an old catalogue does: its items are the index's still. */
enum tv_status tv_shelf_catalogue(struct tv_shelf *shelf, const struct tv_indexed *index, struct tv_resident **out,
                                  struct tv_error *err)
{
    enum tv_status status = TV_OK;
    *out = find_catalogue(shelf, index, 0);
    if (*out)
        return TV_OK;
    pthread_mutex_lock(&shelf->loading);
    *out = find_catalogue(shelf, index, 0); /* the thread that held the lock before may have read it */
    if (*out == NULL)
        status = read_catalogue(shelf, index, out, err);
    pthread_mutex_unlock(&shelf->loading);
    if (status == TV_ERR_UNAVAILABLE)
        *out = find_catalogue(shelf, index, 1);
    return *out ? TV_OK : status;
}

/* Shows model `run_number`: at once if it is resident (a rollback), and then its titles and numbers of ratings may be
 * older than those shown so far, so it is read again afterwards. */
static enum tv_status show_run(struct tv_shelf *shelf, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    struct tv_resident *new = tv_shelf_held(shelf, run_number);
    shelf->is_old = new != NULL;
    if (new == NULL)
        status = load(shelf, run_number, &new, err);
    if (status == TV_OK) {
        tv_shelf_show(shelf, new);
        if (!shelf->is_old)
            renew_others(shelf, new);
    } else
        tv_context(err, "model %" PRId64 " is called live but cannot be served", run_number);
    return status;
}

/* Called with `loading` held. A model that is pruned, or that `forget` has made again under another number, answers no more. */
static enum tv_status drop_pruned(struct tv_shelf *shelf, struct tv_error *err)
{
    int64_t held[TV_SHELF_OTHERS];
    size_t n = 0;
    enum tv_status status = TV_OK;
    pthread_mutex_lock(&shelf->shown);
    for (size_t i = 0; i < TV_SHELF_OTHERS; i++)
        if (shelf->others[i])
            held[n++] = shelf->others[i]->run_number;
    pthread_mutex_unlock(&shelf->shown);
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        int there = 0;
        status = tv_model_is_there(shelf->redis, held[i], &there, err);
        if (status == TV_OK && !there)
            tv_shelf_forget(shelf, held[i]);
    }
    return status;
}

/* Called with `loading` held. Redis has the last word about which model is live, and which there are. */
static enum tv_status refresh(struct tv_shelf *shelf, struct tv_error *err)
{
    int64_t run_number = 0;
    enum tv_status status = tv_model_live(shelf->redis, &run_number, err);
    if (status == TV_ERR_NOT_FOUND) {
        tv_fail(err, TV_ERR_NOT_FOUND, "no model is live yet");
        return tv_hint(err, "train one: trivet-train");
    }
    if (status != TV_OK)
        return status;
    struct tv_resident *live = tv_shelf_live(shelf);
    int same = live && live->run_number == run_number;
    tv_resident_release(live);
    if (!same)
        status = show_run(shelf, run_number, err);
    if (status == TV_OK)
        status = drop_pruned(shelf, err);
    return status == TV_OK && shelf->is_old ? renew(shelf, err) : status;
}

/* A thread that waited for the lock while another found a store away takes that for its own answer: otherwise each
 * of them would wait out its own timeout, one after the other. A store that is away is no notice, because its
 * breaker tells of it. */
enum tv_status tv_shelf_refresh(struct tv_shelf *shelf, struct tv_error *err)
{
    struct tv_error local = {0};
    double asked = tv_clock();
    pthread_mutex_lock(&shelf->loading);
    int is_away = shelf->away_at > asked;
    enum tv_status status =
        is_away ? tv_fail(&local, TV_ERR_UNAVAILABLE, "a store did not answer a moment ago") : refresh(shelf, &local);
    if (status == TV_ERR_UNAVAILABLE && !is_away)
        shelf->away_at = tv_clock();
    pthread_mutex_unlock(&shelf->loading);
    if (status == TV_OK)
        set_notice(shelf, "");
    else if (status != TV_ERR_UNAVAILABLE)
        set_notice(shelf, local.message);
    if (status != TV_OK && err)
        *err = local;
    return status;
}

/* Belongs to the shelf only because the connection to Redis does. */
enum tv_status tv_shelf_last_run(struct tv_shelf *shelf, struct tv_last_run *out, struct tv_error *err)
{
    pthread_mutex_lock(&shelf->loading);
    enum tv_status status = tv_last_run_read(out, shelf->redis, err);
    pthread_mutex_unlock(&shelf->loading);
    return status;
}

enum tv_status tv_shelf_redis_bytes(struct tv_shelf *shelf, int64_t run_number, double *bytes, struct tv_error *err)
{
    pthread_mutex_lock(&shelf->loading);
    enum tv_status status = tv_model_redis_bytes(shelf->redis, run_number, bytes, err);
    pthread_mutex_unlock(&shelf->loading);
    return status;
}
