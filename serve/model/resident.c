/* resident: puts an item side and a catalogue together: where the catalogue has each item, and the popular list. And what
 * answers say of an item.
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
#include "trivet/base/buffer.h"
#include "trivet/core/ratings.h"

/* Also frees a model that is only partly made. */
static void resident_free(struct tv_resident *s)
{
    free(s->place);
    free(s->popular);
    tv_item_side_release(s->side);
    tv_catalogue_release(s->catalogue);
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
    const struct tv_item *item = tv_items_find(&s->catalogue->items, id);
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
    const struct tv_item *item = tv_items_find(&s->catalogue->items, id);
    tv_out_key(out, "count");
    tv_out_int(out, item ? item->n_ratings : 0);
    tv_out_key(out, "mean");
    tv_out_float(out, item && item->n_ratings > 0 ? (float)item->mean_rating : NAN);
    tv_out_key(out, "in_model");
    tv_out_bool(out, tv_resident_dense(s, id) >= 0);
}

const char *tv_resident_title(const struct tv_resident *s, int64_t item_id, char *space, size_t size)
{
    const struct tv_item *item = tv_items_find(&s->catalogue->items, item_id);
    if (item)
        return item->title;
    char id[TV_ID_SPACE];
    snprintf(space, size, "item %s", tv_id_item_text(s, item_id, id));
    return space;
}

int32_t tv_resident_dense(const struct tv_resident *s, int64_t item_id)
{
    return (int32_t)tv_dense_find(s->item_ids, (size_t)s->n_items, item_id);
}

const struct tv_item *tv_resident_item(const struct tv_resident *s, int32_t dense)
{
    return s->place[dense] < 0 ? NULL : &s->catalogue->items.items[s->place[dense]];
}

int64_t tv_resident_count(const struct tv_resident *s, int32_t dense)
{
    const struct tv_item *item = tv_resident_item(s, dense);
    return item ? item->n_ratings : 0;
}

/* --- the text of an item ------------------------------------------------------------------------------------ */

static void write_text(struct tv_out *out, const struct tv_resident *s, int32_t dense)
{
    tv_item_json(out, s, s->item_ids[dense]);
    tv_out_key(out, "score");
}

/* Written apart and kept. Two threads may come here at once: one text stays, the other is freed. NULL without memory. */
static const char *make_text(const struct tv_resident *s, int32_t dense, _Atomic(char *) *kept)
{
    struct tv_out out;
    char *text = NULL, *there = NULL;
    tv_out_init(&out);
    write_text(&out, s, dense);
    if (!out.failed)
        text = strdup(tv_buffer_string(&out.buffer));
    tv_out_free(&out);
    if (text && !atomic_compare_exchange_strong_explicit(kept, &there, text, memory_order_acq_rel, memory_order_acquire)) {
        free(text);
        return there;
    }
    return text;
}

/* A list of fifteen items copies fifteen of these texts and puts a number behind each. The acquire is for the bytes of a text
 * that another thread may just have written. An item that the catalogue does not have is rare, and written each time. */
void tv_resident_text(struct tv_out *out, const struct tv_resident *s, int32_t dense)
{
    const char *text = NULL;
    if (s->place[dense] >= 0) {
        _Atomic(char *) *kept = &s->catalogue->texts[s->place[dense]];
        text = atomic_load_explicit(kept, memory_order_acquire);
        if (text == NULL)
            text = make_text(s, dense, kept);
    }
    if (text)
        tv_out_text(out, text);
    else
        write_text(out, s, dense);
}

/* --- making one --------------------------------------------------------------------------------------------- */

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

/* Both ascend by id. */
static void find_places(struct tv_resident *s)
{
    const struct tv_items *items = &s->catalogue->items;
    size_t at = 0;
    for (int32_t i = 0; i < s->n_items; i++) {
        while (at < items->n && items->items[at].id < s->item_ids[i])
            at++;
        s->place[i] = at < items->n && items->items[at].id == s->item_ids[i] ? (int32_t)at : -1;
    }
}

/* `bytes` is for people who ask how much a model takes, so it counts the large arrays and no more. */
static enum tv_status join(struct tv_resident *s, struct tv_error *err)
{
    size_t n = (size_t)s->n_items;
    s->place = tv_alloc(n, sizeof *s->place, "the item metadata", err);
    s->popular = tv_alloc(n, sizeof *s->popular, "the popular list", err);
    if (!s->place || !s->popular)
        return TV_ERR_NO_MEMORY;
    find_places(s);
    rank_popular(s);
    s->bytes = sizeof *s + n * (sizeof *s->place + sizeof *s->popular) + s->catalogue->bytes + (s->side ? s->side->bytes : 0);
    return TV_OK;
}

/* With its own description still to be read. */
static struct tv_resident *begin(struct tv_item_side *side, struct tv_catalogue *catalogue, struct tv_error *err)
{
    static _Atomic uint64_t made;
    struct tv_resident *s = tv_alloc(1, sizeof *s, "a model", err);
    if (s == NULL) {
        tv_item_side_release(side);
        tv_catalogue_release(catalogue);
        return NULL;
    }
    *s = (struct tv_resident){.serial = ++made, .side = side, .catalogue = catalogue, .dataset = catalogue->dataset, .references = 1};
    if (side) {
        s->run_number = side->run_number;
        s->factors = side->factors;
        s->n_items = side->n_items;
        s->item_ids = side->item_ids;
        s->item_factors = side->item_factors;
    }
    return s;
}

static enum tv_status end(struct tv_resident **out, struct tv_resident *s, struct tv_error *err)
{
    enum tv_status status = join(s, err);
    if (status == TV_OK)
        *out = s;
    else
        resident_free(s);
    return status;
}

enum tv_status tv_resident_create(struct tv_resident **out, const struct tv_model *model, struct tv_item_side *side,
                                  struct tv_catalogue *catalogue, struct tv_error *err)
{
    struct tv_resident *s = begin(side, catalogue, err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    if (side) {
        s->dataset = model->dataset;
        s->created_at = model->created_at;
        snprintf(s->score_kind, sizeof s->score_kind, "%s", model->score_kind);
    }
    tv_model_info_read(&s->info, s->run_number, side ? model->description : NULL);
    return end(out, s, err);
}

enum tv_status tv_resident_renew(struct tv_resident **out, const struct tv_resident *old, struct tv_catalogue *catalogue,
                                 struct tv_error *err)
{
    struct tv_resident *s =
        begin(old->side ? tv_item_side_acquire(old->side) : NULL, tv_catalogue_acquire(catalogue), err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    s->dataset = old->dataset;
    s->created_at = old->created_at;
    memcpy(s->score_kind, old->score_kind, sizeof s->score_kind);
    s->info = old->info;
    return end(out, s, err);
}
