/* resident: a resident model: one model as the server works with it, loaded once and never changed afterwards. It is an item
 * side (item_side.h), which other copies of the same model may have, too, and a catalogue (serve/catalogue/catalogue.h), which other
 * models of its data set may.
 *
 * Because nothing in it changes, any number of threads reads it without locks. What has to be right is its end: it
 * is freed when the last reference to it is given up. The shelf (shelf.h) holds one reference to each model it
 * shows, a request takes one of its own for as long as it works, so a request that began on a model finishes on it,
 * even when the shelf has moved on meanwhile.
 */
#ifndef TRIVET_SERVE_MODEL_RESIDENT_H
#define TRIVET_SERVE_MODEL_RESIDENT_H

#include <stddef.h>
#include <stdint.h>

#include "serve/catalogue/catalogue.h"
#include "serve/model/item_side.h"
#include "serve/model/model_info.h"
#include "trivet/base/status.h"
#include "trivet/model/model.h"

/* For reading only once tv_resident_create has returned. */
struct tv_resident {
    uint64_t serial;     /* from 1; no two of a process have the same */
    int64_t run_number;  /* the model's; 0: there is none, only the catalogue of a data set */
    int64_t dataset;     /* whose items these are; 0: of an older trivet, not known */
    char score_kind[16]; /* of a personal score: "relevance" or "rating" */
    double created_at;   /* seconds since 1970 */
    struct tv_model_info info;
    struct tv_item_side *side; /* a reference; NULL: there is no model. Of it: */
    int factors;               /* k */
    int32_t n_items;
    const int64_t *item_ids;        /* (n_items) ascending */
    const uint16_t *item_factors;   /* (n_items, factors) row-major float16 */
    struct tv_catalogue *catalogue; /* a reference; users also rated items that the model does not hold */
    int32_t *place;                 /* (n_items) where the catalogue has each item; -1: nowhere */
    int32_t *popular;               /* (n_items) dense indices, most ratings first, ties by id */
    size_t bytes;                   /* memory, about, for the counter trivet_model_memory_bytes */
    _Atomic int references;
};

/* Makes a resident model with one reference. The references to `side` and `catalogue` pass to it, also on failure; of `model`
 * it takes all but the arrays. `side` is NULL for a catalogue alone, for answers about items that need no model: number 0,
 * holding no item. */
enum tv_status tv_resident_create(struct tv_resident **out, const struct tv_model *model, struct tv_item_side *side,
                                  struct tv_catalogue *catalogue, struct tv_error *err);
/* The same model with another catalogue of its data set, whose reference stays the caller's. */
enum tv_status tv_resident_renew(struct tv_resident **out, const struct tv_resident *old, struct tv_catalogue *catalogue,
                                 struct tv_error *err);
struct tv_resident *tv_resident_acquire(struct tv_resident *s); /* for a caller with a reference */
void tv_resident_release(struct tv_resident *s);                /* NULL is fine */

/* An item's dense index; -1: it is not in the model. */
int32_t tv_resident_dense(const struct tv_resident *s, int64_t item_id);
/* What the catalogue tells of an item of the model; NULL where it has none. */
const struct tv_item *tv_resident_item(const struct tv_resident *s, int32_t dense);
/* The number of ratings that an item of the model has, as the catalogue tells it; 0 where it has none. */
int64_t tv_resident_count(const struct tv_resident *s, int32_t dense);

/* "The Godfather (1972)", or "item 123": how to call an item of the catalogue, known or not. `space` holds `size`
 * bytes and is used only for unknown ones; a known title is the model's own. */
const char *tv_resident_title(const struct tv_resident *s, int64_t item_id, char *space, size_t size);

/* Members that describe an item: "id":1,"title":"...","year":1995,"genres":["Drama"] */
struct tv_out;
void tv_item_json(struct tv_out *out, const struct tv_resident *s, int64_t id);
/* The same of an item of the model, and the key "score" behind; written once for all answers. */
void tv_resident_text(struct tv_out *out, const struct tv_resident *s, int32_t dense);
/* The members `model` and `dataset` of an answer: which model it is from, null for a catalogue alone, and of which data set, null
 * where that is not known. */
void tv_model_json(struct tv_out *out, const struct tv_resident *s);
/* Its counts in the catalogue: ,"count":63,"mean":3.94,"in_model":true. Without ratings the mean is null. */
void tv_item_counts_json(struct tv_out *out, const struct tv_resident *s, int64_t id);

#endif
