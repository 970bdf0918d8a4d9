/* model_mongo: a model's item side in MongoDB's model_<N>, from which Redis can be refilled.
 *
 * Documents, in the order of _id: "description" (written last: a model without it is not there), then
 * "items:00000", "items:00001", ..., then "singular_values".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/model_parts.h"
#include "trivet/model/model_mongo.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/mongo_write.h"

/* Bytes of a part's arrays, and at most of each of its blobs: a document ends at 16 MB. */
enum { PART_BYTES = 8 << 20, MAX_BLOB = 15 << 20 };

/* --- writing ---------------------------------------------------------------------------------------------- */

/* Part numbers have five digits, so that parts are read in order of their _id. */
static enum tv_status add_part(struct tv_mongo_bulk *bulk, const struct tv_model *m, int part, int32_t first,
                               int32_t n, struct tv_error *err)
{
    char id[24];
    struct tv_buffer factors = TV_BUFFER_INIT(MAX_BLOB), ids = TV_BUFFER_INIT(MAX_BLOB);
    snprintf(id, sizeof id, "items:%05d", part);
    enum tv_status status = tv_part_encode(m, first, n, &factors, &ids, err);
    const struct tv_mongo_field fields[] = {
        {.name = "_id", .type = TV_MONGO_FIELD_TEXT, .text = id},
        {.name = "first", .type = TV_MONGO_FIELD_INT32, .integer = first},
        {.name = "item_factors", .type = TV_MONGO_FIELD_BYTES, .bytes = factors.data, .n_bytes = factors.size},
        {.name = "item_ids", .type = TV_MONGO_FIELD_BYTES, .bytes = ids.data, .n_bytes = ids.size},
    };
    if (status == TV_OK)
        status = tv_mongo_bulk_add(bulk, fields, sizeof fields / sizeof *fields, err);
    tv_buffer_free(&factors);
    tv_buffer_free(&ids);
    return status;
}

/* A document of its own, because not every algorithm has singular values. */
static enum tv_status add_sigma(struct tv_mongo_bulk *bulk, const struct tv_model *m, struct tv_error *err)
{
    struct tv_buffer blob = TV_BUFFER_INIT(MAX_BLOB);
    enum tv_status status = tv_sigma_encode(m, &blob, err);
    const struct tv_mongo_field fields[] = {
        {.name = "_id", .type = TV_MONGO_FIELD_TEXT, .text = "singular_values"},
        {.name = "value", .type = TV_MONGO_FIELD_BYTES, .bytes = blob.data, .n_bytes = blob.size},
    };
    if (status == TV_OK)
        status = tv_mongo_bulk_add(bulk, fields, 2, err);
    tv_buffer_free(&blob);
    return status;
}

/* All that reading needs stands in fields of its own; the description is stored as the object that it is. */
static enum tv_status add_description(struct tv_mongo_bulk *bulk, const struct tv_model *m, struct tv_error *err)
{
    char checksum[24];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, m->checksum);
    const struct tv_mongo_field fields[] = {
        {.name = "_id", .type = TV_MONGO_FIELD_TEXT, .text = "description"},
        {.name = "number", .type = TV_MONGO_FIELD_INT64, .integer = m->run_number},
        {.name = "dataset", .type = TV_MONGO_FIELD_INT64, .integer = m->dataset},
        {.name = "algorithm", .type = TV_MONGO_FIELD_TEXT, .text = m->algorithm},
        {.name = "score", .type = TV_MONGO_FIELD_TEXT, .text = m->score_kind},
        {.name = "factors", .type = TV_MONGO_FIELD_INT32, .integer = m->factors},
        {.name = "items", .type = TV_MONGO_FIELD_INT32, .integer = m->n_items},
        {.name = "users", .type = TV_MONGO_FIELD_INT64, .integer = m->n_users},
        {.name = "learned", .type = TV_MONGO_FIELD_INT64, .integer = m->n_learned},
        {.name = "sigma_power", .type = TV_MONGO_FIELD_DOUBLE, .real = m->sigma_power},
        {.name = "lambda", .type = TV_MONGO_FIELD_DOUBLE, .real = m->lambda},
        {.name = "alpha", .type = TV_MONGO_FIELD_DOUBLE, .real = m->alpha},
        {.name = "biases", .type = TV_MONGO_FIELD_INT32, .integer = m->biases},
        {.name = "created_at", .type = TV_MONGO_FIELD_DOUBLE, .real = m->created_at},
        {.name = "checksum", .type = TV_MONGO_FIELD_TEXT, .text = checksum},
        {.name = "description", .type = TV_MONGO_FIELD_JSON, .text = m->description},
    };
    return tv_mongo_bulk_add(bulk, fields, sizeof fields / sizeof *fields, err);
}

/* The description goes last, and the bulk keeps the order: a process that is killed before leaves parts that are no
 * model. */
static enum tv_status write_documents(struct tv_mongo *mongo, const char *name, const struct tv_model *m,
                                      struct tv_error *err)
{
    struct tv_mongo_bulk *bulk = NULL;
    int part = 0;
    int32_t step = PART_BYTES / (2 * m->factors + 8);
    enum tv_status status = tv_mongo_bulk_begin(&bulk, mongo, name, err);
    for (int32_t first = 0; first < m->n_items && status == TV_OK; first += step)
        status = add_part(bulk, m, part++, first, m->n_items - first < step ? m->n_items - first : step, err);
    if (status == TV_OK && m->sigma)
        status = add_sigma(bulk, m, err);
    if (status == TV_OK)
        status = add_description(bulk, m, err);
    enum tv_status ended = tv_mongo_bulk_end(bulk, status == TV_OK ? err : NULL);
    return status == TV_OK ? ended : status;
}

enum tv_status tv_model_write_mongo(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    return write_documents(mongo, tv_model_parts(name, m->run_number), m, err);
}

/* A model without its collection counts as pruned, so the new one is written beside it and takes its name. */
enum tv_status tv_model_rewrite_mongo(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err)
{
    static const char beside[] = "model_rewritten";
    char name[TV_MODEL_NAME];
    enum tv_status status = tv_mongo_drop(mongo, beside, err);
    if (status == TV_OK)
        status = write_documents(mongo, beside, m, err);
    return status == TV_OK ? tv_mongo_rename(mongo, beside, tv_model_parts(name, m->run_number), err) : status;
}

/* --- reading ---------------------------------------------------------------------------------------------- */

/* A model while its documents come, in the order of their _id. */
struct reading {
    struct tv_model *model; /* made by the first document, the description */
    int64_t run_number;
    int32_t items;
};

/* "" for a field that is missing or no text; what is too long is cut. */
static void copy_text(char *out, size_t size, const struct tv_mongo_doc *doc, const char *name)
{
    const char *text;
    snprintf(out, size, "%s", tv_mongo_doc_text(doc, name, &text) ? text : "");
}

/* Only the sizes must be there. Fields that older models do not have stay 0. */
enum tv_status tv_model_from_description(struct tv_model **out, int64_t run_number, const struct tv_mongo_doc *doc,
                                         struct tv_error *err)
{
    int64_t factors = 0, items = 0, biases = 0;
    char checksum[24];
    if (!tv_mongo_doc_int(doc, "factors", &factors) || !tv_mongo_doc_int(doc, "items", &items) || factors < 1 ||
        factors > TV_MAX_FACTORS)
        return tv_fail(err, TV_ERR_CORRUPT, "the description of model %lld lacks its sizes", (long long)run_number);
    enum tv_status status = tv_model_create(out, run_number, (int)factors, items, err);
    if (status != TV_OK)
        return status;
    struct tv_model *m = *out;
    copy_text(m->algorithm, sizeof m->algorithm, doc, "algorithm");
    copy_text(m->score_kind, sizeof m->score_kind, doc, "score");
    copy_text(checksum, sizeof checksum, doc, "checksum");
    m->checksum = strtoull(checksum, NULL, 16);
    tv_mongo_doc_int(doc, "dataset", &m->dataset);
    tv_mongo_doc_int(doc, "users", &m->n_users);
    tv_mongo_doc_int(doc, "learned", &m->n_learned);
    tv_mongo_doc_real(doc, "sigma_power", &m->sigma_power);
    tv_mongo_doc_real(doc, "lambda", &m->lambda);
    tv_mongo_doc_real(doc, "alpha", &m->alpha);
    m->biases = tv_mongo_doc_int(doc, "biases", &biases) && biases != 0;
    tv_mongo_doc_real(doc, "created_at", &m->created_at);
    m->description = tv_mongo_doc_json(doc, "description");
    return m->description ? TV_OK
                          : tv_fail(err, TV_ERR_CORRUPT, "model %lld has no description", (long long)run_number);
}

/* Parts must follow one another without a gap, from item 0 on. */
static enum tv_status take_items(struct reading *r, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct tv_part_blobs blobs;
    int64_t first = -1;
    int32_t n = 0;
    if (!tv_mongo_doc_bytes(doc, "item_factors", &blobs.factors, &blobs.n_factors) ||
        !tv_mongo_doc_bytes(doc, "item_ids", &blobs.ids, &blobs.n_ids) || !tv_mongo_doc_int(doc, "first", &first) ||
        first != r->items)
        return tv_fail(err, TV_ERR_CORRUPT, "a part of model %lld is damaged or missing before item %d",
                       (long long)r->run_number, (int)r->items);
    enum tv_status status = tv_part_decode(r->model, r->items, &blobs, &n, err);
    r->items += n;
    return status;
}

/* Whether a document of model_<N> is one that trivet writes. */
static int is_ours(const char *id)
{
    return strcmp(id, "description") == 0 || strncmp(id, "items:", 6) == 0 || strcmp(id, "singular_values") == 0;
}

/* "description" sorts before all others of ours, so the model is there when its first part comes. */
static enum tv_status take_document(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct reading *r = context;
    const char *id = "";
    const void *bytes;
    size_t n;
    tv_mongo_doc_text(doc, "_id", &id);
    if (!is_ours(id)) /* somebody else's: it may stand before the description */
        return TV_OK;
    if (strcmp(id, "description") == 0)
        return tv_model_from_description(&r->model, r->run_number, doc, err);
    if (r->model == NULL)
        return tv_fail(err, TV_ERR_CORRUPT, "model %lld has no description", (long long)r->run_number);
    if (strncmp(id, "items:", 6) == 0)
        return take_items(r, doc, err);
    if (strcmp(id, "singular_values") == 0 && r->model->sigma == NULL && tv_mongo_doc_bytes(doc, "value", &bytes, &n))
        return tv_sigma_decode(r->model, bytes, n, err);
    return TV_OK;
}

/* Without a description there is no model, whatever parts lie there. With one, anything that is missing is damage. */
enum tv_status tv_model_read_mongo(struct tv_model **out, struct tv_mongo *mongo, int64_t run_number,
                                   struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct reading r = {.run_number = run_number};
    enum tv_status status = tv_mongo_each(mongo, tv_model_parts(name, run_number), take_document, &r, err);
    if (status == TV_OK && r.model == NULL)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "MongoDB has no model %lld", (long long)run_number);
    if (status == TV_OK && r.items != r.model->n_items)
        status = tv_fail(err, TV_ERR_CORRUPT, "model %lld has %d items, but its parts hold %d", (long long)run_number,
                         (int)r.model->n_items, (int)r.items);
    if (status == TV_OK)
        status = tv_model_check(r.model, err);
    if (status != TV_OK) {
        tv_model_free(r.model);
        return status;
    }
    *out = r.model;
    return TV_OK;
}

enum tv_status tv_model_say_dataset_mongo(struct tv_mongo *mongo, int64_t run_number, int64_t dataset,
                                          struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    return tv_mongo_set_int(mongo, tv_model_parts(name, run_number), "description", "dataset", dataset, err);
}

static enum tv_status count_stranger(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    const char *id = "";
    (void)err;
    tv_mongo_doc_text(doc, "_id", &id);
    *(int64_t *)context += !is_ours(id);
    return TV_OK;
}

enum tv_status tv_model_strangers(struct tv_mongo *mongo, int64_t run_number, int64_t *n, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    *n = 0;
    return tv_mongo_each(mongo, tv_model_parts(name, run_number), count_stranger, n, err);
}

enum tv_status tv_model_description(char **json, struct tv_mongo *mongo, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct tv_mongo_doc *doc = NULL;
    enum tv_status status =
        tv_mongo_find_text(mongo, tv_model_parts(name, run_number), "_id", "description", &doc, err);
    if (status == TV_OK && (*json = tv_mongo_doc_json(doc, "description")) == NULL)
        status = tv_fail(err, TV_ERR_CORRUPT, "model %lld has no description", (long long)run_number);
    if (status == TV_ERR_NOT_FOUND)
        tv_fail(err, TV_ERR_NOT_FOUND, "there is no model %lld", (long long)run_number);
    tv_mongo_doc_free(doc);
    return status;
}

/* --- listing ---------------------------------------------------------------------------------------------- */

/* Run numbers in the order in which MongoDB lists collections, which is none. */
struct numbers {
    int64_t *values;
    size_t n;
};

/* Names that are no number, as model_rewritten, are no models. */
static enum tv_status take_number(void *context, const char *name, struct tv_error *err)
{
    struct numbers *list = context;
    char *end;
    int64_t run_number = strtoll(name + strlen("model_"), &end, 10);
    if (*end || run_number <= 0)
        return TV_OK;
    int64_t *values = realloc(list->values, (list->n + 1) * sizeof *values);
    if (values == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the list of models");
    values[list->n++] = run_number;
    list->values = values;
    return TV_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Drops the run numbers whose description is not there (yet). */
static enum tv_status keep_complete(struct numbers *list, struct tv_mongo *mongo, struct tv_error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        char *json = NULL;
        enum tv_status status = tv_model_description(&json, mongo, list->values[i], err);
        free(json);
        if (status == TV_OK)
            list->values[kept++] = list->values[i];
        else if (status != TV_ERR_NOT_FOUND)
            return status;
    }
    list->n = kept;
    return TV_OK;
}

enum tv_status tv_model_run_numbers(int64_t **numbers, size_t *n, struct tv_mongo *mongo, struct tv_error *err)
{
    struct numbers list = {NULL, 0};
    enum tv_status status = tv_mongo_names(mongo, "model_", take_number, &list, err);
    if (status == TV_OK && list.n > 0)
        qsort(list.values, list.n, sizeof *list.values, compare_numbers);
    if (status == TV_OK)
        status = keep_complete(&list, mongo, err);
    if (status != TV_OK) {
        free(list.values);
        return status;
    }
    *numbers = list.values;
    *n = list.n;
    return TV_OK;
}
