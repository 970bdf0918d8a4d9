/* item_documents: item documents as a training would write them (trivet.item_document), to compare and to write.
 *
 * A document stands in memory as a hash alone, because a catalogue with long texts is large. The fields in `beside`
 * are not in the hash: `n`, `mean` and `rev` follow single ratings and are compared by items.c, `score_kind` is said
 * by an activation.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/repair/items.h"
#include "trivet/base/buffer.h"
#include "trivet/model/life/fold_in_anew.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

static const char *const beside[] = {"_id", "n", "mean", "rev", "score_kind"};
enum { BESIDE = sizeof beside / sizeof *beside, BATCH = 1000 };

/* Three arrays of one length; what was grown before a failure is kept in the struct and freed with it. */
static enum tv_status grow(struct tv_item_repair *t, struct tv_error *err)
{
    size_t capacity = t->capacity ? 2 * t->capacity : 1024;
    int64_t *ids = realloc(t->ids, capacity * sizeof *ids);
    t->ids = ids ? ids : t->ids;
    struct tv_item_want *want = ids ? realloc(t->want, capacity * sizeof *want) : NULL;
    t->want = want ? want : t->want;
    char *found = want ? realloc(t->found, capacity) : NULL;
    t->found = found ? found : t->found;
    if (found == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for %zu items", capacity);
    t->capacity = capacity;
    return TV_OK;
}

enum tv_status tv_item_repair_add(struct tv_item_repair *t, int64_t id, struct tv_item_want **want,
                                  struct tv_error *err)
{
    if (t->n == t->capacity && grow(t, err) != TV_OK)
        return TV_ERR_NO_MEMORY;
    t->ids[t->n] = id;
    t->found[t->n] = 0;
    t->want[t->n] = (struct tv_item_want){0};
    *want = &t->want[t->n++];
    return TV_OK;
}

uint64_t tv_item_repair_hash(const struct tv_mongo_doc *doc)
{
    return tv_mongo_doc_hash(doc, beside, BESIDE);
}

/* MongoDB cannot hold every JSON text, a document beyond 16 MB for example. Such an item is written without the extra
 * fields of its input (`core`), as a training would, or not at all: *document is NULL then. */
static enum tv_status hash_whole(uint64_t *hash, const char **document, const char *core, struct tv_error *err)
{
    struct tv_error why = {0};
    enum tv_status status = tv_mongo_json_hash(hash, *document, beside, BESIDE, &why);
    if (status == TV_ERR_INPUT) {
        *document = core;
        status = tv_mongo_json_hash(hash, core, beside, BESIDE, &why);
    }
    if (status == TV_ERR_INPUT)
        *document = NULL;
    else if (status != TV_OK)
        *err = why;
    return status == TV_ERR_INPUT ? TV_OK : status;
}

/* One row of ROWS as what is wanted of the item's document. */
static enum tv_status expect(struct tv_item_repair *t, const struct tv_pg_rows *rows, int row, struct tv_error *err)
{
    struct tv_item_want *want;
    const char *mean = tv_pg_cell(rows, row, 3), *document = tv_pg_cell(rows, row, 4);
    enum tv_status status = tv_item_repair_add(t, atoll(tv_pg_cell(rows, row, 0)), &want, err);
    if (status != TV_OK)
        return status;
    want->rev = atoll(tv_pg_cell(rows, row, 1));
    want->n = atoll(tv_pg_cell(rows, row, 2));
    want->has_mean = mean != NULL;
    want->mean = mean ? strtod(mean, NULL) : 0;
    status = hash_whole(&want->hash, &document, tv_pg_cell(rows, row, 5), err);
    want->none = document == NULL;
    return status;
}

#define ROWS                                                                                                           \
    "SELECT item_id, coalesce((d->>'rev')::bigint, 0), (d->>'n')::bigint, (d->>'mean')::float8, document, core "       \
    "FROM (SELECT item_id, core::jsonb AS d, document, core FROM trivet.item_document) x "

/* A cursor WITH HOLD outlives the statement without a transaction around it, so rows come a thousand at a time, and
 * the client never holds all documents. */
enum tv_status tv_item_repair_expect(struct tv_item_repair *t, struct tv_error *err)
{
    struct tv_pg *pg = t->repair->journal;
    int n = 1;
    enum tv_status status =
        tv_pg_exec(pg, "DECLARE trivet_items CURSOR WITH HOLD FOR " ROWS "ORDER BY item_id", 0, NULL, err);
    if (status != TV_OK)
        return status;
    while (status == TV_OK && n > 0) {
        struct tv_pg_rows *rows = NULL;
        status = tv_pg_query(pg, "FETCH 1000 FROM trivet_items", 0, NULL, &rows, err);
        n = status == TV_OK ? tv_pg_rows_count(rows) : 0;
        for (int i = 0; i < n && status == TV_OK; i++)
            status = expect(t, rows, i, err);
        tv_pg_rows_free(rows);
    }
    enum tv_status closed = tv_pg_exec(pg, "CLOSE trivet_items", 0, NULL, status == TV_OK ? err : NULL);
    return status == TV_OK ? closed : status;
}

/* Writes the documents of some rows, without score_kind, which tv_repair_items then says of all documents that lack it.
 * A document of a higher rev than the row's stays: somebody counted meanwhile. */
static enum tv_status write_rows(struct tv_item_repair *t, const struct tv_pg_rows *rows, int from, int end,
                                 int64_t *written, struct tv_error *err)
{
    struct tv_mongo_document documents[BATCH];
    size_t n = 0;
    uint64_t hash;
    enum tv_status status = TV_OK;
    for (int i = from; i < end && status == TV_OK; i++) {
        const char *document = tv_pg_cell(rows, i, 4);
        status = hash_whole(&hash, &document, tv_pg_cell(rows, i, 5), err);
        if (document)
            documents[n++] = (struct tv_mongo_document){.id = atoll(tv_pg_cell(rows, i, 0)),
                                                        .value = atoll(tv_pg_cell(rows, i, 1)), .json = document};
    }
    *written += (int64_t)n;
    return status == TV_OK ? tv_mongo_replace_all(t->repair->stores->mongo, t->collection, "rev", documents, n, err) : status;
}

/* Reads the documents once more instead of having kept them: only hashes are in memory. */
static enum tv_status write_documents(struct tv_item_repair *t, const struct tv_repair_ids *list, int64_t *written,
                                      struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    if (list->n == 0)
        return TV_OK;
    enum tv_status status = tv_int_array(&ids, list->ids, list->n, err);
    const char *value = tv_buffer_string(&ids);
    if (status == TV_OK)
        status = tv_pg_query(t->repair->journal, ROWS "WHERE item_id = ANY ($1::bigint[])", 1, &value, &rows, err);
    int n = status == TV_OK ? tv_pg_rows_count(rows) : 0;
    for (int i = 0; i < n && status == TV_OK; i += BATCH)
        status = write_rows(t, rows, i, n - i < BATCH ? n : i + BATCH, written, err);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* Takes items off the list that Postgres has come to know since it was read, by a load or a rating. */
static enum tv_status still_unknown(struct tv_item_repair *t, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    size_t n = 0;
    if (t->unknown.n == 0)
        return TV_OK;
    enum tv_status status = tv_int_array(&ids, t->unknown.ids, t->unknown.n, err);
    const char *value = tv_buffer_string(&ids);
    if (status == TV_OK)
        status = tv_pg_query(t->repair->journal,
                             "SELECT i.item_id IS NOT NULL OR EXISTS (SELECT FROM trivet.rating r WHERE r.item_id = a.id) "
                             "FROM unnest($1::bigint[]) WITH ORDINALITY a (id, place) "
                             "LEFT JOIN trivet.item i ON i.item_id = a.id ORDER BY a.place",
                             1, &value, &rows, err);
    for (size_t i = 0; i < t->unknown.n && status == TV_OK; i++)
        if (tv_pg_cell(rows, (int)i, 0)[0] == 'f') {
            t->unknown.ids[n] = t->unknown.ids[i];
            t->unknown.revs[n++] = t->unknown.revs[i];
        }
    t->unknown.n = n;
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* Deletes only documents of no higher rev than was read, so one that was written meanwhile stays. */
static enum tv_status delete_unknown(struct tv_item_repair *t, struct tv_error *err)
{
    struct tv_mongo_document gone[BATCH];
    enum tv_status status = still_unknown(t, err);
    for (size_t i = 0; i < t->unknown.n && status == TV_OK; i += BATCH) {
        size_t n = t->unknown.n - i < BATCH ? t->unknown.n - i : BATCH;
        for (size_t j = 0; j < n; j++)
            gone[j] = (struct tv_mongo_document){.id = t->unknown.ids[i + j], .value = t->unknown.revs[i + j]};
        status = tv_mongo_delete_all(t->repair->stores->mongo, t->collection, "rev", gone, n, err);
    }
    return status;
}

/* Items without a document, except those whose document MongoDB cannot hold. */
static enum tv_status write_missing(struct tv_item_repair *t, struct tv_error *err)
{
    struct tv_repair_ids missing = {0};
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < t->n && status == TV_OK; i++)
        if (!t->found[i] && !t->want[i].none)
            status = tv_repair_keep(&missing, t->ids[i], 0, err);
    if (status == TV_OK)
        status = write_documents(t, &missing, &t->n_missing, err);
    tv_repair_ids_free(&missing);
    return status;
}

enum tv_status tv_item_repair_write(struct tv_item_repair *t, struct tv_error *err)
{
    int64_t again = 0;
    enum tv_status status = write_missing(t, err);
    if (status == TV_OK && t->same_loads)
        status = write_documents(t, &t->other, &again, err);
    return status == TV_OK && t->same_loads ? delete_unknown(t, err) : status;
}
