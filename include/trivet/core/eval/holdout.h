/* holdout: the ratings of a portion that was kept apart, in the dense indices of the training matrix.
 *
 * A user or an item is *cold* when training has no rating of theirs. Nothing cold disappears:
 *
 * - rows of cold users are counted (counts.cold_user_rows). No method can make them a list of their own, so they are
 *   in no mean, neither of lists nor of ratings.
 * - rows of a known user on a cold item are counted (counts.cold_item_rows), and relevant ones stay relevant: no
 *   list can hold them, so for every method alike they are missed (`unreachable`: recall, NDCG and MAP divide by them,
 *   too). There is no rating to predict them from, so the rating error leaves them out.
 *
 * rows = test.n_values + counts.cold_user_rows + counts.cold_item_rows.
 */
#ifndef TRIVET_CORE_EVAL_HOLDOUT_H
#define TRIVET_CORE_EVAL_HOLDOUT_H

#include "trivet/base/status.h"
#include "trivet/core/csr.h"
#include "trivet/core/eval/split.h"
#include "trivet/core/ratings.h"

/* The size of the portion, and how much of it cannot be judged: reports show these beside every result. */
struct tv_holdout_counts {
    int64_t rows, users, items;     /* of the portion */
    int64_t cold_users, cold_items; /* of these users and items */
    int64_t cold_user_rows;         /* rows of cold users, whatever the item */
    int64_t cold_item_rows;         /* rows of known users on cold items */
};

/* Owned by its creator; evaluations only read it, so several may share one. */
struct tv_holdout {
    struct tv_csr test;    /* (training users, training items): the rows with nothing cold */
    int32_t *unreachable;  /* (training users) relevant rows on cold items; NULL: none anywhere */
    float min_relevant;    /* a held-out rating is relevant from here on; -INFINITY: every one */
    struct tv_holdout_counts counts;
};

/* `pairs` and `split` belong together, `training` is the portion that was learned from. TV_ERR_NO_MEMORY is the only
 * failure; *out is then empty. */
enum tv_status tv_holdout_create(struct tv_holdout *out, const struct tv_pairs *pairs, const struct tv_split *split,
                                 enum tv_portion portion, const struct tv_matrix *training, float min_relevant,
                                 struct tv_error *err);
void tv_holdout_free(struct tv_holdout *h); /* also makes it empty */

#endif
