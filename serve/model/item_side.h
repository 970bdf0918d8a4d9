/* item_side: the item factors of a model in memory, with what is made of them once: the order in which items are scanned, and
 * what users are folded in with. Nothing in it changes, and copies of a model that differ in their catalogue alone share it
 * (resident.h).
 */
#ifndef TRIVET_SERVE_MODEL_ITEM_SIDE_H
#define TRIVET_SERVE_MODEL_ITEM_SIDE_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/scan/scan.h"
#include "trivet/model/model.h"

/* The members are owned, and for reading only. */
struct tv_item_side {
    int64_t run_number;
    uint64_t checksum; /* over ids, factors and singular values: a model that `forget` took an item from has another */
    int factors;       /* k */
    int32_t n_items;
    int64_t *item_ids;         /* (n_items) ascending */
    uint16_t *item_factors;    /* (n_items, factors) row-major float16; lent to both of these: */
    struct tv_fold_in fold_in; /* for folding users in, and explaining their scores */
    struct tv_scan scan;       /* for lists of the best */
    size_t bytes;              /* memory, about */
    _Atomic int references;
};

/* Makes one with one reference; `model` stays the caller's, but its arrays are taken over and NULL afterwards. A model whose
 * factors are not all finite, which holds no item, or which users cannot be folded into, is TV_ERR_CORRUPT. */
enum tv_status tv_item_side_create(struct tv_item_side **out, struct tv_model *model, struct tv_error *err);
struct tv_item_side *tv_item_side_acquire(struct tv_item_side *side); /* for a caller with a reference */
void tv_item_side_release(struct tv_item_side *side);                 /* NULL is fine */

#endif
