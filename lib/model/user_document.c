/* user_document: one user of one model, to and from MongoDB's user_<N>. Where the blobs stand, in the document or
 * in parts, is user_parts.c's business.
 */
#include "trivet/model/user_document.h"

#include <stdlib.h>
#include <string.h>

#include "lib/model/user_blobs.h"
#include "trivet/base/hash.h"
#include "trivet/core/formats/codec.h"
#include "trivet/core/formats/half.h"
#include "trivet/model/model.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/mongo_write.h"

static void feed_text(uint64_t *hash, const char *text)
{
    if (text)
        *hash = tv_hash(*hash, text, strlen(text));
}

/* The same bytes in the same order, whether a document is written or read back: before a model is published all its
 * documents are read again, and the hashes compared. Of the numbers only the user's id is among them; row, rev and
 * n are not. */
static void feed_hash(uint64_t *hash, int64_t user_id, const char *code, const char *why, const void *const *bytes,
                      const size_t *sizes)
{
    *hash = tv_hash(*hash, &user_id, sizeof user_id);
    feed_text(hash, code);
    feed_text(hash, why);
    for (int i = 0; i < TV_BLOBS; i++)
        *hash = tv_hash(*hash, bytes[i], sizes[i]);
}

void tv_user_blobs_init(struct tv_user_blobs *b)
{
    tv_buffer_init(&b->value, TV_USER_BLOB_MAX);
    tv_buffer_init(&b->seen, TV_USER_BLOB_MAX);
    tv_buffer_init(&b->rated, TV_USER_BLOB_MAX);
    tv_buffer_init(&b->ratings, TV_USER_BLOB_MAX);
}

void tv_user_blobs_free(struct tv_user_blobs *b)
{
    tv_buffer_free(&b->value);
    tv_buffer_free(&b->seen);
    tv_buffer_free(&b->rated);
    tv_buffer_free(&b->ratings);
}

/* The buffer keeps its memory for the next user. */
static enum tv_status encode(struct tv_buffer *out, const struct tv_array array, struct tv_error *err)
{
    tv_buffer_clear(out);
    return tv_blob_encode(out, &array, err);
}

/* Each array in the type that it has in memory: float16 factors, int32 indices, int64 ids, float32 ratings. */
enum tv_status tv_user_document_encode(struct tv_user_blobs *b, const struct tv_user_document *u,
                                       struct tv_error *err)
{
    enum tv_status status = encode(&b->value, tv_array_1d(TV_F2, u->value, (size_t)u->factors), err);
    if (status == TV_OK)
        status = encode(&b->seen, tv_array_1d(TV_I4, u->seen, u->n_seen), err);
    if (status == TV_OK)
        status = encode(&b->rated, tv_array_1d(TV_I8, u->rated, u->n_rated), err);
    return status == TV_OK ? encode(&b->ratings, tv_array_1d(TV_F4, u->ratings, u->n_rated), err) : status;
}

static void feed_document(uint64_t *hash, const struct tv_user_document *u, const struct tv_user_blobs *b)
{
    const void *bytes[TV_BLOBS] = {b->value.data, b->seen.data, b->rated.data, b->ratings.data};
    const size_t sizes[TV_BLOBS] = {b->value.size, b->seen.size, b->rated.size, b->ratings.size};
    feed_hash(hash, u->user_id, u->code, u->why, bytes, sizes);
}

/* Code and `why` are the last two fields, because a user may be without: `n` says how many of the fields there are,
 * and without a code `why` moves into its place. */
enum tv_status tv_user_document_add(struct tv_mongo_bulk *bulk, struct tv_mongo *mongo, int64_t model,
                                    const struct tv_user_document *u, const struct tv_user_blobs *b, uint64_t *hash,
                                    struct tv_error *err)
{
    struct tv_user_fields f;
    enum tv_status status = tv_user_fields_make(&f, mongo, model, u, b, err);
    const struct tv_mongo_field fields[] = {
        {.name = "_id", .type = TV_MONGO_FIELD_INT64, .integer = u->user_id},
        {.name = "id", .type = u->row < 0 ? TV_MONGO_FIELD_NULL : TV_MONGO_FIELD_INT32, .integer = u->row},
        {.name = "n", .type = TV_MONGO_FIELD_INT32, .integer = (int64_t)u->n_rated},
        {.name = "rev", .type = TV_MONGO_FIELD_INT64, .integer = u->rev},
        f.blobs[TV_BLOB_VALUE],
        f.blobs[TV_BLOB_SEEN],
        f.blobs[TV_BLOB_RATED],
        f.blobs[TV_BLOB_RATINGS],
        {.name = u->code ? "code" : "why", .type = TV_MONGO_FIELD_TEXT, .text = u->code ? u->code : u->why},
        {.name = "why", .type = TV_MONGO_FIELD_TEXT, .text = u->why},
    };
    size_t n = sizeof fields / sizeof *fields - (u->code == NULL) - (u->why == NULL);
    if (status == TV_OK && hash)
        feed_document(hash, u, b);
    if (status == TV_OK)
        status = tv_mongo_bulk_add(bulk, fields, n, err);
    tv_user_fields_free(&f);
    return status;
}

/* The fields that a document is replaced by; the update refers to them, so they stay until it is sent. */
struct replacement {
    struct tv_user_fields blobs;
    struct tv_mongo_field set[6], if_new[2];
};

/* The row of the training matrix and the code are set in a new document alone. The list goes, because it was
 * computed from the older factors. */
static void describe_replacement(struct tv_mongo_update *update, struct replacement *r,
                                 const struct tv_user_document *u)
{
    static const char *const old[] = {"top", "why"};
    r->set[0] = (struct tv_mongo_field){.name = "n", .type = TV_MONGO_FIELD_INT32, .integer = (int64_t)u->n_rated};
    memcpy(r->set + 1, r->blobs.blobs, sizeof r->blobs.blobs);
    r->set[1 + TV_BLOBS] = (struct tv_mongo_field){.name = "why", .type = TV_MONGO_FIELD_TEXT, .text = u->why};
    r->if_new[0] = (struct tv_mongo_field){.name = "id", .type = TV_MONGO_FIELD_NULL};
    r->if_new[1] = (struct tv_mongo_field){.name = "code", .type = TV_MONGO_FIELD_TEXT, .text = u->code};
    *update = (struct tv_mongo_update){.id = u->user_id,
                                       .guard = "rev",
                                       .value = u->rev,
                                       .set = r->set,
                                       .n_set = sizeof r->set / sizeof *r->set - (u->why == NULL),
                                       .if_new = r->if_new,
                                       .n_if_new = 1 + (u->code != NULL),
                                       .unset = old,
                                       .n_unset = 1 + (u->why == NULL)};
}

/* Parts first, then the documents that name them, then the parts that no document names any more: whatever is
 * killed in between, a document has its parts. */
enum tv_status tv_user_documents_replace(struct tv_mongo *mongo, int64_t model,
                                         const struct tv_user_document *const *users,
                                         const struct tv_user_blobs *const *blobs, size_t n,
                                         struct tv_mongo_refusals *refusals, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    int64_t count, *ids = tv_alloc(n, sizeof *ids, "documents", err);
    struct tv_mongo_update *updates = tv_alloc(n, sizeof *updates, "documents", err);
    struct replacement *fields = tv_alloc(n, sizeof *fields, "documents", err);
    enum tv_status status = ids && updates && fields ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        ids[i] = users[i]->user_id;
        status = tv_user_fields_make(&fields[i].blobs, mongo, model, users[i], blobs[i], err);
        describe_replacement(&updates[i], &fields[i], users[i]);
    }
    if (status == TV_OK)
        status = tv_mongo_update_newer_all(mongo, tv_model_users(collection, model), updates, n, &count, refusals, err);
    if (status == TV_OK)
        status = tv_user_parts_tidy(mongo, model, ids, n, &count, err);
    for (size_t i = 0; fields && i < n; i++)
        tv_user_fields_free(&fields[i].blobs);
    free(fields);
    free(updates);
    free(ids);
    return status;
}

/* The fields of an element of a stored list. */
static const char *const list_names[] = {"id", "score"};

/* A document that was replaced meanwhile has a higher rev, and so gets no list that was computed from the older
 * factors. */
enum tv_status tv_user_document_set_lists(struct tv_mongo *mongo, int64_t model, const struct tv_user_list *lists,
                                          size_t n, int64_t *written, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    struct tv_mongo_change *changes = tv_alloc(n, sizeof *changes, "lists", err);
    *written = 0;
    if (changes == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        changes[i] = (struct tv_mongo_change){.id = lists[i].user_id,
                                              .guard = lists[i].rev,
                                              .set = {.name = "top",
                                                      .type = TV_MONGO_FIELD_PAIRS,
                                                      .pairs = lists[i].top,
                                                      .n_pairs = lists[i].n_top,
                                                      .pair_names = {list_names[0], list_names[1]}}};
    enum tv_status status =
        tv_mongo_set_where(mongo, tv_model_users(collection, model), "rev", changes, n, written, err);
    free(changes);
    return status;
}

/* A rev only grows, so a document that is not above it is of this very rev. */
enum tv_status tv_user_document_drop_lists(struct tv_mongo *mongo, int64_t model, const struct tv_user_list *lists,
                                           size_t n, struct tv_error *err)
{
    static const char *const top[] = {"top"};
    char collection[TV_MODEL_NAME];
    int64_t written = 0;
    struct tv_mongo_update *updates = tv_alloc(n, sizeof *updates, "lists", err);
    if (updates == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        updates[i] = (struct tv_mongo_update){
            .id = lists[i].user_id, .guard = "rev", .value = lists[i].rev, .or_equal = 1, .unset = top, .n_unset = 1};
    enum tv_status status =
        tv_mongo_update_newer_all(mongo, tv_model_users(collection, model), updates, n, &written, NULL, err);
    free(updates);
    return status;
}

int tv_user_document_has_list(const struct tv_mongo_doc *doc)
{
    return tv_mongo_doc_has(doc, "top");
}

/* The text of a field that most users do not have; NULL: it is not there. */
static const char *text_of(const struct tv_mongo_doc *doc, const char *name)
{
    const char *text;
    return tv_mongo_doc_text(doc, name, &text) ? text : NULL;
}

/* Parts are read, too, so the blobs of every user count, however long. */
enum tv_status tv_user_document_hash(struct tv_mongo *mongo, int64_t model, const struct tv_mongo_doc *doc,
                                     uint64_t *hash, struct tv_error *err)
{
    struct tv_user_stored s;
    enum tv_status status = tv_user_stored_open(&s, mongo, model, doc, err);
    if (status == TV_OK)
        feed_hash(hash, s.user_id, text_of(s.doc, "code"), text_of(s.doc, "why"), s.bytes, s.sizes);
    tv_user_stored_close(&s);
    return status;
}

/* Servers rely on all of this without looking again. */
static enum tv_status check_arrays(const struct tv_array *a, int64_t user, int factors, int32_t n_items,
                                   struct tv_error *err)
{
    if (a[TV_BLOB_VALUE].shape[0] != (size_t)factors)
        return tv_fail(err, TV_ERR_CORRUPT, "user %lld has %zu factors, the model %d", (long long)user,
                       a[TV_BLOB_VALUE].shape[0], factors);
    if (a[TV_BLOB_RATED].shape[0] != a[TV_BLOB_RATINGS].shape[0])
        return tv_fail(err, TV_ERR_CORRUPT, "user %lld has %zu rated items and %zu ratings", (long long)user,
                       a[TV_BLOB_RATED].shape[0], a[TV_BLOB_RATINGS].shape[0]);
    const uint16_t *value = a[TV_BLOB_VALUE].data;
    for (int f = 0; f < factors; f++)
        if (!tv_half_is_finite(value[f]))
            return tv_fail(err, TV_ERR_CORRUPT, "factor %d of user %lld is not finite", f + 1, (long long)user);
    const int32_t *seen = a[TV_BLOB_SEEN].data;
    for (size_t i = 0; i < a[TV_BLOB_SEEN].shape[0]; i++)
        if (seen[i] < 0 || seen[i] >= n_items || (i > 0 && seen[i] <= seen[i - 1]))
            return tv_fail(err, TV_ERR_CORRUPT, "user %lld has seen item %d, out of order or beyond the %d of the model",
                           (long long)user, (int)seen[i], (int)n_items);
    return TV_OK;
}

/* With its NUL; 0 for a text that is not there. */
static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* One allocation: the struct, then the arrays, the widest type first, so that each is aligned, and the texts. */
static struct tv_user_document *assemble(const struct tv_array *a, const char *code, const char *why,
                                         struct tv_error *err)
{
    static const int order[] = {TV_BLOB_RATED, TV_BLOB_SEEN, TV_BLOB_RATINGS, TV_BLOB_VALUE};
    size_t total = sizeof(struct tv_user_document) + text_size(code) + text_size(why);
    char *place[TV_BLOBS];
    for (int i = 0; i < TV_BLOBS; i++)
        total += a[i].n_bytes;
    struct tv_user_document *u = tv_alloc(1, total, "a user document", err);
    char *p = (char *)(u + 1);
    for (int i = 0; u && i < TV_BLOBS; i++) {
        place[order[i]] = p;
        memcpy(p, a[order[i]].data, a[order[i]].n_bytes);
        p += a[order[i]].n_bytes;
    }
    if (u == NULL)
        return NULL;
    u->code = code ? strcpy(p, code) : NULL;
    u->why = why ? strcpy(p + text_size(code), why) : NULL;
    u->factors = (int)a[TV_BLOB_VALUE].shape[0];
    u->n_seen = a[TV_BLOB_SEEN].shape[0];
    u->n_rated = a[TV_BLOB_RATED].shape[0];
    u->value = (uint16_t *)(void *)place[TV_BLOB_VALUE];
    u->seen = (int32_t *)(void *)place[TV_BLOB_SEEN];
    u->rated = (int64_t *)(void *)place[TV_BLOB_RATED];
    u->ratings = (float *)(void *)place[TV_BLOB_RATINGS];
    return u;
}

/* A list that cannot be read counts as none, because it can be made again; everything else in the document must be
 * right. */
static enum tv_status decode(struct tv_user_document **out, const struct tv_user_stored *s, int factors,
                             int32_t n_items, struct tv_error *err)
{
    static const enum tv_dtype types[TV_BLOBS] = {
        [TV_BLOB_VALUE] = TV_F2, [TV_BLOB_SEEN] = TV_I4, [TV_BLOB_RATED] = TV_I8, [TV_BLOB_RATINGS] = TV_F4};
    struct tv_array arrays[TV_BLOBS] = {{0}};
    int64_t row = -1;
    struct tv_user_document *u = NULL;
    enum tv_status status = TV_OK;
    for (int i = 0; i < TV_BLOBS && status == TV_OK; i++)
        status = tv_blob_decode_as(&arrays[i], types[i], 1, s->bytes[i], s->sizes[i], TV_USER_BLOB_MAX, err);
    if (status == TV_OK)
        status = check_arrays(arrays, s->user_id, factors, n_items, err);
    if (status == TV_OK && (u = assemble(arrays, text_of(s->doc, "code"), text_of(s->doc, "why"), err)) == NULL)
        status = TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        u->user_id = s->user_id;
        u->row = tv_mongo_doc_int(s->doc, "id", &row) ? (int32_t)row : -1;
        if (!tv_mongo_doc_int(s->doc, "rev", &u->rev))
            u->rev = 0;
        tv_mongo_doc_pairs(s->doc, "top", list_names, &u->top, &u->n_top); /* without it, the list is made anew */
        *out = u;
    }
    for (int i = 0; i < TV_BLOBS; i++)
        tv_array_free(&arrays[i]);
    return status;
}

enum tv_status tv_user_document_read(struct tv_user_document **out, struct tv_mongo *mongo, int64_t model,
                                     const struct tv_mongo_doc *doc, int factors, int32_t n_items, struct tv_error *err)
{
    struct tv_user_stored s;
    enum tv_status status = tv_user_stored_open(&s, mongo, model, doc, err);
    if (status == TV_OK)
        status = decode(out, &s, factors, n_items, err);
    tv_user_stored_close(&s);
    return status;
}

void tv_user_document_free(struct tv_user_document *u)
{
    if (u)
        free(u->top);
    free(u);
}

/* In float16, as in every IEEE format, 0 and -0 differ in the sign bit alone. */
int tv_user_document_is_placed(const struct tv_user_document *u)
{
    for (int f = 0; u->n_seen > 0 && f < u->factors; f++)
        if ((u->value[f] & 0x7FFF) != 0)
            return 1;
    return 0;
}

/* The two allocations of decode: the document with its arrays and texts, and the list. */
size_t tv_user_document_bytes(const struct tv_user_document *u)
{
    return sizeof *u + (size_t)u->factors * sizeof *u->value + u->n_seen * sizeof *u->seen +
           u->n_rated * (sizeof *u->rated + sizeof *u->ratings) + text_size(u->code) + text_size(u->why) +
           u->n_top * sizeof *u->top;
}

enum tv_status tv_user_document_find(struct tv_user_document **out, struct tv_mongo *mongo, int64_t model,
                                     int64_t user_id, int factors, int32_t n_items, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    struct tv_mongo_doc *doc = NULL;
    enum tv_status status =
        tv_mongo_find_int(mongo, tv_model_users(collection, model), "_id", user_id, &doc, err);
    if (status == TV_OK)
        status = tv_user_document_read(out, mongo, model, doc, factors, n_items, err);
    tv_mongo_doc_free(doc);
    return status;
}

enum tv_status tv_user_document_find_code(struct tv_user_document **out, struct tv_mongo *mongo, int64_t model,
                                          const char *code, int factors, int32_t n_items, struct tv_error *err)
{
    char collection[TV_MODEL_NAME];
    struct tv_mongo_doc *doc = NULL;
    enum tv_status status =
        tv_mongo_find_text(mongo, tv_model_users(collection, model), "code", code, &doc, err);
    if (status == TV_OK)
        status = tv_user_document_read(out, mongo, model, doc, factors, n_items, err);
    tv_mongo_doc_free(doc);
    return status;
}
