/* mongo_write: documents to MongoDB, in batches, and changes of single ones, many at a time. Changes with a guard
 * may come late, twice, or beside another writer's: what they would undo is left alone.
 */
#include "lib/store/mongo_client.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/base/log.h"
#include "trivet/store/mongo_write.h"

/* Documents are gathered until a batch is worth a round trip: the server takes 100,000 documents or 48 MB. */
enum { BATCH_DOCUMENTS = 2000, BATCH_BYTES = 12 << 20 };

/* Documents on their way into one collection, over one connection that is lent until the end. Those gathered are
 * owned. */
struct tv_mongo_bulk {
    struct tv_mongo *mongo;
    mongoc_client_t *client;
    mongoc_collection_t *collection;
    bson_t *documents[BATCH_DOCUMENTS];
    size_t n, n_bytes;
};

/* libbson reads an array as a document whose names are 0, 1, ...; it is appended as the array it was. */
static enum tv_status append_json(bson_t *doc, const struct tv_mongo_field *f, struct tv_error *err)
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

/* An array of documents such as {id: 1, score: 2.5}. */
static bool append_pairs(bson_t *doc, const struct tv_mongo_field *f)
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

/* libbson itself refuses what would make a document longer than 2^31 - 1 bytes; MongoDB's 16 MB are checked when it
 * is whole (gather). */
static enum tv_status append_field(bson_t *doc, const struct tv_mongo_field *f, struct tv_error *err)
{
    bool ok = true;
    switch (f->type) {
    case TV_MONGO_FIELD_NULL:
        ok = BSON_APPEND_NULL(doc, f->name);
        break;
    case TV_MONGO_FIELD_INT32:
        ok = BSON_APPEND_INT32(doc, f->name, (int32_t)f->integer);
        break;
    case TV_MONGO_FIELD_INT64:
        ok = BSON_APPEND_INT64(doc, f->name, f->integer);
        break;
    case TV_MONGO_FIELD_DOUBLE:
        ok = BSON_APPEND_DOUBLE(doc, f->name, f->real);
        break;
    case TV_MONGO_FIELD_BOOL:
        ok = BSON_APPEND_BOOL(doc, f->name, f->integer != 0);
        break;
    case TV_MONGO_FIELD_TEXT:
        ok = BSON_APPEND_UTF8(doc, f->name, f->text);
        break;
    case TV_MONGO_FIELD_BYTES:
        ok = f->n_bytes <= UINT32_MAX &&
             BSON_APPEND_BINARY(doc, f->name, BSON_SUBTYPE_BINARY, f->bytes, (uint32_t)f->n_bytes);
        break;
    case TV_MONGO_FIELD_PAIRS:
        ok = append_pairs(doc, f);
        break;
    case TV_MONGO_FIELD_JSON:
        return append_json(doc, f, err);
    }
    return ok ? TV_OK : tv_fail(err, TV_ERR_INPUT, "field %s is too large for a document", f->name);
}

enum tv_status tv_mongo_bulk_begin(struct tv_mongo_bulk **out, struct tv_mongo *m, const char *collection,
                                   struct tv_error *err)
{
    struct tv_mongo_bulk *b = tv_mongo_alloc(sizeof *b, "a bulk write", err);
    if (b == NULL)
        return TV_ERR_NO_MEMORY;
    b->mongo = m;
    b->client = tv_mongo_borrow(m);
    b->collection = mongoc_client_get_collection(b->client, m->database, collection);
    *out = b;
    return TV_OK;
}

/* A batch that was sent is gone, whether the server took it or not. */
static enum tv_status flush(struct tv_mongo_bulk *b, struct tv_error *err)
{
    if (b->n == 0)
        return TV_OK;
    bson_error_t e;
    tv_log_debug("mongo: insert %zu documents into %s", b->n, mongoc_collection_get_name(b->collection));
    bool ok = mongoc_collection_insert_many(b->collection, (const bson_t **)b->documents, b->n, NULL, NULL, &e);
    for (size_t i = 0; i < b->n; i++)
        bson_destroy(b->documents[i]);
    b->n = b->n_bytes = 0;
    return ok ? TV_OK : tv_mongo_translate(b->mongo, &e, err);
}

/* Takes ownership of `doc`. One that is too large is refused before it is sent: the others of its batch go on. */
static enum tv_status gather(struct tv_mongo_bulk *b, bson_t *doc, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (doc->len > TV_MONGO_LARGEST)
        status = tv_mongo_too_large(doc, err);
    else if (b->n == BATCH_DOCUMENTS || (b->n > 0 && b->n_bytes + doc->len > BATCH_BYTES))
        status = flush(b, err);
    if (status != TV_OK) {
        bson_destroy(doc);
        return status;
    }
    b->documents[b->n++] = doc;
    b->n_bytes += doc->len;
    return TV_OK;
}

enum tv_status tv_mongo_bulk_add(struct tv_mongo_bulk *b, const struct tv_mongo_field *fields, size_t n,
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
    bson_t *doc = NULL;
    enum tv_status status = tv_mongo_read_json(&doc, json, n, err);
    return status == TV_OK ? gather(b, doc, err) : status;
}

enum tv_status tv_mongo_bulk_end(struct tv_mongo_bulk *b, struct tv_error *err)
{
    if (b == NULL)
        return TV_OK;
    enum tv_status status = flush(b, err);
    mongoc_collection_destroy(b->collection);
    tv_mongo_give_back(b->mongo, b->client);
    free(b);
    return status;
}

/* An ObjectId has the time, a random number of the process and a counter in it, so two writers do not make the same. */
void tv_mongo_new_id(char *out)
{
    bson_oid_t id;
    bson_oid_init(&id, NULL);
    bson_oid_to_string(&id, out);
}

/* A limit of 0 is the server's word for all that match. */
enum tv_status tv_mongo_delete_texts(struct tv_mongo *m, const char *collection, const char *const *ids, size_t n,
                                     struct tv_error *err)
{
    bson_t array = BSON_INITIALIZER;
    char space[16];
    const char *index;
    for (size_t i = 0; i < n; i++) {
        bson_uint32_to_string((uint32_t)i, &index, space, sizeof space);
        BSON_APPEND_UTF8(&array, index, ids[i]);
    }
    bson_t *words = BCON_NEW("delete", BCON_UTF8(collection), "deletes", "[", "{", "q", "{", "_id", "{", "$in",
                             BCON_ARRAY(&array), "}", "}", "limit", BCON_INT32(0), "}", "]");
    enum tv_status status = tv_mongo_write_command(m, NULL, words, err);
    bson_destroy(words);
    bson_destroy(&array);
    return status;
}

/* {operator: {fields}} in `doc`, as {"$set": {"n": 3}}; with `guard` the guard is one of the fields. */
static enum tv_status append_fields(bson_t *doc, const char *operator, const struct tv_mongo_field * fields, size_t n,
                                    const struct tv_mongo_update *guard, struct tv_error *err)
{
    bson_t inner;
    enum tv_status status = TV_OK;
    bson_append_document_begin(doc, operator, -1, &inner);
    if (guard && guard->value > 0) /* 0 is what a document without the field has */
        BSON_APPEND_INT64(&inner, guard->guard, guard->value);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = append_field(&inner, &fields[i], err);
    bson_append_document_end(doc, &inner);
    return status;
}

/* One change may set fields, set others only in a new document, and remove some. */
static enum tv_status describe_update(bson_t *doc, const struct tv_mongo_update *u, struct tv_error *err)
{
    bson_t gone;
    enum tv_status status = append_fields(doc, "$set", u->set, u->n_set, u, err);
    if (status == TV_OK && u->if_new)
        status = append_fields(doc, "$setOnInsert", u->if_new, u->n_if_new, NULL, err);
    if (status != TV_OK || u->n_unset == 0)
        return status;
    bson_append_document_begin(doc, "$unset", -1, &gone);
    for (size_t i = 0; i < u->n_unset; i++)
        BSON_APPEND_UTF8(&gone, u->unset[i], "");
    bson_append_document_end(doc, &gone);
    return TV_OK;
}

/* The document, unless its guard is as high already. $not also takes a document that has no guard. */
static bson_t *which_older(const struct tv_mongo_update *u)
{
    return BCON_NEW("_id", BCON_INT64(u->id), u->guard, "{", "$not", "{", u->or_equal ? "$gt" : "$gte",
                    BCON_INT64(u->value), "}", "}");
}

/* --- many documents at once ------------------------------------------------------------------------------- */

/* Puts the change of one document into the bulk: element `i` of what `changes` points to. */
typedef enum tv_status (*add_one)(mongoc_bulk_operation_t *bulk, const void *changes, size_t i, struct tv_error *err);

/* Changes of many documents, and their outcome. */
struct changing {
    add_one add;
    const void *changes; /* (n) as add takes them */
    size_t n;
    int64_t n_found; /* documents that were there as expected, and those that are new; also after a failure */
    int duplicates;  /* some were there already, and nothing else went wrong */
    struct tv_mongo_refusals *refusals; /* NULL: a refusal is a failure */
};

/* Failures of single documents of a bulk. */
struct write_errors {
    int n, duplicates;
    int64_t first_code; /* of those that are no duplicates */
};

/* Documents that were there already are duplicates; the others are marked as refused. */
static struct write_errors read_write_errors(const bson_t *reply, const struct changing *all)
{
    enum { DUPLICATE_KEY = 11000 };
    bson_iter_t it, errors, code, index;
    struct write_errors found = {0};
    if (!bson_iter_init_find(&it, reply, "writeErrors") || !bson_iter_recurse(&it, &errors))
        return found;
    for (; bson_iter_next(&errors); found.n++) {
        int64_t number = bson_iter_recurse(&errors, &code) && bson_iter_find(&code, "code") ? bson_iter_as_int64(&code) : 0;
        int64_t place = bson_iter_recurse(&errors, &index) && bson_iter_find(&index, "index") ? bson_iter_as_int64(&index) : -1;
        found.duplicates += number == DUPLICATE_KEY;
        if (number != DUPLICATE_KEY && found.first_code == 0)
            found.first_code = number;
        if (number != DUPLICATE_KEY && all->refusals && place >= 0 && (size_t)place < all->n)
            all->refusals->each[place] = 1;
    }
    return found;
}

/* Judges a bulk that failed: TV_OK if the failure is only of single documents, which are duplicates, or refused. */
static enum tv_status judge(const struct tv_mongo *m, const bson_t *reply, const bson_error_t *e, struct changing *all,
                            struct tv_error *err)
{
    bson_iter_t it, concern;
    struct write_errors found = read_write_errors(reply, all);
    int only_documents = found.n > 0 && (!bson_iter_init_find(&it, reply, "writeConcernErrors") ||
                                         !bson_iter_recurse(&it, &concern) || !bson_iter_next(&concern));
    all->duplicates = found.duplicates > 0;
    if (only_documents && found.duplicates == found.n)
        return TV_OK;
    struct tv_error why = {0};
    enum tv_status status = tv_mongo_translate(m, e, &why);
    if (only_documents && all->refusals && status == TV_ERR_STORE) {
        all->refusals->why = why;
        return TV_OK;
    }
    all->duplicates = 0;
    if (err)
        *err = why;
    return status;
}

/* One attempt. Not ordered, so that one document that is refused does not keep the server from the others. */
static enum tv_status try_all(struct tv_mongo *m, mongoc_collection_t *c, struct changing *all, struct tv_error *err)
{
    bson_error_t e;
    bson_t reply, options = BSON_INITIALIZER;
    enum tv_status status = TV_OK;
    BSON_APPEND_BOOL(&options, "ordered", false);
    mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(c, &options);
    for (size_t i = 0; i < all->n && status == TV_OK; i++)
        status = all->add(bulk, all->changes, i, err);
    if (status == TV_OK) {
        tv_log_debug("mongo: change %zu documents of %s", all->n, mongoc_collection_get_name(c));
        all->duplicates = 0;
        if (mongoc_bulk_operation_execute(bulk, &reply, &e) == 0)
            status = judge(m, &reply, &e, all, err);
        all->n_found +=
            (int64_t)(tv_mongo_reply_number(&reply, "nMatched") + tv_mongo_reply_number(&reply, "nUpserted"));
        bson_destroy(&reply);
    }
    mongoc_bulk_operation_destroy(bulk);
    bson_destroy(&options);
    return status;
}

/* An insert finds a document in its place either because that one knows more, and stays, or because another writer
 * made it at the same moment: then the second attempt changes it. Documents that the first attempt has changed are
 * found so by the second. */
static enum tv_status change_all(struct tv_mongo *m, const char *collection, struct changing *all, struct tv_error *err)
{
    enum { ATTEMPTS = 2 };
    enum tv_status status = TV_OK;
    if (all->n == 0)
        return TV_OK;
    mongoc_client_t *client = tv_mongo_borrow(m);
    mongoc_collection_t *c = mongoc_client_get_collection(client, m->database, collection);
    for (int i = 0; i < ATTEMPTS && status == TV_OK && (i == 0 || all->duplicates); i++) {
        if (all->refusals)
            memset(all->refusals->each, 0, all->n);
        status = try_all(m, c, all, err);
    }
    mongoc_collection_destroy(c);
    tv_mongo_give_back(m, client);
    return status;
}

/* Takes ownership of `which`. With if_new, a filter that finds nothing inserts, also where the document is there
 * and knows more. Then the server answers that the key is a duplicate (change_all). */
static enum tv_status add_update(mongoc_bulk_operation_t *bulk, int64_t id, bson_t *which, const bson_t *change,
                                 int if_new, struct tv_error *err)
{
    bson_error_t e;
    bson_t options = BSON_INITIALIZER;
    BSON_APPEND_BOOL(&options, "upsert", if_new != 0);
    bool ok = mongoc_bulk_operation_update_one_with_opts(bulk, which, change, &options, &e);
    bson_destroy(&options);
    bson_destroy(which);
    return ok ? TV_OK : tv_fail(err, TV_ERR_STORE, "a change of document %lld: %s", (long long)id, e.message);
}

/* Changes, each while the guard of its document is what it was. */
struct guarded {
    const char *guard;
    const struct tv_mongo_change *changes;
};

static enum tv_status add_guarded(mongoc_bulk_operation_t *bulk, const void *changes, size_t i, struct tv_error *err)
{
    const struct guarded *g = changes;
    const struct tv_mongo_change *change = &g->changes[i];
    bson_t document = BSON_INITIALIZER;
    enum tv_status status = append_fields(&document, "$set", &change->set, 1, NULL, err);
    if (status == TV_OK)
        status =
            add_update(bulk, change->id, BCON_NEW("_id", BCON_INT64(change->id), g->guard, BCON_INT64(change->guard)),
                       &document, 0, err);
    bson_destroy(&document);
    return status;
}

/* Never inserts: a document that has gone meanwhile is not made anew. */
enum tv_status tv_mongo_set_where(struct tv_mongo *m, const char *collection, const char *guard,
                                  const struct tv_mongo_change *changes, size_t n, int64_t *n_set, struct tv_error *err)
{
    const struct guarded g = {guard, changes};
    struct changing all = {.add = add_guarded, .changes = &g, .n = n};
    enum tv_status status = change_all(m, collection, &all, err);
    *n_set = all.n_found;
    return status;
}

static enum tv_status add_newer(mongoc_bulk_operation_t *bulk, const void *changes, size_t i, struct tv_error *err)
{
    const struct tv_mongo_update *update = (const struct tv_mongo_update *)changes + i;
    bson_t document = BSON_INITIALIZER;
    enum tv_status status = describe_update(&document, update, err);
    if (status == TV_OK)
        status = add_update(bulk, update->id, which_older(update), &document, update->if_new != NULL, err);
    bson_destroy(&document);
    return status;
}

/* May insert, for updates with if_new; *written counts these, too. */
enum tv_status tv_mongo_update_newer_all(struct tv_mongo *m, const char *collection,
                                         const struct tv_mongo_update *updates, size_t n, int64_t *written,
                                         struct tv_mongo_refusals *refusals, struct tv_error *err)
{
    struct changing all = {.add = add_newer, .changes = updates, .n = n, .refusals = refusals};
    enum tv_status status = change_all(m, collection, &all, err);
    *written = all.n_found;
    return status;
}

/* Whole documents, each for one whose guard is not above its own. */
struct documents {
    const char *guard;
    const struct tv_mongo_document *all;
};

static bson_t *which_not_newer(const struct documents *d, size_t i)
{
    const struct tv_mongo_update guard = {
        .id = d->all[i].id, .guard = d->guard, .value = d->all[i].value, .or_equal = 1};
    return which_older(&guard);
}

static enum tv_status add_replacement(mongoc_bulk_operation_t *bulk, const void *changes, size_t i, struct tv_error *err)
{
    const struct documents *d = changes;
    bson_error_t e;
    bson_t *doc = NULL, options = BSON_INITIALIZER;
    enum tv_status status = tv_mongo_read_json(&doc, d->all[i].json, strlen(d->all[i].json), err);
    if (status != TV_OK)
        return status;
    bson_t *which = which_not_newer(d, i);
    BSON_APPEND_BOOL(&options, "upsert", true);
    if (!mongoc_bulk_operation_replace_one_with_opts(bulk, which, doc, &options, &e))
        status = tv_fail(err, TV_ERR_INPUT, "document %lld: %s", (long long)d->all[i].id, e.message);
    bson_destroy(&options);
    bson_destroy(which);
    bson_destroy(doc);
    return status;
}

enum tv_status tv_mongo_replace_all(struct tv_mongo *m, const char *collection, const char *guard,
                                    const struct tv_mongo_document *documents, size_t n, struct tv_error *err)
{
    const struct documents d = {guard, documents};
    struct changing all = {.add = add_replacement, .changes = &d, .n = n};
    return change_all(m, collection, &all, err);
}

static enum tv_status add_removal(mongoc_bulk_operation_t *bulk, const void *changes, size_t i, struct tv_error *err)
{
    bson_error_t e;
    bson_t *which = which_not_newer(changes, i);
    bool ok = mongoc_bulk_operation_remove_one_with_opts(bulk, which, NULL, &e);
    bson_destroy(which);
    return ok ? TV_OK : tv_fail(err, TV_ERR_STORE, "deleting a document: %s", e.message);
}

enum tv_status tv_mongo_delete_all(struct tv_mongo *m, const char *collection, const char *guard,
                                   const struct tv_mongo_document *documents, size_t n, struct tv_error *err)
{
    const struct documents d = {guard, documents};
    struct changing all = {.add = add_removal, .changes = &d, .n = n};
    return change_all(m, collection, &all, err);
}
