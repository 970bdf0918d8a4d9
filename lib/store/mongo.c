/* mongo: a MongoDB client, over libmongoc: its pool of connections, its errors, its commands. Only the mongo*.c files
 * know BSON. */
#include "lib/store/mongo_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/address.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/base/wait.h"

void *tv_mongo_alloc(size_t size, const char *what, struct tv_error *err)
{
    void *memory = aligned_alloc(_Alignof(bson_t), size);
    if (memory == NULL)
        tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: %zu bytes for %s", size, what);
    return memory ? memset(memory, 0, size) : NULL;
}

static pthread_once_t driver_once = PTHREAD_ONCE_INIT;

/* Set while this thread has the driver read an address: what it logs then may quote it. */
static _Thread_local int driver_is_mute;

/* The driver's own log would write to the program's terminal: it goes to the log, at the debug level. */
static void driver_log(mongoc_log_level_t level, const char *domain, const char *message, void *context)
{
    (void)level, (void)context;
    if (!driver_is_mute)
        tv_log_debug("mongo: %s: %s", domain, message);
}

/* The driver makes its counters while the program is loaded, before main, and writes on the terminal where it cannot do so in
 * /dev/shm. What stands in .preinit_array runs ahead of all libraries. A sanitizer has not begun by then, so it goes without. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#if !SANITIZED
static void before_libraries(void)
{
    mongoc_log_set_handler(driver_log, NULL);
}

__attribute__((section(".preinit_array"), used)) static void (*first_of_all)(void) = before_libraries;
#endif

/* Runs once a process, before the first client, as the driver demands. */
static void start_driver(void)
{
    mongoc_log_set_handler(driver_log, NULL); /* first: starting may already have something to say */
    mongoc_init();
    atexit(mongoc_cleanup);
}

/* Puts asterisks in place of every secret that an address can hold, wherever the driver repeats one. */
static void mask(const mongoc_uri_t *uri, char *text)
{
    bson_t properties;
    bson_iter_t it;
    tv_address_mask(text, mongoc_uri_get_password(uri));
    tv_address_mask(text, mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, NULL));
    if (!mongoc_uri_get_mechanism_properties(uri, &properties) || !bson_iter_init(&it, &properties))
        return;
    while (bson_iter_next(&it)) /* AWS_SESSION_TOKEN */
        tv_address_mask(text, bson_iter_utf8(&it, NULL));
}

/* QueryPlanKilled: what was being read went, as the documents of a model that is pruned do. Nothing is wrong, and whoever looks again finds
 * what there is now. */
enum { READ_WAS_DROPPED = 175 };

/* Errors of server selection and of streams mean that no server answered; any other is an answer. */
enum tv_status tv_mongo_translate(const struct tv_mongo *m, const bson_error_t *e, struct tv_error *err)
{
    char text[sizeof e->message];
    int away = e->domain == MONGOC_ERROR_SERVER_SELECTION || e->domain == MONGOC_ERROR_STREAM;
    mask(m->uri, tv_text_copy(text, sizeof text, e->message));
    enum tv_status status = away ? TV_ERR_UNAVAILABLE : e->code == READ_WAS_DROPPED ? TV_ERR_BUSY : TV_ERR_STORE;
    tv_fail(err, status, "MongoDB %s",
            away ? "does not answer" : status == TV_ERR_BUSY ? "has dropped what was being read" : "refuses what it was asked");
    tv_from(err, TV_FROM_MONGO);
    tv_where(err, "%s: %s", m->where, text);
    return away ? tv_hint(err, "is it running, and is --mongo (TRIVET_MONGO) right?") : status;
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

/* Makes the text that errors show of the address: hosts, database and user. */
static void describe(struct tv_mongo *m)
{
    const mongoc_host_list_t *hosts = mongoc_uri_get_hosts(m->uri);
    const char *user = mongoc_uri_get_username(m->uri), *srv = mongoc_uri_get_srv_hostname(m->uri);
    size_t n = (size_t)snprintf(m->where, sizeof m->where, "%s", srv ? srv : "");
    for (const mongoc_host_list_t *host = hosts; host && n < sizeof m->where; host = host->next)
        n += (size_t)snprintf(m->where + n, sizeof m->where - n, "%s%s", n ? "," : "", host->host_and_port);
    if (n < sizeof m->where)
        snprintf(m->where + n, sizeof m->where - n, ", database %s%s%s", m->database, user ? ", user " : "",
                 user ? user : "");
    tv_text_end_whole(m->where, sizeof m->where);
}

/* The driver's words about an address that it cannot read may repeat it, in its log, too. So neither is shown. */
static enum tv_status read_address(struct tv_mongo *m, const char *uri, struct tv_error *err)
{
    bson_error_t e;
    driver_is_mute = 1;
    if (tv_address_is_clear(uri))
        m->uri = mongoc_uri_new_with_error(uri, &e);
    driver_is_mute = 0;
    if (m->uri == NULL)
        return tv_address_refuse(err, "MongoDB", "--mongo (TRIVET_MONGO)", "mongodb://user:password@127.0.0.1:27017");
    const char *database = mongoc_uri_get_database(m->uri);
    if (database && strlen(database) >= sizeof m->database)
        return tv_fail(err, TV_ERR_USAGE, "the database in --mongo (TRIVET_MONGO) has a name of more than %zu bytes",
                       sizeof m->database - 1);
    snprintf(m->database, sizeof m->database, "%s", database ? database : "recsys");
    describe(m);
    return TV_OK;
}

/* The timeouts given here take the place of any in the address. */
static void set_options(mongoc_uri_t *uri, const struct tv_mongo_options *options)
{
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, options->server_selection_ms);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, options->socket_ms);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, options->server_selection_ms);
    acknowledge_from_journal(uri);
    if (options->max_clients > 0)
        mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, options->max_clients);
}

static enum tv_status refuse_address(const struct tv_mongo *m, bson_error_t *e, struct tv_error *err)
{
    mask(m->uri, e->message);
    tv_fail(err, TV_ERR_USAGE, "the MongoDB address in --mongo (TRIVET_MONGO) cannot be used");
    return tv_where(err, "%s: %s", m->where, e->message);
}

/* --- whose client a call is lent --------------------------------------------------------------------------
 *
 * A pool has threads that watch the server, and they are good at waiting for one. But only twice a second they look whether they
 * are to end, so a program with a pool takes up to half a second to end. One that is not `watched` has clients without such
 * threads, each made when a thread has need of one more. They do not wait for a server that is away: where one finds none, a pool
 * takes their place, and keeps it. */

/* A client outside any pool. All members but the client are under `mutex` of the connection. */
struct tv_mongo_lone {
    mongoc_client_t *client;
    int lent;
    struct tv_mongo_lone *next;
};

/* The driver watches only with a pool, so the setting counts for clients outside one. */
static void look_once(mongoc_uri_t *uri)
{
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, true);
}

static enum tv_status make_pool(struct tv_mongo *m, struct tv_error *err)
{
    bson_error_t e;
    m->pool = mongoc_client_pool_new_with_error(m->uri, &e);
    if (m->pool == NULL)
        return refuse_address(m, &e, err);
    mongoc_client_pool_set_error_api(m->pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_set_appname(m->pool, m->name);
    return TV_OK;
}

/* Makes one more, which is lent at once. */
static enum tv_status add_lone(struct tv_mongo *m, struct tv_mongo_lone **out, struct tv_error *err)
{
    bson_error_t e;
    struct tv_mongo_lone *lone = tv_alloc(1, sizeof *lone, "a MongoDB client", err);
    if (lone == NULL)
        return TV_ERR_NO_MEMORY;
    lone->client = mongoc_client_new_from_uri_with_error(m->uri, &e);
    if (lone->client == NULL) {
        free(lone);
        return refuse_address(m, &e, err);
    }
    mongoc_client_set_error_api(lone->client, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_appname(lone->client, m->name);
    *lone = (struct tv_mongo_lone){.client = lone->client, .lent = 1, .next = m->lone};
    m->lone = *out = lone;
    return TV_OK;
}

/* Without threads, several servers are looked for in one go, and one that is off would hold up each command: they are for a pool. */
static int is_one_server(const mongoc_uri_t *uri)
{
    const mongoc_host_list_t *hosts = mongoc_uri_get_hosts(uri);
    return hosts && hosts->next == NULL && mongoc_uri_get_srv_hostname(uri) == NULL &&
           mongoc_uri_get_replica_set(uri) == NULL &&
           mongoc_uri_get_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, true) &&
           !mongoc_uri_get_option_as_bool(uri, MONGOC_URI_LOADBALANCED, false);
}

static enum tv_status open_clients(struct tv_mongo *m, int watched, struct tv_error *err)
{
    struct tv_mongo_lone *first;
    look_once(m->uri);
    m->always_pool = watched || !is_one_server(m->uri);
    if (m->always_pool)
        return make_pool(m, err);
    enum tv_status status = add_lone(m, &first, err);
    if (status == TV_OK)
        first->lent = 0;
    return status;
}

static void close_clients(struct tv_mongo *m)
{
    for (struct tv_mongo_lone *lone = m->lone, *next; lone; lone = next) {
        next = lone->next;
        mongoc_client_destroy(lone->client);
        free(lone);
    }
    if (m->pool)
        mongoc_client_pool_destroy(m->pool);
    pthread_mutex_destroy(&m->mutex);
}

/* Whether the client has its server. One that was not used for a while looks whether its connection still stands, and
 * one that had an error connects anew. Else this asks nobody. */
static int has_server(mongoc_client_t *client)
{
    mongoc_server_description_t *server = mongoc_client_select_server(client, true, NULL, NULL);
    int found = server != NULL;
    if (server)
        mongoc_server_description_destroy(server);
    return found;
}

/* A client that rests, or a new one; NULL where there is a pool, or no memory. */
static struct tv_mongo_lone *take_lone(struct tv_mongo *m)
{
    pthread_mutex_lock(&m->mutex);
    struct tv_mongo_lone *lone = m->pool ? NULL : m->lone;
    while (lone && lone->lent)
        lone = lone->next;
    if (lone)
        lone->lent = 1;
    else if (m->pool == NULL)
        tv_ignore(add_lone(m, &lone, NULL),
                  "one was made of this address before; without memory a pool is made, or the program ends");
    pthread_mutex_unlock(&m->mutex);
    return lone;
}

/* From now on everybody is lent clients of the pool. What was lent before comes back to where it is from. */
static mongoc_client_pool_t *pool_of(struct tv_mongo *m)
{
    pthread_mutex_lock(&m->mutex);
    if (m->pool == NULL)
        tv_ignore(make_pool(m, NULL), "the address was good for a client, and is for a pool");
    mongoc_client_pool_t *pool = m->pool;
    pthread_mutex_unlock(&m->mutex);
    return pool;
}

mongoc_client_t *tv_mongo_borrow(struct tv_mongo *m)
{
    if (m->always_pool)
        return mongoc_client_pool_pop(m->pool);
    struct tv_mongo_lone *lone = take_lone(m);
    if (lone && has_server(lone->client))
        return lone->client;
    mongoc_client_pool_t *pool = pool_of(m);
    if (lone && pool == NULL)
        return lone->client; /* whose call fails, and says why */
    if (lone)
        tv_mongo_give_back(m, lone->client);
    return mongoc_client_pool_pop(pool);
}

void tv_mongo_give_back(struct tv_mongo *m, mongoc_client_t *client)
{
    if (m->always_pool) {
        mongoc_client_pool_push(m->pool, client);
        return;
    }
    pthread_mutex_lock(&m->mutex);
    struct tv_mongo_lone *lone = m->lone;
    while (lone && lone->client != client)
        lone = lone->next;
    if (lone)
        lone->lent = 0;
    mongoc_client_pool_t *pool = m->pool;
    pthread_mutex_unlock(&m->mutex);
    if (lone == NULL)
        mongoc_client_pool_push(pool, client);
}

/* --- opening and asking ------------------------------------------------------------------------------------- */

/* A try takes up to server_selection_ms by itself, so the last one may end so much after wait_seconds. */
static enum tv_status ping_within(struct tv_mongo *m, int wait_seconds, struct tv_error *err)
{
    enum tv_status status;
    struct tv_wait wait = tv_wait_for("MongoDB", m->where, wait_seconds);
    do
        status = tv_mongo_ping(m, err);
    while (status == TV_ERR_UNAVAILABLE && tv_wait_more(&wait));
    return status;
}

/* The driver is started first: even reading an address calls it. Clients connect lazily, so without a ping
 * nothing is known of the server yet. */
enum tv_status tv_mongo_open(struct tv_mongo **out, const char *uri, const struct tv_mongo_options *options,
                             struct tv_error *err)
{
    pthread_once(&driver_once, start_driver);
    struct tv_mongo *m = tv_alloc(1, sizeof *m, "a MongoDB client", err);
    if (m == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&m->mutex, NULL);
    m->name = options->name;
    enum tv_status status = read_address(m, uri, err);
    if (status == TV_OK) {
        set_options(m->uri, options);
        status = open_clients(m, options->watched, err);
    }
    if (status == TV_OK && options->wait_seconds >= 0)
        status = ping_within(m, options->wait_seconds, err);
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
    close_clients(m);
    if (m->uri)
        mongoc_uri_destroy(m->uri);
    free(m);
}

/* Meant for commands that read: it asks for no acknowledgement from the journal. */
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

/* Servers answer with integers or doubles, as they like. */
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
