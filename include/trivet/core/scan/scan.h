/* scan: the best n items for a user, without scoring every item.
 *
 * The same list, bit for bit, as tv_scores and tv_top_n make of all items (top_n.h), which stay the reference. Items lie
 * in blocks, longest rows first. A score is at most |user| |item|, so once that is below the worst score of a full list for
 * all blocks that are left, nothing in them can enter it. Within a block rows of whole numbers bound each score more
 * closely, and few items are left whose score is computed. Columns that are biases would make every row long; they are left
 * out of lengths and codes and bounded apart.
 */
#ifndef TRIVET_CORE_SCAN_SCAN_H
#define TRIVET_CORE_SCAN_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/top_n.h"

struct tv_scan_block; /* what holds for the items of a block, and of all from it on (scan.c) */

enum { TV_SCAN_APART = 2 }; /* columns bounded apart, at most */

/* The items of a model, ready to be scanned; about factors + 17 bytes each beside the factors. Nothing in it changes, so
 * threads share one. */
struct tv_scan {
    int factors, apart; /* columns of a row, and how many of them, the last, are biases */
    int32_t n_items;
    const uint16_t *item_factors; /* (n_items, factors) row-major float16, by dense item; lent */
    int32_t *item;                /* (n_items) dense, in the order of the scan, as all that follows */
    int8_t *codes;                /* by block, of the columns that are no biases (lib/core/scan/codes.h); NULL: rows are too long */
    float *scale;                 /* (n_items) what a code of 1 is worth */
    double *length;               /* (n_items) of the row without the columns apart */
    float *bias;                  /* (n_items, apart) */
    struct tv_scan_block *block;
};

/* What a scan did. */
struct tv_scan_work {
    size_t coded, scored; /* items whose codes were looked at, and whose scores were computed */
};

/* Makes one of item factors, which must outlive it. The last `apart` columns, at most TV_SCAN_APART and fewer than `factors`,
 * are biases. A factor that is not finite is TV_ERR_CORRUPT. On failure *out is empty. */
enum tv_status tv_scan_create(struct tv_scan *out, const uint16_t *item_factors, int32_t n_items, int factors, int apart,
                              struct tv_error *err);
void tv_scan_free(struct tv_scan *s);          /* also makes it empty */
size_t tv_scan_bytes(const struct tv_scan *s); /* without the factors */

/* The `top` best items for a user's factors (factors), as tv_top_n lists them; items with skip[item] != 0 are left out
 * (`skip` may be NULL). n_kept is how many are not, where that is known; else n_items, for what may be more: it decides
 * how they are looked for. `out` holds `top` entries; returns how many were filled. *work may be NULL. */
size_t tv_scan_top(struct tv_scored *out, size_t top, const struct tv_scan *s, const float *user, const uint8_t *skip,
                   size_t n_kept, struct tv_scan_work *work);

/* The `top` items whose rows lie nearest to that of an item, by cosine, the columns apart left out: (row . other) / (length of
 * other * length of row), as tv_top_n lists them. `row` (factors) is room for its factors. An item whose row is zero is near
 * to none, and none to it. */
size_t tv_scan_nearest(struct tv_scored *out, size_t top, const struct tv_scan *s, int32_t item, float *row);

#endif
