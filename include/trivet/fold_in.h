/* fold_in: a user's factors from the item factors and the user's ratings.
 *
 * There is one function for everybody: the trainer calls it for each user, learned from or not, and whoever
 * folds a user in later calls it with the same numbers and gets the same bits.
 *
 * SVD: p = r I16 diag(sigma^(-2a)), the projection of the row r on the right singular vectors, where the item
 * factors are I = V diag(sigma^a) rounded to float16 (Sarwar, Karypis, Konstan and Riedl, "Incremental singular
 * value decomposition algorithms for highly scalable recommender systems", 2002; here a = 1/2).
 * Products are exact in float64 and are added in the order of ascending dense item, each factor on its own.
 */
#ifndef TRIVET_FOLD_IN_H
#define TRIVET_FOLD_IN_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/status.h"

struct tv_fold_in {
    int factors;                  /* k */
    int32_t n_items;
    const uint16_t *item_factors; /* (n_items, factors) row-major float16; lent */
    double *scale;                /* (factors): sigma^(-2a); owned */
};

/* Prepares folding with SVD item factors; sigma has `factors` entries, all positive. */
enum tv_status tv_fold_in_svd(struct tv_fold_in *out, const uint16_t *item_factors, int32_t n_items, int factors,
                              const double *sigma, double a, struct tv_error *err);
void tv_fold_in_free(struct tv_fold_in *f);

/* Folds in one user: n ratings of dense items, ascending. `user` gets `factors` float16 values; no ratings give
 * zeros. TV_ERR_NUMERIC if a factor does not fit float16. Safe from several threads. */
enum tv_status tv_fold_in(const struct tv_fold_in *f, uint16_t *user, const int32_t *items, const float *ratings,
                          size_t n, struct tv_error *err);

#endif
