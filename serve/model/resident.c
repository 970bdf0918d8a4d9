/* resident: makes a model ready to be served. All that requests need is computed here once, while the model before
 * it is still served: the order in which items are scanned, the popular list, the JSON of every item, indexes of genres
 * and titles.
 */
#include "serve/model/resident.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/model/ids.h"
#include "serve/web/out.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/ratings.h"

/* Also frees a model that is only partly made. */
static void resident_free(struct tv_resident *s)
{
    free(s->item_ids);
    free(s->item_factors);
    tv_fold_in_free(&s->fold_in);
    tv_scan_free(&s->scan);
    free(s->item);
    free(s->popular);
    free(s->json);
    free(s->json_at);
    tv_items_free(&s->items);
    tv_genres_free(&s->genres);
    tv_title_index_free(&s->titles);
    free(s);
}

/* Relaxed is enough: the caller's own reference, or the shelf's lock, keeps the model in place meanwhile. */
struct tv_resident *tv_resident_acquire(struct tv_resident *s)
{
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void tv_resident_release(struct tv_resident *s)
{
    /* acq_rel: all reads through this reference come before the free, whichever thread ends up freeing. */
    if (s && atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) == 1)
        resident_free(s);
}

/* "Drama|Crime" as a JSON array. */
static void write_genres(struct tv_out *out, const char *genres)
{
    tv_out_text(out, "[");
    for (const char *at = genres; *at;) {
        size_t n = strcspn(at, "|");
        tv_out_text(out, at == genres ? "" : ",");
        tv_out_json_part(out, at, n);
        at += n + (at[n] == '|');
    }
    tv_out_text(out, "]");
}

/* The members stand without braces, so that a caller adds others to the same object. */
void tv_item_json(struct tv_out *out, const struct tv_resident *s, int64_t id)
{
    char unknown[TV_CODE_MAX + 8];
    const struct tv_item *item = tv_items_find(&s->items, id);
    tv_out_text(out, "\"id\":");
    tv_id_item_json(out, s, id);
    tv_out_key(out, "title");
    tv_out_json(out, tv_resident_title(s, id, unknown, sizeof unknown));
    tv_out_key(out, "year");
    if (item && item->year)
        tv_out_int(out, item->year);
    else
        tv_out_text(out, "null");
    tv_out_key(out, "genres");
    write_genres(out, item ? item->genres : "");
}

static void write_number(struct tv_out *out, const char *member, int64_t number)
{
    tv_out_key(out, member);
    if (number)
        tv_out_int(out, number);
    else
        tv_out_text(out, "null");
}

void tv_model_json(struct tv_out *out, const struct tv_resident *s)
{
    write_number(out, "model", s->run_number);
    write_number(out, "dataset", s->dataset);
}

/* A mean of floats has a float's digits: that of 3.3 and 3.3 is 3.3. NaN is written as null. A user may have rated items that the model does not hold, so an answer tells which those
 * are. */
void tv_item_counts_json(struct tv_out *out, const struct tv_resident *s, int64_t id)
{
    const struct tv_item *item = tv_items_find(&s->items, id);
    tv_out_key(out, "count");
    tv_out_int(out, item ? item->n_ratings : 0);
    tv_out_key(out, "mean");
    tv_out_float(out, item && item->n_ratings > 0 ? (float)item->mean_rating : NAN);
    tv_out_key(out, "in_model");
    tv_out_bool(out, tv_resident_dense(s, id) >= 0);
}

const char *tv_resident_title(const struct tv_resident *s, int64_t item_id, char *space, size_t size)
{
    const struct tv_item *item = tv_items_find(&s->items, item_id);
    if (item)
        return item->title;
    char id[TV_ID_SPACE];
    snprintf(space, size, "item %s", tv_id_item_text(s, item_id, id));
    return space;
}

/* `bytes` is for people who ask how much a model takes, so it counts the large arrays and no more. */
static enum tv_status allocate(struct tv_resident *s, struct tv_error *err)
{
    size_t n = (size_t)s->n_items, k = (size_t)s->factors;
    s->item_ids = tv_alloc(n, sizeof *s->item_ids, "the item ids", err);
    s->item_factors = tv_alloc(n * k, sizeof *s->item_factors, "the item factors", err);
    s->item = tv_alloc(n, sizeof *s->item, "the item metadata", err);
    s->popular = tv_alloc(n, sizeof *s->popular, "the popular list", err);
    s->json_at = tv_alloc(n + 1, sizeof *s->json_at, "the item texts", err);
    if (!s->item_ids || !s->item_factors || !s->item || !s->popular || !s->json_at)
        return TV_ERR_NO_MEMORY;
    s->bytes += n * (sizeof *s->item_ids + sizeof *s->item + sizeof *s->popular + sizeof *s->json_at) +
                n * k * sizeof *s->item_factors;
    return TV_OK;
}

/* A factor that is not finite would make NaN of scores, and NaN is in no list (top_n.h): such a model is refused as
 * a whole, by the name of the item. Folding in and scans keep pointers to the factors, and are therefore given ours; the
 * model's own are the caller's, and soon gone. */
static enum tv_status take_factors(struct tv_resident *s, const struct tv_model *model, struct tv_error *err)
{
    size_t n = (size_t)s->n_items * (size_t)s->factors;
    memcpy(s->item_ids, model->item_ids, (size_t)s->n_items * sizeof *s->item_ids);
    memcpy(s->item_factors, model->item_factors, n * sizeof *s->item_factors);
    for (size_t i = 0; i < n; i++)
        if (!tv_half_is_finite(s->item_factors[i]))
            return tv_fail(err, TV_ERR_CORRUPT, "model %" PRId64 ": a factor of item %" PRId64 " is not a number",
                           s->run_number, s->item_ids[i / (size_t)s->factors]);
    struct tv_model ours = *model; /* folding in borrows the factors */
    ours.item_factors = s->item_factors;
    enum tv_status status = tv_model_fold_in(&s->fold_in, &ours, err);
    if (status == TV_OK)
        status = tv_scan_create(&s->scan, s->item_factors, s->n_items, s->factors,
                                model->factors - tv_model_rank(model), err);
    s->bytes += status == TV_OK ? tv_scan_bytes(&s->scan) : 0;
    return status;
}

int32_t tv_resident_dense(const struct tv_resident *s, int64_t item_id)
{
    return (int32_t)tv_dense_find(s->item_ids, (size_t)s->n_items, item_id);
}

int64_t tv_resident_count(const struct tv_resident *s, int32_t dense)
{
    return s->item[dense] ? s->item[dense]->n_ratings : 0;
}

/* Equal numbers of ratings are in the order of ids. */
static int by_ratings(const void *a, const void *b, void *context)
{
    const struct tv_resident *s = context;
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    int64_t n_x = tv_resident_count(s, x), n_y = tv_resident_count(s, y);
    if (n_x != n_y)
        return n_x > n_y ? -1 : 1;
    return x < y ? -1 : x > y; /* dense order is id order */
}

/* The order in which users without a place in the model get their items. */
static void rank_popular(struct tv_resident *s)
{
    for (int32_t i = 0; i < s->n_items; i++)
        s->popular[i] = i;
    qsort_r(s->popular, (size_t)s->n_items, sizeof *s->popular, by_ratings, s);
}

/* A list of fifteen items copies fifteen of these texts and puts a number behind each, so titles are escaped once
 * for all answers. `json` is out's memory, and is freed with the model. */
static enum tv_status write_texts(struct tv_resident *s, struct tv_error *err)
{
    struct tv_out out;
    tv_out_init(&out);
    out.buffer.max = SIZE_MAX / 2; /* as large as the catalogue is */
    for (int32_t i = 0; i < s->n_items; i++) {
        s->json_at[i] = out.buffer.size;
        tv_item_json(&out, s, s->item_ids[i]);
        tv_out_key(&out, "score");
    }
    s->json_at[s->n_items] = out.buffer.size;
    s->json = out.buffer.data;
    s->bytes += out.buffer.capacity;
    return out.failed ? tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the item texts") : TV_OK;
}

/* What a catalogue gives, for both: genres and the index of titles. */
static enum tv_status index_items(struct tv_resident *s, struct tv_error *err)
{
    enum tv_status status = tv_genres_create(&s->genres, &s->items, s->item, s->n_items, err);
    return status == TV_OK ? tv_title_index_create(&s->titles, &s->items, err) : status;
}

/* Everything that is counted by the model's items is empty, and every item is one that the model does not hold. */
enum tv_status tv_resident_of_items(struct tv_resident **out, int64_t dataset, struct tv_items *items, struct tv_error *err)
{
    struct tv_resident *s = tv_alloc(1, sizeof *s, "a catalogue", err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    s->references = 1;
    s->dataset = dataset;
    tv_model_info_read(&s->info, 0, NULL);
    s->items = *items;
    *items = (struct tv_items){0};
    s->bytes = sizeof *s + s->items.n * sizeof *s->items.items;
    enum tv_status status = index_items(s, err);
    if (status == TV_OK)
        *out = s;
    else
        tv_resident_release(s);
    return status;
}

/* Items are looked up before the genres and the popular list, which need them. On failure the model is released as it
 * stands, with whatever it has of its members. */
enum tv_status tv_resident_create(struct tv_resident **out, const struct tv_model *model, struct tv_items *items,
                                  struct tv_error *err)
{
    if (model->n_items < 1 || model->factors < 1)
        return tv_fail(err, TV_ERR_CORRUPT, "model %" PRId64 " has %d items and %d factors", model->run_number,
                       (int)model->n_items, model->factors);
    struct tv_resident *s = tv_alloc(1, sizeof *s, "a model", err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    s->references = 1;
    s->run_number = model->run_number;
    s->dataset = model->dataset;
    s->factors = model->factors;
    s->n_items = model->n_items;
    s->created_at = model->created_at;
    snprintf(s->score_kind, sizeof s->score_kind, "%s", model->score_kind);
    tv_model_info_read(&s->info, model->run_number, model->description);
    s->items = *items;
    *items = (struct tv_items){0};
    s->bytes = sizeof *s + s->items.n * sizeof *s->items.items;
    enum tv_status status = allocate(s, err);
    if (status == TV_OK)
        status = take_factors(s, model, err);
    for (int32_t i = 0; status == TV_OK && i < s->n_items; i++)
        s->item[i] = tv_items_find(&s->items, s->item_ids[i]);
    if (status == TV_OK)
        status = index_items(s, err);
    if (status == TV_OK) {
        rank_popular(s);
        status = write_texts(s, err);
    }
    if (status != TV_OK) {
        tv_resident_release(s);
        return status;
    }
    *out = s;
    return TV_OK;
}
