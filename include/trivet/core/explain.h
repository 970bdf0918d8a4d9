/* explain: a score taken apart into what each of the user's ratings contributed to it.
 *
 * A user's factors are folded in (fold_in.h) by equations that are linear in their right-hand side, a sum with one term
 * for each rating; so a score is a sum with one term for each rating, too:
 *
 *   SVD           r_j (i_j diag(sigma^(-2a))) . i
 *   explicit ALS  r_j i_j' A^(-1) i                with A = sum of i i' + lambda n 1
 *   with biases   (r_j - mean - b_j) [q_j, 1]' A^(-1) [q, 0], and two terms that belong to no rating: the item's
 *                 mean + b_i and the user's b_u
 *   implicit ALS  (1 + alpha r_j) i_j' A^(-1) i     with A = I16' I16 + sum of alpha r i i' + lambda 1
 *
 * for the item i (Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", 2008, section 5,
 * which weighs by the same A^(-1)). A depends on which items were rated, and is held fixed: a contribution says what a
 * rating adds among the others, not what the score were without it.
 *
 * All of it is float64. The score that is served comes from factors rounded to float16; the effect of that rounding
 * is the difference to the sum of the terms.
 */
#ifndef TRIVET_CORE_EXPLAIN_H
#define TRIVET_CORE_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/fold_in.h"

struct tv_explained {
    double item; /* the item's own term, mean + b_i; 0 without biases */
    double user; /* the user's own, b_u; 0 without biases */
    double sum;  /* of both and all contributions */
};

/* Takes the score of `item` (dense) apart for a user with the ratings that the user is folded in with.
 * `contributions` gets a term for each, in their order. Without ratings all is 0, as is the score. Errors as of
 * tv_fold_in_factors. Costs about what folding in costs, with biases twice that. Safe from several threads. */
enum tv_status tv_explain(const struct tv_fold_in *f, double *contributions, struct tv_explained *out, int32_t item,
                          const struct tv_user_ratings *rated, struct tv_error *err);

#endif
