/* import_model: model.json and the arrays of the item side, as a model in memory, checked as a model that is read
 * from a store.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/travel/import.h"
#include "trivet/core/formats/npy.h"
#include "trivet/model/model_mongo.h"
#include "trivet/store/mongo_document.h"

/* The head of the file: {"format": "trivet model", "version": 1, "model": {...}, "run": {...}}. It is looked at
 * first, so that any other JSON is told as that, and a newer version as newer. */
static enum tv_status check_format(const json_t *all, const char *path, struct tv_error *err)
{
    const char *format = json_string_value(json_object_get(all, "format"));
    json_int_t version = json_integer_value(json_object_get(all, "version"));
    if (format == NULL || strcmp(format, "trivet model") != 0)
        return tv_fail(err, TV_ERR_INPUT, "%s is no description of a trivet model", path);
    if (version < 1 || version > TV_FOLDER_VERSION) {
        tv_fail(err, TV_ERR_INPUT, "%s has version %" JSON_INTEGER_FORMAT ", this program knows %d", path, version,
                TV_FOLDER_VERSION);
        return tv_hint(err, "use the newer trivet");
    }
    if (!json_is_object(json_object_get(all, "model")) || !json_is_object(json_object_get(all, "run")))
        return tv_fail(err, TV_ERR_INPUT, "%s has no model or no run", path);
    return TV_OK;
}

/* Each of these says whether a field's value is of one kind; a missing field (NULL) is of none. */
static int is_text(const json_t *value)
{
    return json_is_string(value);
}

static int is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static int is_size(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 1;
}

static int is_real(const json_t *value)
{
    return json_is_number(value) && isfinite(json_number_value(value)) && json_number_value(value) >= 0;
}

static int is_score(const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    return strcmp(text, "relevance") == 0 || strcmp(text, "rating") == 0;
}

static int is_checksum(const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static int is_object(const json_t *value)
{
    return json_is_object(value);
}

/* MongoDB's reader of the description trusts what trivet wrote, and takes a field that is missing or of another type
 * for 0 or empty. So each field it knows is checked here. */
static const struct {
    const char *name, *what;
    int (*is)(const json_t *value);
} fields[] = {
    {"number", "a number of a model", is_size}, {"algorithm", "a text", is_text},
    {"score", "\"relevance\" or \"rating\"", is_score}, {"factors", "a count", is_size},
    {"items", "a count", is_size}, {"users", "a count", is_count}, {"learned", "a count", is_count},
    {"sigma_power", "a number of 0 or more", is_real}, {"lambda", "a number of 0 or more", is_real},
    {"alpha", "a number of 0 or more", is_real}, {"biases", "0 or 1", is_count},
    {"created_at", "seconds since 1970", is_real}, {"checksum", "16 hexadecimal digits", is_checksum},
    {"description", "an object", is_object},
};

static enum tv_status check_fields(const json_t *model, const char *path, struct tv_error *err)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!fields[i].is(json_object_get(model, fields[i].name)))
            return tv_fail(err, TV_ERR_INPUT, "%s: field %s of the model is missing, or not %s", path, fields[i].name, fields[i].what);
    return TV_OK;
}

/* The files say how much there is, and the description is held against them before memory is asked for: a description
 * with a wrong count could ask for any amount. */
static enum tv_status check_size(const struct tv_import *im, const json_t *model, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    struct tv_npy_reader *r = NULL;
    json_int_t items = json_integer_value(json_object_get(model, "items")),
               factors = json_integer_value(json_object_get(model, "factors"));
    enum tv_status status = tv_npy_open(&r, tv_folder_file(path, im->dir, TV_FOLDER_ITEM_FACTORS), TV_F2, 2, err);
    const struct tv_npy_shape *shape = status == TV_OK ? tv_npy_shape_of(r) : NULL;
    if (shape && (shape->rows != (size_t)items || shape->columns != (size_t)factors))
        status = tv_fail(err, TV_ERR_INPUT,
                         "%s is (%zu, %zu), but " TV_FOLDER_MODEL " says items is %" JSON_INTEGER_FORMAT
                         " and factors %" JSON_INTEGER_FORMAT,
                         path, shape->rows, shape->columns, items, factors);
    tv_npy_close(r);
    return status;
}

/* The description goes through MongoDB's JSON into the function that reads it there, so that its fields are listed in
 * one place. */
static enum tv_status make_model(struct tv_import *im, const json_t *description, struct tv_error *err)
{
    struct tv_mongo_doc *doc = NULL;
    char *text = json_dumps(description, JSON_REAL_PRECISION(17));
    enum tv_status status = text ? tv_mongo_doc_from_json(&doc, text, err)
                                 : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for " TV_FOLDER_MODEL);
    if (status == TV_OK)
        status = tv_model_from_description(&im->model, json_integer_value(json_object_get(description, "number")), doc,
                                           err);
    tv_mongo_doc_free(doc);
    free(text);
    return status;
}

/* Makes im->model, with room for the arrays, and keeps im->run. A key that stands twice is refused, for readers
 * differ in which one they take. */
static enum tv_status read_json(struct tv_import *im, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    json_error_t e;
    json_t *all = json_load_file(tv_folder_file(path, im->dir, TV_FOLDER_MODEL), JSON_REJECT_DUPLICATES, &e);
    if (all == NULL)
        return tv_fail(err, TV_ERR_INPUT, "%s, line %d: %s", path, e.line, e.text);
    const json_t *model = json_object_get(all, "model");
    enum tv_status status = check_format(all, path, err);
    if (status == TV_OK)
        status = check_fields(model, path, err);
    if (status == TV_OK)
        status = check_size(im, model, err);
    if (status == TV_OK && (status = make_model(im, model, err)) != TV_OK)
        tv_context(err, "%s", path);
    if (status == TV_OK)
        im->run = json_incref(json_object_get(all, "run"));
    json_decref(all);
    return status;
}

/* A whole array whose shape is known. `columns` is 0 for one dimension. */
static enum tv_status read_array(const struct tv_import *im, const char *name, enum tv_dtype dtype, size_t rows,
                                 size_t columns, void *out, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    struct tv_npy_reader *r = NULL;
    enum tv_status status = tv_npy_open(&r, tv_folder_file(path, im->dir, name), dtype, columns ? 2 : 1, err);
    const struct tv_npy_shape *shape = status == TV_OK ? tv_npy_shape_of(r) : NULL;
    if (shape && (shape->rows != rows || (columns && shape->columns != columns)))
        status = tv_fail(err, TV_ERR_INPUT, "%s is (%zu, %zu), but the model is of (%zu, %zu)", path, shape->rows,
                         shape->columns, rows, columns ? columns : 1);
    if (status == TV_OK)
        status = tv_npy_read(r, out, rows, err);
    tv_npy_close(r);
    return status;
}

/* Only the truncated SVD has singular values, so a missing file is fine here; the model's checksum covers them, and
 * tells if some should be there. */
static enum tv_status read_sigma(struct tv_import *im, struct tv_error *err)
{
    struct tv_model *m = im->model;
    size_t k = (size_t)m->factors;
    double *sigma = tv_alloc(k, sizeof *sigma, "singular values", err);
    if (sigma == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = read_array(im, TV_FOLDER_SINGULAR_VALUES, TV_F8, k, 0, sigma, err);
    if (status == TV_OK)
        m->sigma = sigma;
    else
        free(sigma);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* The arrays must have the checksum of the description, and the model's algorithm must be one that this program can
 * fold users in with. */
static enum tv_status read_model(struct tv_import *im, struct tv_error *err)
{
    struct tv_fold_in fold_in = {0};
    enum tv_status status = read_json(im, err);
    if (status != TV_OK)
        return status;
    struct tv_model *m = im->model;
    size_t n = (size_t)m->n_items, k = (size_t)m->factors;
    status = read_array(im, TV_FOLDER_ITEM_IDS, TV_I8, n, 0, m->item_ids, err);
    if (status == TV_OK)
        status = read_array(im, TV_FOLDER_ITEM_FACTORS, TV_F2, n, k, m->item_factors, err);
    if (status == TV_OK)
        status = read_sigma(im, err);
    if (status == TV_OK && (status = tv_model_check(m, err)) != TV_OK)
        tv_context(err, "%s", im->dir);
    if (status == TV_OK) /* an algorithm of a newer trivet is refused here */
        status = tv_model_fold_in(&fold_in, m, err);
    tv_fold_in_free(&fold_in);
    return status;
}

/* The functions that check a model call it corrupt, as in a store; here it came from outside and is bad input. */
enum tv_status tv_import_read_model(struct tv_import *im, struct tv_error *err)
{
    enum tv_status status = read_model(im, err);
    if (status == TV_ERR_CORRUPT)
        status = err->status = TV_ERR_INPUT;
    return status;
}
