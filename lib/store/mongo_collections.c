/* mongo_collections: collections and views of MongoDB as wholes: made, moved, counted, listed. */
#include "lib/store/mongo_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/log.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_write.h"

/* An index that is there already is fine for the server. */
enum tv_status tv_mongo_create_index(struct tv_mongo *m, const char *collection, const char *key,
                                     struct tv_error *err)
{
    char name[80];
    snprintf(name, sizeof name, "%s_1", key);
    bson_t *words = BCON_NEW("createIndexes", BCON_UTF8(collection), "indexes", "[", "{", "key", "{", key,
                             BCON_INT32(1), "}", "name", BCON_UTF8(name), "}", "]");
    enum tv_status status = tv_mongo_write_command(m, NULL, words, err);
    bson_destroy(words);
    return status;
}

/* A server may call an absent collection an error; here it is none. */
enum tv_status tv_mongo_drop(struct tv_mongo *m, const char *collection, struct tv_error *err)
{
    enum { NAMESPACE_NOT_FOUND = 26 };
    bson_error_t e;
    mongoc_client_t *client = tv_mongo_borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    tv_log_debug("mongo: drop %s", collection);
    bool ok = mongoc_collection_drop(c, &e) || e.code == NAMESPACE_NOT_FOUND;
    mongoc_collection_destroy(c);
    tv_mongo_give_back(m, client);
    return ok ? TV_OK : tv_mongo_translate(m, &e, err);
}

/* A command of the database admin, which wants whole names. */
enum tv_status tv_mongo_rename(struct tv_mongo *m, const char *from, const char *to, struct tv_error *err)
{
    char old_name[160], new_name[160];
    snprintf(old_name, sizeof old_name, "%s.%s", m->database, from);
    snprintf(new_name, sizeof new_name, "%s.%s", m->database, to);
    bson_t *words = BCON_NEW("renameCollection", BCON_UTF8(old_name), "to", BCON_UTF8(new_name), "dropTarget",
                             BCON_BOOL(true));
    enum tv_status status = tv_mongo_write_command(m, "admin", words, err);
    bson_destroy(words);
    return status;
}

/* An aggregation whose last stage writes: the documents do not come here. */
static enum tv_status merge(struct tv_mongo *m, const char *from, const char *to, const bson_t *first, const bson_t *second, int keep,
                            struct tv_error *err)
{
    bson_t *words = BCON_NEW("aggregate", BCON_UTF8(from), "pipeline", "[", BCON_DOCUMENT(first), BCON_DOCUMENT(second), "{", "$merge", "{",
                             "into", BCON_UTF8(to), "whenMatched", BCON_UTF8(keep ? "keepExisting" : "replace"), "whenNotMatched",
                             BCON_UTF8("insert"), "}", "}", "]", "cursor", "{", "}");
    enum tv_status status = tv_mongo_write_command(m, NULL, words, err);
    bson_destroy(words);
    return status;
}

enum tv_status tv_mongo_merge(struct tv_mongo *m, const char *from, const char *to, int keep, struct tv_error *err)
{
    bson_t *all = BCON_NEW("$match", "{", "}");
    enum tv_status status = merge(m, from, to, all, all, keep, err);
    bson_destroy(all);
    return status;
}

enum tv_status tv_mongo_merge_goers(struct tv_mongo *m, const char *from, const char *to, const struct tv_mongo_goers *goers,
                                    struct tv_error *err)
{
    bson_t match = BSON_INITIALIZER, inside;
    char field[64];
    snprintf(field, sizeof field, "$%s", goers->mark);
    BSON_APPEND_DOCUMENT_BEGIN(&match, "$match", &inside);
    tv_mongo_append_in(&inside, "_id", goers->ids, goers->n);
    BCON_APPEND(&inside, "$or", "[", "{", goers->mark, "{", "$exists", BCON_BOOL(0), "}", "}", "{", goers->mark, "{", "$gte",
                BCON_INT64(goers->oldest), "}", "}", "]");
    bson_append_document_end(&match, &inside);
    bson_t *mark = BCON_NEW("$set", "{", goers->mark, "{", "$ifNull", "[", BCON_UTF8(field), BCON_INT64(goers->newest), "]", "}", "}");
    enum tv_status status = merge(m, from, to, &match, mark, 1, err);
    bson_destroy(mark);
    bson_destroy(&match);
    return status;
}

enum tv_status tv_mongo_unset(struct tv_mongo *m, const char *collection, const char *name, struct tv_error *err)
{
    bson_t *words = BCON_NEW("update", BCON_UTF8(collection), "updates", "[", "{", "q", "{", name, "{", "$exists", BCON_BOOL(1), "}", "}",
                             "u", "{", "$unset", "{", name, BCON_UTF8(""), "}", "}", "multi", BCON_BOOL(1), "}", "]");
    enum tv_status status = tv_mongo_write_command(m, NULL, words, err);
    bson_destroy(words);
    return status;
}

/* One command for the whole collection, without the documents coming here. */
enum tv_status tv_mongo_set_text(struct tv_mongo *m, const char *collection, const char *name, const char *text,
                                 struct tv_error *err)
{
    bson_t *words = BCON_NEW("update", BCON_UTF8(collection), "updates", "[", "{", "q", "{", name, "{", "$ne",
                             BCON_UTF8(text), "}", "}", "u", "{", "$set", "{", name, BCON_UTF8(text), "}", "}", "multi",
                             BCON_BOOL(true), "}", "]");
    enum tv_status status = tv_mongo_write_command(m, NULL, words, err);
    bson_destroy(words);
    return status;
}

enum tv_status tv_mongo_set_int(struct tv_mongo *m, const char *collection, const char *id, const char *name, int64_t value,
                                struct tv_error *err)
{
    bson_t *words = BCON_NEW("update", BCON_UTF8(collection), "updates", "[", "{", "q", "{", "_id", BCON_UTF8(id), "}", "u",
                             "{", "$set", "{", name, BCON_INT64(value), "}", "}", "}", "]");
    enum tv_status status = tv_mongo_write_command(m, NULL, words, err);
    bson_destroy(words);
    return status;
}

/* A view that is right already is left alone. */
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
        status = tv_mongo_write_command(m, NULL, words, err);
    bson_destroy(words);
    free(on);
    return status;
}

/* Calls `take` with each entry of listCollections that matches `filter`. */
typedef enum tv_status (*take_entry)(void *context, const bson_t *entry, struct tv_error *err);

/* A failure of `take` ends it, and is returned. */
static enum tv_status list_collections(struct tv_mongo *m, const bson_t *filter, take_entry take, void *context,
                                       struct tv_error *err)
{
    enum tv_status status = TV_OK;
    bson_error_t e;
    const bson_t *entry;
    bson_t options;
    bson_init(&options);
    BSON_APPEND_DOCUMENT(&options, "filter", filter);
    mongoc_client_t *client = tv_mongo_borrow(m);
    mongoc_database_t *database = mongoc_client_get_database(client, m->database);
    mongoc_cursor_t *cursor = mongoc_database_find_collections_with_opts(database, &options);
    while (status == TV_OK && mongoc_cursor_next(cursor, &entry))
        status = take(context, entry, err);
    if (status == TV_OK && mongoc_cursor_error(cursor, &e))
        status = tv_mongo_translate(m, &e, err);
    mongoc_cursor_destroy(cursor);
    mongoc_database_destroy(database);
    tv_mongo_give_back(m, client);
    bson_destroy(&options);
    return status;
}

/* A view with a pipeline shows something else than its collection, so it counts as a view on none. */
static int has_pipeline(const bson_t *entry)
{
    bson_iter_t it, pipeline, stage;
    return bson_iter_init(&it, entry) && bson_iter_find_descendant(&it, "options.pipeline", &pipeline) &&
           bson_iter_recurse(&pipeline, &stage) && bson_iter_next(&stage);
}

/* The entry of a view in listCollections names its collection in options.viewOn. */
static enum tv_status take_view_on(void *context, const bson_t *entry, struct tv_error *err)
{
    (void)err;
    char **on = context;
    bson_iter_t it, inner;
    if (has_pipeline(entry)) {
        free(*on);
        *on = strdup("");
    } else if (bson_iter_init(&it, entry) && bson_iter_find_descendant(&it, "options.viewOn", &inner) &&
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

/* Counts keys of the index on _id. The server's own counter, which a count without a query reads, is wrong after
 * the server was killed. */
enum tv_status tv_mongo_count(struct tv_mongo *m, const char *collection, int64_t *n, struct tv_error *err)
{
    bson_t reply, *words = BCON_NEW("count", BCON_UTF8(collection), "query", "{", "_id", "{", "$gte", BCON_MINKEY, "}", "}");
    enum tv_status status = tv_mongo_command(m, NULL, words, &reply, err);
    if (status == TV_OK) {
        *n = (int64_t)tv_mongo_reply_number(&reply, "n");
        bson_destroy(&reply);
    }
    bson_destroy(words);
    return status;
}

/* `size` of collStats, the sum over the documents; storageSize would be the compressed files. */
enum tv_status tv_mongo_bytes(struct tv_mongo *m, const char *collection, double *bytes, struct tv_error *err)
{
    bson_t reply, *words = BCON_NEW("collStats", BCON_UTF8(collection));
    enum tv_status status = tv_mongo_command(m, NULL, words, &reply, err);
    if (status == TV_OK) {
        *bytes = tv_mongo_reply_number(&reply, "size");
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

/* The names that begin with a prefix, on their way to `take`. */
struct names {
    const char *prefix;
    tv_mongo_take_name take;
    void *context;
};

/* The prefix is compared here, so that nothing in it has to be escaped for a regular expression. */
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
