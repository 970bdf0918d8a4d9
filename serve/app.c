/* app: puts the parts of the server together, and takes them apart in the opposite order: what is started later may
 * use what was started before.
 */
#include "serve/app.h"

#include <stdlib.h>

#include "serve/follow/follower.h"
#include "serve/follow/model_data.h"
#include "serve/follow/rater.h"
#include "serve/follow/similar_keeper.h"
#include "serve/follow/watcher.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/wait.h"
#include "trivet/schema/version.h"
#include "trivet/store/redis.h"

/* Milliseconds for MongoDB to be found, and for a reply of either store: short, as a request may be waiting. */
enum { SELECTION_MS = 300, SOCKET_MS = 1000, ASK_EVERY_MS = 250 };

/* The breakers' questions, as functions that know the store's client alone. */
static enum tv_status ask_mongo(void *mongo, struct tv_error *err)
{
    return tv_mongo_ping(mongo, err);
}

static enum tv_status ask_redis(void *redis, struct tv_error *err)
{
    return tv_redis_ping(redis, err);
}

/* Nothing is connected to yet but for the breakers' first questions, and that they fail is no failure. */
static enum tv_status open_stores(struct tv_app *app, const struct tv_app_options *o, struct tv_error *err)
{
    struct tv_mongo_options mongo = {.name = "trivet-serve",
                                     .server_selection_ms = SELECTION_MS,
                                     .socket_ms = SOCKET_MS,
                                     .wait_seconds = -1,
                                     .watched = 1,
                                     .max_clients =
                                         o->workers + 5}; /* breaker, watcher, follower and start beside them */
    enum tv_status status = tv_mongo_open(&app->models.mongo, o->mongo_uri, &mongo, err);
    if (status == TV_OK)
        status = tv_redis_open(&app->redis, o->redis_uri, SOCKET_MS, -1, err);
    if (status == TV_OK)
        status =
            tv_breaker_start(&app->models.mongo_breaker, "MongoDB", ask_mongo, app->models.mongo, ASK_EVERY_MS, err);
    if (status == TV_OK)
        status = tv_breaker_start(&app->models.redis_breaker, "Redis", ask_redis, app->redis, ASK_EVERY_MS, err);
    return status;
}

/* A server starts while PostgreSQL is away, and before there is a schema. It does not with a schema that it cannot know, since
 * nobody could say what it would read and write there. Connections that are made later look for themselves. */
static enum tv_status refuse_newer_schema(const struct tv_app_options *o, struct tv_error *err)
{
    const char *const uris[] = {o->postgres_uri, o->reader_uri};
    enum tv_status asked = TV_ERR_UNAVAILABLE;
    struct tv_schema_found found;
    for (size_t i = 0; i < sizeof uris / sizeof *uris && asked != TV_OK; i++) {
        struct tv_pg *pg = NULL;
        asked = tv_pg_open_within(&pg, uris[i], "trivet-serve", TV_PG_ANSWERS, NULL);
        if (asked == TV_OK)
            asked = tv_schema_look(pg, &found, NULL);
        tv_pg_close(pg);
    }
    return asked == TV_OK && found.kind == TV_SCHEMA_NEWER ? tv_schema_judge(&found, err) : TV_OK;
}

/* A server without a model answers, too: it says what is missing, and the watcher goes on looking. */
static void load_first_model(struct tv_app *app, int wait_seconds)
{
    struct tv_wait wait = tv_wait_for(NULL, NULL, wait_seconds);
    struct tv_error err = {0};
    enum tv_status status;
    do
        status = tv_shelf_refresh(app->models.shelf, &err);
    while (status == TV_ERR_UNAVAILABLE && tv_wait_more(&wait));
    if (status != TV_OK)
        tv_log_reason(TV_LOG_ERROR, "serving without a model for now", &err);
}

/* Each part is made after those that it needs: stores and their breakers, the shelf, a first model, then the
 * threads that follow. A failure half-way ends in tv_app_free, which takes what there is. */
enum tv_status tv_app_create(struct tv_app **out, const struct tv_app_options *o, struct tv_error *err)
{
    enum tv_status status = refuse_newer_schema(o, err);
    if (status != TV_OK)
        return status;
    struct tv_app *app = tv_alloc(1, sizeof *app, "the server", err);
    if (app == NULL)
        return TV_ERR_NO_MEMORY;
    app->permission = o->permission;
    app->hosts = o->hosts;
    status = tv_counters_create(&app->counters, o->routes, o->n_routes, err);
    if (status == TV_OK)
        status = tv_model_list_create(&app->models.model_list, err);
    if (status == TV_OK)
        status = tv_user_cache_create(&app->models.users.cache, o->cached_users, o->cached_bytes, err);
    if (status == TV_OK)
        status = tv_code_cache_create(&app->models.users.codes, o->cached_users, err);
    if (status == TV_OK)
        status = tv_data_board_create(&app->models.data, err);
    if (status == TV_OK)
        status = tv_questions_create(&app->questions, o->reader_uri, err);
    if (status == TV_OK)
        status = open_stores(app, o, err);
    if (status == TV_OK)
        status = tv_shelf_create(&app->models.shelf, o->redis_uri, app->models.mongo, err);
    if (status == TV_OK) {
        app->models.users.mongo = app->models.mongo;
        app->models.users.breaker = app->models.mongo_breaker;
        load_first_model(app, o->wait_seconds);
        status = tv_watcher_start(&app->watcher, &app->models, app->counters, o->redis_uri, err);
    }
    if (status == TV_OK)
        status = tv_rater_create(&app->rater, &app->models, o->postgres_uri, o->reader_uri, err);
    if (status == TV_OK)
        status = tv_follower_start(&app->follower, &app->models, app->rater, o->postgres_uri, o->reader_uri, err);
    if (status == TV_OK)
        status = tv_similar_keeper_start(&app->similar_keeper, o->redis_uri, o->postgres_uri, o->reader_uri,
                                         app->models.redis_breaker, err);
    if (status == TV_OK)
        *out = app;
    else
        tv_app_free(app);
    return status;
}

/* Threads first, in the opposite order; then the parts that they used. */
void tv_app_free(struct tv_app *app)
{
    if (app == NULL)
        return;
    tv_similar_keeper_stop(app->similar_keeper);
    tv_follower_stop(app->follower);
    tv_rater_free(app->rater);
    tv_watcher_stop(app->watcher);
    tv_breaker_stop(app->models.mongo_breaker);
    tv_breaker_stop(app->models.redis_breaker);
    tv_shelf_free(app->models.shelf);
    tv_user_cache_free(app->models.users.cache);
    tv_code_cache_free(app->models.users.codes);
    tv_model_list_free(app->models.model_list);
    tv_data_board_free(app->models.data);
    tv_redis_close(app->redis);
    tv_mongo_close(app->models.mongo);
    tv_counters_free(app->counters);
    tv_questions_free(app->questions);
    free(app);
}
