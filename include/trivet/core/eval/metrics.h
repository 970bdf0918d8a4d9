/* metrics: how good predicted ratings and ranked lists are. docs/metrics.md works each formula through by hand.
 *
 * Ratings, over n held-out pairs with rating r and prediction p:
 *     RMSE = sqrt(sum (p - r)^2 / n)      MAE = sum |p - r| / n      R2 = 1 - sum (p - r)^2 / sum (r - mean r)^2
 *
 * Lists, for one user with R relevant items, of which the list has the first k places. hit(j) is 1 if place j (from 1)
 * holds a relevant item, hits(k) = hit(1) + ... + hit(k). A list shorter than k counts as if misses followed.
 *     precision  hits(k) / k
 *     recall     hits(k) / R
 *     MAP        sum over j <= k of hit(j) hits(j) / j, divided by min(k, R)
 *     NDCG       sum over j <= k of hit(j) / log2(j + 1), divided by the same sum of a list that begins with
 *                min(k, R) hits: relevance is yes or no
 *     hit rate   1 if hits(k) > 0
 *     MRR        1 / (the first j <= k with hit(j) = 1), 0 without one
 * The mean is taken over users with R > 0. (MAP and MRR are named as the means; for one user they are the average
 * precision and the reciprocal rank.)
 *
 * Lists of all users together, at k:
 *     coverage    share of the items that are in somebody's first k places
 *     popularity  mean number of training ratings of what the first k places hold, each place counted
 *     overlap     mean of |A and B| over pairs of different users, A and B their first k places
 *     jaccard     mean of |A and B| / |A or B| over the same pairs; two empty lists count 0
 */
#ifndef TRIVET_CORE_EVAL_METRICS_H
#define TRIVET_CORE_EVAL_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* --- rating error --- */

/* Sums to merge. The spread of r is kept as mean and squared distances (Chan, Golub and LeVeque, 1979), so that large
 * ratings lying close together lose nothing. Zeros are the empty sum. */
struct tv_rating_error {
    int64_t n;
    double squared, absolute; /* sum (p - r)^2, sum |p - r| */
    double mean, spread;      /* mean r, sum (r - mean r)^2 */
};

void tv_rating_error_add(struct tv_rating_error *e, double predicted, double rating);
void tv_rating_error_merge(struct tv_rating_error *to, const struct tv_rating_error *from);
double tv_rmse(const struct tv_rating_error *e); /* NaN without pairs */
double tv_mae(const struct tv_rating_error *e);  /* NaN without pairs */
double tv_r2(const struct tv_rating_error *e);   /* NaN where all ratings are equal */

/* --- one user's list --- */

enum { TV_MAX_CUTS = 8 };

/* The lengths k at which lists are measured, such as 5, 10, 15 and 100. */
struct tv_cuts {
    int n;                  /* 1 .. TV_MAX_CUTS */
    int32_t k[TV_MAX_CUTS]; /* 1 or more, ascending; the last one is the depth of a list */
};
enum tv_status tv_cuts_check(const struct tv_cuts *cuts, struct tv_error *err); /* TV_ERR_USAGE */
int32_t tv_cuts_depth(const struct tv_cuts *cuts);

enum tv_measure { TV_PRECISION, TV_RECALL, TV_MAP, TV_NDCG, TV_HIT_RATE, TV_MRR, TV_MEASURES };
const char *tv_measure_name(enum tv_measure m); /* "precision", "recall", "map", "ndcg", "hit_rate", "mrr" */

struct tv_list_quality {
    double of[TV_MEASURES]; /* all in [0, 1] */
};

/* out (cuts->n): the quality of the first n_list items of `list`, best first, no repeats. `relevant` (n_relevant) is
 * ascending; `unreachable` more relevant items are in nobody's list. Without any relevant item all values are 0, and
 * belong into no mean. */
void tv_list_quality(struct tv_list_quality *out, const struct tv_cuts *cuts, const int32_t *list, size_t n_list,
                     const int32_t *relevant, size_t n_relevant, size_t unreachable);

/* --- the lists of all users --- */

/* A view of lists that somebody else owns. */
struct tv_lists {
    int32_t n_users, depth, n_items;
    const int32_t *item; /* (n_users, depth) row-major, dense items, best first; -1 from the end of a list on */
};

struct tv_diversity {
    double coverage, popularity, overlap, jaccard;
};

/* out (cuts->n), cuts up to the depth of the lists. `popularity` (n_items) is the number of training ratings of each
 * item. `pairs` pairs of users are drawn with repetition: pair p takes outputs 2p and 2p + 1 of splitmix64 started at
 * `seed` (the first user among n, the second among the other n - 1, by the upper bits: floor(x n / 2^64)); where there
 * are no more than `pairs` different ones, each of them is taken once. Popularity is NaN where all lists are empty,
 * overlap and jaccard with fewer than two users, coverage without items. */
enum tv_status tv_diversity(struct tv_diversity *out, const struct tv_cuts *cuts, const struct tv_lists *lists,
                            const int64_t *popularity, int64_t pairs, uint64_t seed, struct tv_error *err);

#endif
