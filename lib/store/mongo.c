/* mongo: a MongoDB client, over libmongoc. The only place that knows BSON. */
#include "trivet/mongo.h"

#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trivet/buffer.h"
#include "trivet/clock.h"
#include "trivet/log.h"

struct tv_mongo {
    mongoc_client_pool_t *pool;
    char database[64];
    char where[512]; /* the URI without its password, for messages */
};

struct tv_mongo_doc {
    bson_t bson;
};

/* Documents are gathered until a batch is worth a round trip: the server takes 100,000 documents or 48 MB. */
enum { BATCH_DOCUMENTS = 2000, BATCH_BYTES = 12 << 20 };

struct tv_mongo_bulk {
    struct tv_mongo *mongo;
    mongoc_client_t *client;
    mongoc_collection_t *collection;
    bson_t options;
    bson_t *documents[BATCH_DOCUMENTS];
    size_t n, n_bytes;
};

/* Zeroed memory for a struct that holds a bson_t, which wants to lie on a boundary of 128 bytes. */
static void *alloc_with_bson(size_t size, const char *what, struct tv_error *err)
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

static enum tv_status translate(const struct tv_mongo *m, const bson_error_t *e, struct tv_error *err)
{
    int away = e->domain == MONGOC_ERROR_SERVER_SELECTION || e->domain == MONGOC_ERROR_STREAM;
    if (away) {
        tv_fail(err, TV_ERR_UNAVAILABLE, "MongoDB at %s does not answer: %s", m->where, e->message);
        return tv_hint(err, "is it running, and is --mongo (TRIVET_MONGO) right?");
    }
    return tv_fail(err, TV_ERR_STORE, "MongoDB: %s", e->message);
}

/* A client of the pool for the length of one call. */
static mongoc_client_t *borrow(struct tv_mongo *m)
{
    return mongoc_client_pool_pop(m->pool);
}

static void give_back(struct tv_mongo *m, mongoc_client_t *client)
{
    mongoc_client_pool_push(m->pool, client);
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
        if (status != TV_ERR_UNAVAILABLE || tv_clock() >= until)
            break;
        if (attempt == 0)
            tv_log_info("waiting for MongoDB at %s", m->where);
        usleep(300000);
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

/* Runs a command on our database (or another); `reply` may be NULL. */
static enum tv_status command(struct tv_mongo *m, const char *database, const bson_t *words, bson_t *reply,
                              struct tv_error *err)
{
    bson_error_t e;
    bson_t answer;
    mongoc_client_t *client = borrow(m);
    bool ok = mongoc_client_command_simple(client, database ? database : m->database, words, NULL, &answer, &e);
    give_back(m, client);
    if (reply && ok)
        bson_steal(reply, &answer);
    else
        bson_destroy(&answer);
    return ok ? TV_OK : translate(m, &e, err);
}

/* A number in a command's reply, 0 if it is not there. */
static double reply_number(const bson_t *reply, const char *name)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, reply, name) ? bson_iter_as_double(&it) : 0;
}

enum tv_status tv_mongo_ping(struct tv_mongo *m, struct tv_error *err)
{
    bson_t *words = BCON_NEW("ping", BCON_INT32(1));
    enum tv_status status = command(m, NULL, words, NULL, err);
    bson_destroy(words);
    return status;
}

const char *tv_mongo_database(const struct tv_mongo *m)
{
    return m->database;
}

/* --- writing ---------------------------------------------------------------------------------------------- */

static enum tv_status append_json(bson_t *doc, const struct tv_field *f, struct tv_error *err)
{
    bson_error_t e;
    bson_t value;
    if (!bson_init_from_json(&value, f->text, -1, &e))
        return tv_fail(err, TV_ERR_INPUT, "field %s is no JSON: %s", f->name, e.message);
    const char *begin = f->text + strspn(f->text, " \t\r\n");
    bool ok = *begin == '[' ? BSON_APPEND_ARRAY(doc, f->name, &value) : BSON_APPEND_DOCUMENT(doc, f->name, &value);
    bson_destroy(&value);
    return ok ? TV_OK : tv_fail(err, TV_ERR_INPUT, "field %s is too large for a document", f->name);
}

static bool append_pairs(bson_t *doc, const struct tv_field *f)
{
    bson_t array, pair;
    char space[16];
    const char *key;
    bool ok = BSON_APPEND_ARRAY_BEGIN(doc, f->name, &array);
    for (size_t i = 0; ok && i < f->n_pairs; i++) {
        size_t n = bson_uint32_to_string((uint32_t)i, &key, space, sizeof space);
        ok = bson_append_document_begin(&array, key, (int)n, &pair) &&
             BSON_APPEND_INT64(&pair, f->pair_names[0], f->pairs[i].integer) &&
             BSON_APPEND_DOUBLE(&pair, f->pair_names[1], f->pairs[i].real) && bson_append_document_end(&array, &pair);
    }
    return bson_append_array_end(doc, &array) && ok;
}

static enum tv_status append_field(bson_t *doc, const struct tv_field *f, struct tv_error *err)
{
    bool ok = true;
    switch (f->type) {
    case TV_FIELD_NULL:
        ok = BSON_APPEND_NULL(doc, f->name);
        break;
    case TV_FIELD_INT32:
        ok = BSON_APPEND_INT32(doc, f->name, (int32_t)f->integer);
        break;
    case TV_FIELD_INT64:
        ok = BSON_APPEND_INT64(doc, f->name, f->integer);
        break;
    case TV_FIELD_DOUBLE:
        ok = BSON_APPEND_DOUBLE(doc, f->name, f->real);
        break;
    case TV_FIELD_BOOL:
        ok = BSON_APPEND_BOOL(doc, f->name, f->integer != 0);
        break;
    case TV_FIELD_TEXT:
        ok = BSON_APPEND_UTF8(doc, f->name, f->text);
        break;
    case TV_FIELD_BYTES:
        ok = f->n_bytes <= UINT32_MAX &&
             BSON_APPEND_BINARY(doc, f->name, BSON_SUBTYPE_BINARY, f->bytes, (uint32_t)f->n_bytes);
        break;
    case TV_FIELD_PAIRS:
        ok = append_pairs(doc, f);
        break;
    case TV_FIELD_JSON:
        return append_json(doc, f, err);
    }
    return ok ? TV_OK : tv_fail(err, TV_ERR_INPUT, "field %s is too large for a document", f->name);
}

enum tv_status tv_mongo_bulk_begin(struct tv_mongo_bulk **out, struct tv_mongo *m, const char *collection,
                                   int journaled, struct tv_error *err)
{
    struct tv_mongo_bulk *b = alloc_with_bson(sizeof *b, "a bulk write", err);
    if (b == NULL)
        return TV_ERR_NO_MEMORY;
    b->mongo = m;
    b->client = borrow(m);
    b->collection = mongoc_client_get_collection(b->client, m->database, collection);
    bson_init(&b->options);
    if (journaled) {
        mongoc_write_concern_t *concern = mongoc_write_concern_new();
        mongoc_write_concern_set_journal(concern, true);
        mongoc_write_concern_append(concern, &b->options);
        mongoc_write_concern_destroy(concern);
    }
    *out = b;
    return TV_OK;
}

static enum tv_status flush(struct tv_mongo_bulk *b, struct tv_error *err)
{
    if (b->n == 0)
        return TV_OK;
    bson_error_t e;
    tv_log_debug("mongo: insert %zu documents into %s", b->n, mongoc_collection_get_name(b->collection));
    bool ok = mongoc_collection_insert_many(b->collection, (const bson_t **)b->documents, b->n, &b->options, NULL, &e);
    for (size_t i = 0; i < b->n; i++)
        bson_destroy(b->documents[i]);
    b->n = b->n_bytes = 0;
    return ok ? TV_OK : translate(b->mongo, &e, err);
}

/* Takes ownership of `doc`. */
static enum tv_status gather(struct tv_mongo_bulk *b, bson_t *doc, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (b->n == BATCH_DOCUMENTS || (b->n > 0 && b->n_bytes + doc->len > BATCH_BYTES))
        status = flush(b, err);
    if (status != TV_OK) {
        bson_destroy(doc);
        return status;
    }
    b->documents[b->n++] = doc;
    b->n_bytes += doc->len;
    return TV_OK;
}

enum tv_status tv_mongo_bulk_add(struct tv_mongo_bulk *b, const struct tv_field *fields, size_t n,
                                 struct tv_error *err)
{
    bson_t *doc = bson_new();
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = append_field(doc, &fields[i], err);
    if (status == TV_OK)
        return gather(b, doc, err);
    bson_destroy(doc);
    return status;
}

enum tv_status tv_mongo_bulk_add_json(struct tv_mongo_bulk *b, const char *json, size_t n, struct tv_error *err)
{
    bson_error_t e;
    bson_t *doc = bson_new_from_json((const uint8_t *)json, (ssize_t)n, &e);
    if (doc == NULL)
        return tv_fail(err, TV_ERR_INPUT, "a document is no JSON: %s: %.80s", e.message, json);
    return gather(b, doc, err);
}

enum tv_status tv_mongo_bulk_end(struct tv_mongo_bulk *b, struct tv_error *err)
{
    if (b == NULL)
        return TV_OK;
    enum tv_status status = flush(b, err);
    bson_destroy(&b->options);
    mongoc_collection_destroy(b->collection);
    give_back(b->mongo, b->client);
    free(b);
    return status;
}

/* {"$set": {fields}} inside `doc`. */
static enum tv_status append_fields(bson_t *doc, const char *operator, const struct tv_field *fields, size_t n,
                                    const struct tv_mongo_update *guard, struct tv_error *err)
{
    bson_t inner;
    enum tv_status status = TV_OK;
    bson_append_document_begin(doc, operator, -1, &inner);
    if (guard)
        BSON_APPEND_INT64(&inner, guard->guard, guard->value);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = append_field(&inner, &fields[i], err);
    bson_append_document_end(doc, &inner);
    return status;
}

static enum tv_status describe_update(bson_t *doc, const struct tv_mongo_update *u, struct tv_error *err)
{
    const struct tv_field nothing = {.name = u->unset, .type = TV_FIELD_TEXT, .text = ""};
    enum tv_status status = append_fields(doc, "$set", u->set, u->n_set, u, err);
    if (status == TV_OK && u->if_new)
        status = append_fields(doc, "$setOnInsert", u->if_new, u->n_if_new, NULL, err);
    return status == TV_OK && u->unset ? append_fields(doc, "$unset", &nothing, 1, NULL, err) : status;
}

enum tv_status tv_mongo_update_newer(struct tv_mongo *m, const char *collection, int64_t id,
                                     const struct tv_mongo_update *u, int *written, struct tv_error *err)
{
    enum { DUPLICATE_KEY = 11000, ATTEMPTS = 2 };
    bson_error_t e;
    bson_t reply, change = BSON_INITIALIZER;
    bson_t *which = BCON_NEW("_id", BCON_INT64(id), u->guard, "{", "$not", "{", "$gte", BCON_INT64(u->value), "}", "}");
    bson_t *options = BCON_NEW("upsert", BCON_BOOL(u->if_new != NULL), "writeConcern", "{", "w", BCON_INT32(1), "j",
                               BCON_BOOL(u->journaled != 0), "}");
    bool ok = false, exists = false;
    *written = 0;
    enum tv_status status = describe_update(&change, u, err);
    mongoc_client_t *client = borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    tv_log_debug("mongo: update %s _id=%lld to %s=%lld", collection, (long long)id, u->guard, (long long)u->value);
    /* Who inserts finds a document there either because it knows more, or because it came at the same moment: then the
     * second attempt changes it. */
    for (int i = 0; status == TV_OK && !ok && i < ATTEMPTS; i++) {
        ok = mongoc_collection_update_one(c, which, &change, options, &reply, &e);
        exists = !ok && e.code == DUPLICATE_KEY;
        *written = ok && (reply_number(&reply, "matchedCount") > 0 || reply_number(&reply, "upsertedCount") > 0);
        bson_destroy(&reply);
        if (!ok && !exists)
            status = translate(m, &e, err);
    }
    mongoc_collection_destroy(c);
    give_back(m, client);
    bson_destroy(options);
    bson_destroy(which);
    bson_destroy(&change);
    return status;
}

static enum tv_status add_change(mongoc_bulk_operation_t *bulk, const char *guard, const struct tv_mongo_change *change,
                                 struct tv_error *err)
{
    bson_error_t e;
    bson_t document = BSON_INITIALIZER, set;
    bson_t *which = BCON_NEW("_id", BCON_INT64(change->id), guard, BCON_INT64(change->guard));
    BSON_APPEND_DOCUMENT_BEGIN(&document, "$set", &set);
    enum tv_status status = append_field(&set, &change->set, err);
    bson_append_document_end(&document, &set);
    if (status == TV_OK && !mongoc_bulk_operation_update_one_with_opts(bulk, which, &document, NULL, &e))
        status = tv_fail(err, TV_ERR_STORE, "a change of document %lld: %s", (long long)change->id, e.message);
    bson_destroy(&document);
    bson_destroy(which);
    return status;
}

enum tv_status tv_mongo_set_where(struct tv_mongo *m, const char *collection, const char *guard,
                                  const struct tv_mongo_change *changes, size_t n, int64_t *n_set, struct tv_error *err)
{
    bson_error_t e;
    bson_t reply, options = BSON_INITIALIZER;
    bson_iter_t matched;
    enum tv_status status = TV_OK;
    *n_set = 0;
    if (n == 0)
        return TV_OK;
    BSON_APPEND_BOOL(&options, "ordered", false);
    mongoc_client_t *client = borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(c, &options);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = add_change(bulk, guard, &changes[i], err);
    if (status == TV_OK) {
        tv_log_debug("mongo: set %s of %zu documents of %s", changes[0].set.name, n, collection);
        if (mongoc_bulk_operation_execute(bulk, &reply, &e) == 0)
            status = translate(m, &e, err);
        if (bson_iter_init_find(&matched, &reply, "nMatched"))
            *n_set = bson_iter_as_int64(&matched);
        bson_destroy(&reply);
    }
    mongoc_bulk_operation_destroy(bulk);
    mongoc_collection_destroy(c);
    give_back(m, client);
    bson_destroy(&options);
    return status;
}

enum tv_status tv_mongo_create_index(struct tv_mongo *m, const char *collection, const char *key,
                                     struct tv_error *err)
{
    char name[80];
    snprintf(name, sizeof name, "%s_1", key);
    bson_t *words = BCON_NEW("createIndexes", BCON_UTF8(collection), "indexes", "[", "{", "key", "{", key,
                             BCON_INT32(1), "}", "name", BCON_UTF8(name), "}", "]");
    enum tv_status status = command(m, NULL, words, NULL, err);
    bson_destroy(words);
    return status;
}

enum tv_status tv_mongo_drop(struct tv_mongo *m, const char *collection, struct tv_error *err)
{
    enum { NAMESPACE_NOT_FOUND = 26 };
    bson_error_t e;
    mongoc_client_t *client = borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    tv_log_debug("mongo: drop %s", collection);
    bool ok = mongoc_collection_drop(c, &e) || e.code == NAMESPACE_NOT_FOUND;
    mongoc_collection_destroy(c);
    give_back(m, client);
    return ok ? TV_OK : translate(m, &e, err);
}

enum tv_status tv_mongo_rename(struct tv_mongo *m, const char *from, const char *to, struct tv_error *err)
{
    char old_name[160], new_name[160];
    snprintf(old_name, sizeof old_name, "%s.%s", m->database, from);
    snprintf(new_name, sizeof new_name, "%s.%s", m->database, to);
    bson_t *words = BCON_NEW("renameCollection", BCON_UTF8(old_name), "to", BCON_UTF8(new_name), "dropTarget",
                             BCON_BOOL(true));
    enum tv_status status = command(m, "admin", words, NULL, err);
    bson_destroy(words);
    return status;
}

enum tv_status tv_mongo_set_text(struct tv_mongo *m, const char *collection, const char *name, const char *text,
                                 struct tv_error *err)
{
    bson_t *words = BCON_NEW("update", BCON_UTF8(collection), "updates", "[", "{", "q", "{", name, "{", "$ne",
                             BCON_UTF8(text), "}", "}", "u", "{", "$set", "{", name, BCON_UTF8(text), "}", "}", "multi",
                             BCON_BOOL(true), "}", "]");
    enum tv_status status = command(m, NULL, words, NULL, err);
    bson_destroy(words);
    return status;
}

enum tv_status tv_mongo_point_view(struct tv_mongo *m, const char *view, const char *collection,
                                   struct tv_error *err)
{
    char *on = NULL;
    enum tv_status status = tv_mongo_view_target(m, view, &on, err);
    if (status != TV_OK)
        return status;
    bson_t *words = on ? BCON_NEW("collMod", BCON_UTF8(view), "viewOn", BCON_UTF8(collection), "pipeline", "[", "]")
                       : BCON_NEW("create", BCON_UTF8(view), "viewOn", BCON_UTF8(collection), "pipeline", "[", "]");
    if (on == NULL || strcmp(on, collection) != 0)
        status = command(m, NULL, words, NULL, err);
    bson_destroy(words);
    free(on);
    return status;
}

/* Calls `take` with each entry of listCollections that matches `filter`. */
typedef enum tv_status (*take_entry)(void *context, const bson_t *entry, struct tv_error *err);

static enum tv_status list_collections(struct tv_mongo *m, const bson_t *filter, take_entry take, void *context,
                                       struct tv_error *err)
{
    enum tv_status status = TV_OK;
    bson_error_t e;
    const bson_t *entry;
    bson_t options;
    bson_init(&options);
    BSON_APPEND_DOCUMENT(&options, "filter", filter);
    mongoc_client_t *client = borrow(m);
    mongoc_database_t *database = mongoc_client_get_database(client, m->database);
    mongoc_cursor_t *cursor = mongoc_database_find_collections_with_opts(database, &options);
    while (status == TV_OK && mongoc_cursor_next(cursor, &entry))
        status = take(context, entry, err);
    if (status == TV_OK && mongoc_cursor_error(cursor, &e))
        status = translate(m, &e, err);
    mongoc_cursor_destroy(cursor);
    mongoc_database_destroy(database);
    give_back(m, client);
    bson_destroy(&options);
    return status;
}

static enum tv_status take_view_on(void *context, const bson_t *entry, struct tv_error *err)
{
    (void)err;
    char **on = context;
    bson_iter_t it, inner;
    if (bson_iter_init(&it, entry) && bson_iter_find_descendant(&it, "options.viewOn", &inner) &&
        BSON_ITER_HOLDS_UTF8(&inner)) {
        free(*on);
        *on = strdup(bson_iter_utf8(&inner, NULL));
    }
    return TV_OK;
}

enum tv_status tv_mongo_view_target(struct tv_mongo *m, const char *view, char **on, struct tv_error *err)
{
    *on = NULL;
    bson_t *filter = BCON_NEW("name", BCON_UTF8(view), "type", BCON_UTF8("view"));
    enum tv_status status = list_collections(m, filter, take_view_on, on, err);
    bson_destroy(filter);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static struct tv_mongo_doc *copy_doc(const bson_t *bson, struct tv_error *err)
{
    struct tv_mongo_doc *doc = alloc_with_bson(sizeof *doc, "a document", err);
    if (doc)
        bson_copy_to(bson, &doc->bson);
    return doc;
}

enum tv_status tv_mongo_doc_from_json(struct tv_mongo_doc **out, const char *json, struct tv_error *err)
{
    bson_error_t e;
    bson_t *bson = bson_new_from_json((const uint8_t *)json, -1, &e);
    if (bson == NULL)
        return tv_fail(err, TV_ERR_INPUT, "a document is no JSON: %s: %.80s", e.message, json);
    *out = copy_doc(bson, err);
    bson_destroy(bson);
    return *out ? TV_OK : TV_ERR_NO_MEMORY;
}

static enum tv_status find_one(struct tv_mongo *m, const char *collection, const bson_t *filter,
                               struct tv_mongo_doc **out, struct tv_error *err)
{
    enum tv_status status = TV_ERR_NOT_FOUND;
    bson_error_t e;
    const bson_t *found;
    bson_t options;
    bson_init(&options);
    BSON_APPEND_INT64(&options, "limit", 1);
    BSON_APPEND_BOOL(&options, "singleBatch", true);
    mongoc_client_t *client = borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, filter, &options, NULL);
    if (mongoc_cursor_next(cursor, &found))
        status = (*out = copy_doc(found, err)) ? TV_OK : TV_ERR_NO_MEMORY;
    else if (mongoc_cursor_error(cursor, &e))
        status = translate(m, &e, err);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    give_back(m, client);
    bson_destroy(&options);
    return status;
}

enum tv_status tv_mongo_find_int(struct tv_mongo *m, const char *collection, const char *key, int64_t value,
                                 struct tv_mongo_doc **out, struct tv_error *err)
{
    bson_t filter;
    bson_init(&filter);
    BSON_APPEND_INT64(&filter, key, value);
    tv_log_debug("mongo: find %s %s=%lld", collection, key, (long long)value);
    enum tv_status status = find_one(m, collection, &filter, out, err);
    bson_destroy(&filter);
    return status;
}

enum tv_status tv_mongo_find_text(struct tv_mongo *m, const char *collection, const char *key, const char *value,
                                  struct tv_mongo_doc **out, struct tv_error *err)
{
    bson_t filter;
    bson_init(&filter);
    BSON_APPEND_UTF8(&filter, key, value);
    tv_log_debug("mongo: find %s %s=%s", collection, key, value);
    enum tv_status status = find_one(m, collection, &filter, out, err);
    bson_destroy(&filter);
    return status;
}

/* Calls `take` for each document that fits the filter. */
static enum tv_status each_found(struct tv_mongo *m, const char *collection, const bson_t *filter,
                                 const bson_t *options, tv_mongo_take take, void *context, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    bson_error_t e;
    const bson_t *found;
    mongoc_client_t *client = borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, filter, options, NULL);
    while (status == TV_OK && mongoc_cursor_next(cursor, &found)) {
        struct tv_mongo_doc lent;
        if (!bson_init_static(&lent.bson, bson_get_data(found), found->len))
            status = tv_fail(err, TV_ERR_CORRUPT, "MongoDB sent a document that cannot be read from %s", collection);
        else
            status = take(context, &lent, err);
    }
    if (status == TV_OK && mongoc_cursor_error(cursor, &e))
        status = translate(m, &e, err);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    give_back(m, client);
    return status;
}

enum tv_status tv_mongo_each(struct tv_mongo *m, const char *collection, tv_mongo_take take, void *context,
                             struct tv_error *err)
{
    bson_t filter = BSON_INITIALIZER;
    bson_t *options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "batchSize", BCON_INT32(5000));
    tv_log_debug("mongo: read all of %s", collection);
    enum tv_status status = each_found(m, collection, &filter, options, take, context, err);
    bson_destroy(options);
    bson_destroy(&filter);
    return status;
}

enum tv_status tv_mongo_each_int(struct tv_mongo *m, const char *collection, const char *key, const int64_t *values,
                                 size_t n, tv_mongo_take take, void *context, struct tv_error *err)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, in, array;
    char space[16];
    const char *index;
    BSON_APPEND_DOCUMENT_BEGIN(&filter, key, &in);
    BSON_APPEND_ARRAY_BEGIN(&in, "$in", &array);
    for (size_t i = 0; i < n; i++) {
        bson_uint32_to_string((uint32_t)i, &index, space, sizeof space);
        BSON_APPEND_INT64(&array, index, values[i]);
    }
    bson_append_array_end(&in, &array);
    bson_append_document_end(&filter, &in);
    BSON_APPEND_INT64(&options, "batchSize", (int64_t)n + 1); /* one answer holds them all */
    tv_log_debug("mongo: find %zu of %s by %s", n, collection, key);
    enum tv_status status = each_found(m, collection, &filter, &options, take, context, err);
    bson_destroy(&options);
    bson_destroy(&filter);
    return status;
}

enum tv_status tv_mongo_count(struct tv_mongo *m, const char *collection, int64_t *n, struct tv_error *err)
{
    bson_t reply, *words = BCON_NEW("count", BCON_UTF8(collection));
    enum tv_status status = command(m, NULL, words, &reply, err);
    if (status == TV_OK) {
        *n = (int64_t)reply_number(&reply, "n");
        bson_destroy(&reply);
    }
    bson_destroy(words);
    return status;
}

enum tv_status tv_mongo_bytes(struct tv_mongo *m, const char *collection, double *bytes, struct tv_error *err)
{
    bson_t reply, *words = BCON_NEW("collStats", BCON_UTF8(collection));
    enum tv_status status = command(m, NULL, words, &reply, err);
    if (status == TV_OK) {
        *bytes = reply_number(&reply, "size");
        bson_destroy(&reply);
    }
    bson_destroy(words);
    return status;
}

static enum tv_status count_entry(void *context, const bson_t *entry, struct tv_error *err)
{
    (void)entry, (void)err;
    ++*(int *)context;
    return TV_OK;
}

enum tv_status tv_mongo_exists(struct tv_mongo *m, const char *collection, int *exists, struct tv_error *err)
{
    *exists = 0;
    bson_t *filter = BCON_NEW("name", BCON_UTF8(collection));
    enum tv_status status = list_collections(m, filter, count_entry, exists, err);
    bson_destroy(filter);
    return status;
}

struct names {
    const char *prefix;
    tv_mongo_take_name take;
    void *context;
};

static enum tv_status take_name(void *context, const bson_t *entry, struct tv_error *err)
{
    struct names *n = context;
    bson_iter_t it;
    if (!bson_iter_init_find(&it, entry, "name") || !BSON_ITER_HOLDS_UTF8(&it))
        return TV_OK;
    const char *name = bson_iter_utf8(&it, NULL);
    return strncmp(name, n->prefix, strlen(n->prefix)) == 0 ? n->take(n->context, name, err) : TV_OK;
}

enum tv_status tv_mongo_names(struct tv_mongo *m, const char *prefix, tv_mongo_take_name take, void *context,
                              struct tv_error *err)
{
    struct names n = {prefix, take, context};
    bson_t filter = BSON_INITIALIZER;
    enum tv_status status = list_collections(m, &filter, take_name, &n, err);
    bson_destroy(&filter);
    return status;
}

/* --- fields ----------------------------------------------------------------------------------------------- */

static int find_field(const struct tv_mongo_doc *doc, const char *name, bson_iter_t *it)
{
    return bson_iter_init_find(it, &doc->bson, name);
}

int tv_mongo_doc_int(const struct tv_mongo_doc *doc, const char *name, int64_t *value)
{
    bson_iter_t it;
    if (!find_field(doc, name, &it) || !(BSON_ITER_HOLDS_INT32(&it) || BSON_ITER_HOLDS_INT64(&it)))
        return 0;
    *value = bson_iter_as_int64(&it);
    return 1;
}

int tv_mongo_doc_real(const struct tv_mongo_doc *doc, const char *name, double *value)
{
    bson_iter_t it;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_NUMBER(&it))
        return 0;
    *value = bson_iter_as_double(&it);
    return 1;
}

int tv_mongo_doc_text(const struct tv_mongo_doc *doc, const char *name, const char **value)
{
    bson_iter_t it;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_UTF8(&it))
        return 0;
    *value = bson_iter_utf8(&it, NULL);
    return 1;
}

int tv_mongo_doc_bytes(const struct tv_mongo_doc *doc, const char *name, const void **bytes, size_t *n)
{
    bson_iter_t it;
    bson_subtype_t subtype;
    uint32_t length;
    const uint8_t *data;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_BINARY(&it))
        return 0;
    bson_iter_binary(&it, &subtype, &length, &data);
    *bytes = data;
    *n = length;
    return 1;
}

static int read_pair(const bson_iter_t *element, const char *const *names, struct tv_pair *pair)
{
    struct tv_mongo_doc inner;
    uint32_t length;
    const uint8_t *data;
    if (!BSON_ITER_HOLDS_DOCUMENT(element))
        return 0;
    bson_iter_document(element, &length, &data);
    return bson_init_static(&inner.bson, data, length) && tv_mongo_doc_int(&inner, names[0], &pair->integer) &&
           tv_mongo_doc_real(&inner, names[1], &pair->real);
}

int tv_mongo_doc_pairs(const struct tv_mongo_doc *doc, const char *name, const char *const *pair_names,
                       struct tv_pair **pairs, size_t *n)
{
    bson_iter_t it, element;
    size_t length = 0;
    if (!find_field(doc, name, &it) || !BSON_ITER_HOLDS_ARRAY(&it) || !bson_iter_recurse(&it, &element))
        return 0;
    while (bson_iter_next(&element))
        length++;
    *pairs = length ? calloc(length, sizeof **pairs) : NULL;
    *n = 0;
    bson_iter_recurse(&it, &element);
    while (*pairs && bson_iter_next(&element) && read_pair(&element, pair_names, &(*pairs)[*n]))
        ++*n;
    if (*n == length)
        return 1;
    free(*pairs);
    *pairs = NULL;
    return 0;
}

static char *as_json(const bson_t *bson, int is_array)
{
    size_t n;
    char *text = is_array ? bson_array_as_json(bson, &n) : bson_as_relaxed_extended_json(bson, &n);
    char *copy = text ? strdup(text) : NULL;
    bson_free(text);
    return copy;
}

char *tv_mongo_doc_json(const struct tv_mongo_doc *doc, const char *name)
{
    if (name == NULL)
        return as_json(&doc->bson, 0);
    bson_iter_t it;
    const uint8_t *data;
    uint32_t length;
    bson_t inner;
    if (!find_field(doc, name, &it))
        return NULL;
    if (BSON_ITER_HOLDS_DOCUMENT(&it))
        bson_iter_document(&it, &length, &data);
    else if (BSON_ITER_HOLDS_ARRAY(&it))
        bson_iter_array(&it, &length, &data);
    else
        return NULL;
    return bson_init_static(&inner, data, length) ? as_json(&inner, BSON_ITER_HOLDS_ARRAY(&it)) : NULL;
}

void tv_mongo_doc_free(struct tv_mongo_doc *doc)
{
    if (doc == NULL)
        return;
    bson_destroy(&doc->bson);
    free(doc);
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
