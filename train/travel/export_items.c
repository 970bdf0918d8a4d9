/* export_items: what is known of items. items.jsonl has the documents as they are stored, for an import; items.csv
 * has one line for each row of the item factors, in their order, known or not, for a notebook.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/travel/export.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/table.h"
#include "trivet/model/items.h"
#include "trivet/model/life/needed.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"

/* The walk over item documents in step with the model's items; both ascend by id. */
struct listing {
    struct tv_export *export;
    const struct tv_model *model;
    FILE *lines;            /* items.jsonl */
    struct tv_table *table; /* items.csv */
    int32_t next;           /* dense index of the item of the table's next line */
};

/* Fields of the documents, by the names they have there. The last one is left out where no item has a code. */
static const char *const columns[] = {"item_id", "title", "year", "genres", "imdb_id", "tmdb_id", "n", "mean", "code"};
static const enum tv_table_kind kinds[] = {TV_TABLE_NUMBER, TV_TABLE_TEXT, TV_TABLE_NUMBER, TV_TABLE_TEXT,
                                           TV_TABLE_TEXT,   TV_TABLE_TEXT, TV_TABLE_NUMBER, TV_TABLE_NUMBER, TV_TABLE_TEXT};

static int n_columns(const struct tv_export *e)
{
    return (int)(sizeof columns / sizeof *columns) - !e->names.items;
}

/* A field as a cell: text as it is, a list joined by bars, null empty. No field but the mean is a real number. */
static enum tv_status add_cell(struct tv_table *table, const json_t *value, struct tv_error *err)
{
    char mean[TV_TEXT_FLOAT];
    struct tv_buffer text = TV_BUFFER_INIT(16 << 20);
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < json_array_size(value) && status == TV_OK; i++) {
        const char *name = json_string_value(json_array_get(value, i));
        status = tv_buffer_format(&text, err, "%s%s", i ? "|" : "", name ? name : "");
    }
    if (status == TV_OK && json_is_integer(value))
        status = tv_buffer_format(&text, err, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (status == TV_OK && json_is_real(value))
        status = tv_buffer_text(&text, tv_text_float(mean, (float)json_real_value(value)), err);
    else if (status == TV_OK && json_is_string(value))
        status = tv_buffer_text(&text, json_string_value(value), err);
    if (status == TV_OK)
        status = tv_table_cell(table, text.size ? text.data : NULL, err);
    tv_buffer_free(&text);
    return status;
}

/* The next line of the table; `item` is NULL where nothing is known. */
static enum tv_status add_line(struct listing *l, const json_t *item, struct tv_error *err)
{
    enum tv_status status = tv_table_int(l->table, l->model->item_ids[l->next++], err);
    for (int c = 1; c < n_columns(l->export) && status == TV_OK; c++)
        status = add_cell(l->table, json_object_get(item, columns[c]), err);
    return status;
}

/* Writes the lines of all model items up to an id. Items of the model between two documents have none, and get an
 * empty line, so that line and row of the factors stay in step. */
static enum tv_status add_lines_until(struct listing *l, int64_t id, const json_t *item, struct tv_error *err)
{
    const struct tv_model *m = l->model;
    enum tv_status status = TV_OK;
    while (l->next < m->n_items && m->item_ids[l->next] <= id && status == TV_OK)
        status = add_line(l, m->item_ids[l->next] == id ? item : NULL, err);
    return status;
}

/* The document's text; what it says of models kept here is of no other installation. */
static char *text_of(const struct tv_mongo_doc *doc)
{
    char *text = tv_mongo_doc_json(doc, NULL);
    json_t *item = text && tv_mongo_doc_has(doc, TV_NEEDED_GONE) ? json_loads(text, 0, NULL) : NULL;
    if (item == NULL)
        return text;
    free(text);
    json_object_del(item, TV_NEEDED_GONE);
    text = json_dumps(item, JSON_COMPACT);
    json_decref(item);
    return text;
}

/* One document. It goes to items.jsonl whether the model has the item or not; the lines of items.csv are the model's
 * items alone. */
static enum tv_status take_item(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct listing *l = context;
    int64_t id = 0;
    char *text = text_of(doc);
    json_t *item = text ? json_loads(text, 0, NULL) : NULL;
    const char *code = json_string_value(json_object_get(item, "code"));
    enum tv_status status = TV_OK;
    if (item == NULL || !tv_mongo_doc_int(doc, "_id", &id))
        status = tv_fail(err, TV_ERR_CORRUPT, "an item document has no integer _id, or is no JSON");
    if (status == TV_OK && tv_interrupted())
        status = tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while writing items");
    if (status == TV_OK && fprintf(l->lines, "%s\n", text) < 0)
        status = tv_fail(err, TV_ERR_IO, "cannot write " TV_FOLDER_ITEMS);
    if (status == TV_OK && code)
        status = tv_export_code(l->export, "item", id, code, err);
    if (status == TV_OK)
        status = add_lines_until(l, id, item, err);
    json_decref(item);
    free(text);
    return status;
}

/* The catalogue of the model's data set; items of the model that it does not know (any more) have lines without a title. */
static enum tv_status read_items(const struct tv_export *e, struct listing *l, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    enum tv_status status =
        tv_mongo_each(e->stores.mongo, tv_items_collection(name, e->model->dataset), take_item, l, err);
    return status == TV_OK ? add_lines_until(l, INT64_MAX, NULL, err) : status;
}

/* Both files are closed whatever happened; the failure that is told is the first. */
enum tv_status tv_export_items(struct tv_export *e, struct tv_error *err)
{
    struct listing l = {.export = e, .model = e->model};
    FILE *csv = NULL;
    enum tv_status status = tv_folder_open_text(&l.lines, &e->folder, TV_FOLDER_ITEMS, err);
    if (status == TV_OK)
        status = tv_folder_open_text(&csv, &e->folder, TV_FOLDER_ITEMS_CSV, err);
    if (status == TV_OK)
        status = tv_table_create(&l.table, n_columns(e), columns, kinds, err);
    if (status == TV_OK)
        status = read_items(e, &l, err);
    if (status == TV_OK)
        status = tv_table_print(l.table, TV_TABLE_CSV, csv, err);
    enum tv_status lines = tv_folder_close_text(l.lines, TV_FOLDER_ITEMS, status == TV_OK ? err : NULL);
    status = status == TV_OK ? lines : status;
    enum tv_status closed = tv_folder_close_text(csv, TV_FOLDER_ITEMS_CSV, status == TV_OK ? err : NULL);
    tv_table_free(l.table);
    return status == TV_OK ? closed : status;
}
