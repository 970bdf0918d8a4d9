/* top_n: scores of all items for one user, and the best n of them.
 *
 * A score is u . i in float64. Both sides are float16, so a product is exact (22 bits), every product is a
 * multiple of 2^-48, and sums below 32 are exact whatever the order; larger ones differ in the last bit at most.
 */
#ifndef TRIVET_CORE_TOP_N_H
#define TRIVET_CORE_TOP_N_H

#include <stddef.h>
#include <stdint.h>

struct tv_scored {
    int32_t item; /* dense */
    double score;
};

/* scores[i] = user . item_factors[i], all (n_items, factors) row-major float32 that came from float16. The plain
 * reference and the fast path give the same bits: factor by factor, four running sums (f mod 4), added as
 * (s0 + s1) + (s2 + s3). */
void tv_scores(double *scores, const float *item_factors, size_t n_items, int factors, const float *user);
void tv_scores_reference(double *scores, const float *item_factors, size_t n_items, int factors, const float *user);

/* The `top` best of n_items by score, descending, ties by ascending dense item (dense order is id order). Items
 * with skip[i] != 0 are left out (`skip` may be NULL). `out` holds `top` entries; returns how many were filled:
 * min(top, items not skipped). NaN scores are never chosen. */
size_t tv_top_n(struct tv_scored *out, size_t top, const double *scores, const uint8_t *skip, size_t n_items);

#endif
