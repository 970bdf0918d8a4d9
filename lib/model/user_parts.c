/* user_parts: the long blobs of users with very many ratings, in parts: written, found again, and tidied up when no
 * document names them any more. lib/model/user_blobs.h has the idea.
 */
#include "lib/model/user_blobs.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/model/model.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/mongo_write.h"

/* Blobs of at most DOCUMENT_BYTES together stay in the document. Of more, those over LONG_BYTES leave it, in parts
 * of PART_BYTES. */
enum { DOCUMENT_BYTES = 15 << 20, LONG_BYTES = 3 << 20, PART_BYTES = 8 << 20 };

const char *const tv_user_blob_names[TV_BLOBS] = {"value", "seen", "rated", "ratings"};

/* --- writing ---------------------------------------------------------------------------------------------- */

/* Gives the part an _id that nobody else gets, and appends it to the names. */
static enum tv_status add_part(struct tv_mongo_bulk *bulk, json_t *names, const struct tv_user_document *u,
                               const char *bytes, size_t n, struct tv_error *err)
{
    char id[TV_MONGO_ID];
    tv_mongo_new_id(id);
    const struct tv_mongo_field fields[] = {
        {.name = "_id", .type = TV_MONGO_FIELD_TEXT, .text = id},
        {.name = "user", .type = TV_MONGO_FIELD_INT64, .integer = u->user_id},
        {.name = "rev", .type = TV_MONGO_FIELD_INT64, .integer = u->rev},
        {.name = "bytes", .type = TV_MONGO_FIELD_BYTES, .bytes = bytes, .n_bytes = n},
    };
    if (json_array_append_new(names, json_string(id)) != 0)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the names of parts");
    return tv_mongo_bulk_add(bulk, fields, sizeof fields / sizeof *fields, err);
}

/* The names become a JSON array, which is stored in place of the blob. */
static enum tv_status add_parts(struct tv_mongo_bulk *bulk, char **names_json, const struct tv_user_document *u,
                                const struct tv_buffer *blob, struct tv_error *err)
{
    json_t *names = json_array();
    enum tv_status status = TV_OK;
    for (size_t at = 0; at < blob->size && status == TV_OK; at += PART_BYTES)
        status =
            add_part(bulk, names, u, blob->data + at, blob->size - at < PART_BYTES ? blob->size - at : PART_BYTES, err);
    *names_json = status == TV_OK ? json_dumps(names, JSON_COMPACT) : NULL;
    json_decref(names);
    if (status == TV_OK && *names_json == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the names of parts");
    return status;
}

/* The index is made ahead of the first part; afterwards it is there, and fine. Ending the bulk waits until MongoDB
 * has the parts in its journal. */
static enum tv_status write_parts(struct tv_user_fields *f, struct tv_mongo *mongo, int64_t model,
                                  const struct tv_user_document *u, const struct tv_buffer *const *blobs,
                                  struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    struct tv_mongo_bulk *bulk = NULL;
    enum tv_status status = tv_mongo_create_index(mongo, tv_model_user_parts(collection, model), "user", err);
    if (status == TV_OK)
        status = tv_mongo_bulk_begin(&bulk, mongo, collection, err);
    for (int i = 0; i < TV_BLOBS && status == TV_OK; i++) {
        if (blobs[i]->size <= LONG_BYTES)
            continue;
        status = add_parts(bulk, &f->names[i], u, blobs[i], err);
        f->blobs[i] =
            (struct tv_mongo_field){.name = tv_user_blob_names[i], .type = TV_MONGO_FIELD_JSON, .text = f->names[i]};
    }
    enum tv_status ended = tv_mongo_bulk_end(bulk, status == TV_OK ? err : NULL);
    return status == TV_OK ? ended : status;
}

/* Nothing is asked of MongoDB for a document that holds its blobs itself, as nearly all do. */
enum tv_status tv_user_fields_make(struct tv_user_fields *f, struct tv_mongo *mongo, int64_t model,
                                   const struct tv_user_document *u, const struct tv_user_blobs *b,
                                   struct tv_error *err)
{
    const struct tv_buffer *const blobs[TV_BLOBS] = {&b->value, &b->seen, &b->rated, &b->ratings};
    size_t total = 0;
    for (int i = 0; i < TV_BLOBS; i++) {
        f->blobs[i] = (struct tv_mongo_field){.name = tv_user_blob_names[i],
                                              .type = TV_MONGO_FIELD_BYTES,
                                              .bytes = blobs[i]->data,
                                              .n_bytes = blobs[i]->size};
        f->names[i] = NULL;
        total += blobs[i]->size;
    }
    return total > DOCUMENT_BYTES ? write_parts(f, mongo, model, u, blobs, err) : TV_OK;
}

void tv_user_fields_free(struct tv_user_fields *f)
{
    for (int i = 0; i < TV_BLOBS; i++)
        free(f->names[i]);
}

/* --- reading ---------------------------------------------------------------------------------------------- */

int tv_user_document_has_parts(const struct tv_mongo_doc *doc)
{
    const char *name;
    int n = 0;
    for (int i = 0; i < TV_BLOBS; i++)
        n += tv_mongo_doc_text_at(doc, tv_user_blob_names[i], 0, &name);
    return n > 0;
}

/* TV_ERR_CORRUPT: the part is not there, or holds no bytes. */
static enum tv_status append_part(struct tv_user_stored *s, struct tv_mongo *mongo, const char *collection, int which,
                                  const char *name, struct tv_error *err)
{
    struct tv_mongo_doc *part = NULL;
    const void *bytes;
    size_t n;
    enum tv_status status = tv_mongo_find_text(mongo, collection, "_id", name, &part, err);
    if (status == TV_ERR_NOT_FOUND || (status == TV_OK && !tv_mongo_doc_bytes(part, "bytes", &bytes, &n)))
        status = tv_fail(err, TV_ERR_CORRUPT, "the document of user %lld names a part of %s, %s, that is not in %s",
                         (long long)s->user_id, tv_user_blob_names[which], name, collection);
    if (status == TV_OK)
        status = tv_buffer_append(&s->whole[which], bytes, n, err);
    tv_mongo_doc_free(part);
    return status;
}

/* A blob is bytes in the document, or an array of names of parts, which are put together. */
static enum tv_status find_blob(struct tv_user_stored *s, struct tv_mongo *mongo, int64_t model, int which,
                                struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    const char *name;
    enum tv_status status = TV_OK;
    if (tv_mongo_doc_bytes(s->doc, tv_user_blob_names[which], &s->bytes[which], &s->sizes[which]))
        return TV_OK;
    if (!tv_mongo_doc_text_at(s->doc, tv_user_blob_names[which], 0, &name))
        return tv_fail(err, TV_ERR_CORRUPT, "the document of user %lld has no %s", (long long)s->user_id,
                       tv_user_blob_names[which]);
    tv_model_user_parts(collection, model);
    tv_buffer_clear(&s->whole[which]);
    for (size_t i = 0; status == TV_OK && tv_mongo_doc_text_at(s->doc, tv_user_blob_names[which], i, &name); i++)
        status = append_part(s, mongo, collection, which, name, err);
    s->bytes[which] = s->whole[which].data;
    s->sizes[which] = s->whole[which].size;
    return status;
}

static enum tv_status find_blobs(struct tv_user_stored *s, struct tv_mongo *mongo, int64_t model, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int i = 0; i < TV_BLOBS && status == TV_OK; i++)
        status = find_blob(s, mongo, model, i, err);
    return status;
}

/* Reads the user's document again: the one that was read may have been replaced. */
static enum tv_status find_newer(struct tv_user_stored *s, struct tv_mongo *mongo, int64_t model, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    tv_mongo_doc_free(s->newer);
    s->newer = NULL;
    if (err)
        *err = (struct tv_error){0}; /* that a part was missing is over, if it is there now */
    enum tv_status status =
        tv_mongo_find_int(mongo, tv_model_users(collection, model), "_id", s->user_id, &s->newer, err);
    s->doc = s->newer;
    return status == TV_ERR_NOT_FOUND
               ? tv_fail(err, status, "user %lld has no document in %s any more", (long long)s->user_id, collection)
               : status;
}

/* A part that is gone went because there is a newer document: that one is read. The third attempt is for a user who
 * rates so fast that the second document was replaced, too; a part that is lost is missing in all of them. */
enum tv_status tv_user_stored_open(struct tv_user_stored *s, struct tv_mongo *mongo, int64_t model,
                                   const struct tv_mongo_doc *doc, struct tv_error *err)
{
    enum { ATTEMPTS = 3 };
    *s = (struct tv_user_stored){.doc = doc};
    for (int i = 0; i < TV_BLOBS; i++)
        tv_buffer_init(&s->whole[i], TV_USER_BLOB_MAX);
    if (!tv_mongo_doc_int(doc, "_id", &s->user_id))
        return tv_fail(err, TV_ERR_CORRUPT, "a user document has no integer _id");
    enum tv_status status = find_blobs(s, mongo, model, err);
    for (int i = 1; i < ATTEMPTS && status == TV_ERR_CORRUPT && tv_user_document_has_parts(s->doc); i++) {
        status = find_newer(s, mongo, model, err);
        if (status == TV_OK)
            status = find_blobs(s, mongo, model, err);
    }
    return status;
}

void tv_user_stored_close(struct tv_user_stored *s)
{
    for (int i = 0; i < TV_BLOBS; i++)
        tv_buffer_free(&s->whole[i]);
    tv_mongo_doc_free(s->newer);
}

/* --- parts that no document names ------------------------------------------------------------------------- */

/* A part without its bytes, to be judged. */
struct part {
    char id[TV_MONGO_ID];
    int64_t user, rev;
    int is_left; /* no document names it, and none will */
};

/* All parts under judgement; the list is owned. */
struct parts {
    struct part *list;
    size_t n, capacity;
};

static enum tv_status take_part(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct parts *p = context;
    struct part part = {.rev = 0};
    const char *id;
    if (!tv_mongo_doc_text(doc, "_id", &id) || !tv_mongo_doc_int(doc, "user", &part.user) ||
        !tv_mongo_doc_int(doc, "rev", &part.rev) || strlen(id) >= sizeof part.id)
        return TV_OK; /* none of ours */
    strcpy(part.id, id);
    if (p->n == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 64;
        struct part *list = realloc(p->list, capacity * sizeof *list);
        if (list == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the parts of documents");
        p->list = list;
        p->capacity = capacity;
    }
    p->list[p->n++] = part;
    return TV_OK;
}

/* Whether any blob of the document has this part. */
static int names_part(const struct tv_mongo_doc *doc, const char *id)
{
    const char *name;
    for (int which = 0; which < TV_BLOBS; which++)
        for (size_t i = 0; tv_mongo_doc_text_at(doc, tv_user_blob_names[which], i, &name); i++)
            if (strcmp(name, id) == 0)
                return 1;
    return 0;
}

/* A part of a higher rev than the document's belongs to a writer that is about to replace it. One that is no newer, and
 * that it does not name, belongs to none: its writer came too late, was killed, or was replaced. */
static enum tv_status judge(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct parts *p = context;
    int64_t user = 0, rev = 0;
    (void)err;
    if (!tv_mongo_doc_int(doc, "_id", &user))
        return TV_OK;
    tv_mongo_doc_int(doc, "rev", &rev);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].user == user)
            p->list[i].is_left = p->list[i].rev <= rev && !names_part(doc, p->list[i].id);
    return TV_OK;
}

/* The parts were listed before the documents are read, so none that a newer document names is among those that
 * go. */
static enum tv_status judge_all(struct parts *p, struct tv_mongo *mongo, int64_t model, struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    int64_t *ids = tv_alloc(p->n, sizeof *ids, "the parts of documents", err);
    if (ids == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < p->n; i++)
        ids[i] = p->list[i].user;
    const struct tv_mongo_selection wanted = {
        .collection = tv_model_users(users, model), .key = "_id", .values = ids, .n = p->n};
    enum tv_status status = tv_mongo_each_of(mongo, &wanted, judge, p, err);
    free(ids);
    return status;
}

/* One statement for all of them: a part that another process has deleted by now is fine. */
static enum tv_status delete_left(const struct parts *p, struct tv_mongo *mongo, const char *collection,
                                  int64_t *deleted, struct tv_error *err)
{
    const char **ids = tv_alloc(p->n, sizeof *ids, "the parts of documents", err);
    size_t n = 0;
    if (ids == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].is_left)
            ids[n++] = p->list[i].id;
    enum tv_status status = n > 0 ? tv_mongo_delete_texts(mongo, collection, ids, n, err) : TV_OK;
    *deleted = status == TV_OK ? (int64_t)n : 0;
    free(ids);
    return status;
}

/* Parts are listed without their bytes, which would be read for nothing. */
enum tv_status tv_user_parts_tidy(struct tv_mongo *mongo, int64_t model, const int64_t *user_ids, size_t n,
                                  int64_t *deleted, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    struct parts p = {.list = NULL};
    const struct tv_mongo_selection wanted = {.collection = tv_model_user_parts(collection, model),
                                              .key = user_ids ? "user" : NULL,
                                              .values = user_ids,
                                              .n = n,
                                              .without = "bytes"};
    *deleted = 0;
    enum tv_status status = tv_mongo_each_of(mongo, &wanted, take_part, &p, err);
    if (status == TV_OK && p.n > 0)
        status = judge_all(&p, mongo, model, err);
    if (status == TV_OK && p.n > 0)
        status = delete_left(&p, mongo, collection, deleted, err);
    free(p.list);
    return status;
}

/* The document first: without it no reader asks for parts. They are deleted as parts that no document names. */
enum tv_status tv_user_delete(struct tv_mongo *mongo, int64_t model, int64_t user_id, int64_t rev, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    int64_t deleted;
    struct parts p = {.list = NULL};
    const struct tv_mongo_document document = {.id = user_id, .value = rev};
    enum tv_status status = tv_mongo_delete_all(mongo, tv_model_users(collection, model), "rev", &document, 1, err);
    const struct tv_mongo_selection wanted = {.collection = tv_model_user_parts(collection, model),
                                              .key = "user",
                                              .values = &user_id,
                                              .n = 1,
                                              .without = "bytes"};
    if (status == TV_OK)
        status = tv_mongo_each_of(mongo, &wanted, take_part, &p, err);
    for (size_t i = 0; i < p.n; i++)
        p.list[i].is_left = p.list[i].rev <= rev;
    if (status == TV_OK && p.n > 0)
        status = delete_left(&p, mongo, collection, &deleted, err);
    free(p.list);
    return status;
}

/* Without a user of very many ratings there is no collection of parts. */
enum tv_status tv_user_bytes(struct tv_mongo *mongo, int64_t model, double *bytes, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    double parts = 0;
    int exists = 0;
    enum tv_status status = tv_mongo_bytes(mongo, tv_model_users(collection, model), bytes, err);
    if (status == TV_OK)
        status = tv_mongo_exists(mongo, tv_model_user_parts(collection, model), &exists, err);
    if (status == TV_OK && exists)
        status = tv_mongo_bytes(mongo, collection, &parts, err);
    *bytes += parts;
    return status;
}
