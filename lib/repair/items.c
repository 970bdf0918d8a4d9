/* items: every item of the data set that is loaded has its document in MongoDB's catalogue_<D>, and it says what Postgres
 * counts and knows of the item. Of the data sets that are away only MongoDB knows anything that could be compared.
 *
 * Postgres notes up to which change an item's n and mean are written (trivet.item_change.counted_rev). Without a
 * report only those claims are compared. With one, every document is, with one pass over the ratings: so counts
 * also follow a load that came since, and documents that were lost come back. Titles and all other fields are
 * compared, too. They are put right while Postgres holds what they were written from; after a load they wait for
 * the next training, like everything that the load brought.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/items.h"
#include "trivet/base/buffer.h"
#include "trivet/model/items.h"
#include "trivet/model/life/catalogue.h"
#include "trivet/model/life/needed.h"
#include "trivet/model/life/catch_up.h"
#include "trivet/model/life/fold_in_anew.h"
#include "trivet/model/model_redis.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/pg_rows.h"

/* Items asked for in one message to MongoDB, and items looked at without a report, which takes a fraction of a
 * second. */
enum { BATCH = 5000, QUICK = 50000 };

/* --- what is claimed -------------------------------------------------------------------------------------- */

/* A document older than Postgres claims is wrong; its n and mean are counted again. */
static enum tv_status take_rev(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct tv_item_repair *t = context;
    int64_t id = 0, rev = 0;
    if (!tv_mongo_doc_int(doc, "_id", &id))
        return TV_OK;
    int64_t place = tv_dense_find(t->ids, t->n, id);
    if (place < 0)
        return TV_OK;
    tv_mongo_doc_int(doc, "rev", &rev);
    t->found[place] = 1;
    t->n_documents++;
    return rev < t->want[place].rev ? tv_repair_keep(&t->wrong, id, rev, err) : TV_OK;
}

/* The items of which Postgres says that their counts are written, and up to which change. */
static enum tv_status read_claims(struct tv_item_repair *t, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_item_want *want;
    enum tv_status status = tv_pg_query(
        t->repair->journal,
        "SELECT item_id, counted_rev FROM trivet.item_change WHERE counted_rev > 0 ORDER BY item_id", 0, NULL, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        status = tv_item_repair_add(t, atoll(tv_pg_cell(rows, i, 0)), &want, err);
        if (status == TV_OK)
            want->rev = atoll(tv_pg_cell(rows, i, 1));
    }
    tv_pg_rows_free(rows);
    return status;
}

/* Only revs are read here, so it is quick, and it asks nothing of item documents that another trivet wrote. */
static enum tv_status compare_claims(struct tv_item_repair *t, struct tv_error *err)
{
    enum tv_status status = read_claims(t, err);
    if (t->repair->report == NULL && t->n > QUICK)
        t->n = QUICK;
    for (size_t i = 0; i < t->n && status == TV_OK; i += BATCH) {
        const struct tv_mongo_selection wanted = {.collection = t->collection,
                                                  .key = "_id",
                                                  .values = t->ids + i,
                                                  .n = t->n - i < BATCH ? t->n - i : BATCH,
                                                  .only = "rev"};
        status = tv_mongo_each_of(t->repair->stores->mongo, &wanted, take_rev, t, err);
    }
    return status;
}

/* --- everything ------------------------------------------------------------------------------------------- */

/* Both are avg(value) of Postgres, so they are compared bit for bit; an item without ratings has no mean. */
static int same_mean(const struct tv_mongo_doc *doc, const struct tv_item_want *want)
{
    double there;
    if (!tv_mongo_doc_real(doc, "mean", &there))
        return !want->has_mean;
    return want->has_mean && there == want->mean;
}

/* A document newer than what was read from Postgres is no damage yet: a rating may have come in between, so it is
 * looked at again. One of the same rev must have the same counts. */
static enum tv_status compare_counts(struct tv_item_repair *t, size_t place, const struct tv_mongo_doc *doc,
                                     struct tv_error *err)
{
    const struct tv_item_want *want = &t->want[place];
    int64_t rev = 0, n = -1;
    tv_mongo_doc_int(doc, "rev", &rev);
    if (rev > want->rev)
        return tv_repair_keep(&t->ahead, t->ids[place], rev, err);
    if (rev == want->rev && tv_mongo_doc_int(doc, "n", &n) && n == want->n && same_mean(doc, want))
        return TV_OK;
    return tv_repair_keep(&t->wrong, t->ids[place], rev, err);
}

/* A document of an item that Postgres had not heard of when it was read. What only kept models have is marked, and goes with them. */
static enum tv_status take_unknown(struct tv_item_repair *t, int64_t id, const struct tv_mongo_doc *doc,
                                   struct tv_error *err)
{
    int64_t rev = 0;
    if (tv_mongo_doc_has(doc, TV_NEEDED_GONE))
        return TV_OK;
    tv_mongo_doc_int(doc, "rev", &rev);
    return tv_repair_keep(&t->unknown, id, rev, err);
}

/* One document beside what Postgres says. Fields and counts are compared apart, because they are mended in
 * different ways. */
static enum tv_status take_document(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct tv_item_repair *t = context;
    int64_t id = 0;
    const char *score = NULL;
    t->n_documents++;
    if (!tv_mongo_doc_int(doc, "_id", &id)) {
        t->n_strangers++;
        return TV_OK;
    }
    int64_t place = tv_dense_find(t->ids, t->n, id);
    if (place < 0)
        return take_unknown(t, id, doc, err);
    t->found[place] = 1;
    t->n_scores += t->score && (!tv_mongo_doc_text(doc, "score_kind", &score) || strcmp(score, t->score) != 0);
    enum tv_status status = TV_OK;
    if (!t->want[place].none && tv_item_repair_hash(doc) != t->want[place].hash)
        status = tv_repair_keep(&t->other, id, 0, err);
    return status == TV_OK ? compare_counts(t, (size_t)place, doc, err) : status;
}

/* The newest whole training of the data set that is loaded, as a relation with its start. */
#define NEWEST_FIT                                                                                                     \
    "(SELECT max(started_at) AS started_at FROM trivet.run WHERE kind = 'fit' AND state IN ('kept', 'activating', "      \
    "'live', 'pruned') AND dataset = trivet.current_dataset()) s"

/* Whether Postgres still holds the titles and fields that the documents were written from, which the newest training
 * that made a model did. An import since, or a load since the training began, makes the answer no. */
static enum tv_status know_loads(struct tv_item_repair *t, struct tv_error *err)
{
    int64_t same = 0;
    enum tv_status status =
        tv_pg_int(t->repair->journal,
                  "SELECT (s.started_at IS NOT NULL AND NOT EXISTS (SELECT FROM trivet.run WHERE kind = 'import' AND "
                  "finished_at > s.started_at AND dataset = trivet.current_dataset()) AND NOT EXISTS (SELECT FROM trivet.load "
                  "WHERE state IN ('complete', 'replaced') AND finished_at > s.started_at AND dataset = trivet.current_dataset()))"
                  "::int FROM " NEWEST_FIT,
                  0, NULL, &same, err);
    t->same_loads = same != 0;
    return status;
}

/* The thorough look: how each document should be is read first, with one pass over the ratings, and then every
 * document once. */
static enum tv_status compare_all(struct tv_item_repair *t, struct tv_error *err)
{
    enum tv_status status = know_loads(t, err);
    if (status == TV_OK)
        status = tv_item_repair_expect(t, err);
    return status == TV_OK ? tv_mongo_each(t->repair->stores->mongo, t->collection, take_document, t, err) : status;
}

/* --- what is done about it -------------------------------------------------------------------------------- */

/* Asks Postgres once more about documents that were ahead of it. A document that still is, as after a restore of an
 * older backup, would keep new counts out: its rev becomes 0, and the item is counted again. */
static enum tv_status look_again(struct tv_item_repair *t, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    struct tv_repair_ids still = {0};
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
            status = tv_repair_keep(&still, t->ahead.ids[i], t->ahead.revs[i], err);
    if (status == TV_OK)
        status = tv_repair_lower(t->repair, t->collection, &still, err);
    for (size_t i = 0; i < still.n && status == TV_OK; i++)
        status = tv_repair_keep(&t->wrong, still.ids[i], 0, err);
    tv_repair_ids_free(&still);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* Postgres counts the wrong items once more instead of writing what was read, for a rating may have come meanwhile. */
static enum tv_status count_again(struct tv_item_repair *t, struct tv_error *err)
{
    struct tv_catch_up_work work = {0};
    if (t->wrong.n == 0)
        return TV_OK;
    return tv_catch_up_recount(&work, t->repair->journal, t->repair->stores->mongo, t->wrong.ids, t->wrong.n, err);
}

/* Other fields and unknown items are mended only with same_loads (tv_item_repair_write); otherwise they are no damage,
 * and only the report has them. */
static void tell_other(struct tv_item_repair *t)
{
    struct tv_repair *r = t->repair;
    if (t->same_loads && t->other.n > 0)
        tv_repair_did(r, "%zu items had another title, or other fields, than in Postgres: written from there",
                      t->other.n);
    if (t->same_loads && t->unknown.n > 0)
        tv_repair_did(r, "%zu documents of items that Postgres does not know: deleted", t->unknown.n);
    if (t->n_scores > 0)
        tv_repair_did(r, "%" PRId64 " items did not say what a score of the live model is: they do", t->n_scores);
    if (t->n_strangers > 0)
        tv_repair_problem(r,
                          "MongoDB's %s has %" PRId64
                          " documents that trivet did not write, and leaves alone; if nobody "
                          "needs them: db.%s.deleteMany({_id: {$not: {$type: \"number\"}}})",
                          t->collection, t->n_strangers, t->collection);
    if (!t->same_loads && t->other.n > 0)
        tv_repair_say(r,
                      "items: %zu have other fields than Postgres, where loads came since they were written: the next "
                      "trivet-train fit writes them",
                      t->other.n);
}

static void tell(struct tv_item_repair *t)
{
    struct tv_repair *r = t->repair;
    if (t->wrong.n > 0)
        tv_repair_did(r, "%zu items had another count or mean than their ratings: counted again", t->wrong.n);
    if (t->n_missing > 0)
        tv_repair_did(r, "%" PRId64 " items had no document: written from Postgres", t->n_missing);
    tell_other(t);
    tv_repair_say(r,
                  "items: %" PRId64
                  " documents read, %zu counted otherwise than Postgres, %zu with other fields and %" PRId64
                  " were missing; %zu of items that Postgres does not know",
                  t->n_documents, t->wrong.n, t->other.n, t->n_missing, t->unknown.n);
}

static void free_items(struct tv_item_repair *t)
{
    tv_repair_ids_free(&t->ahead);
    tv_repair_ids_free(&t->wrong);
    tv_repair_ids_free(&t->other);
    tv_repair_ids_free(&t->unknown);
    free(t->ids);
    free(t->want);
    free(t->found);
}

/* Imported models bring the item documents of another trivet. Where nothing was trained here, Postgres knows only the
 * items that were rated here: then its claims alone can be compared. */
static enum tv_status compare(struct tv_item_repair *t, struct tv_error *err)
{
    int64_t here = 0;
    if (t->repair->report == NULL)
        return compare_claims(t, err);
    enum tv_status status =
        tv_pg_int(t->repair->journal, "SELECT (s.started_at IS NOT NULL)::int FROM " NEWEST_FIT, 0, NULL, &here, err);
    if (status != TV_OK)
        return status;
    return here ? compare_all(t, err) : compare_claims(t, err);
}

static enum tv_status look_and_mend(struct tv_item_repair *t, struct tv_error *err)
{
    enum tv_status status = compare(t, err);
    if (status == TV_OK)
        status = look_again(t, err);
    if (status == TV_OK)
        status = count_again(t, err);
    return status == TV_OK ? tv_item_repair_write(t, err) : status;
}

/* Without a model of the data set, live or kept, there need not be documents. */
static enum tv_status has_models(struct tv_repair *r, int64_t *n, struct tv_error *err)
{
    return tv_pg_int(r->journal,
                     "SELECT count(*) FROM trivet.run WHERE state IN ('kept', 'activating', 'live') AND kind IN ('fit', 'import') "
                     "AND dataset = trivet.current_dataset()",
                     0, NULL, n, err);
}

/* score_kind is put right for all documents at once, at the end, and not document by document: MongoDB changes those
 * that lack it with one message. */
static enum tv_status look_at_loaded(struct tv_item_repair *t, const struct tv_model *live, struct tv_error *err)
{
    int64_t n_models = 0;
    enum tv_status status = has_models(t->repair, &n_models, err);
    if (status != TV_OK || n_models == 0)
        return status;
    tv_items_collection(t->collection, t->repair->loaded);
    t->score = live && tv_repair_live_is_loaded(t->repair) ? live->score_kind : NULL;
    status = look_and_mend(t, err);
    if (status == TV_OK && live)
        status = tv_catalogue_say_score(t->repair->stores->mongo, live, err);
    if (status == TV_OK)
        tell(t);
    return status;
}

enum tv_status tv_repair_items(struct tv_repair *r, struct tv_error *err)
{
    struct tv_item_repair t = {.repair = r};
    struct tv_model *m = NULL;
    enum tv_status status = TV_OK;
    if (r->report && r->live > 0)
        status = tv_model_read_redis(&m, r->stores->redis, r->live, err);
    if (status == TV_OK)
        status = look_at_loaded(&t, m, err);
    free_items(&t);
    tv_model_free(m);
    return status;
}
