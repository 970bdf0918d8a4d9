/* mongo: a MongoDB client, over libmongoc: its pool of connections, its errors, its commands. Only the mongo*.c files
 * know BSON. */
#include "mongo_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/buffer.h"
#include "trivet/clock.h"
#include "trivet/log.h"
#include "trivet/stop.h"

void *tv_mongo_alloc(size_t size, const char *what, struct tv_error *err)
{
    void *memory = aligned_alloc(_Alignof(bson_t), size);
    if (memory == NULL)
        tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: %zu bytes for %s", size, what);
    return memory ? memset(memory, 0, size) : NULL;
}

static pthread_once_t driver_once = PTHREAD_ONCE_INIT;

/* The driver's own log would write to our terminal: it goes to our debug level. */
static void driver_log(mongoc_log_level_t level, const char *domain, const char *message, void *context)
{
    (void)level, (void)context;
    tv_log_debug("mongo: %s: %s", domain, message);
}

static void start_driver(void)
{
    mongoc_log_set_handler(driver_log, NULL); /* first: starting may already have something to say */
    mongoc_init();
    atexit(mongoc_cleanup);
}

enum tv_status tv_mongo_translate(const struct tv_mongo *m, const bson_error_t *e, struct tv_error *err)
{
    int away = e->domain == MONGOC_ERROR_SERVER_SELECTION || e->domain == MONGOC_ERROR_STREAM;
    if (away) {
        tv_fail(err, TV_ERR_UNAVAILABLE, "MongoDB at %s does not answer: %s", m->where, e->message);
        return tv_hint(err, "is it running, and is --mongo (TRIVET_MONGO) right?");
    }
    return tv_fail(err, TV_ERR_STORE, "MongoDB: %s", e->message);
}

mongoc_client_t *tv_mongo_borrow(struct tv_mongo *m)
{
    return mongoc_client_pool_pop(m->pool);
}

void tv_mongo_give_back(struct tv_mongo *m, mongoc_client_t *client)
{
    mongoc_client_pool_push(m->pool, client);
}

/* Every write is acknowledged from the journal: what is noted elsewhere as written has survived a kill of the server. A
 * concern that the address asks for (a majority, a timeout) stays; one that waits for no answer cannot. */
static void acknowledge_from_journal(mongoc_uri_t *uri)
{
    mongoc_write_concern_t *concern = mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri));
    if (mongoc_write_concern_get_w(concern) == MONGOC_WRITE_CONCERN_W_UNACKNOWLEDGED)
        mongoc_write_concern_set_w(concern, 1);
    mongoc_write_concern_set_journal(concern, true);
    mongoc_uri_set_write_concern(uri, concern);
    mongoc_write_concern_destroy(concern);
}

static enum tv_status make_pool(struct tv_mongo *m, const char *uri, const struct tv_mongo_options *options,
                                struct tv_error *err)
{
    bson_error_t e;
    mongoc_uri_t *parsed = mongoc_uri_new_with_error(uri, &e);
    if (parsed == NULL) {
        tv_fail(err, TV_ERR_USAGE, "the MongoDB address \"%s\" is wrong: %s", m->where, e.message);
        return tv_hint(err, "it looks like mongodb://127.0.0.1:27017");
    }
    const char *database = mongoc_uri_get_database(parsed);
    snprintf(m->database, sizeof m->database, "%s", database ? database : "recsys");
    mongoc_uri_set_option_as_int32(parsed, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, options->server_selection_ms);
    mongoc_uri_set_option_as_int32(parsed, MONGOC_URI_SOCKETTIMEOUTMS, options->socket_ms);
    mongoc_uri_set_option_as_int32(parsed, MONGOC_URI_CONNECTTIMEOUTMS, options->server_selection_ms);
    mongoc_uri_set_option_as_bool(parsed, MONGOC_URI_SERVERSELECTIONTRYONCE, false);
    acknowledge_from_journal(parsed);
    if (options->max_clients > 0)
        mongoc_uri_set_option_as_int32(parsed, MONGOC_URI_MAXPOOLSIZE, options->max_clients);
    m->pool = mongoc_client_pool_new_with_error(parsed, &e);
    mongoc_uri_destroy(parsed);
    if (m->pool == NULL)
        return tv_fail(err, TV_ERR_USAGE, "the MongoDB address \"%s\" cannot be used: %s", m->where, e.message);
    mongoc_client_pool_set_error_api(m->pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_set_appname(m->pool, options->name);
    return TV_OK;
}

enum tv_status tv_mongo_open(struct tv_mongo **out, const char *uri, const struct tv_mongo_options *options,
                             struct tv_error *err)
{
    pthread_once(&driver_once, start_driver);
    struct tv_mongo *m = tv_alloc(1, sizeof *m, "a MongoDB client", err);
    if (m == NULL)
        return TV_ERR_NO_MEMORY;
    tv_log_hide_password(m->where, sizeof m->where, uri);
    enum tv_status status = make_pool(m, uri, options, err);
    double until = tv_clock() + options->wait_seconds;
    for (int attempt = 0; status == TV_OK && options->wait_seconds >= 0; attempt++) {
        status = tv_mongo_ping(m, err);
        if (status == TV_ERR_UNAVAILABLE && attempt == 0 && tv_clock() < until)
            tv_log_info("waiting for MongoDB at %s", m->where);
        if (status != TV_ERR_UNAVAILABLE || !tv_wait_again(until))
            break;
        status = TV_OK;
    }
    if (status != TV_OK) {
        tv_mongo_close(m);
        return status;
    }
    *out = m;
    return TV_OK;
}

void tv_mongo_close(struct tv_mongo *m)
{
    if (m == NULL)
        return;
    if (m->pool)
        mongoc_client_pool_destroy(m->pool);
    free(m);
}

enum tv_status tv_mongo_command(struct tv_mongo *m, const char *database, const bson_t *words, bson_t *reply,
                              struct tv_error *err)
{
    bson_error_t e;
    bson_t answer;
    mongoc_client_t *client = tv_mongo_borrow(m);
    bool ok = mongoc_client_command_simple(client, database ? database : m->database, words, NULL, &answer, &e);
    tv_mongo_give_back(m, client);
    if (reply && ok)
        bson_steal(reply, &answer);
    else
        bson_destroy(&answer);
    return ok ? TV_OK : tv_mongo_translate(m, &e, err);
}

enum tv_status tv_mongo_write_command(struct tv_mongo *m, const char *database, const bson_t *words,
                                      struct tv_error *err)
{
    bson_error_t e;
    mongoc_client_t *client = tv_mongo_borrow(m);
    bool ok = mongoc_client_write_command_with_opts(client, database ? database : m->database, words, NULL, NULL, &e);
    tv_mongo_give_back(m, client);
    return ok ? TV_OK : tv_mongo_translate(m, &e, err);
}

double tv_mongo_reply_number(const bson_t *reply, const char *name)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, reply, name) ? bson_iter_as_double(&it) : 0;
}

enum tv_status tv_mongo_ping(struct tv_mongo *m, struct tv_error *err)
{
    bson_t *words = BCON_NEW("ping", BCON_INT32(1));
    enum tv_status status = tv_mongo_command(m, NULL, words, NULL, err);
    bson_destroy(words);
    return status;
}

const char *tv_mongo_database(const struct tv_mongo *m)
{
    return m->database;
}

void tv_mongo_unload(void)
{
    mongoc_init();
    mongoc_cleanup();
}

const char *tv_mongo_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "libmongoc %s", mongoc_get_version());
    return text;
}
