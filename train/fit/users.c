/* users: folds in everybody who has ratings, from their evidence, and writes their documents.
 *
 * Learned from or not makes no difference to a user's factors: it only fills the document's `id`, the row of the
 * training matrix. Users are folded in and encoded by all threads, block after block, and added in order by one.
 */
#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>

#include "train/fit/fit.h"
#include "train/learn/algorithm.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/progress.h"
#include "trivet/model/fold_in_document.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_write.h"

/* Users that are folded in before one thread adds their documents. */
enum { BLOCK = 256 };

/* One user of a block; the memory is used again for the next block. */
struct slot {
    struct tv_fold_in_space space;
    enum tv_status status;
    struct tv_error error;
};

static void free_slots(struct slot *slots)
{
    for (int i = 0; slots && i < BLOCK; i++)
        tv_fold_in_space_free(&slots[i].space);
    free(slots);
}

static struct slot *make_slots(struct tv_error *err)
{
    struct slot *slots = tv_alloc(BLOCK, sizeof *slots, "user documents", err);
    for (int i = 0; slots && i < BLOCK; i++)
        tv_fold_in_space_init(&slots[i].space);
    return slots;
}

/* Folds user u in and encodes the document. Runs in any thread, and touches only its slot. */
static enum tv_status prepare(const struct tv_fit *f, size_t u, struct slot *s)
{
    const struct tv_evidence *e = &f->reading.evidence;
    size_t first = e->start[u], n = e->start[u + 1] - first;
    enum tv_status status = tv_fold_in_document(&f->model.fold_in_model, &s->space, e->users[u], e->items + first,
                                                e->ratings + first, n, &s->error);
    struct tv_user_document *d = &s->space.document;
    d->code = tv_code_list_find(&f->model.user_codes, e->users[u]);
    d->row = (int32_t)tv_dense_find(f->training_matrix.users, (size_t)f->counts.users, e->users[u]);
    d->rev = tv_fit_rev_of(f, e->users[u]);
    return status;
}

/* Counts a document. A user without factors is named as the data calls them, by code or by number. */
static void take_count(struct tv_fit *f, const struct tv_user_document *d)
{
    f->counts.documents++;
    f->counts.reached += d->n_seen > 0;
    f->counts.folded_in += d->n_seen > 0 && d->row < 0;
    if (d->why && d->code)
        tv_named_add(&f->model.no_factors, d->code, d->why);
    else if (d->why)
        tv_named_add_int(&f->model.no_factors, d->user_id, d->why);
}

/* Documents are added in the order of users, because their hash depends on it: read back by _id they give the same
 * (stored.c). */
static enum tv_status add_block(struct tv_fit *f, struct tv_mongo_bulk *bulk, struct slot *slots, int n,
                                struct tv_error *err)
{
    for (int i = 0; i < n; i++) {
        struct slot *s = &slots[i];
        if (s->status != TV_OK) {
            *err = s->error;
            return s->status;
        }
        enum tv_status status = tv_user_document_add(bulk, f->stores.mongo, f->run_number, &s->space.document,
                                                     &s->space.blobs, &f->model.users_hash, err);
        if (status != TV_OK)
            return status;
        take_count(f, &s->space.document);
    }
    return TV_OK;
}

/* Only folding in and encoding run in several threads; MongoDB's bulk and the hash belong to one. */
static enum tv_status write_users(struct tv_fit *f, struct tv_mongo_bulk *bulk, struct slot *slots,
                                  struct tv_error *err)
{
    struct tv_progress progress;
    size_t n_users = f->reading.evidence.n_users;
    int threads = (int)tv_settings_int(f->reading.settings, "threads");
    enum tv_status status = TV_OK;
    tv_progress_start(&progress, "folding in users", "users", (double)n_users);
    for (size_t first = 0; first < n_users && status == TV_OK; first += BLOCK) {
        int n = n_users - first < BLOCK ? (int)(n_users - first) : BLOCK;
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads > 0 ? threads : omp_get_max_threads())
        for (int i = 0; i < n; i++)
            slots[i].status = prepare(f, first + (size_t)i, &slots[i]);
        status = tv_interrupted() ? tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while folding in users")
                                  : add_block(f, bulk, slots, n, err);
        tv_progress_update(&progress, (double)first);
    }
    tv_progress_end(&progress);
    return status;
}

/* Decides what users without factors mean. A few of them are no reason to fail: they get the popular list, and the log
 * names some. If they are more than half of those with an item of the model, the settings are wrong, and a model that
 * has a place for hardly anybody is not to be shown. */
static enum tv_status check_factors(const struct tv_fit *f, struct tv_error *err)
{
    char users[64];
    const struct tv_named *n = &f->model.no_factors;
    if (n->n == 0)
        return TV_OK;
    if (2 * n->n > f->counts.reached) {
        tv_fail(err, TV_ERR_NUMERIC, "the ratings of %" PRId64 " of %" PRId64 " users lead to no factors (user %s): %s",
                n->n, f->counts.reached, n->names, n->why);
        return tv_hint(err, "%s", f->learning.settings.algorithm->remedy);
    }
    tv_log_info("%s given the popular list, because their ratings lead to no factors (user %s): %s",
                tv_text_are(users, n->n, "user"), n->names, n->why);
    return TV_OK;
}

/* Makes the indexes by which a server finds users: `id`, the row of the training matrix, for a user at random, and
 * `code`, where any user has one. _id has an index of its own. */
static enum tv_status make_indexes(struct tv_fit *f, const char *collection, struct tv_error *err)
{
    enum tv_status status = tv_mongo_create_index(f->stores.mongo, collection, "id", err);
    return status == TV_OK && f->model.user_codes.n > 0 ? tv_mongo_create_index(f->stores.mongo, collection, "code", err)
                                                  : status;
}

/* Codes are read only if any id of a user lies in their range. Indexes are made once all documents are there. */
enum tv_status tv_fit_users(struct tv_fit *f, struct tv_error *err)
{
    char name[TV_MODEL_NAME], documents[32], learned[32], folded[32], unreached[32];
    struct tv_mongo_bulk *bulk = NULL;
    struct slot *slots = make_slots(err);
    f->model.users_hash = TV_HASH_START;
    enum tv_status status = slots ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK && tv_code_list_needed(f->reading.evidence.users, f->reading.evidence.n_users))
        status = tv_code_list_read(&f->model.user_codes, f->reading.snapshot, "user", err);
    if (status == TV_OK)
        status = tv_mongo_bulk_begin(&bulk, f->stores.mongo, tv_model_users(name, f->run_number), err);
    if (status == TV_OK)
        status = write_users(f, bulk, slots, err);
    enum tv_status ended = tv_mongo_bulk_end(bulk, status == TV_OK ? err : NULL);
    free_slots(slots);
    status = status == TV_OK ? ended : status;
    if (status == TV_OK)
        status = check_factors(f, err);
    if (status == TV_OK)
        status = make_indexes(f, name, err);
    if (status != TV_OK)
        return status;
    f->model.item_side->n_users = f->counts.documents;
    tv_log_info("%s users: %s learned from, %s folded in, %s without an item of the model, who get popular ones",
                tv_text_number(documents, f->counts.documents), tv_text_number(learned, f->counts.users),
                tv_text_number(folded, f->counts.folded_in), tv_text_number(unreached, f->counts.documents - f->counts.reached));
    return TV_OK;
}
