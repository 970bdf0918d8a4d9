/* users: every user of the live model has a document, it can be read, and it is as new as Postgres says it is.
 *
 * Postgres says which user's document is written up to which rev (trivet.user_change.folded_rev). A document that is
 * older, or missing, or damaged, makes that a lie: the user is noted as waiting, and folded in like everybody who
 * waits. A rev ahead of Postgres's, as after a restore of an older backup, would keep new ratings out: it is lowered.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/repair/inside.h"
#include "trivet/base/buffer.h"
#include "trivet/base/code.h"
#include "trivet/cli/progress.h"
#include "trivet/model/life/catch_up.h"
#include "trivet/model/life/fold_in_anew.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/user_document.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

/* Users asked for in one message to MongoDB, and users looked at without a report, which takes a fraction of a
 * second. */
enum { BATCH = 5000, QUICK = 50000 };

/* One look at the live model's users. A claim is what Postgres says: that a user's document is written up to a rev. */
struct users {
    struct tv_repair *repair;
    char collection[TV_MODEL_NAME];
    struct tv_changes claims;     /* ascending: everybody who is said to have a document, and up to which rev */
    struct tv_changes revs;       /* the same users, and how far Postgres is */
    char *seen;                   /* (claims.n) 1: a document as new as is claimed */
    struct tv_repair_ids ahead;   /* documents of a higher rev than Postgres had: lowered, if it still has not */
    struct tv_repair_ids again;   /* users with a document that is folded in anew; ascending while documents are read */
    struct tv_repair_ids missing; /* users without a document that is as new as is claimed */
    /* documents of the rev that Postgres has, which are to be what the ratings make of them */
    struct tv_repair_ids current;
    struct tv_repair_ids codes; /* documents with another code than trivet.code has */
    int compared;               /* 1: they were compared with the ratings */
    int can_fold;               /* the journal knows what users of the model are folded in from */
    int factors;                /* of the model; 0: documents are not decoded */
    int32_t n_items;
    int64_t n_documents, n_strangers, n_damaged, n_other, n_lost_codes;
    struct tv_progress progress;
};

/* --- what Postgres says ----------------------------------------------------------------------------------- */

/* Users with single ratings whose document is said to be written. */
#define CLAIMED "SELECT user_id, folded_rev, rev FROM trivet.user_change WHERE folded_rev > 0"

/* The claims above, and everybody the training knew: the users of its evidence with ratings of loads that were
 * complete when it began, whose documents it wrote. Users who still wait are left out of the second half, because
 * nothing is claimed of them. */
#define EVERYBODY                                                                                                      \
    "SELECT user_id, coalesce(c.folded_rev, 0), coalesce(c.rev, 0) FROM (" CLAIMED                                     \
    ") c FULL JOIN (SELECT DISTINCT x.user_id "                                                                        \
    "FROM (%s) x (user_id, item_id, value) WHERE x.user_id IN (SELECT g.user_id FROM trivet.rating g JOIN "            \
    "trivet.load l ON "                                                                                                \
    "l.id = g.load_id JOIN trivet.run n ON n.id = %s AND l.finished_at <= n.started_at) AND NOT EXISTS (SELECT FROM "  \
    "trivet.user_change w WHERE w.user_id = x.user_id AND w.rev > w.folded_rev)) e USING (user_id) ORDER BY user_id"

/* The statement that lists the claims. Everybody is listed for a thorough look at a model that was trained here from
 * ratings in Postgres; an imported model has other users, and an analyst's own SQL can only be read for one user at a
 * time. Then, and without a report, only users with single ratings are. */
static enum tv_status describe_claims(struct users *u, struct tv_buffer *sql, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, u->repair->live);
    enum tv_status status =
        tv_pg_query(u->repair->journal,
                    "SELECT trivet.evidence_query(id), kind = 'fit' AND evidence IS NULL AND snapshot IS NOT "
                    "NULL FROM trivet.run WHERE id = $1",
                    1, &value, &rows, err);
    const char *evidence = status == TV_OK && tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    u->can_fold = evidence != NULL;
    if (status == TV_OK && evidence && u->repair->report && strcmp(tv_pg_cell(rows, 0, 1), "t") == 0)
        status = tv_buffer_format(sql, err, EVERYBODY, evidence, number);
    else if (status == TV_OK)
        status = tv_buffer_text(sql, CLAIMED " ORDER BY user_id", err);
    tv_pg_rows_free(rows);
    return status;
}

/* The arrays are never empty, so that no user at all is not taken for a failed allocation. */
static enum tv_status make_room(struct users *u, size_t n, struct tv_error *err)
{
    u->claims.ids = tv_alloc(n + 1, sizeof *u->claims.ids, "users", err);
    u->claims.revs = tv_alloc(n + 1, sizeof *u->claims.revs, "users", err);
    u->revs.revs = tv_alloc(n + 1, sizeof *u->revs.revs, "users", err);
    u->seen = tv_alloc(n + 1, 1, "users", err);
    return u->claims.ids && u->claims.revs && u->revs.revs && u->seen ? TV_OK : TV_ERR_NO_MEMORY;
}

static enum tv_status read_claims(struct users *u, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = describe_claims(u, &sql, err);
    if (status == TV_OK)
        status = tv_pg_query(u->repair->journal, tv_buffer_string(&sql), 0, NULL, &rows, err);
    if (status == TV_OK)
        status = make_room(u, (size_t)tv_pg_rows_count(rows), err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        u->claims.ids[i] = atoll(tv_pg_cell(rows, i, 0));
        u->claims.revs[i] = atoll(tv_pg_cell(rows, i, 1));
        u->revs.revs[i] = atoll(tv_pg_cell(rows, i, 2));
        u->claims.n++;
    }
    tv_pg_rows_free(rows);
    tv_buffer_free(&sql);
    return status;
}

/* --- what MongoDB has ------------------------------------------------------------------------------------- */

/* Whether the document can be read as a server would read it: a damaged one is a finding, and only a store that fails
 * is a failure. The longest stored list is noted in passing, because `trivet-train repair` compares such lists with
 * what the model gives afterwards. */
static enum tv_status decode(const struct users *u, const struct tv_mongo_doc *doc, int *whole, struct tv_error *err)
{
    struct tv_user_document *read = NULL;
    enum tv_status status =
        tv_user_document_read(&read, u->repair->stores->mongo, u->repair->live, doc, u->factors, u->n_items, err);
    if (tv_user_document_has_list(doc)) { /* one that cannot be read counts as well */
        int64_t n = read && read->n_top > 0 ? (int64_t)read->n_top : 1;
        u->repair->longest_list = n > u->repair->longest_list ? n : u->repair->longest_list;
    }
    tv_user_document_free(read);
    *whole = status == TV_OK;
    return status == TV_ERR_CORRUPT ? TV_OK : status;
}

/* Sorts one document by its rev. A user that no claim is about (new with a later load, or waiting for the first
 * time) counts as rev 0 here; whether such a document is truly ahead is asked once more at the end, in look_again. */
static enum tv_status take_user(struct users *u, int64_t id, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    int64_t rev = 0, place = tv_dense_find(u->claims.ids, u->claims.n, id),
            known = place >= 0 ? u->revs.revs[place] : 0;
    int whole = tv_mongo_doc_int(doc, "rev", &rev);
    enum tv_status status = whole && u->factors > 0 ? decode(u, doc, &whole, err) : TV_OK;
    if (status != TV_OK)
        return status;
    if (!whole) {
        u->n_damaged++;
        return tv_repair_keep(&u->again, id, rev, err);
    }
    if (rev > known)
        return tv_repair_keep(&u->ahead, id, rev, err);
    if (place >= 0)
        u->seen[place] = rev >= u->claims.revs[place];
    return rev == known && u->repair->report ? tv_repair_keep(&u->current, id, rev, err) : TV_OK;
}

static enum tv_status take_document(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct users *u = context;
    int64_t id = 0;
    u->n_documents++;
    tv_progress_update(&u->progress, (double)u->n_documents);
    if (tv_mongo_doc_int(doc, "_id", &id))
        return take_user(u, id, doc, err);
    u->n_strangers++;
    return TV_OK;
}

/* Every document of the live model's users, once; the description is read first, because decoding checks a document
 * against the model's sizes. */
static enum tv_status read_all(struct users *u, struct tv_error *err)
{
    struct tv_mongo_doc *doc = NULL;
    struct tv_model *m = NULL;
    char name[TV_MODEL_NAME];
    struct tv_repair *r = u->repair;
    enum tv_status status =
        tv_mongo_find_text(r->stores->mongo, tv_model_parts(name, r->live), "_id", "description", &doc, err);
    if (status == TV_OK)
        status = tv_model_from_description(&m, r->live, doc, err);
    if (status == TV_OK) {
        u->factors = m->factors;
        u->n_items = m->n_items;
        tv_progress_start(&u->progress, "reading users", "users", (double)m->n_users);
        status = tv_mongo_each(r->stores->mongo, u->collection, take_document, u, err);
        tv_progress_end(&u->progress);
    }
    tv_model_free(m);
    tv_mongo_doc_free(doc);
    return status;
}

/* Only the rev of users with a claim, at most QUICK of them: what every command can afford before it begins. The
 * claims beyond are forgotten, or they would be taken for missing documents. */
static enum tv_status read_claimed(struct users *u, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    tv_progress_start(&u->progress, "reading users", "users", (double)u->claims.n);
    for (size_t i = 0; i < u->claims.n && i < QUICK && status == TV_OK; i += BATCH) {
        const struct tv_mongo_selection wanted = {.collection = u->collection,
                                                  .key = "_id",
                                                  .values = u->claims.ids + i,
                                                  .n = u->claims.n - i < BATCH ? u->claims.n - i : BATCH,
                                                  .only = "rev"};
        status = tv_mongo_each_of(u->repair->stores->mongo, &wanted, take_document, u, err);
    }
    tv_progress_end(&u->progress);
    if (u->claims.n > QUICK)
        u->claims.n = QUICK;
    return status;
}

/* --- are documents what the ratings make of them? ---------------------------------------------------------- */

/* A document whose code trivet.code no longer has. If the id is of the range that codes get, the document may be the
 * last to know the code, so it stays and is told; an integer id never had a code, and one in its document is
 * removed. */
static int is_last_word(int64_t id, enum tv_fold_in_difference difference)
{
    return difference == TV_FOLD_IN_LOST_CODE && id >= TV_CODE_FIRST && id < TV_CODE_END;
}

/* Every difference makes the user be folded in again; a wrong code needs more (write_codes). */
static enum tv_status take_difference(struct users *u, int64_t id, int64_t rev, enum tv_fold_in_difference difference,
                                      struct tv_error *err)
{
    if (difference == TV_FOLD_IN_SAME)
        return TV_OK;
    if (is_last_word(id, difference)) {
        u->n_lost_codes++;
        return TV_OK;
    }
    u->n_other++;
    enum tv_status status = tv_repair_keep(&u->again, id, rev, err);
    return status == TV_OK && difference != TV_FOLD_IN_OTHER ? tv_repair_keep(&u->codes, id, rev, err) : status;
}

/* Sets the code of documents to what Postgres has, or removes it where Postgres has none: folding in leaves the
 * code of a document as it is. Rows are in the order of u->codes. A document that has become newer meanwhile is
 * left to the next repair. */
static enum tv_status write_codes(struct users *u, const struct tv_pg_rows *rows, struct tv_error *err)
{
    static const char *const name[] = {"code"};
    int64_t written = 0;
    struct tv_mongo_field *codes = tv_alloc(u->codes.n, sizeof *codes, "codes", err);
    struct tv_mongo_update *updates = tv_alloc(u->codes.n, sizeof *updates, "codes", err);
    enum tv_status status = codes && updates ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < u->codes.n && status == TV_OK; i++) {
        const char *code = tv_pg_cell(rows, (int)i, 0);
        codes[i] = (struct tv_mongo_field){.name = "code", .type = TV_MONGO_FIELD_TEXT, .text = code};
        updates[i] = (struct tv_mongo_update){.id = u->codes.ids[i],
                                              .guard = "rev",
                                              .value = u->codes.revs[i],
                                              .or_equal = 1,
                                              .set = &codes[i],
                                              .n_set = code != NULL,
                                              .unset = name,
                                              .n_unset = code == NULL};
    }
    if (status == TV_OK)
        status = tv_mongo_update_newer_all(u->repair->stores->mongo, u->collection, updates, u->codes.n, &written, NULL,
                                           err);
    free(codes);
    free(updates);
    return status;
}

/* The codes of all these users in one question, in their order. */
static enum tv_status mend_codes(struct users *u, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    if (u->codes.n == 0)
        return TV_OK;
    enum tv_status status = tv_int_array(&ids, u->codes.ids, u->codes.n, err);
    const char *value = tv_buffer_string(&ids);
    if (status == TV_OK)
        status = tv_pg_query(u->repair->journal,
                             "SELECT c.code FROM unnest($1::bigint[]) WITH ORDINALITY a (id, place) "
                             "LEFT JOIN trivet.code c ON c.kind = 'user' AND c.id = a.id ORDER BY a.place",
                             1, &value, &rows, err);
    if (status == TV_OK)
        status = write_codes(u, rows, err);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* Folds every user whose document has the rev of Postgres in again and compares: such a document may still be wrong,
 * by a damaged disk or somebody's hand. u->compared stays 0 where that is impossible. */
static enum tv_status compare_current(struct users *u, struct tv_error *err)
{
    char *differs = tv_alloc(u->current.n + 1, 1, "users", err);
    if (differs == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = tv_lifecycle_compare_users(u->repair->stores, u->repair->live, u->current.ids,
                                                       u->current.n, differs, &u->compared, err);
    for (size_t i = 0; u->compared && i < u->current.n && status == TV_OK; i++)
        status = take_difference(u, u->current.ids[i], u->current.revs[i], (enum tv_fold_in_difference)differs[i], err);
    free(differs);
    return status == TV_OK ? mend_codes(u, err) : status;
}

/* --- what is done about it -------------------------------------------------------------------------------- */

/* A rating between the reading of Postgres and that of MongoDB makes a document newer than what Postgres had said,
 * and Postgres says so by now. Documents that are still ahead come from a Postgres that was restored to an older
 * state: their users are folded in anew. */
static enum tv_status settle_ahead(struct users *u, const struct tv_pg_rows *rows, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < u->ahead.n && status == TV_OK; i++)
        if (u->ahead.revs[i] > atoll(tv_pg_cell(rows, (int)i, 0)))
            status = tv_repair_keep(&u->again, u->ahead.ids[i], u->ahead.revs[i], err);
    return status;
}

/* Asks Postgres once more about the users whose documents were ahead of it. */
static enum tv_status look_again(struct users *u, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    if (u->ahead.n == 0)
        return TV_OK;
    enum tv_status status = tv_int_array(&ids, u->ahead.ids, u->ahead.n, err);
    const char *value = tv_buffer_string(&ids);
    if (status == TV_OK)
        status = tv_pg_query(u->repair->journal,
                             "SELECT coalesce(c.rev, 0) FROM unnest($1::bigint[]) WITH ORDINALITY a (id, place) "
                             "LEFT JOIN trivet.user_change c ON c.user_id = a.id ORDER BY a.place",
                             1, &value, &rows, err);
    if (status == TV_OK)
        status = settle_ahead(u, rows, err);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* Claims that no document backed. Both lists are still ascending here, so they are searched by halves; users on them
 * have a document that is dealt with otherwise. */
static enum tv_status add_missing(struct users *u, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < u->claims.n && status == TV_OK; i++)
        if (!u->seen[i] && tv_dense_find(u->again.ids, u->again.n, u->claims.ids[i]) < 0 &&
            tv_dense_find(u->ahead.ids, u->ahead.n, u->claims.ids[i]) < 0)
            status = tv_repair_keep(&u->missing, u->claims.ids[i], 0, err);
    return status;
}

/* Enters users as waiting, like everybody whose ratings changed, and folds in everybody who waits. A user without a
 * single rating gets rev 1, so that the new document is newer than one of rev 0. *left counts those of them who wait
 * still. */
static enum tv_status wait_again(struct users *u, const char *ids, int64_t *left, struct tv_error *err)
{
    enum tv_status status = tv_pg_exec(
        u->repair->journal,
        "INSERT INTO trivet.user_change AS c (user_id, rev, xid) SELECT i, 1, pg_current_xact_id() FROM "
        "unnest($1::bigint[]) i ON CONFLICT (user_id) DO UPDATE SET rev = greatest(c.rev, 1), folded_rev = 0",
        1, &ids, err);
    int64_t folded = 0, unwritten = 0; /* the latter are among those who are left */
    if (status == TV_OK)
        status = tv_lifecycle_fold_in_waiting(u->repair->stores, u->repair->live, &folded, &unwritten, err);
    if (status == TV_OK)
        status =
            tv_pg_int(u->repair->journal,
                      "SELECT count(*) FROM trivet.user_change WHERE rev > folded_rev AND user_id = ANY ($1::bigint[])",
                      1, &ids, left, err);
    return status;
}

/* *n users have no document that is as new as was claimed, or one that is wrong; of them *left cannot be folded in,
 * which are all where the journal does not know what users of the model are folded in from. */
static enum tv_status fold_again(struct users *u, int64_t *n, int64_t *left, struct tv_error *err)
{
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    enum tv_status status = u->can_fold ? tv_repair_lower(u->repair, u->collection, &u->again, err) : TV_OK;
    for (size_t i = 0; i < u->missing.n && status == TV_OK; i++)
        status = tv_repair_keep(&u->again, u->missing.ids[i], 0, err);
    *n = *left = (int64_t)u->again.n;
    if (status == TV_OK && u->again.n > 0 && u->can_fold) {
        status = tv_int_array(&ids, u->again.ids, u->again.n, err);
        if (status == TV_OK)
            status = wait_again(u, tv_buffer_string(&ids), left, err);
    }
    tv_buffer_free(&ids);
    return status;
}

static void tell(struct users *u, int64_t n, int64_t left)
{
    struct tv_repair *r = u->repair;
    if (n > left)
        tv_repair_did(r,
                      "%" PRId64 " users of model %" PRId64 " had no document as new as their ratings (%" PRId64
                      " could not be read, %" PRId64 " were not what their ratings make of them): folded in",
                      n - left, r->live, u->n_damaged, u->n_other);
    if (u->n_lost_codes > 0)
        tv_repair_problem(
            r,
            "%" PRId64 " users of model %" PRId64
            " have a code in MongoDB's %s that PostgreSQL's trivet.code does not know: bring its rows back",
            u->n_lost_codes, r->live, u->collection);
    if (left > 0)
        tv_repair_problem(r,
                          "%" PRId64 " users of model %" PRId64
                          " have no document as new as their ratings, and cannot be folded "
                          "in; trivet-train fit makes a model with them",
                          left, r->live);
    if (u->n_strangers > 0)
        tv_repair_problem(r,
                          "MongoDB's %s has %" PRId64
                          " documents that trivet did not write, and leaves alone; if nobody needs "
                          "them: db.%s.deleteMany({_id: {$not: {$type: \"number\"}}})",
                          u->collection, u->n_strangers, u->collection);
    tv_repair_say(
        r,
        "users: %" PRId64 " documents read%s; %" PRId64 " were missing, damaged or of another age than their ratings%s",
        u->n_documents, u->compared ? " and folded in again to compare" : ", and not compared with their ratings", n,
        n > left ? ": folded in" : "");
}

/* Deletes parts of long documents that a killed writer left: written, but named by no document. */
static enum tv_status tidy_parts(struct tv_repair *r, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int64_t n = 0;
    enum tv_status status = tv_user_parts_tidy(r->stores->mongo, r->live, NULL, 0, &n, err);
    if (status == TV_OK && n > 0)
        tv_repair_did(r, "MongoDB's %s had %" PRId64 " parts that no document names: deleted",
                      tv_model_user_parts(name, r->live), n);
    return status;
}

static void free_users(struct users *u)
{
    tv_changes_free(&u->claims);
    tv_changes_free(&u->revs);
    tv_repair_ids_free(&u->ahead);
    tv_repair_ids_free(&u->again);
    tv_repair_ids_free(&u->missing);
    tv_repair_ids_free(&u->current);
    tv_repair_ids_free(&u->codes);
    free(u->seen);
}

/* Documents are read after Postgres, so one that is newer than Postgres was is asked about again (look_again). */
enum tv_status tv_repair_users(struct tv_repair *r, struct tv_error *err)
{
    struct users u = {.repair = r};
    int64_t n = 0, left = 0;
    if (!tv_repair_live_is_loaded(r)) /* its users are read like a kept model's (models.c) */
        return TV_OK;
    tv_model_users(u.collection, r->live);
    enum tv_status status = read_claims(&u, err);
    if (status == TV_OK)
        status = r->report ? read_all(&u, err) : read_claimed(&u, err);
    if (status == TV_OK)
        status = add_missing(&u, err);
    if (status == TV_OK)
        status = look_again(&u, err);
    if (status == TV_OK && r->report && u.can_fold && u.factors > 0)
        status = compare_current(&u, err);
    if (status == TV_OK)
        status = fold_again(&u, &n, &left, err);
    if (status == TV_OK)
        tell(&u, n, left);
    if (status == TV_OK && r->report)
        status = tidy_parts(r, err);
    free_users(&u);
    return status;
}
