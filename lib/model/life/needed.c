/* needed: which documents of the catalogue before the next one has not, by their ids: mostly none. The few that there are go from one
 * collection into the other inside MongoDB, with the number of the run that was the newest when the data had them no more: models up to that
 * one may have them, in their factors or in what their users rated.
 */
#include "trivet/model/life/needed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/model/life/lock.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/pg_rows.h"

enum { MAX_IDS = 1 << 30, AT_ONCE = 100000 };

/* --- ids ------------------------------------------------------------------------------------------------------------ */

/* Integers in a buffer, ascending and each once after sort_ids. */
static size_t count(const struct tv_buffer *ids)
{
    return ids->size / sizeof(int64_t);
}

static int by_value(const void *a, const void *b)
{
    int64_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return (one > other) - (one < other);
}

static void sort_ids(struct tv_buffer *ids)
{
    int64_t *at = (void *)ids->data;
    size_t n = count(ids), kept = 0;
    if (n > 0)
        qsort(at, n, sizeof *at, by_value);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || at[i] != at[kept - 1])
            at[kept++] = at[i];
    ids->size = kept * sizeof *at;
}

/* Takes out of `ids` what is in `others`; both ascend. */
static void subtract(struct tv_buffer *ids, const struct tv_buffer *others)
{
    int64_t *at = (void *)ids->data;
    const int64_t *other = (const void *)others->data;
    size_t kept = 0, j = 0, n = count(ids), m = count(others);
    for (size_t i = 0; i < n; i++) {
        while (j < m && other[j] < at[i])
            j++;
        if (j == m || other[j] != at[i])
            at[kept++] = at[i];
    }
    ids->size = kept * sizeof *at;
}

static enum tv_status take_id(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    int64_t id;
    return tv_mongo_doc_int(doc, "_id", &id) ? tv_buffer_append(context, &id, sizeof id, err) : TV_OK;
}

static enum tv_status read_ids(struct tv_buffer *ids, struct tv_mongo *mongo, const char *collection, struct tv_error *err)
{
    enum tv_status status =
        tv_mongo_each_of(mongo, &(struct tv_mongo_selection){.collection = collection, .only = "_id"}, take_id, ids, err);
    sort_ids(ids);
    return status;
}

/* --- documents ------------------------------------------------------------------------------------------------------ */

/* The oldest model of the data set that is live or kept, 0 for none, and the newest run of all. */
static enum tv_status find_runs(struct tv_pg *pg, int64_t dataset, struct tv_mongo_goers *goers, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, dataset);
    enum tv_status status = tv_pg_query(pg,
                                        "SELECT coalesce(min(id) FILTER (WHERE dataset = $1::bigint AND state IN ('live', 'kept')), 0), "
                                        "coalesce(max(id), 0) FROM trivet.run",
                                        1, &value, &rows, err);
    if (status == TV_OK) {
        goers->oldest = atoll(tv_pg_cell(rows, 0, 0));
        goers->newest = atoll(tv_pg_cell(rows, 0, 1));
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_needed_keep(const struct tv_stores *s, const char *before, const char *next, int64_t dataset, struct tv_error *err)
{
    struct tv_buffer needed = TV_BUFFER_INIT(MAX_IDS), known = TV_BUFFER_INIT(MAX_IDS);
    struct tv_mongo_goers goers = {.mark = TV_NEEDED_GONE};
    enum tv_status status = find_runs(tv_lock_connection(s->lock), dataset, &goers, err);
    if (status == TV_OK && goers.oldest > 0)
        status = read_ids(&needed, s->mongo, before, err);
    if (status == TV_OK && count(&needed) > 0)
        status = read_ids(&known, s->mongo, next, err);
    subtract(&needed, &known);
    for (size_t at = 0, n = count(&needed); status == TV_OK && at < n; at += goers.n) {
        goers.ids = (const int64_t *)(const void *)needed.data + at;
        goers.n = n - at < AT_ONCE ? n - at : AT_ONCE;
        status = tv_mongo_merge_goers(s->mongo, before, next, &goers, err);
    }
    tv_buffer_free(&needed);
    tv_buffer_free(&known);
    return status;
}
