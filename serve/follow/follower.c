/* follower: a thread that does the work a rating left to do, in steps of work_off: first users, then counts of
 * items, then the catalogue. It has a connection to PostgreSQL of its own, and more patience than the rater.
 */
#include "serve/follow/follower.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/follow/model_data.h"
#include "serve/stores/workers.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/ticker.h"
#include "trivet/schema/version.h"
#include "trivet/store/pg_rows.h"

enum { SOON_SECONDS = 1, SELDOM_SECONDS = 5, RENEW_SECONDS = 10, REST = 20 };
enum { USERS_AT_ONCE = 200, ITEMS_AT_ONCE = 100000 };
/* Seconds for a pass over all ratings. PostgreSQL ends a statement (STATEMENT_SECONDS) before this side gives it up
 * (PATIENCE). */
enum { STATEMENT_SECONDS = 50, READING_SECONDS = 30, PATIENCE = 60 };
/* A row source that cannot be read is left alone for so long. */
enum { SOURCE_FIRST_SECONDS = 5, SOURCE_MOST_SECONDS = 600 };

/* All but `state` is for the ticker's thread alone. */
struct tv_follower {
    struct tv_models *models; /* lent, as is the rater */
    struct tv_rater *rater;
    char *postgres_uri;
    struct tv_pg *pg; /* NULL: not connected */
    double looked;    /* at the schema, by tv_schema_look_again */
    struct tv_fold_in_stores reading;
    double source_again, source_rest; /* tv_clock(): not before; and how long that was */
    double count_again;               /* tv_clock(): not before */
    double renew_again;
    int64_t counted; /* the sum of counted_rev in item_change that the resident catalogue has, at the least */
    int behind;      /* 1: users may have waited since an earlier step, so that folding them in is told */
    struct tv_ticker *ticker;
    pthread_mutex_t mutex; /* guards `state` */
    struct tv_follower_state state;
};

/* known_scale passes over the ratings of a load whose scale was never noted. It is asked once here, so that no
 * rating has to wait for that. */
static enum tv_status connect_to(struct tv_follower *f, struct tv_error *err)
{
    char timeout[64];
    snprintf(timeout, sizeof timeout, "SET statement_timeout = '%ds'", STATEMENT_SECONDS);
    enum tv_status status = tv_pg_open_within(&f->pg, f->postgres_uri, "trivet-serve follower", TV_PG_ANSWERS, err);
    if (status != TV_OK)
        return status;
    tv_pg_set_patience(f->pg, PATIENCE);
    if ((status = tv_schema_check(f->pg, err)) != TV_OK) {
        tv_pg_close(f->pg); /* the next step looks again */
        f->pg = NULL;
        return status;
    }
    status = tv_pg_exec(f->pg, timeout, 0, NULL, err);
    return status == TV_OK ? tv_pg_exec(f->pg, "SELECT trivet.known_scale()", 0, NULL, err) : status;
}

/* Rests REST times as long as the last pass took, so that counting never takes more than a twentieth of the time.
 * work->left brings the follower back meanwhile. */
static enum tv_status count_items(struct tv_follower *f, struct tv_catch_up_work *work, struct tv_error *err)
{
    double began = tv_clock();
    if (began < f->count_again) {
        work->left = 1;
        return TV_OK;
    }
    enum tv_status status = tv_catch_up_count(work, f->pg, f->models->mongo, ITEMS_AT_ONCE, err);
    f->count_again = tv_clock() + REST * (tv_clock() - began);
    return status;
}

/* Reads the catalogue again when some process has counted since, or has built an index of similar items, with which titles are written. One that could not be read is tried again. The
 * first look always finds a difference (f->counted is 0), because nothing tells whether the catalogue was read
 * before or after the counts that are there. */
static enum tv_status renew_counts(struct tv_follower *f, struct tv_error *err)
{
    static const char sql[] = "SELECT coalesce(sum(counted_rev), 0)::bigint + 1000003 * (SELECT coalesce(max(id), 0) FROM trivet.similar_index "
                              "WHERE state = 'live') FROM trivet.item_change";
    int64_t counted = 0;
    enum tv_status status = tv_pg_int(f->pg, sql, 0, NULL, &counted, err);
    double began = tv_clock();
    if (status != TV_OK || counted == f->counted || began < f->renew_again)
        return status;
    status = tv_shelf_renew(f->models->shelf, err);
    double took = REST * (tv_clock() - began);
    f->renew_again = tv_clock() + (took > RENEW_SECONDS ? took : RENEW_SECONDS);
    if (status == TV_OK)
        f->counted = counted;
    return status;
}

/* --- users --------------------------------------------------------------------------------------------------- */

void tv_follower_look(struct tv_follower *f, struct tv_follower_state *state)
{
    *state = (struct tv_follower_state){.waiting = -1, .refused = -1};
    if (f == NULL)
        return;
    pthread_mutex_lock(&f->mutex);
    *state = f->state;
    pthread_mutex_unlock(&f->mutex);
}

/* 1 while a row source that cannot be read is left alone; another model has another source. */
static int is_resting(struct tv_follower *f, const struct tv_follower_state *state)
{
    if (state->unreadable == 0 || tv_clock() >= f->source_again)
        return 0;
    struct tv_resident *live = tv_shelf_live(f->models->shelf);
    int same = live && live->run_number == state->unreadable;
    tv_resident_release(live);
    return same;
}

/* Tells once that a row source cannot be read, and once that it can be again. Each failure doubles the rest, up to
 * SOURCE_MOST_SECONDS. */
static void note_source(struct tv_follower *f, struct tv_follower_state *state, struct tv_catch_up_work *work,
                        int64_t model)
{
    int readable = work->told.source.status == TV_OK, told = !readable && state->unreadable == model;
    if (readable && state->unreadable && work->users > 0)
        tv_log_info("the source that users of model %" PRId64 " are read from can be read again", model);
    if (readable && work->users + work->told.refused.n > 0)
        state->unreadable = 0;
    f->source_rest = !told ? SOURCE_FIRST_SECONDS : f->source_rest * 2;
    if (f->source_rest > SOURCE_MOST_SECONDS)
        f->source_rest = SOURCE_MOST_SECONDS;
    if (!readable) {
        state->unreadable = model;
        f->source_again = tv_clock() + f->source_rest;
    }
    struct tv_catch_up_work news = *work;
    news.told.unwritten.n = 0; /* note_refusal tells of these */
    if (told)
        news.told.source.status = work->told.source.status = TV_OK;
    tv_catch_up_report(&news, model);
}

/* Waiting: changed since they were last folded in. Refused: those of them whose rows cannot be read. */
static enum tv_status count_users(struct tv_follower *f, struct tv_follower_state *state, struct tv_error *err)
{
    static const char sql[] =
        "SELECT count(*) FILTER (WHERE rev > refused_rev), count(*) FILTER (WHERE rev <= refused_rev) "
        "FROM trivet.user_change WHERE rev > folded_rev";
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(f->pg, sql, 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    state->waiting = atoll(tv_pg_cell(rows, 0, 0));
    state->refused = atoll(tv_pg_cell(rows, 0, 1));
    tv_pg_rows_free(rows);
    return TV_OK;
}

/* The one place that shows the thread's findings to others. */
static void set_state(struct tv_follower *f, const struct tv_follower_state *state)
{
    pthread_mutex_lock(&f->mutex);
    f->state = *state;
    pthread_mutex_unlock(&f->mutex);
}

/* As long as no user waits, none needs the row source, and it is no longer called unreadable. */
static enum tv_status count_and_show(struct tv_follower *f, struct tv_follower_state *state, struct tv_error *err)
{
    enum tv_status status = count_users(f, state, err);
    if (state->waiting == 0 && state->unreadable)
        state->unreadable = 0;
    set_state(f, state);
    return status;
}

/* Users are counted before, because folding in may take minutes, and afterwards whatever came of it, also while a
 * store is away, or refuses what it is told to write. A document that MongoDB refuses becomes this step's failure,
 * though other users were folded in. */
static enum tv_status fold_users(struct tv_follower *f, int stores_answer, struct tv_catch_up_work *work,
                                 struct tv_error *err)
{
    int64_t model = 0;
    struct tv_follower_state state;
    struct tv_error why = {0};
    tv_follower_look(f, &state);
    f->reading.pg = f->pg;
    enum tv_status status = count_and_show(f, &state, err);
    if (status != TV_OK || !stores_answer || is_resting(f, &state))
        return status;
    status = tv_rater_fold_in_waiting(f->rater, &f->reading, USERS_AT_ONCE, work, &model, err);
    if (status == TV_OK && (model || work->told.source.status != TV_OK))
        note_source(f, &state, work, model);
    if (status == TV_OK && work->told.unwritten.n > 0) {
        *err = work->told.unwritable;
        status = err->status;
    }
    enum tv_status counted = count_and_show(f, &state, &why);
    if (status != TV_OK || counted == TV_OK)
        return status;
    *err = why;
    return counted;
}

/* A store's refusal is told once, in the log and on /readyz: it may last for ever, and nothing else tells of it. What was dropped while it
 * was read (TV_ERR_BUSY) is of a model that is pruned, and the next step looks anew. A
 * store that is away is told by its breaker, and PostgreSQL by every rating that is refused. */
static void note_refusal(struct tv_follower *f, enum tv_status status, const struct tv_error *why)
{
    struct tv_follower_state state;
    int refused = status != TV_OK && status != TV_ERR_UNAVAILABLE && status != TV_ERR_BUSY;
    tv_follower_look(f, &state);
    if (refused && strcmp(state.refusal, why->message) != 0) {
        tv_log_reason(TV_LOG_ERROR, "ratings are not followed", why);
        if (why->hint[0])
            tv_log_error("hint: %s", why->hint);
    } else if (status != TV_OK)
        tv_log_reason(TV_LOG_DEBUG, "following ratings", why);
    else if (state.refusal[0])
        tv_log_info("ratings are followed again");
    if (status != TV_ERR_UNAVAILABLE) {
        snprintf(state.refusal, sizeof state.refusal, "%s", refused ? why->message : "");
        snprintf(state.hint, sizeof state.hint, "%s", refused ? why->hint : "");
    }
    set_state(f, &state);
}

/* Whether another data set is loaded than that of the live model. Then whoever waits has ratings of the other, and goes on
 * waiting: for a model of it, or for their turn when it is put away. */
static enum tv_status look_at_data(struct tv_follower *f, int *away, struct tv_error *err)
{
    struct tv_model_data data;
    struct tv_resident *live = tv_shelf_live(f->models->shelf);
    *away = 0;
    if (live == NULL)
        return TV_OK;
    enum tv_status status = tv_model_data_ask(&data, f->pg, live->run_number, err);
    tv_resident_release(live);
    if (status == TV_OK)
        tv_data_board_put(f->models->data, &data);
    *away = status == TV_OK && tv_model_data_is_away(&data);
    return status;
}

/* Users who wait are counted all the same. The live model's catalogue is of its own data, so no count there is news. */
static enum tv_status follow_other_data(struct tv_follower *f, int stores_answer, struct tv_catch_up_work *work,
                                        struct tv_error *err)
{
    struct tv_follower_state state;
    tv_follower_look(f, &state);
    state.unreadable = 0;
    enum tv_status status = count_and_show(f, &state, err);
    return status == TV_OK && stores_answer ? count_items(f, work, err) : status;
}

/* Users first, then counts: a refusal of one is no reason to leave the other. Of two failures the users' is told. */
static enum tv_status follow(struct tv_follower *f, int stores_answer, struct tv_catch_up_work *work,
                             struct tv_error *err)
{
    struct tv_error why = {0};
    int away = 0;
    enum tv_status status = look_at_data(f, &away, err);
    if (status != TV_OK)
        return status;
    if (away)
        return follow_other_data(f, stores_answer, work, err);
    status = fold_users(f, stores_answer, work, err);
    if (work->users > 0 && f->behind)
        tv_log_info("folded in %" PRId64 " users whose ratings had not reached MongoDB", work->users);
    if (!stores_answer || status == TV_ERR_UNAVAILABLE)
        return status;
    enum tv_status counted = count_items(f, work, &why);
    if (counted == TV_OK)
        counted = renew_counts(f, &why);
    if (status != TV_OK || counted == TV_OK)
        return status;
    *err = why;
    return counted;
}

/* The connection is kept from step to step, and given up where a newer program has changed the schema meanwhile. */
static enum tv_status look_again(struct tv_follower *f, struct tv_error *err)
{
    enum tv_status status = tv_schema_look_again(f->pg, &f->looked, err);
    if (status == TV_OK)
        return TV_OK;
    tv_pg_close(f->pg);
    f->pg = NULL;
    return status;
}

/* The ticker's step; returns the seconds until the next one. A connection that is lost is closed, and opened again
 * by the next step. */
static double work_off(void *context)
{
    struct tv_follower *f = context;
    struct tv_error err = {0};
    struct tv_catch_up_work work = {0};
    int stores_answer = tv_models_reachable(f->models);
    tv_thread_behind_requests();
    enum tv_status status = f->pg ? look_again(f, &err) : connect_to(f, &err);
    if (status == TV_OK)
        status = follow(f, stores_answer, &work, &err);
    f->behind = status != TV_OK || work.left || !stores_answer;
    if (status != TV_OK || stores_answer)
        note_refusal(f, status, &err);
    if (status != TV_OK && f->pg && !tv_pg_alive(f->pg)) {
        tv_pg_close(f->pg);
        f->pg = NULL;
        return SELDOM_SECONDS;
    }
    return work.left || !stores_answer ? SOON_SECONDS : SELDOM_SECONDS;
}

static void follower_free(struct tv_follower *f)
{
    tv_fold_in_end_reading(&f->reading);
    tv_pg_close(f->pg);
    pthread_mutex_destroy(&f->mutex);
    free(f->postgres_uri);
    free(f);
}

/* The first step comes at once, and tells what had waited for a server. */
enum tv_status tv_follower_start(struct tv_follower **out, struct tv_models *models, struct tv_rater *rater,
                                 const char *postgres_uri, const char *reader_uri, struct tv_error *err)
{
    struct tv_follower *f = tv_alloc(1, sizeof *f, "the follower", err);
    if (f == NULL)
        return TV_ERR_NO_MEMORY;
    f->models = models;
    f->rater = rater;
    pthread_mutex_init(&f->mutex, NULL);
    f->reading = (struct tv_fold_in_stores){.mongo = models->mongo, .uri = reader_uri, .seconds = READING_SECONDS};
    f->state = (struct tv_follower_state){.waiting = -1, .refused = -1};
    f->behind = 1; /* what waits at the start has waited for long */
    f->postgres_uri = strdup(postgres_uri);
    enum tv_status status = f->postgres_uri ? tv_ticker_start(&f->ticker, "for following ratings", 0, work_off, f, err)
                                            : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the follower");
    if (status == TV_OK)
        *out = f;
    else
        follower_free(f);
    return status;
}

void tv_follower_wake(struct tv_follower *f)
{
    if (f)
        tv_ticker_wake(f->ticker, SOON_SECONDS);
}

void tv_follower_stop(struct tv_follower *f)
{
    if (f == NULL)
        return;
    tv_ticker_stop(f->ticker);
    follower_free(f);
}
