/* scorer: the lists of users from a model in memory. One scorer a thread; they share the widened item factors. */
#ifndef TRIVET_TRAIN_LISTS_SCORER_H
#define TRIVET_TRAIN_LISTS_SCORER_H

#include "trivet/core/top_n.h"
#include "trivet/model/model.h"
#include "trivet/model/user_document.h"

/* Users that are scored together: each item's factors are read once for all of them. */
enum { TV_SCORER_USERS = 8 };

/* The workspace of one thread; the arrays are its own. */
struct tv_scorer {
    const struct tv_model *model; /* lent */
    const float *item_factors;    /* (n_items, factors), lent */
    double *scores;               /* (TV_SCORER_USERS, n_items) */
    uint8_t *skip;                /* (n_items), all zero between calls */
    float *factors;               /* (TV_SCORER_USERS, factors) */
};

/* One user and their list. */
struct tv_list {
    struct tv_user_document *user;
    struct tv_scored *best; /* room for as many as are asked for */
    size_t n_best;
};

/* The model's item factors as float32, (n_items, factors): malloc'ed, NULL without memory. */
TV_MUST_USE float *tv_scorer_widen(const struct tv_model *model, struct tv_error *err);

/* After a failure tv_scorer_free gives back what was allocated. */
enum tv_status tv_scorer_init(struct tv_scorer *s, const struct tv_model *model, const float *item_factors,
                              struct tv_error *err);
void tv_scorer_free(struct tv_scorer *s);

/* The `top` best items that the user has not seen, into out; returns how many there are. A user without an item of
 * the model has none. */
size_t tv_scorer_list(struct tv_scorer *s, const struct tv_user_document *user, struct tv_scored *out, size_t top);
/* The same for up to TV_SCORER_USERS, in about half the time. */
void tv_scorer_lists(struct tv_scorer *s, struct tv_list *lists, size_t n, size_t top);

#endif
