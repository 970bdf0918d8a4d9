/* cuts: the two cuts and the row limit of the filter, applied to rows in memory; and which ratings can be learned from.
 */
#ifndef TRIVET_TRAIN_JUDGE_CUTS_H
#define TRIVET_TRAIN_JUDGE_CUTS_H

#include "trivet/base/named.h"
#include "trivet/core/evidence.h"
#include "trivet/core/ratings.h"
#include "trivet/model/filter.h"

/* A rating beyond it, of either sign, is not learned from: the singular value it makes by itself has a root beyond
 * float16, and its square is soon beyond float32. So one value that is no rating would be the whole model. */
#define TV_CUTS_LARGEST 1e9F

/* Adds one rating, or counts it in `too_large`; tv_cuts_report logs what was. */
enum tv_status tv_cuts_add(struct tv_ratings *out, int64_t user, int64_t item, float rating, struct tv_named *too_large,
                           struct tv_error *err);
/* One line in the log for all of them, if there were any. */
void tv_cuts_report(const struct tv_named *too_large);

/* Adds to `out` the pairs that trivet.user_item would keep if `evidence` were all the rows there are, in their order:
 * min_users_for_item, min_items_for_user, max_items_for_user and max_row_number of the filter, counted in rows. Its
 * other parameters are not looked at. Pairs may end up none; that is no error. */
enum tv_status tv_cuts_apply(struct tv_ratings *out, const struct tv_evidence *evidence, const struct tv_filter *filter,
                             struct tv_named *too_large, struct tv_error *err);

/* Adds all pairs of `evidence`, for an analyst's own SQL, to which no filter is applied. */
enum tv_status tv_cuts_none(struct tv_ratings *out, const struct tv_evidence *evidence, struct tv_named *too_large,
                            struct tv_error *err);

#endif
