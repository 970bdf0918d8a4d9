/* fold_in_document: a user's whole document from a model's item side and the user's ratings: looks up which of the
 * rated items the model has, folds the user in from these (lib/core/fold_in.c), and encodes the document. Called
 * once a user, from several threads; the space that each thread has is used again, so that nothing is allocated
 * once it is large enough.
 */
#include "trivet/model/fold_in_document.h"

#include <stdlib.h>

/* Cannot fail: without memory for its table the map searches by halves. */
void tv_fold_in_model_init(struct tv_fold_in_model *f, const struct tv_fold_in *fold_in, const int64_t *item_ids)
{
    f->fold_in = fold_in;
    tv_dense_map_create(&f->items, item_ids, (size_t)fold_in->n_items);
}

/* A struct of zeros was never made, and is fine. */
void tv_fold_in_model_free(struct tv_fold_in_model *f)
{
    if (f->fold_in)
        tv_dense_map_free(&f->items);
    *f = (struct tv_fold_in_model){.fold_in = NULL};
}

void tv_fold_in_space_init(struct tv_fold_in_space *s)
{
    *s = (struct tv_fold_in_space){.capacity = 0};
    tv_user_blobs_init(&s->blobs);
}

void tv_fold_in_space_free(struct tv_fold_in_space *s)
{
    tv_user_blobs_free(&s->blobs);
    free(s->seen);
    free(s->seen_ratings);
    free(s->value);
    tv_fold_in_space_init(s);
}

/* Arrays that are too small are replaced and not grown by realloc, which would copy the last user's contents for
 * nothing. */
static enum tv_status make_room(struct tv_fold_in_space *s, int factors, size_t n, struct tv_error *err)
{
    if (factors > s->factors) {
        free(s->value);
        s->value = tv_alloc((size_t)factors, sizeof *s->value, "user factors", err);
        s->factors = s->value ? factors : 0;
    }
    if (n > s->capacity) {
        free(s->seen);
        free(s->seen_ratings);
        s->seen = tv_alloc(n, sizeof *s->seen, "a user's ratings", err);
        s->seen_ratings = tv_alloc(n, sizeof *s->seen_ratings, "a user's ratings", err);
        s->capacity = s->seen && s->seen_ratings ? n : 0;
    }
    return s->factors >= factors && s->capacity >= n ? TV_OK : TV_ERR_NO_MEMORY;
}

/* The items ascend, and so do dense indices with them, so `seen` ascends as it is filled. */
enum tv_status tv_fold_in_document(const struct tv_fold_in_model *f, struct tv_fold_in_space *s, int64_t user_id,
                                   const int64_t *items, const float *ratings, size_t n, struct tv_error *err)
{
    size_t n_seen = 0;
    enum tv_status status = make_room(s, f->fold_in->factors, n, err);
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        int64_t item = tv_dense_map_find(&f->items, items[i]);
        if (item >= 0) {
            s->seen[n_seen] = (int32_t)item;
            s->seen_ratings[n_seen++] = ratings[i];
        }
    }
    const struct tv_user_ratings rated = {.items = s->seen, .ratings = s->seen_ratings, .n = n_seen};
    if (status == TV_OK)
        status = tv_fold_in_factors_or_zeros(f->fold_in, s->value, &rated, s->why, sizeof s->why, err);
    if (status != TV_OK)
        return tv_context(err, "user %lld", (long long)user_id);
    s->document = (struct tv_user_document){
        .user_id = user_id,
        .row = -1,
        .factors = f->fold_in->factors,
        .value = s->value,
        .why = s->why[0] ? s->why : NULL,
        .n_seen = n_seen,
        .seen = s->seen,
        .n_rated = n,
        .rated = (int64_t *)items, /* the document of a reader owns its arrays, this one borrows them */
        .ratings = (float *)ratings,
    };
    return tv_user_document_encode(&s->blobs, &s->document, err);
}
