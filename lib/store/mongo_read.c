/* mongo_read: documents from MongoDB: one by a key, or many, one after the other, to a caller's function. */
#include "lib/store/mongo_client.h"

#include "trivet/base/log.h"
#include "trivet/store/mongo_read.h"

/* With singleBatch the server closes its cursor with the first answer. That there is no such document is an
 * ordinary answer, without a message; so it is where the collection is not there, which MongoDB takes for an empty
 * one. */
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
    mongoc_client_t *client = tv_mongo_borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, filter, &options, NULL);
    if (mongoc_cursor_next(cursor, &found))
        status = (*out = tv_mongo_copy_doc(found, err)) ? TV_OK : TV_ERR_NO_MEMORY;
    else if (mongoc_cursor_error(cursor, &e))
        status = tv_mongo_translate(m, &e, err);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    tv_mongo_give_back(m, client);
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

/* Calls `take` for each document that fits the filter, with a view of the driver's memory. A connection of the pool
 * is lent for all that time, so what `take` asks of MongoDB goes over another one. */
static enum tv_status each_found(struct tv_mongo *m, const char *collection, const bson_t *filter,
                                 const bson_t *options, tv_mongo_take take, void *context, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    bson_error_t e;
    const bson_t *found;
    mongoc_client_t *client = tv_mongo_borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, filter, options, NULL);
    while (status == TV_OK && mongoc_cursor_next(cursor, &found)) {
        struct tv_mongo_doc lent;
        if (bson_init_static(&lent.bson, bson_get_data(found), found->len)) {
            status = take(context, &lent, err);
        } else {
            tv_fail(err, TV_ERR_CORRUPT, "MongoDB sent a document that cannot be read from %s", collection);
            status = tv_from(err, TV_FROM_MONGO);
        }
    }
    if (status == TV_OK && mongoc_cursor_error(cursor, &e))
        status = tv_mongo_translate(m, &e, err);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    tv_mongo_give_back(m, client);
    return status;
}

/* Large batches spare round trips; the server ends each of them at 16 MB in any case. */
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

/* {key: {$in: [values]}}. In BSON an array is a document whose names are 0, 1, 2, ... */
void tv_mongo_append_in(bson_t *filter, const char *key, const int64_t *values, size_t n)
{
    bson_t in, array;
    char space[16];
    const char *index;
    BSON_APPEND_DOCUMENT_BEGIN(filter, key, &in);
    BSON_APPEND_ARRAY_BEGIN(&in, "$in", &array);
    for (size_t i = 0; i < n; i++) {
        bson_uint32_to_string((uint32_t)i, &index, space, sizeof space);
        BSON_APPEND_INT64(&array, index, values[i]);
    }
    bson_append_array_end(&in, &array);
    bson_append_document_end(filter, &in);
}

/* No order is asked for, so the server need not sort. Callers find the place of a document by its id. */
enum tv_status tv_mongo_each_of(struct tv_mongo *m, const struct tv_mongo_selection *wanted, tv_mongo_take take,
                                void *context, struct tv_error *err)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, projection;
    if (wanted->key) {
        tv_mongo_append_in(&filter, wanted->key, wanted->values, wanted->n);
        BSON_APPEND_INT64(&options, "batchSize", (int64_t)wanted->n + 1); /* one answer holds them all */
    }
    if (wanted->only || wanted->without) {
        BSON_APPEND_DOCUMENT_BEGIN(&options, "projection", &projection);
        BSON_APPEND_INT32(&projection, wanted->only ? wanted->only : wanted->without, wanted->only != NULL);
        bson_append_document_end(&options, &projection);
    }
    tv_log_debug("mongo: find %zu of %s by %s", wanted->n, wanted->collection, wanted->key ? wanted->key : "nothing");
    enum tv_status status = each_found(m, wanted->collection, &filter, &options, take, context, err);
    bson_destroy(&options);
    bson_destroy(&filter);
    return status;
}
