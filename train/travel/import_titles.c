/* import_titles: whether the data set that a model would belong to is the one that it was trained on. A name alone says
 * little: a model of other data would be served with the titles and ratings of what is here. So titles are compared, by the
 * rule of trivet-etl load, and kept, for the next who comes under that name.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/travel/import.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/model.h"
#include "trivet/model/other_data.h"
#include "trivet/store/mongo_document.h"

/* One line of items.jsonl, which has been checked. MongoDB's reader says what its number is; an item without a title has
 * nothing to compare. */
static enum tv_status take_line(void *context, const char *line, long long number, struct tv_buffer *out, struct tv_error *err)
{
    (void)context, (void)number;
    int64_t id = 0;
    const char *title = NULL;
    struct tv_mongo_doc *doc = NULL;
    enum tv_status status = tv_mongo_doc_from_json(&doc, line, err);
    if (status == TV_OK && tv_mongo_doc_int(doc, "_id", &id) && tv_mongo_doc_text(doc, "title", &title)) {
        status = tv_buffer_format(out, err, "%s{\"item_id\":%" PRId64 ",\"title\":", out->size ? "," : "[", id);
        if (status == TV_OK)
            status = tv_buffer_json(out, title, strlen(title), err);
        if (status == TV_OK)
            status = tv_buffer_text(out, "}", err);
    }
    tv_mongo_doc_free(doc);
    return status;
}

/* The table has the name and the columns of a load's, for which the functions were made, and lasts as long as the connection. */
enum tv_status tv_import_read_titles(const struct tv_import *im, struct tv_error *err)
{
    static const struct tv_import_lines titles = {
        .insert = "INSERT INTO pg_temp.load_item (kind, item_id, title) SELECT 'item', item_id, title "
                  "FROM jsonb_to_recordset($1::jsonb) AS line (item_id bigint, title text)",
        .most = (size_t)1 << 26,
        .take = take_line};
    char path[TV_FOLDER_PATH];
    struct tv_pg *pg = tv_lock_connection(im->stores.lock);
    FILE *in = fopen(tv_folder_file(path, im->dir, TV_FOLDER_ITEMS), "re");
    if (in == NULL)
        return tv_fail(err, TV_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    enum tv_status status =
        tv_pg_exec(pg, "CREATE TEMPORARY TABLE load_item (seq bigint, kind text, item_id bigint, title text)", 0, NULL, err);
    if (status == TV_OK)
        status = tv_import_send_lines(&titles, in, pg, err);
    fclose(in);
    return status;
}

enum tv_status tv_import_check_titles(const struct tv_import *im, struct tv_error *err)
{
    enum tv_status status = tv_other_data_by_titles(tv_lock_connection(im->stores.lock), im->dataset, "it and the model have",
                                                    "the model is of other data", err);
    if (status == TV_ERR_INPUT)
        status = tv_hint(err, "give its data set a name of its own, --name NAME; --same if it is the same data all the same");
    return status;
}

enum tv_status tv_import_keep_titles(const struct tv_import *im, struct tv_error *err)
{
    char dataset[24];
    const char *const values[] = {dataset};
    snprintf(dataset, sizeof dataset, "%" PRId64, im->model->dataset);
    return tv_pg_exec(tv_lock_connection(im->stores.lock), "SELECT trivet.keep_imported_titles($1)", 1, values, err);
}
