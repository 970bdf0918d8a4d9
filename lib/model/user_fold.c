/* user_fold: a user's whole document from a model's item side and the user's ratings. */
#include "trivet/user_fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tv_folding_init(struct tv_folding *f, const struct tv_fold_in *fold_in, const int64_t *item_ids)
{
    f->fold_in = fold_in;
    tv_dense_map_create(&f->items, item_ids, (size_t)fold_in->n_items);
}

void tv_folding_free(struct tv_folding *f)
{
    if (f->fold_in)
        tv_dense_map_free(&f->items);
    *f = (struct tv_folding){.fold_in = NULL};
}

void tv_fold_space_init(struct tv_fold_space *s)
{
    *s = (struct tv_fold_space){.capacity = 0};
    tv_user_blobs_init(&s->blobs);
}

void tv_fold_space_free(struct tv_fold_space *s)
{
    tv_user_blobs_free(&s->blobs);
    free(s->seen);
    free(s->seen_ratings);
    free(s->value);
    tv_fold_space_init(s);
}

static enum tv_status make_room(struct tv_fold_space *s, int factors, size_t n, struct tv_error *err)
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

/* MongoDB takes 16 MB. Beyond that the ratings stay in PostgreSQL alone, and `why` says so: the user has no factors, as
 * one whose factors cannot be kept. */
static enum tv_status encode(const struct tv_folding *f, struct tv_fold_space *s, struct tv_error *err)
{
    enum { LARGEST = 15 << 20, A_RATING = 16, LARGEST_PLAIN = 60 << 20 };
    const struct tv_user_blobs *b = &s->blobs;
    struct tv_user_document *d = &s->document;
    enum tv_status status = TV_OK;
    int fits = d->n_rated <= LARGEST_PLAIN / A_RATING;
    if (fits) {
        status = tv_user_document_encode(&s->blobs, d, err);
        fits = b->value.size + b->seen.size + b->rated.size + b->ratings.size <= LARGEST;
    }
    if (status != TV_OK || fits)
        return status;
    snprintf(s->why, sizeof s->why, "%zu ratings make a document larger than MongoDB takes", d->n_rated);
    memset(s->value, 0, (size_t)f->fold_in->factors * sizeof *s->value);
    d->why = s->why;
    d->n_seen = d->n_rated = 0;
    return tv_user_document_encode(&s->blobs, d, err);
}

enum tv_status tv_fold_user(const struct tv_folding *f, struct tv_fold_space *s, int64_t user_id, const int64_t *items,
                            const float *ratings, size_t n, struct tv_error *err)
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
    if (status == TV_OK)
        status =
            tv_fold_in_or_zeros(f->fold_in, s->value, s->seen, s->seen_ratings, n_seen, s->why, sizeof s->why, err);
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
    return encode(f, s, err);
}
