/* item_side: takes the arrays of a model over, and makes of them what requests need. */
#include "serve/model/item_side.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"

/* Also frees one that is only partly made. */
static void side_free(struct tv_item_side *side)
{
    tv_fold_in_free(&side->fold_in);
    tv_scan_free(&side->scan);
    free(side->item_ids);
    free(side->item_factors);
    free(side);
}

/* A factor that is not finite would make NaN of scores, and NaN is in no list (top_n.h): such a model is refused as a
 * whole, by the name of the item. */
static enum tv_status check_factors(const struct tv_item_side *side, struct tv_error *err)
{
    size_t k = (size_t)side->factors, n = (size_t)side->n_items * k;
    for (size_t i = 0; i < n; i++)
        if (!tv_half_is_finite(side->item_factors[i]))
            return tv_fail(err, TV_ERR_CORRUPT, "model %" PRId64 ": a factor of item %" PRId64 " is not a number",
                           side->run_number, side->item_ids[i / k]);
    return TV_OK;
}

/* Folding in and scans keep pointers to the factors, so they are made when these are where they stay. `bytes` is for people
 * who ask how much a model takes, so it counts the large arrays and no more. */
static enum tv_status prepare(struct tv_item_side *side, const struct tv_model *model, struct tv_error *err)
{
    size_t n = (size_t)side->n_items, k = (size_t)side->factors;
    struct tv_model ours = *model;
    ours.item_ids = side->item_ids;
    ours.item_factors = side->item_factors;
    enum tv_status status = check_factors(side, err);
    if (status == TV_OK)
        status = tv_model_fold_in(&side->fold_in, &ours, err);
    if (status == TV_OK)
        status = tv_scan_create(&side->scan, side->item_factors, side->n_items, side->factors,
                                model->factors - tv_model_rank(model), err);
    if (status == TV_OK)
        side->bytes = n * (sizeof *side->item_ids + k * sizeof *side->item_factors) + tv_scan_bytes(&side->scan);
    return status;
}

enum tv_status tv_item_side_create(struct tv_item_side **out, struct tv_model *model, struct tv_error *err)
{
    if (model->n_items < 1 || model->factors < 1)
        return tv_fail(err, TV_ERR_CORRUPT, "model %" PRId64 " has %d items and %d factors", model->run_number,
                       (int)model->n_items, model->factors);
    struct tv_item_side *side = tv_alloc(1, sizeof *side, "a model", err);
    if (side == NULL)
        return TV_ERR_NO_MEMORY;
    *side = (struct tv_item_side){.run_number = model->run_number,
                                  .checksum = model->checksum,
                                  .factors = model->factors,
                                  .n_items = model->n_items,
                                  .item_ids = model->item_ids,
                                  .item_factors = model->item_factors,
                                  .references = 1};
    model->item_ids = NULL;
    model->item_factors = NULL;
    enum tv_status status = prepare(side, model, err);
    if (status == TV_OK)
        *out = side;
    else
        side_free(side);
    return status;
}

/* Relaxed is enough: the caller's own reference keeps it in place meanwhile. */
struct tv_item_side *tv_item_side_acquire(struct tv_item_side *side)
{
    atomic_fetch_add_explicit(&side->references, 1, memory_order_relaxed);
    return side;
}

void tv_item_side_release(struct tv_item_side *side)
{
    /* acq_rel: all reads through this reference come before the free, whichever thread ends up freeing. */
    if (side && atomic_fetch_sub_explicit(&side->references, 1, memory_order_acq_rel) == 1)
        side_free(side);
}
