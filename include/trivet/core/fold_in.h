/* fold_in: a user's factors from the item factors and the user's ratings.
 *
 * There is one function for all: the trainer calls it for each user, learned from or not, and the server, which folds a
 * user in later, calls it with the same numbers and gets the same bits. The item factors are those that are stored,
 * rounded to float16; products and sums are float64 in an order that neither the number of threads nor the processor
 * changes.
 *
 * SVD: p = r I16 diag(sigma^(-2a)), the projection of the row r on the right singular vectors, where the item factors
 * are I = V diag(sigma^a) rounded to float16 (Sarwar, Karypis, Konstan and Riedl, "Incremental singular value
 * decomposition algorithms for highly scalable recommender systems", 2002; here a = 1/2). Products are exact in float64
 * and are added in the order of ascending dense item, each factor on its own.
 *
 * ALS (als.h has the objectives) solves the user's normal equations by Cholesky; i are rows of I16, n is the number of
 * ratings:
 *
 *   explicit     (sum of i i' + lambda n 1) p = sum of r i
 *   with biases  the same for [p, b_u] with i = [q, 1] and r less the item's mean + b_i; the user row is [p, 1, b_u]
 *   implicit     (I16' I16 + sum of alpha r i i' + lambda 1) p = sum of (1 + alpha r) i
 *
 * Sums run over groups of 32 items, ascending within a group, and groups are added in order.
 */
#ifndef TRIVET_CORE_FOLD_IN_H
#define TRIVET_CORE_FOLD_IN_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

enum tv_fold_in_kind { TV_FOLD_IN_SVD, TV_FOLD_IN_ALS, TV_FOLD_IN_ALS_IMPLICIT };

/* The side of folding in that all users of a model have in common. The item factors are lent and must outlive it; after
 * it is made nothing changes, so threads share one. */
struct tv_fold_in {
    enum tv_fold_in_kind kind;
    int factors;                  /* k; for ALS the columns of a row, two more with biases */
    int32_t n_items;
    const uint16_t *item_factors; /* (n_items, factors) row-major float16; lent */
    double *scale;                /* SVD: (factors) sigma^(-2a); owned */
    int biases;                   /* ALS explicit */
    double lambda, alpha;         /* ALS */
    double *gram;                 /* ALS implicit: I16' I16, laid out as the solver wants it; owned */
};

/* Prepares folding with SVD item factors; sigma has `factors` entries, all positive. */
enum tv_status tv_fold_in_svd(struct tv_fold_in *out, const uint16_t *item_factors, int32_t n_items, int factors,
                              const double *sigma, double a, struct tv_error *err);

/* Prepares folding with explicit ALS item factors, `factors` columns a row: with biases the last two are mean + b_i
 * and 1. lambda is that of the training. */
enum tv_status tv_fold_in_als(struct tv_fold_in *out, const uint16_t *item_factors, int32_t n_items, int factors,
                              int biases, double lambda, struct tv_error *err);

/* The same for implicit ALS. Makes the Gram matrix I16' I16, which takes n_items * factors^2 / 2 multiplications:
 * it is never stored, so that everybody has the same bits. */
enum tv_status tv_fold_in_als_implicit(struct tv_fold_in *out, const uint16_t *item_factors, int32_t n_items,
                                       int factors, double lambda, double alpha, struct tv_error *err);

void tv_fold_in_free(struct tv_fold_in *f); /* also makes it empty; NULL is fine */

/* A user's ratings of items that the model has; lent. */
struct tv_user_ratings {
    const int32_t *items; /* (n) dense, ascending */
    const float *ratings; /* (n) */
    size_t n;
};

/* Folds in one user. `user` gets `factors` float16 values; no ratings give zeros (all of them, the 1 of biases too).
 * TV_ERR_NUMERIC if a factor does not fit float16 or, for ALS, the equations cannot be solved; TV_ERR_INPUT for a
 * rating below 0 where it is a count. Safe from several threads. */
enum tv_status tv_fold_in_factors(const struct tv_fold_in *f, uint16_t *user, const struct tv_user_ratings *rated,
                                  struct tv_error *err);

/* The same for callers that go on with other users: one user's impossible ratings must not end a training. Where the
 * user's factors cannot be computed, or do not fit float16, they are zeros, `why` (of `size` bytes) says why, and the
 * status is TV_OK; else `why` is "". */
enum tv_status tv_fold_in_factors_or_zeros(const struct tv_fold_in *f, uint16_t *user,
                                           const struct tv_user_ratings *rated, char *why, size_t size,
                                           struct tv_error *err);

#endif
