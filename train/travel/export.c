/* export: the command. Reads a model from MongoDB, where it is kept, and its run from the journal, and writes both as
 * a folder (folder.h). It takes no lock: the item side never changes, a document is replaced whole, and a model that
 * is pruned meanwhile ends the export with an error, and no folder is left.
 */
#include "train/travel/export.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/model/model_mongo.h"
#include "trivet/schema/schema.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/pg_rows.h"
#include "trivet/version.h"

const struct tv_option tv_export_options[] = {
    {.name = "force", .kind = TV_OPTION_SWITCH, .help = "replace an earlier export at that place"},
    {.name = NULL},
};

/* --- model.json ------------------------------------------------------------------------------------------- */

/* The journal's word on the run: all that an import writes into another journal. It stays JSON text from Postgres
 * to the file, so a new key of `parameters` or `metrics` needs no change here. */
static enum tv_status read_run(json_t **out, const struct tv_settings *settings, int64_t run_number,
                               struct tv_error *err)
{
    static const char sql[] = "SELECT json_build_object('started_at', started_at, 'command', command, 'algorithm', "
                              "algorithm, 'parameters', parameters, 'filter', filter, 'source', source, 'data', data, "
                              "'counts', counts, 'metrics', metrics) FROM trivet.run WHERE id = $1";
    char text[24];
    const char *value = text;
    struct tv_pg *pg = NULL;
    struct tv_pg_rows *rows = NULL;
    snprintf(text, sizeof text, "%" PRId64, run_number);
    enum tv_status status = tv_schema_open(&pg, settings, "trivet-train export", err);
    if (status == TV_OK)
        status = tv_pg_query(pg, sql, 1, &value, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 0)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "the journal has no run %" PRId64, run_number);
    if (status == TV_OK && (*out = json_loads(tv_pg_cell(rows, 0, 0), 0, NULL)) == NULL)
        status = tv_fail(err, TV_ERR_CORRUPT, "the journal's row of run %" PRId64 " is no JSON", run_number);
    tv_pg_rows_free(rows);
    tv_pg_close(pg);
    return status;
}

/* The description as it stands in model_<N>, whatever other fields it has: import reads it with the function that reads it
 * in MongoDB. Only the number of users is that of the arrays beside it, as after a training. It is missing only if the model was pruned since it was loaded. */
static enum tv_status read_description(json_t **out, const struct tv_export *e, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct tv_mongo_doc *doc = NULL;
    tv_model_parts(name, e->model->run_number);
    enum tv_status status = tv_mongo_find_text(e->stores.mongo, name, "_id", "description", &doc, err);
    char *text = status == TV_OK ? tv_mongo_doc_json(doc, NULL) : NULL;
    *out = text ? json_loads(text, 0, NULL) : NULL;
    json_object_del(*out, "_id");
    if (*out)
        json_object_set_new(*out, "users", json_integer(e->n_users));
    json_object_del(*out, "dataset"); /* a number of this trivet's; elsewhere the name of the data tells */
    if (*out == NULL && (status == TV_OK || status == TV_ERR_NOT_FOUND))
        status = tv_fail(err, TV_ERR_NOT_FOUND, "model %" PRId64 " is not kept any more", e->model->run_number);
    free(text);
    tv_mongo_doc_free(doc);
    return status;
}

/* 17 digits give every double back exactly. */
static enum tv_status write_json(const struct tv_export *e, json_t *all, struct tv_error *err)
{
    FILE *out = NULL;
    enum tv_status status = tv_folder_open_text(&out, &e->folder, TV_FOLDER_MODEL, err);
    if (status != TV_OK)
        return status;
    json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    fputc('\n', out);
    return tv_folder_close_text(out, TV_FOLDER_MODEL, err);
}

/* Writes model.json, and is called last: pruning deletes model_<N> first, so a description that is still there means
 * that everything before it was read from a whole model. */
static enum tv_status export_description(struct tv_export *e, const struct tv_settings *settings, struct tv_error *err)
{
    json_t *run = NULL, *model = NULL;
    enum tv_status status = read_run(&run, settings, e->model->run_number, err);
    if (status == TV_OK)
        status = read_description(&model, e, err);
    json_t *all = status == TV_OK
                      ? json_pack("{s:s, s:i, s:s, s:O, s:O}", "format", "trivet model", "version", TV_FOLDER_VERSION,
                                  "written_by", "trivet " TRIVET_VERSION, "model", model, "run", run)
                      : NULL;
    if (status == TV_OK)
        status = all ? write_json(e, all, err) : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for " TV_FOLDER_MODEL);
    json_decref(all);
    json_decref(run);
    json_decref(model);
    return status;
}

/* --- arrays of the item side ------------------------------------------------------------------------------ */

/* One array as a .npy file; `columns` is 0 for one dimension. */
static enum tv_status write_array(const struct tv_export *e, const char *name, enum tv_dtype dtype, size_t columns,
                                  const void *data, size_t rows, struct tv_error *err)
{
    char path[TV_FOLDER_PATH];
    struct tv_npy_writer *w = NULL;
    enum tv_status status = tv_npy_create(&w, tv_folder_file(path, e->folder.partial, name), dtype, columns, err);
    if (status == TV_OK)
        status = tv_npy_write(w, data, rows, err);
    if (status == TV_OK)
        return tv_npy_finish(w, err);
    tv_npy_abandon(w);
    return status;
}

/* The item factors go out as the float16 they are stored as: an import has the same bytes, and the checksum of the
 * model stays what it is. */
static enum tv_status export_item_side(struct tv_export *e, struct tv_error *err)
{
    const struct tv_model *m = e->model;
    size_t n = (size_t)m->n_items, k = (size_t)m->factors;
    enum tv_status status = write_array(e, TV_FOLDER_ITEM_IDS, TV_I8, 0, m->item_ids, n, err);
    if (status == TV_OK)
        status = write_array(e, TV_FOLDER_ITEM_FACTORS, TV_F2, k, m->item_factors, n, err);
    if (status == TV_OK && m->sigma)
        status = write_array(e, TV_FOLDER_SINGULAR_VALUES, TV_F8, 0, m->sigma, k, err);
    return status;
}

/* --- the command ------------------------------------------------------------------------------------------ */

/* Items and users both add lines to codes.jsonl, so it is closed after them; model.json comes last
 * (export_description). */
static enum tv_status write_all(struct tv_export *e, const struct tv_settings *settings, struct tv_error *err)
{
    enum tv_status status = export_item_side(e, err);
    if (status == TV_OK)
        status = tv_export_items(e, err);
    if (status == TV_OK)
        status = tv_export_users(e, err);
    if (status == TV_OK)
        status = tv_export_close_codes(e, err);
    if (status == TV_OK)
        status = export_description(e, settings, err);
    return status == TV_OK && tv_interrupted() ? tv_fail(err, TV_ERR_INTERRUPTED, "interrupted") : status;
}

static enum tv_status publish(struct tv_export *e, struct tv_error *err)
{
    int files = 0;
    double bytes = 0;
    char size[32];
    enum tv_status status = tv_folder_publish(&e->folder, &files, &bytes, err);
    if (status == TV_OK)
        printf("model %" PRId64 " is in %s: %d files, %s\n", e->model->run_number, e->folder.place, files,
               tv_text_bytes(size, bytes));
    return status;
}

/* Run number 0 means the live model. The ids of items become a map, because users' ratings are by id. */
static enum tv_status load(struct tv_export *e, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_train_live_run_number(&e->stores, &run_number, err);
    if (status != TV_OK)
        return status;
    status = tv_model_read_mongo(&e->model, e->stores.mongo, run_number, err);
    if (status == TV_OK)
        status = tv_names_open(&e->names, e->model, e->stores.mongo, err);
    if (status == TV_OK)
        tv_dense_map_create(&e->items, e->model->item_ids, (size_t)e->model->n_items);
    else if (status == TV_ERR_NOT_FOUND)
        tv_hint(err, "trivet-train models lists the models that are kept");
    return status;
}

/* The model is read before the folder is begun, so a wrong number leaves nothing behind; a failure later leaves no
 * folder either. */
enum tv_status tv_export_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    int64_t run_number = 0;
    struct tv_export e = {.folder = {.held = -1}};
    enum tv_status status = tv_train_run_number(arguments[0], &run_number, err);
    if (status == TV_OK)
        status = tv_interrupt_watch(NULL, err);
    if (status == TV_OK)
        status = tv_train_open_readonly(&e.stores, settings, err);
    if (status == TV_OK)
        status = load(&e, run_number, err);
    if (status == TV_OK)
        status = tv_folder_create(&e.folder, arguments[1], tv_settings_on(settings, "force"), err);
    if (status == TV_OK)
        status = write_all(&e, settings, err);
    if (status == TV_OK)
        status = publish(&e, err);
    tv_ignore(tv_export_close_codes(&e, NULL), "write_all closed it, unless something failed before");
    tv_folder_discard(&e.folder);
    tv_names_close(&e.names);
    tv_dense_map_free(&e.items);
    tv_model_free(e.model);
    tv_train_close(&e.stores);
    return status;
}
