/* fit_users: folds in everybody who has ratings, from their evidence, and writes their documents.
 *
 * Learned from or not makes no difference to a user's factors: it only fills the document's `id`, the row of the
 * training matrix. Users are folded in and encoded by all threads, block after block, and added in order by one.
 */
#include <omp.h>
#include <stdlib.h>

#include "train/fit.h"
#include "trivet/hash.h"
#include "trivet/interrupt.h"
#include "trivet/log.h"
#include "trivet/progress.h"
#include "trivet/text.h"
#include "trivet/user_document.h"

enum { BLOCK = 256 };

/* One user of a block; the memory is used again for the next block. */
struct slot {
    struct tv_user_document document;
    struct tv_user_blobs blobs;
    size_t capacity;     /* of seen and seen_ratings */
    int32_t *seen;       /* dense items of the model among the rated */
    float *seen_ratings;
    uint16_t *value;     /* (factors) */
    enum tv_status status;
    struct tv_error error;
};

static void free_slots(struct slot *slots)
{
    for (int i = 0; slots && i < BLOCK; i++) {
        tv_user_blobs_free(&slots[i].blobs);
        free(slots[i].seen);
        free(slots[i].seen_ratings);
        free(slots[i].value);
    }
    free(slots);
}

static struct slot *make_slots(int factors, struct tv_error *err)
{
    struct slot *slots = tv_alloc(BLOCK, sizeof *slots, "user documents", err);
    for (int i = 0; slots && i < BLOCK; i++) {
        tv_user_blobs_init(&slots[i].blobs);
        slots[i].value = tv_alloc((size_t)factors, sizeof *slots[i].value, "user factors", err);
        if (slots[i].value == NULL) {
            free_slots(slots);
            return NULL;
        }
    }
    return slots;
}

static enum tv_status make_room(struct slot *s, size_t n)
{
    if (n <= s->capacity)
        return TV_OK;
    free(s->seen);
    free(s->seen_ratings);
    s->seen = tv_alloc(n, sizeof *s->seen, "a user's ratings", &s->error);
    s->seen_ratings = tv_alloc(n, sizeof *s->seen_ratings, "a user's ratings", &s->error);
    s->capacity = s->seen && s->seen_ratings ? n : 0;
    return s->capacity ? TV_OK : TV_ERR_NO_MEMORY;
}

/* Folds user u in and encodes the document. Runs in any thread; touches only its slot. */
static enum tv_status prepare(const struct fit *f, const struct tv_dense_map *items, size_t u, struct slot *s)
{
    const struct tv_evidence *e = &f->evidence;
    size_t first = e->start[u], n = e->start[u + 1] - first, n_seen = 0;
    enum tv_status status = make_room(s, n);
    for (size_t i = first; i < first + n && status == TV_OK; i++) {
        int64_t item = tv_dense_map_find(items, e->items[i]);
        if (item >= 0) {
            s->seen[n_seen] = (int32_t)item;
            s->seen_ratings[n_seen++] = e->ratings[i];
        }
    }
    if (status == TV_OK)
        status = tv_fold_in(&f->fold_in, s->value, s->seen, s->seen_ratings, n_seen, &s->error);
    if (status != TV_OK)
        return tv_context(&s->error, "user %lld", (long long)e->users[u]);
    s->document = (struct tv_user_document){
        .user_id = e->users[u],
        .code = tv_code_list_find(&f->user_codes, e->users[u]),
        .row = (int32_t)tv_dense_find(f->dense.users, (size_t)f->counts.users, e->users[u]),
        .factors = f->model->factors,
        .value = s->value,
        .n_seen = n_seen,
        .seen = s->seen,
        .n_rated = n,
        .rated = e->items + first,
        .ratings = e->ratings + first,
    };
    return tv_user_document_encode(&s->blobs, &s->document, &s->error);
}

static enum tv_status add_block(struct fit *f, struct tv_mongo_bulk *bulk, struct slot *slots, int n,
                                struct tv_error *err)
{
    for (int i = 0; i < n; i++) {
        struct slot *s = &slots[i];
        if (s->status != TV_OK) {
            *err = s->error;
            return s->status;
        }
        enum tv_status status = tv_user_document_add(bulk, &s->document, &s->blobs, &f->users_hash, err);
        if (status != TV_OK)
            return status;
        f->counts.documents++;
        f->counts.reached += s->document.n_seen > 0;
    }
    return TV_OK;
}

static enum tv_status write_users(struct fit *f, struct tv_mongo_bulk *bulk, struct slot *slots, struct tv_error *err)
{
    struct tv_progress progress;
    struct tv_dense_map items;
    size_t n_users = f->evidence.n_users;
    int threads = (int)tv_settings_int(f->settings, "threads");
    enum tv_status status = TV_OK;
    tv_dense_map_create(&items, f->model->item_ids, (size_t)f->model->n_items);
    tv_progress_start(&progress, "folding in users", "users", (double)n_users);
    for (size_t first = 0; first < n_users && status == TV_OK; first += BLOCK) {
        int n = n_users - first < BLOCK ? (int)(n_users - first) : BLOCK;
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads > 0 ? threads : omp_get_max_threads())
        for (int i = 0; i < n; i++)
            slots[i].status = prepare(f, &items, first + (size_t)i, &slots[i]);
        status = tv_interrupted() ? tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while folding in users")
                                  : add_block(f, bulk, slots, n, err);
        tv_progress_update(&progress, (double)first);
    }
    tv_progress_end(&progress);
    tv_dense_map_free(&items);
    return status;
}

/* The indexes that a server looks users up by. */
static enum tv_status make_indexes(struct fit *f, const char *collection, struct tv_error *err)
{
    enum tv_status status = tv_mongo_create_index(f->stores.mongo, collection, "id", err);
    return status == TV_OK && f->user_codes.n > 0 ? tv_mongo_create_index(f->stores.mongo, collection, "code", err)
                                                  : status;
}

enum tv_status fit_users(struct fit *f, struct tv_error *err)
{
    char name[TV_MODEL_NAME], documents[32], folded[32], unreached[32];
    struct tv_mongo_bulk *bulk = NULL;
    struct slot *slots = make_slots(f->model->factors, err);
    f->users_hash = TV_HASH_START;
    enum tv_status status = slots ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK && tv_code_list_needed(f->evidence.users, f->evidence.n_users))
        status = tv_code_list_read(&f->user_codes, f->snapshot, "user", err);
    if (status == TV_OK)
        status = tv_mongo_bulk_begin(&bulk, f->stores.mongo, tv_model_users(name, f->number), 1, err);
    if (status == TV_OK)
        status = write_users(f, bulk, slots, err);
    enum tv_status ended = tv_mongo_bulk_end(bulk, status == TV_OK ? err : NULL);
    free_slots(slots);
    status = status == TV_OK ? ended : status;
    if (status == TV_OK)
        status = make_indexes(f, name, err);
    if (status != TV_OK)
        return status;
    f->model->n_users = f->counts.documents;
    tv_log_info("%s users have factors; %s of them were not learned from, %s rated no item of the model",
                tv_text_number(documents, f->counts.documents),
                tv_text_number(folded, f->counts.documents - f->counts.users),
                tv_text_number(unreached, f->counts.documents - f->counts.reached));
    return TV_OK;
}
