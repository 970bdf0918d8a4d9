/* dataset: whose items an index of similar items is about. It is built from the data set that is loaded, while another one
 * may serve: the live model's, or that of the index that is live.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/similar/similar.h"
#include "trivet/base/log.h"
#include "trivet/store/pg_rows.h"

enum tv_status tv_similar_loaded(int64_t *dataset, int64_t *stored, struct tv_pg *journal, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(journal,
                                        "SELECT c, coalesce((SELECT max(i.id) FROM trivet.similar_index i "
                                        "WHERE i.dataset = c AND i.state IN ('live', 'kept')), 0) FROM trivet.current_dataset() c",
                                        0, NULL, &rows, err);
    if (status == TV_OK) {
        *dataset = strtoll(tv_pg_cell(rows, 0, 0), NULL, 10);
        *stored = strtoll(tv_pg_cell(rows, 0, 1), NULL, 10);
    }
    tv_pg_rows_free(rows);
    return status;
}

/* Where none is live, those that Redis keeps are of other data sets. */
static enum tv_status refuse_none(struct tv_pg *journal, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(journal, "SELECT trivet.similar_none()", 0, NULL, &rows, err);
    if (status == TV_OK && tv_pg_cell(rows, 0, 0)) {
        tv_fail(err, TV_ERR_NOT_FOUND, "%s", tv_pg_cell(rows, 0, 0));
        status = tv_hint(err, "trivet-train similar builds one of what is loaded; trivet-train activate N, of a model of another data set, "
                              "brings that one's back");
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_similar_refuse_other(struct tv_pg *journal, int64_t live, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    if (live == 0)
        return refuse_none(journal, err);
    snprintf(number, sizeof number, "%" PRId64, live);
    enum tv_status status = tv_pg_query(journal,
                                        "SELECT coalesce(d.name, 'number ' || i.dataset, 'that was replaced'), coalesce(c.name, 'number ' || c.id) "
                                        "FROM trivet.similar_index i JOIN trivet.dataset c ON c.current "
                                        "LEFT JOIN trivet.dataset d ON d.id = i.dataset WHERE i.id = $1 AND i.dataset IS DISTINCT FROM c.id",
                                        1, &value, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0) {
        tv_fail(err, TV_ERR_NOT_FOUND, "index %s of similar items, which is live, is of data set %s, but %s is loaded", number,
                tv_pg_cell(rows, 0, 0), tv_pg_cell(rows, 0, 1));
        status = tv_hint(err, "trivet-train similar builds one of %s; trivet-train activate N, of a model of %s, brings that back",
                         tv_pg_cell(rows, 0, 1), tv_pg_cell(rows, 0, 0));
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_similar_tell_unwatched(struct tv_pg *journal, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(journal, "SELECT trivet.unwatched()", 0, NULL, &rows, err);
    if (status == TV_OK && tv_pg_cell(rows, 0, 0))
        tv_log_info("%s", tv_pg_cell(rows, 0, 0));
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_similar_tell_other(struct tv_pg *journal, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(journal,
                                        "SELECT r.id, coalesce(d.name, 'number ' || r.dataset), coalesce(c.name, 'number ' || c.id) "
                                        "FROM trivet.run r JOIN trivet.dataset c ON c.current LEFT JOIN trivet.dataset d ON d.id = r.dataset "
                                        "WHERE r.state = 'live' AND r.dataset <> c.id",
                                        0, NULL, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0)
        tv_log_info("similar items are those of data set %s, which is loaded; model %s, which is live, is of %s",
                    tv_pg_cell(rows, 0, 2), tv_pg_cell(rows, 0, 0), tv_pg_cell(rows, 0, 1));
    tv_pg_rows_free(rows);
    return status;
}
