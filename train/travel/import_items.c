/* import_items: the item documents that a model came with, items.jsonl, into catalogue_<D>_<N>.
 *
 * They become the catalogue of the model's data set, or join it, and servers and repair read them then: so each
 * of them must be what an export writes, with an integer _id that ascends, and the fields of docs/formats.md with
 * their types.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "train/travel/import.h"
#include "trivet/base/code.h"
#include "trivet/cli/interrupt.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_write.h"

/* Each of these says whether a field's value is of one kind; NULL, a missing field, is of none except where it is
 * optional. */
static int is_text(const json_t *value)
{
    return json_is_string(value) || json_is_null(value);
}

static int is_whole(const json_t *value)
{
    return json_is_integer(value) || json_is_null(value);
}

static int is_number(const json_t *value)
{
    return json_is_number(value) || json_is_null(value);
}

static int is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static int is_names(const json_t *value)
{
    size_t i;
    const json_t *name;
    json_array_foreach(value, i, name)
    {
        if (!json_is_string(name))
            return 0;
    }
    return json_is_array(value);
}

static int is_code(const json_t *value)
{
    return value == NULL || (json_is_string(value) && tv_code_refusal(json_string_value(value), json_string_length(value)) == NULL);
}

static int is_text_if_any(const json_t *value) /* optional: an activation writes it */
{
    return value == NULL || json_is_string(value);
}

static int is_rev(const json_t *value)
{
    return value == NULL || is_count(value);
}

/* The fields that servers and repair rely on; other fields are the extra ones of the input, and may be anything. */
static const struct {
    const char *name, *what;
    int (*is)(const json_t *value);
} fields[] = {
    {"title", "a text or null", is_text},     {"year", "a whole number or null", is_whole},
    {"genres", "an array of texts", is_names}, {"imdb_id", "a text or null", is_text},
    {"tmdb_id", "a whole number or null", is_whole}, {"n", "a count", is_count},
    {"mean", "a number or null", is_number},  {"score_kind", "a text", is_text_if_any},
    {"code", "a code", is_code},              {"rev", "a count", is_rev},
};

static enum tv_status check_fields(const json_t *item, struct tv_error *err)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!fields[i].is(json_object_get(item, fields[i].name)))
            return tv_fail(err, TV_ERR_INPUT, "field %s is missing, or not %s", fields[i].name, fields[i].what);
    return TV_OK;
}

/* jansson looks at the fields, MongoDB's own reader of JSON at the whole: it has the last word on what a number is,
 * and is the one that reads the line when it is written. *id is the item before on entry, this one after. */
static enum tv_status check_item(const char *line, int64_t *id, int is_first, struct tv_error *err)
{
    struct tv_mongo_doc *doc = NULL;
    int64_t before = *id;
    json_t *item = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    enum tv_status status = json_is_object(item) ? tv_mongo_doc_from_json(&doc, line, err)
                                                 : tv_fail(err, TV_ERR_INPUT, "is no JSON object");
    if (status == TV_OK && !tv_mongo_doc_int(doc, "_id", id))
        status = tv_fail(err, TV_ERR_INPUT, "field _id is missing, or not a whole number");
    if (status == TV_OK && !is_first && *id <= before)
        status = tv_fail(err, TV_ERR_INPUT, "field _id is %" PRId64 ", which does not come after %" PRId64, *id, before);
    if (status == TV_OK)
        status = check_fields(item, err);
    tv_mongo_doc_free(doc);
    json_decref(item);
    return status;
}

/* A NUL byte would end the text for jansson, and not for MongoDB's reader, which is told the length. */
static enum tv_status take_line(struct tv_mongo_bulk *bulk, const char *line, size_t n, int64_t *id, int is_first,
                                struct tv_error *err)
{
    if (tv_interrupted())
        return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while reading items");
    if (memchr(line, '\0', n))
        return tv_fail(err, TV_ERR_INPUT, "holds a NUL byte");
    return bulk ? tv_mongo_bulk_add_json(bulk, line, n, err) : check_item(line, id, is_first, err);
}

/* Without a bulk the lines are only checked; im->items counts them either way. */
static enum tv_status take_lines(struct tv_import *im, struct tv_mongo_bulk *bulk, FILE *in, struct tv_error *err)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int64_t id = 0;
    enum tv_status status = TV_OK;
    im->items = 0;
    while (status == TV_OK && (n = getline(&line, &size, in)) > 0) {
        im->items++;
        status = take_line(bulk, line, (size_t)n, &id, im->items == 1, err);
        if (status == TV_ERR_INPUT)
            tv_context(err, "%s/%s, line %" PRId64, im->dir, TV_FOLDER_ITEMS, im->items);
    }
    if (status == TV_OK && ferror(in))
        status = tv_fail(err, TV_ERR_IO, "cannot read %s/%s: %s", im->dir, TV_FOLDER_ITEMS, strerror(errno));
    free(line);
    return status;
}

static enum tv_status read_items(struct tv_import *im, struct tv_mongo_bulk *bulk, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    FILE *in = fopen(tv_folder_file(path, im->dir, TV_FOLDER_ITEMS), "re");
    if (in == NULL)
        return tv_fail(err, TV_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    enum tv_status status = take_lines(im, bulk, in, err);
    fclose(in);
    return status;
}

enum tv_status tv_import_check_items(struct tv_import *im, struct tv_error *err)
{
    return read_items(im, NULL, err);
}

/* The collection has no readers until the model is whole (life/catalogue.h). */
enum tv_status tv_import_items(struct tv_import *im, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct tv_mongo_bulk *bulk = NULL;
    tv_model_new_catalogue(name, im->model->dataset, im->run_number);
    enum tv_status status = tv_mongo_bulk_begin(&bulk, im->stores.mongo, name, err);
    if (status == TV_OK)
        status = read_items(im, bulk, err);
    enum tv_status ended = tv_mongo_bulk_end(bulk, status == TV_OK ? err : NULL);
    return status == TV_OK ? ended : status;
}
