/* account: a score and its terms: the contribution of each of the user's ratings, the largest first. */
#ifndef TRIVET_SERVE_MODEL_ACCOUNT_H
#define TRIVET_SERVE_MODEL_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "serve/model/recommend.h"
#include "serve/model/resident.h"
#include "trivet/base/status.h"
#include "trivet/model/user_document.h"

/* One rating and its term. The contributions, item_term and user_term add up to the score but for rounding
 * (trivet/core/explain.h). */
struct tv_account_entry {
    int64_t item_id;
    float rating;
    double contribution;
};

/* For a user whom the model does not know the score is the item's number of ratings; item_term is all of it then,
 * and there is no entry. */
struct tv_account {
    enum tv_reason reason;
    double score, item_term, user_term;
    size_t n;
    struct tv_account_entry *rated; /* (n) largest contribution first, ties by id; owned */
};

/* Takes the score of `item` (dense) for a user apart; `user` may be NULL: unknown. *a, all zero before, is given
 * back with tv_account_free after success and failure alike. Costs about what folding the user in costs
 * (trivet/core/explain.h). */
enum tv_status tv_account(struct tv_account *a, const struct tv_resident *s, const struct tv_user_document *user,
                          int32_t item, struct tv_error *err);
void tv_account_free(struct tv_account *a); /* also makes it empty */

#endif
