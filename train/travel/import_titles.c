/* import_titles: whether the data set that a model would belong to is the one that it was trained on. A name alone says
 * little: a model of other data would be served with the titles and ratings of what is here. So titles are compared, and
 * where they say nothing pairs of user and item, by the rules of trivet-etl load; titles are kept, for the next who comes under that name.
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
#include "trivet/store/pg_rows.h"

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

static enum tv_status check_titles(const struct tv_import *im, struct tv_error *err)
{
    return tv_other_data_by_titles(tv_lock_connection(im->stores.lock), im->dataset, "it and the model have", "the model is of other data",
                                   err);
}

/* Titles that agree say that it is the same data, though other people rated, or at another time. */
static enum tv_status check_pairs(const struct tv_import *im, struct tv_error *err)
{
    struct tv_buffer pairs = TV_BUFFER_INIT(TV_IMPORT_PAIRS + 2);
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_buffer_format(&pairs, err, "%s]", im->pairs.size ? tv_buffer_string(&im->pairs) : "[");
    const char *const values[] = {im->dataset, tv_buffer_string(&pairs)};
    if (status == TV_OK)
        status = tv_pg_query(tv_lock_connection(im->stores.lock),
                             "SELECT p.asked, p.kept, p.by_chance FROM trivet.import_other_pairs($1, $2::jsonb) p "
                             "WHERE trivet.has_other_pairs(p.asked, p.kept, p.by_chance) AND NOT trivet.has_same_titles($1)",
                             2, values, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0)
        status = tv_fail(err, TV_ERR_INPUT,
                         "a data set %s is there already, and of %s ratings of the model %s have their user and item in it, too, where "
                         "chance alone makes it %s: the model is of other data",
                         im->dataset, tv_pg_cell(rows, 0, 0), tv_pg_cell(rows, 0, 1), tv_pg_cell(rows, 0, 2));
    tv_pg_rows_free(rows);
    tv_buffer_free(&pairs);
    return status;
}

enum tv_status tv_import_check_data(const struct tv_import *im, struct tv_error *err)
{
    enum tv_status status = check_titles(im, err);
    if (status == TV_OK)
        status = check_pairs(im, err);
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
