/* baselines: simple methods that a model has to beat. Each is learned from the training matrix alone.
 *
 *              predicts                    ranks by
 * mean         m, the mean of all ratings  nothing: every item would be equal
 * item mean    m_i, the item's mean        m_i, so that one rating of 5 beats a hundred of 4.9
 * bias         m + b_u + b_i               the same, which is by b_i: b_u is equal for all items
 * popular      nothing                     the number of ratings
 * random       nothing                     u_ui in [0, 1), from output i of splitmix64 started at output u of
 *                                          splitmix64 started at `seed`: its upper 53 bits times 2^-53
 *
 * Ties go to the lower dense item, as in every list.
 *
 *     b_i = sum over users of i (r_ui - m) / (item_weight + n_i)
 *     b_u = sum over items of u (r_ui - m - b_i) / (user_weight + n_u)
 *
 * are Koren's decoupled baseline estimates ("Factor in the neighbors: scalable and accurate collaborative filtering",
 * ACM TKDD 4(1), 2010, 2.1); the weights pull users and items with few ratings towards the mean. Predictions are
 * not cut to the range of ratings.
 *
 * Cold: without ratings an item's mean is m, and b_i and b_u are 0. So the item mean falls back to the mean, and bias
 * to what is left: m + b_i for a new user, m + b_u for a new item, m for both.
 */
#ifndef TRIVET_CORE_EVAL_BASELINES_H
#define TRIVET_CORE_EVAL_BASELINES_H

#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/csr.h"
#include "trivet/core/eval/evaluate.h"

enum tv_baseline_kind { TV_MEAN, TV_ITEM_MEAN, TV_BIAS, TV_POPULAR, TV_RANDOM, TV_BASELINES };
const char *tv_baseline_name(enum tv_baseline_kind kind); /* "mean", "item_mean", "bias", "popular", "random" */

struct tv_baseline_options {
    double item_weight, user_weight; /* bias: 0 or more */
    uint64_t seed;                   /* random */
};
void tv_baseline_defaults(struct tv_baseline_options *o); /* weights 25 and 10, as Koren's for Netflix; seed 1 */

/* One learned baseline; arrays are owned, and tv_baseline_free releases them. */
struct tv_baseline {
    enum tv_baseline_kind kind;
    int32_t n_users, n_items;
    double mean;    /* of all ratings */
    double *item;   /* (n_items) m_i, b_i or the number of ratings; NULL where the kind has none */
    double *user;   /* (n_users) b_u; NULL but for bias */
    uint64_t seed;
};

/* TV_ERR_USAGE for a weight below 0, TV_ERR_INPUT for a matrix without ratings. On failure *out is empty. */
enum tv_status tv_baseline_fit(struct tv_baseline *out, enum tv_baseline_kind kind, const struct tv_csr *training,
                               const struct tv_baseline_options *options, struct tv_error *err);
void tv_baseline_free(struct tv_baseline *b); /* also makes it empty */

/* A user or an item of -1 is one that training does not know. NaN from the kinds that do not predict. */
double tv_baseline_predict(const struct tv_baseline *b, int32_t user, int32_t item);

/* scores (n_items), for a user of -1, too (random: one list for all of them). NaN throughout for the mean. */
void tv_baseline_scores(const struct tv_baseline *b, int32_t user, double *scores);

/* For tv_evaluate_*; `b` is lent. A function that the kind has no answer for is NULL. */
struct tv_method tv_baseline_method(struct tv_baseline *b);

#endif
