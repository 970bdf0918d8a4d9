/* account: a score and the terms it is the sum of. /api/v1/explain shows them, and the page of recommendations
 * names the items that contributed most. The arithmetic is lib/core's (trivet/core/explain.h); here are the ids,
 * the order and the memory.
 */
#include "serve/model/account.h"

#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/core/explain.h"

/* Equal contributions are in the order of ids, so that the same question always has the same answer. */
static int most_first(const void *a, const void *b)
{
    const struct tv_account_entry *x = a, *y = b;
    if (x->contribution != y->contribution)
        return x->contribution > y->contribution ? -1 : 1;
    return x->item_id < y->item_id ? -1 : x->item_id > y->item_id;
}

/* The user's ratings of the items that the model holds, in the order of `seen`. Dense order is the order of raw
 * ids, so `seen` and `rated` ascend alike, and one pass over both finds every rating. */
static void ratings_in_model(float *out, const struct tv_resident *s, const struct tv_user_document *u)
{
    for (size_t i = 0, j = 0; i < u->n_seen; i++) {
        int64_t item_id = s->item_ids[u->seen[i]];
        while (j < u->n_rated && u->rated[j] < item_id)
            j++;
        out[i] = j < u->n_rated && u->rated[j] == item_id ? u->ratings[j] : 0;
    }
}

/* The entries are a's from the moment they are allocated, so that tv_account_free frees them after a failure, too;
 * a->n counts them only once they are filled. */
static enum tv_status take_apart(struct tv_account *a, const struct tv_resident *s, const struct tv_user_document *u,
                                 int32_t item, struct tv_error *err)
{
    struct tv_explained terms;
    float *ratings = tv_alloc(u->n_seen, sizeof *ratings, "an explanation", err);
    double *contributions = tv_alloc(u->n_seen, sizeof *contributions, "an explanation", err);
    a->rated = tv_alloc(u->n_seen, sizeof *a->rated, "an explanation", err);
    enum tv_status status = ratings && contributions && a->rated ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        ratings_in_model(ratings, s, u);
        const struct tv_user_ratings rated = {.items = u->seen, .ratings = ratings, .n = u->n_seen};
        status = tv_explain(&s->side->fold_in, contributions, &terms, item, &rated, err);
    }
    for (size_t i = 0; status == TV_OK && i < u->n_seen; i++)
        a->rated[i] = (struct tv_account_entry){s->item_ids[u->seen[i]], ratings[i], contributions[i]};
    if (status == TV_OK) {
        a->n = u->n_seen;
        a->item_term = terms.item;
        a->user_term = terms.user;
        qsort(a->rated, a->n, sizeof *a->rated, most_first);
    }
    free(ratings);
    free(contributions);
    return status;
}

/* A user without a place in the model has no factors to take apart: their list is the popular items, and its score
 * is the number of ratings, which is the item's own term. */
enum tv_status tv_account(struct tv_account *a, const struct tv_resident *s, const struct tv_user_document *u,
                          int32_t item, struct tv_error *err)
{
    struct tv_workspace *w = tv_workspace_of_thread();
    a->reason = tv_reason_for(u);
    if (a->reason == TV_REASON_POPULAR) {
        a->score = a->item_term = (double)tv_resident_count(s, item);
        return TV_OK;
    }
    if (w == NULL || tv_workspace_prepare(w, s, 1, err) != TV_OK)
        return TV_ERR_NO_MEMORY;
    a->score = tv_score_one(w, s, u, item);
    return take_apart(a, s, u, item, err);
}

void tv_account_free(struct tv_account *a)
{
    free(a->rated);
    a->rated = NULL;
    a->n = 0;
}
