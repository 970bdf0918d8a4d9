/* row_scores: scores of a few items out of many. */
#ifndef TRIVET_CORE_SCAN_ROW_SCORES_H
#define TRIVET_CORE_SCAN_ROW_SCORES_H

#include <stddef.h>
#include <stdint.h>

/* scores[i] = user . the row of items[i], for n items in any order, of float16 item_factors (n_items, factors) row-major: the
 * same bits as tv_scores (top_n.h) gives for their widened rows. */
void tv_scores_of_rows(double *scores, const uint16_t *item_factors, const int32_t *items, size_t n, int factors,
                       const float *user);

#endif
