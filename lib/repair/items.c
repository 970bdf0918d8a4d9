/* items: every item has its document in MongoDB's `item`, and it says what Postgres counts.
 *
 * Postgres notes up to which change an item's n and mean are written (trivet.item_change.counted_rev). Without a report
 * only those claims are compared. With one, every document is, with one pass over the ratings: so counts also follow
 * what came with a load since, and documents that were lost come back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/parts.h"
#include "trivet/base/buffer.h"
#include "trivet/model/life/live.h"
#include "trivet/model/life/refold.h"

/* Without a report, so many items are looked at as take a fraction of a second. */
enum { BATCH = 5000, QUICK = 50000 };

struct items {
    struct repair *repair;
    struct tv_pg_rows *rows; /* item, rev, n, mean; ascending */
    int64_t *ids;            /* (n) the first column */
    char *found;             /* (n) 1: a document, which agrees or is mended */
    size_t n;
    struct repair_ids ahead; /* documents of a higher rev than Postgres has */
    struct repair_ids wrong; /* whose n, mean or rev is another */
    int64_t n_documents, n_unknown;
};

static int64_t number(const struct items *t, size_t row, int column)
{
    return atoll(tv_pg_cell(t->rows, (int)row, column));
}

static enum tv_status ask(struct items *t, const char *sql, struct tv_error *err)
{
    enum tv_status status = tv_pg_query(t->repair->journal, sql, 0, NULL, &t->rows, err);
    if (status != TV_OK)
        return status;
    size_t n = (size_t)tv_pg_rows_count(t->rows);
    t->ids = tv_alloc(n + 1, sizeof *t->ids, "items", err);
    t->found = tv_alloc(n + 1, 1, "items", err);
    if (t->ids == NULL || t->found == NULL)
        return TV_ERR_NO_MEMORY;
    for (; t->n < n; t->n++)
        t->ids[t->n] = number(t, t->n, 0);
    return TV_OK;
}

/* --- what is claimed -------------------------------------------------------------------------------------- */

static enum tv_status take_rev(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct items *t = context;
    int64_t id = 0, rev = 0;
    if (!tv_mongo_doc_int(doc, "_id", &id))
        return TV_OK;
    int64_t place = tv_dense_find(t->ids, t->n, id);
    if (place < 0)
        return TV_OK;
    tv_mongo_doc_int(doc, "rev", &rev);
    t->found[place] = 1;
    t->n_documents++;
    return rev < number(t, (size_t)place, 1) ? repair_keep(&t->wrong, id, rev, err) : TV_OK;
}

static enum tv_status compare_claims(struct items *t, struct tv_error *err)
{
    enum tv_status status =
        ask(t, "SELECT item_id, counted_rev FROM trivet.item_change WHERE counted_rev > 0 ORDER BY item_id", err);
    if (t->repair->report == NULL && t->n > QUICK)
        t->n = QUICK;
    for (size_t i = 0; i < t->n && status == TV_OK; i += BATCH)
        status = tv_mongo_each_field(t->repair->stores->mongo, "item", "rev", t->ids + i,
                                     t->n - i < BATCH ? t->n - i : BATCH, take_rev, t, err);
    return status;
}

/* --- everything ------------------------------------------------------------------------------------------- */

static int same_mean(const struct tv_mongo_doc *doc, const char *mean)
{
    double there;
    if (!tv_mongo_doc_real(doc, "mean", &there))
        return mean == NULL;
    return mean && there == strtod(mean, NULL);
}

/* A document newer than what was read here is looked at again. */
static enum tv_status take_document(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct items *t = context;
    int64_t id = 0, rev = 0, n = -1;
    t->n_documents++;
    int64_t place = tv_mongo_doc_int(doc, "_id", &id) ? tv_dense_find(t->ids, t->n, id) : -1;
    if (place < 0) {
        t->n_unknown++;
        return TV_OK;
    }
    t->found[place] = 1;
    tv_mongo_doc_int(doc, "rev", &rev);
    if (rev > number(t, (size_t)place, 1))
        return repair_keep(&t->ahead, id, rev, err);
    if (rev == number(t, (size_t)place, 1) && tv_mongo_doc_int(doc, "n", &n) && n == number(t, (size_t)place, 2) &&
        same_mean(doc, tv_pg_cell(t->rows, (int)place, 3)))
        return TV_OK;
    return repair_keep(&t->wrong, id, rev, err);
}

static enum tv_status compare_all(struct items *t, struct tv_error *err)
{
    static const char sql[] =
        "SELECT item_id, coalesce((d->>'rev')::bigint, 0), (d->>'n')::bigint, (d->>'mean')::float8 "
        "FROM (SELECT item_id, document::jsonb AS d FROM trivet.item_document) x ORDER BY item_id";
    enum tv_status status = ask(t, sql, err);
    return status == TV_OK ? tv_mongo_each(t->repair->stores->mongo, "item", take_document, t, err) : status;
}

/* --- what is done about it -------------------------------------------------------------------------------- */

/* Those that Postgres has not caught up with since, as after a restore of an older backup, are wrong. */
static enum tv_status look_again(struct items *t, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    struct repair_ids still = {0};
    if (t->ahead.n == 0)
        return TV_OK;
    enum tv_status status = tv_int_array(&ids, t->ahead.ids, t->ahead.n, err);
    const char *value = tv_buffer_string(&ids);
    if (status == TV_OK)
        status = tv_pg_query(t->repair->journal,
                             "SELECT coalesce(c.rev, 0) FROM unnest($1::bigint[]) WITH ORDINALITY a (id, place) "
                             "LEFT JOIN trivet.item_change c ON c.item_id = a.id ORDER BY a.place",
                             1, &value, &rows, err);
    for (size_t i = 0; i < t->ahead.n && status == TV_OK; i++)
        if (t->ahead.revs[i] > atoll(tv_pg_cell(rows, (int)i, 0)))
            status = repair_keep(&still, t->ahead.ids[i], t->ahead.revs[i], err);
    if (status == TV_OK)
        status = repair_lower(t->repair, "item", &still, err);
    for (size_t i = 0; i < still.n && status == TV_OK; i++)
        status = repair_keep(&t->wrong, still.ids[i], 0, err);
    repair_ids_free(&still);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* Postgres counts them once more, for a rating may have come meanwhile. */
static enum tv_status count_again(struct items *t, struct tv_error *err)
{
    struct tv_live_work work = {0};
    if (t->wrong.n == 0)
        return TV_OK;
    return tv_live_recount(&work, t->repair->journal, t->repair->stores->mongo, t->wrong.ids, t->wrong.n, err);
}

/* The documents of items that have none, but for score_kind, which the live model says. */
static enum tv_status write_documents(struct items *t, const char *ids, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_mongo_bulk *bulk = NULL;
    enum tv_status status =
        tv_pg_query(t->repair->journal, "SELECT document FROM trivet.item_document WHERE item_id = ANY ($1::bigint[])",
                    1, &ids, &rows, err);
    if (status == TV_OK)
        status = tv_mongo_bulk_begin(&bulk, t->repair->stores->mongo, "item", err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        const char *document = tv_pg_cell(rows, i, 0);
        status = tv_mongo_bulk_add_json(bulk, document, strlen(document), err);
    }
    enum tv_status ended = tv_mongo_bulk_end(bulk, status == TV_OK ? err : NULL);
    tv_pg_rows_free(rows);
    return status == TV_OK ? ended : status;
}

static enum tv_status say_score(struct repair *r, struct tv_error *err)
{
    struct tv_model *m = NULL;
    enum tv_status status = tv_model_read_redis(&m, r->stores->redis, r->live, err);
    if (status == TV_OK)
        status = tv_lifecycle_say_score(r->stores, m, err);
    tv_model_free(m);
    return status;
}

static enum tv_status bring_back(struct items *t, int64_t *n, struct tv_error *err)
{
    struct repair_ids missing = {0};
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < t->n && status == TV_OK; i++)
        if (!t->found[i])
            status = repair_keep(&missing, t->ids[i], 0, err);
    *n = (int64_t)missing.n;
    if (status == TV_OK && missing.n > 0)
        status = tv_int_array(&ids, missing.ids, missing.n, err);
    if (status == TV_OK && missing.n > 0)
        status = write_documents(t, tv_buffer_string(&ids), err);
    if (status == TV_OK && t->repair->report)
        status = say_score(t->repair, err);
    repair_ids_free(&missing);
    tv_buffer_free(&ids);
    return status;
}

static void tell(struct items *t, int64_t missing)
{
    struct repair *r = t->repair;
    if (t->wrong.n > 0)
        repair_did(r, "%zu items had another count or mean than their ratings: counted again", t->wrong.n);
    if (missing > 0)
        repair_did(r, "%" PRId64 " items had no document: written from Postgres", missing);
    repair_say(r,
               "items: %" PRId64 " documents read, %zu counted otherwise than Postgres and %" PRId64
               " were missing%s; %" PRId64 " of items that Postgres does not know",
               t->n_documents, t->wrong.n, missing, t->wrong.n || missing ? ": written" : "", t->n_unknown);
}

static void free_items(struct items *t)
{
    tv_pg_rows_free(t->rows);
    repair_ids_free(&t->ahead);
    repair_ids_free(&t->wrong);
    free(t->ids);
    free(t->found);
}

/* An imported model brings the item documents of another trivet: of those only what was rated here is known here. */
static enum tv_status compare(struct items *t, struct tv_error *err)
{
    char number_text[24];
    const char *value = number_text;
    int64_t here = 0;
    if (t->repair->report == NULL)
        return compare_claims(t, err);
    snprintf(number_text, sizeof number_text, "%" PRId64, t->repair->live);
    enum tv_status status =
        tv_pg_int(t->repair->journal, "SELECT count(*) FROM trivet.run WHERE id = $1 AND kind <> 'import'", 1, &value,
                  &here, err);
    if (status != TV_OK)
        return status;
    return here ? compare_all(t, err) : compare_claims(t, err);
}

enum tv_status repair_items(struct repair *r, struct tv_error *err)
{
    struct items t = {.repair = r};
    int64_t missing = 0;
    if (r->live == 0)
        return TV_OK;
    enum tv_status status = compare(&t, err);
    if (status == TV_OK)
        status = look_again(&t, err);
    if (status == TV_OK)
        status = count_again(&t, err);
    if (status == TV_OK)
        status = bring_back(&t, &missing, err);
    if (status == TV_OK)
        tell(&t, missing);
    free_items(&t);
    return status;
}
