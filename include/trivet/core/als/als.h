/* als: two sets of factors whose products come close to a sparse matrix, by alternating least squares.
 *
 * Explicit ratings (Zhou, Wilkinson, Schreiber and Pan, "Large-scale parallel collaborative filtering for the
 * Netflix prize", 2008) minimise
 *
 *   sum over ratings (r_ui - u_u . i_i)^2 + lambda (sum of n_u |p_u|^2 + sum of n_i |q_i|^2)
 *
 * with n_u, n_i the ratings of a user, of an item. Without biases u = p and i = q: Spark's objective. With biases
 * the score is mean + b_u + b_i + p . q, and biases are regularised as the factors are. They are two more
 * columns, so that a score is still one product:
 *
 *   item row [q, mean + b_i, 1]   user row [p, 1, b_u]
 *
 * Implicit feedback (Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", 2008)
 * takes values as counts: a stored pair is wanted, 1, with confidence 1 + alpha r, any other pair is 0 with
 * confidence 1, and
 *
 *   sum over all pairs c_ui (w_ui - p_u . q_i)^2 + lambda (sum of |p_u|^2 + sum of |q_i|^2)
 *
 * is lowered by three steps of conjugate gradients a row (Takacs, Pilaszy and Tikk, "Applications of the conjugate
 * gradient method for implicit feedback collaborative filtering", 2011).
 *
 * Storage is float32. Each row is solved by one thread with sums in a fixed order, and the start is drawn
 * from the seed and the place alone, so the same matrix and seed give the same bytes at any number of threads, with
 * vectors of any width.
 */
#ifndef TRIVET_CORE_ALS_ALS_H
#define TRIVET_CORE_ALS_ALS_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/csr.h"

/* How to train. A member that is left 0 is off, or as it says. */
struct tv_als_options {
    int implicit;   /* values are counts, not ratings */
    int biases;     /* explicit only */
    int factors;    /* k, from 1; more than ratings is fine */
    int iterations; /* from 1; each solves for all users, then for all items */
    double lambda;  /* above 0 */
    double alpha;   /* implicit only; not below 0 */
    uint64_t seed;
    double tolerance; /* stop when an iteration lowers the objective by less than this share of it; 0: never */
    int threads;      /* 0: as OpenMP decides */
    /* Called after each iteration, from 1, with its objective; may be NULL. Returning nonzero stops the work with
     * TV_ERR_INTERRUPTED. */
    int (*progress)(void *context, int iteration, double objective);
    void *context;
};

/* Columns of a row of factors: k, and two more with biases. */
int tv_als_columns(const struct tv_als_options *o);

/* A trained model. The arrays are malloc'ed, and tv_als_free releases them. */
struct tv_als {
    int columns, users, items;
    float *user_factors; /* (users, columns) row-major */
    float *item_factors; /* (items, columns) row-major; the best for these user factors */
    double mean;         /* of all ratings, with biases; else 0 */
    int iterations;      /* done */
    double *objective;   /* (iterations) after each */
};

/* Rows of the matrix are users. A user or item without values gets p = 0 (and b = 0). TV_ERR_USAGE for an option out
 * of range or an empty matrix, TV_ERR_INPUT for implicit values below 0, TV_ERR_NUMERIC where numbers leave the range
 * of float32 or equations cannot be solved. On failure *out is empty. */
enum tv_status tv_als(struct tv_als *out, const struct tv_csr *matrix, const struct tv_als_options *options,
                      struct tv_error *err);
void tv_als_free(struct tv_als *a);

/* Bytes the work will take beside the matrix, for --dry-run. */
double tv_als_memory(int64_t users, int64_t items, int64_t n_values, const struct tv_als_options *options);

#endif
