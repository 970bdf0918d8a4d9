/* scorer: the lists of users from a model in memory. One scorer a thread; they share the scan of its items. */
#ifndef TRIVET_TRAIN_LISTS_SCORER_H
#define TRIVET_TRAIN_LISTS_SCORER_H

#include "trivet/core/scan/scan.h"
#include "trivet/model/model.h"
#include "trivet/model/user_document.h"

/* The workspace of one thread; the arrays are its own. */
struct tv_scorer {
    const struct tv_scan *scan; /* lent */
    uint8_t *skip;              /* (n_items), all zero between calls */
    float *factors;             /* (factors) */
};

/* One user and their list. */
struct tv_list {
    struct tv_user_document *user;
    struct tv_scored *best; /* room for as many as are asked for */
    size_t n_best;
};

/* The model's item factors as float32, (n_items, factors): malloc'ed, NULL without memory. */
TV_MUST_USE float *tv_scorer_widen(const struct tv_model *model, struct tv_error *err);
/* The model's items, ready to be scanned; borrows the model's factors. */
enum tv_status tv_scorer_scan(struct tv_scan *out, const struct tv_model *model, struct tv_error *err);

/* After a failure tv_scorer_free gives back what was allocated. */
enum tv_status tv_scorer_init(struct tv_scorer *s, const struct tv_scan *scan, struct tv_error *err);
void tv_scorer_free(struct tv_scorer *s);

/* The `top` best items that the user has not seen, into out; returns how many there are. A user without an item of
 * the model has none. */
size_t tv_scorer_list(struct tv_scorer *s, const struct tv_user_document *user, struct tv_scored *out, size_t top);

#endif
