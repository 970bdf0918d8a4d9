/* rater: ratings into PostgreSQL, and then into the document of the user who gave them. Called by workers
 * (serve/api/ratings.c) after a request, and by the follower for users who wait; all of it may be called by several
 * threads at once.
 */
#include "serve/follow/rater.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/stores/pg_pool.h"
#include "trivet/base/text.h"
#include "trivet/model/reader.h"
#include "trivet/schema/version.h"
#include "trivet/store/pg_rows.h"

/* Seconds that a statement may take, so that a request is answered in time: folding in that takes longer is done by the
 * follower, which has patience. A row source that fails is asked twice (fold_in_anew.c). */
enum { READING_SECONDS = 2 };
#define STATEMENT_TIMEOUT "SET statement_timeout = '4s'"

/* The live model with all that is needed to fold users into it; shared by reference count, as resident models are.
 * Made once for each resident copy, because the query of its row source is read from the journal. */
struct live_model {
    struct tv_resident *resident;
    struct tv_fold_in_anew *anew;
    atomic_int references;
};

struct tv_rater {
    struct tv_models *models;          /* lent */
    struct tv_pg_pool *pool, *readers; /* our own login; one that can only read, for sources that analysts wrote */
    const char *reader_uri;            /* lent */
    pthread_mutex_t mutex; /* guards `live` */
    struct live_model *live;
};

/* A connection for the pool; its statements end in PostgreSQL before the pool's patience does. Nothing is written into a schema
 * that this program does not work with. */
static enum tv_status open_own(struct tv_pg **out, const char *uri, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_pg_open_within(&pg, uri, "trivet-serve ratings", TV_PG_ANSWERS, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, STATEMENT_TIMEOUT, 0, NULL, err);
    if (status == TV_OK)
        status = tv_schema_check(pg, err);
    if (status == TV_OK)
        *out = pg;
    else
        tv_pg_close(pg);
    return status;
}

static enum tv_status open_reader(struct tv_pg **out, const char *uri, struct tv_error *err)
{
    return tv_reader_open(out, uri, "trivet-serve folding in", 0, err);
}

/* Nothing is connected to yet, so that a server starts, and serves, without PostgreSQL. */
enum tv_status tv_rater_create(struct tv_rater **out, struct tv_models *models, const char *postgres_uri,
                               const char *reader_uri, struct tv_error *err)
{
    struct tv_rater *rater = tv_alloc(1, sizeof *rater, "the writing of ratings", err);
    if (rater == NULL)
        return TV_ERR_NO_MEMORY;
    rater->models = models;
    rater->reader_uri = reader_uri;
    pthread_mutex_init(&rater->mutex, NULL);
    enum tv_status status = tv_pg_pool_create(&rater->pool, open_own, postgres_uri, err);
    if (status == TV_OK)
        status = tv_pg_pool_create(&rater->readers, open_reader, reader_uri, err);
    if (status == TV_OK)
        *out = rater;
    else
        tv_rater_free(rater);
    return status;
}

static void release(struct live_model *live)
{
    if (live == NULL || atomic_fetch_sub(&live->references, 1) != 1)
        return;
    tv_fold_in_anew_free(live->anew);
    tv_resident_release(live->resident);
    free(live);
}

void tv_rater_free(struct tv_rater *rater)
{
    if (rater == NULL)
        return;
    release(rater->live);
    tv_pg_pool_free(rater->pool);
    tv_pg_pool_free(rater->readers);
    pthread_mutex_destroy(&rater->mutex);
    free(rater);
}

/* --- into PostgreSQL -------------------------------------------------------------------------------------- */

static enum tv_status value_array(struct tv_buffer *out, const float *values, size_t n, struct tv_error *err)
{
    char text[TV_TEXT_FLOAT];
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = tv_buffer_format(out, err, "%s%s", i ? "," : "{", tv_text_float(text, values[i]));
    return status == TV_OK ? tv_buffer_text(out, "}", err) : status;
}

/* Items that the resident catalogue does not know may be new in PostgreSQL, so only these are looked up
 * there. */
static enum tv_status unsure_array(struct tv_buffer *out, const struct tv_rating_list *list,
                                   const struct tv_resident *s, struct tv_error *err)
{
    int64_t unsure[TV_MAX_RATINGS];
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (s == NULL || tv_items_find(&s->catalogue->items, list->items[i]) == NULL)
            unsure[n++] = list->items[i];
    return tv_int_array(out, unsure, n, err);
}

/* The word of the functions in sql/004_live.sql. */
static enum tv_refused reason_of(const char *word)
{
    static const struct {
        const char *word;
        enum tv_refused reason;
    } reasons[] = {{"scale", TV_REFUSED_SCALE}, {"full", TV_REFUSED_FULL}, {"kind", TV_REFUSED_KIND}, {"dataset", TV_REFUSED_DATASET}};
    for (size_t i = 0; word && i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(word, reasons[i].word) == 0)
            return reasons[i].reason;
    return TV_REFUSED_UNKNOWN;
}

static int64_t cell_int(const struct tv_pg_rows *rows, int column)
{
    const char *text = tv_pg_cell(rows, 0, column);
    return text ? atoll(text) : 0;
}

/* An SQL text with its parameters. */
struct statement {
    const char *text, *const *values; /* (n) */
    int n;
};

/* NULL: none. */
static const char *model_text(char *out, size_t size, const struct tv_shown *shown)
{
    snprintf(out, size, "%" PRId64, shown->model);
    return shown->model ? out : NULL;
}

/* The row of trivet.rate_as, or of a statement shaped like it; its data set is that of the moment when the statement began, so
 * another one that takes its place meanwhile is never called it. Without loaded ratings there is no scale, and both
 * of its ends are null. */
static void take_result(struct tv_rated *rated, const struct tv_pg_rows *rows)
{
    enum { USER, REV, CHANGED, REFUSED, REASON, LOW, HIGH, SUMS, DATASET };
    const char *low = tv_pg_cell(rows, 0, LOW), *high = tv_pg_cell(rows, 0, HIGH);
    *rated = (struct tv_rated){
        .user_id = cell_int(rows, USER), .rev = cell_int(rows, REV), .changed = cell_int(rows, CHANGED), .dataset = cell_int(rows, DATASET)};
    if (low && high) {
        rated->has_scale = 1;
        rated->low = strtof(low, NULL);
        rated->high = strtof(high, NULL);
    }
    if (tv_pg_cell(rows, 0, REASON)) {
        rated->refused_item = cell_int(rows, REFUSED);
        rated->reason = reason_of(tv_pg_cell(rows, 0, REASON));
    }
}

/* The sums of plays, one an entry: "{3,1.5}", as many as the list has. NULL with a refusal, and of ratings. */
static void take_sums(struct tv_rating_list *list, const char *text)
{
    for (size_t i = 0; text && *text && i < list->n; i++) {
        char *end = NULL;
        list->values[i] = strtof(text + 1, &end);
        text = end;
    }
}

/* Another data set may become the current one while a rating is being written, which then fails as a whole; it is told like
 * one that was found refused at first. What is loaded is asked for in either case, so that the answer, pages and /readyz know. */
static enum tv_status ask_why(struct tv_rater *rater, struct tv_pg *pg, const struct tv_shown *shown,
                              enum tv_status status, struct tv_rated *rated, struct tv_error *err)
{
    struct tv_model_data data;
    int refused = status == TV_ERR_STORE || status == TV_ERR_INPUT || rated->reason == TV_REFUSED_DATASET;
    if (!refused || tv_model_data_ask(&data, pg, shown->model, NULL) != TV_OK || !tv_model_data_is_away(&data))
        return status;
    if (shown->live && shown->live->run_number == shown->model)
        tv_data_board_put(rater->models->data, &data);
    *rated = (struct tv_rated){.reason = TV_REFUSED_DATASET, .data = data};
    if (err)
        *err = (struct tv_error){0};
    return TV_OK;
}

/* 1 if the model that was shown was made of another data set than the live one, 0 if not, which is so of models that nobody
 * knows. A page may be older than the live model. */
static enum tv_status is_other_data(struct tv_pg *pg, int64_t shown, int64_t live, int *other, struct tv_error *err)
{
    char text[64];
    const char *value = text;
    int64_t differ = 0;
    *other = 0;
    if (shown == 0 || shown == live)
        return TV_OK;
    snprintf(text, sizeof text, "{%" PRId64 ",%" PRId64 "}", shown, live);
    enum tv_status status = tv_pg_int(pg, "SELECT (count(DISTINCT dataset) > 1)::int FROM trivet.run WHERE id = ANY ($1::bigint[])", 1,
                                      &value, &differ, err);
    *other = differ != 0;
    return status;
}

/* Ids were understood, and items looked up, as those of the live model. Where the page showed another data set they may be
 * somebody else's, whichever of the two is loaded: refused, with the one of the two that is not. */
static enum tv_status check_shown(struct tv_pg *pg, const struct tv_shown *shown, struct tv_rated *rated, struct tv_error *err)
{
    int other = 0;
    struct tv_model_data data = {0};
    int64_t live = shown->live ? shown->live->run_number : 0;
    enum tv_status status = live ? is_other_data(pg, shown->model, live, &other, err) : TV_OK;
    if (status != TV_OK || !other)
        return status;
    status = tv_model_data_ask(&data, pg, live, err);
    if (status == TV_OK && !tv_model_data_is_away(&data))
        status = tv_model_data_ask(&data, pg, shown->model, err);
    *rated = (struct tv_rated){.reason = TV_REFUSED_DATASET, .data = data};
    return status;
}

/* One statement is one transaction, so a change is made whole or not at all; it is committed when its row is here.
 * `list` may be NULL, where the row has no column for its sums. */
static enum tv_status change(struct tv_rater *rater, const struct statement *sql, const struct tv_shown *shown,
                             struct tv_rated *rated, struct tv_rating_list *list, struct tv_error *err)
{
    enum { SUMS = 7 };
    struct tv_pg *pg = NULL;
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_pool_take(rater->pool, &pg, err);
    if (status != TV_OK)
        return status;
    *rated = (struct tv_rated){0};
    status = check_shown(pg, shown, rated, err);
    if (status == TV_OK && rated->reason == TV_REFUSED_NOT) {
        status = tv_pg_query(pg, sql->text, sql->n, sql->values, &rows, err);
        if (status == TV_OK)
            take_result(rated, rows);
        if (status == TV_OK && list)
            take_sums(list, tv_pg_cell(rows, 0, SUMS));
        status = ask_why(rater, pg, shown, status, rated, err);
    }
    tv_pg_rows_free(rows);
    tv_pg_pool_give(rater->pool, pg, status);
    return status;
}

/* Calls an SQL function with the list. The limit of the room is far above what TV_MAX_RATINGS numbers take. */
static enum tv_status send_list(struct tv_rater *rater, const char *sql, const struct tv_id *user,
                                struct tv_rating_list *list, const struct tv_shown *shown, struct tv_rated *rated,
                                struct tv_error *err)
{
    enum { ROOM = 1 << 16 };
    struct tv_buffer items = TV_BUFFER_INIT(ROOM), ratings = TV_BUFFER_INIT(ROOM), unsure = TV_BUFFER_INIT(ROOM);
    enum tv_status status = tv_int_array(&items, list->items, list->n, err);
    if (status == TV_OK)
        status = value_array(&ratings, list->values, list->n, err);
    if (status == TV_OK)
        status = unsure_array(&unsure, list, shown->live, err);
    char model[24];
    const char *const values[] = {user->text, items.data, ratings.data, unsure.data, model_text(model, sizeof model, shown)};
    if (status == TV_OK)
        status = change(rater, &(struct statement){sql, values, 5}, shown, rated, list, err);
    tv_buffer_free(&items);
    tv_buffer_free(&ratings);
    tv_buffer_free(&unsure);
    return status;
}

enum tv_status tv_rater_rate(struct tv_rater *rater, const struct tv_id *user, struct tv_rating_list *list,
                             const struct tv_shown *shown, struct tv_rated *rated, struct tv_error *err)
{
    return send_list(rater, "SELECT user_id, rev, cardinality(changed), refused, reason, low, high, null, trivet.current_dataset() "
                            "FROM trivet.rate_as($1, $2::bigint[], $3::real[], $4::bigint[], $5::bigint)",
                     user, list, shown, rated, err);
}

enum tv_status tv_rater_play(struct tv_rater *rater, const struct tv_id *user, struct tv_rating_list *list,
                             const struct tv_shown *shown, struct tv_rated *rated, struct tv_error *err)
{
    return send_list(rater, "SELECT user_id, rev, cardinality(changed), refused, reason, low, high, sums, trivet.current_dataset() "
                            "FROM trivet.play_as($1, $2::bigint[], $3::real[], $4::bigint[], $5::bigint)",
                     user, list, shown, rated, err);
}

/* For a code that no user has nothing is removed, and the caller answers 404. */
enum tv_status tv_rater_unrate(struct tv_rater *rater, const struct tv_id *user, int64_t item_id,
                               const struct tv_shown *shown, struct tv_rated *rated, struct tv_error *err)
{
    static const char sql[] = "SELECT user_id, rev, removed, null, reason, null, null, null, trivet.current_dataset() "
                              "FROM trivet.unrate_as($1, $2::bigint, $3::bigint)";
    char item[24], model[24];
    const char *const values[] = {user->text, item, model_text(model, sizeof model, shown)};
    snprintf(item, sizeof item, "%" PRId64, item_id);
    return change(rater, &(struct statement){sql, values, 3}, shown, rated, NULL, err);
}

/* --- and on into MongoDB ---------------------------------------------------------------------------------- */

static enum tv_status stores_are_up(struct tv_rater *rater, struct tv_error *err)
{
    if (tv_models_reachable(rater->models))
        return TV_OK;
    int is_redis = tv_breaker_is_up(rater->models->mongo_breaker);
    tv_fail(err, TV_ERR_UNAVAILABLE, "%s does not answer", is_redis ? "Redis" : "MongoDB");
    return tv_from(err, is_redis ? TV_FROM_REDIS : TV_FROM_MONGO);
}

/* The live model as it was made before, if it is of this resident copy. When counts of items are renewed the copy
 * is another, though the number is the same, and it is made anew: it borrows the copy's factors. */
static struct live_model *held(struct tv_rater *rater, const struct tv_resident *s)
{
    pthread_mutex_lock(&rater->mutex);
    struct live_model *live = rater->live && rater->live->resident == s ? rater->live : NULL;
    if (live)
        atomic_fetch_add(&live->references, 1);
    pthread_mutex_unlock(&rater->mutex);
    return live;
}

/* Takes the reference to `s` over, also on failure. Two threads may make one at the same time; the one put in last
 * stays, and each goes on with its own. */
static enum tv_status make_live(struct tv_rater *rater, struct tv_resident *s, struct tv_pg *pg,
                                struct live_model **out, struct tv_error *err)
{
    struct live_model *made = tv_alloc(1, sizeof *made, "the live model", err);
    if (made == NULL) {
        tv_resident_release(s);
        return TV_ERR_NO_MEMORY;
    }
    made->resident = s;
    made->references = 1;
    enum tv_status status = tv_fold_in_anew_create(&made->anew, s->run_number, &s->side->fold_in, s->item_ids, pg, err);
    if (status != TV_OK) {
        release(made);
        return status;
    }
    atomic_fetch_add(&made->references, 1);
    pthread_mutex_lock(&rater->mutex);
    struct live_model *old = rater->live;
    rater->live = made;
    pthread_mutex_unlock(&rater->mutex);
    release(old);
    *out = made;
    return TV_OK;
}

/* The model that Redis calls live now, with a reference for the caller; NULL: none is. Redis is asked, and not the
 * shelf alone, because a switch that came before the commit must be seen (rater.h). */
static enum tv_status ask_live(struct tv_rater *rater, struct tv_pg *pg, struct live_model **out,
                               struct tv_error *err)
{
    enum tv_status status = stores_are_up(rater, err);
    if (status == TV_OK)
        status = tv_shelf_refresh(rater->models->shelf, err);
    struct tv_resident *s = status == TV_OK ? tv_shelf_live(rater->models->shelf) : NULL;
    if (s == NULL)
        return status;
    *out = held(rater, s);
    if (*out == NULL)
        return make_live(rater, s, pg, out, err);
    tv_resident_release(s);
    return TV_OK;
}

/* Three stores may be the one that is away; the error knows which it was. */
static void note_mongo(struct tv_rater *rater, enum tv_status status, const struct tv_error *err)
{
    if (status == TV_ERR_UNAVAILABLE && err->origin == TV_FROM_MONGO)
        tv_breaker_trip(rater->models->mongo_breaker, err);
}

/* Folds one user in. Rows that cannot be read are no store's failure: TV_ERR_INPUT. A document that MongoDB refuses
 * is its own failure, with its words. */
static enum tv_status fold_one(const struct live_model *live, struct tv_fold_in_stores *reading, int64_t user_id,
                               struct tv_error *err)
{
    uint8_t state;
    struct tv_fold_in_told told = {0};
    enum tv_status status = tv_fold_in_users(live->anew, reading, &user_id, 1, &state, &told, err);
    if (status != TV_OK || state == TV_FOLD_IN_DONE)
        return status;
    if (told.unwritten.n > 0 && err)
        *err = told.unwritable;
    if (told.unwritten.n > 0)
        return told.unwritable.status;
    return tv_fail(err, TV_ERR_INPUT, "%s", state == TV_FOLD_IN_REFUSED ? told.refused.why : told.source.message);
}

/* fold_one, with a reader's connection out of the pool where part of the model's row source is SQL that an analyst
 * wrote: that is never run with the server's own login. */
static enum tv_status fold_with(struct tv_rater *rater, const struct live_model *live, struct tv_pg *pg,
                                int64_t user_id, struct tv_error *err)
{
    struct tv_fold_in_stores reading = {
        .mongo = rater->models->mongo, .pg = pg, .uri = rater->reader_uri, .seconds = READING_SECONDS};
    if (!live->anew->own_source)
        return fold_one(live, &reading, user_id, err);
    if (tv_pg_pool_take(rater->readers, &reading.reader, err) != TV_OK)
        return tv_fail(err, TV_ERR_INPUT, "there is no connection to read the model's source on");
    enum tv_status status = fold_one(live, &reading, user_id, err);
    tv_pg_pool_give(rater->readers, reading.reader, TV_OK); /* closed and NULL, if it is good for nothing */
    return status;
}

/* The cache is renewed before the queue is told, so that this server never answers a user who is out of the queue
 * from an older document. */
static enum tv_status fold(struct tv_rater *rater, struct tv_pg *pg, const struct tv_shown *shown, const struct tv_rated *rated,
                           int64_t *model, struct tv_error *err)
{
    int other = 0;
    struct live_model *live = NULL;
    const struct tv_fold_in_revs done = {.user_ids = &rated->user_id, .revs = &rated->rev, .n = 1, .dataset = rated->dataset};
    enum tv_status status = ask_live(rater, pg, &live, err);
    if (status == TV_OK && live == NULL)
        return tv_fail(err, TV_ERR_NOT_FOUND, "no model is live yet");
    if (status != TV_OK)
        return status;
    status = is_other_data(pg, shown->model, live->resident->run_number, &other, err);
    if (status == TV_OK && other)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "a model of another data set has become the live one");
    if (status == TV_OK)
        status = fold_with(rater, live, pg, rated->user_id, err);
    if (status == TV_OK) {
        *model = live->resident->run_number;
        tv_users_renew(&rater->models->users, live->resident, rated->user_id);
        status = tv_fold_in_done(pg, &done, err);
    }
    release(live);
    return status;
}

/* PostgreSQL and MongoDB both answer on this way. The status does not say which of them is lost, so the connection
 * is tried before it goes back to the pool. */
enum tv_status tv_rater_fold_in(struct tv_rater *rater, const struct tv_shown *shown, const struct tv_rated *rated,
                                int64_t *model, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_pg_pool_take(rater->pool, &pg, err);
    if (status != TV_OK)
        return status;
    status = fold(rater, pg, shown, rated, model, err);
    note_mongo(rater, status, err);
    tv_pg_pool_give(rater->pool, pg, tv_pg_alive(pg) ? TV_OK : TV_ERR_UNAVAILABLE);
    return status;
}

/* 0: none. For the follower, which tells of a row source by its model's run number. */
static int64_t live_number(struct tv_rater *rater)
{
    struct tv_resident *s = tv_shelf_live(rater->models->shelf);
    int64_t run_number = s ? s->run_number : 0;
    tv_resident_release(s);
    return run_number;
}

/* 1: the row source could not be read because another data set has become the current one just now. */
static int other_data_came(struct tv_rater *rater, struct tv_pg *pg, int64_t model)
{
    struct tv_model_data data;
    if (tv_model_data_ask(&data, pg, model, NULL) != TV_OK || !tv_model_data_is_away(&data))
        return 0;
    tv_data_board_put(rater->models->data, &data);
    return 1;
}

/* A model whose row source the journal does not know is no failure of a store: it is told like a row source that cannot
 * be read, and all users wait. */
enum tv_status tv_rater_fold_in_waiting(struct tv_rater *rater, struct tv_fold_in_stores *reading, int limit,
                                        struct tv_catch_up_work *work, int64_t *model, struct tv_error *err)
{
    struct tv_changes waiting = {0};
    struct live_model *live = NULL;
    *model = 0;
    enum tv_status status = tv_catch_up_waiting(&waiting, reading->pg, limit, 0, err);
    if (status == TV_OK && waiting.n > 0)
        status =
            ask_live(rater, reading->pg, &live, err); /* after the list (tv_catch_up_fold_in in catch_up.h says why) */
    if (status == TV_ERR_NOT_FOUND) {
        work->told.source = *err;
        work->waiting = (int64_t)waiting.n;
        *model = live_number(rater);
        status = TV_OK;
    }
    if (live) {
        *model = live->resident->run_number;
        status = tv_catch_up_fold_in(work, &waiting, live->anew, reading, err);
        if (work->told.source.status != TV_OK && other_data_came(rater, reading->pg, *model))
            *work = (struct tv_catch_up_work){0}; /* told by other_data_came */
    }
    work->left = waiting.n == (size_t)limit && (work->users > 0 || work->told.refused.n > 0);
    note_mongo(rater, status, err);
    release(live);
    tv_changes_free(&waiting);
    return status;
}
