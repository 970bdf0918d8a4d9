/* cuts: the two cuts and the row limit of the filter, applied to rows in memory. */
#ifndef TRAIN_CUTS_H
#define TRAIN_CUTS_H

#include "trivet/evidence.h"
#include "trivet/filter.h"
#include "trivet/ratings.h"

/* Adds to `out` the pairs that trivet.user_item would keep if `evidence` were all the rows there are, in their order:
 * min_users_for_item, min_items_for_user, max_items_for_user and max_row_number of the filter, counted in rows. Its other
 * parameters are not looked at. Pairs may end up none; that is no error. */
enum tv_status cuts_apply(struct tv_ratings *out, const struct tv_evidence *evidence, const struct tv_filter *filter,
                          struct tv_error *err);

/* All pairs of `evidence`. */
enum tv_status cuts_none(struct tv_ratings *out, const struct tv_evidence *evidence, struct tv_error *err);

#endif
