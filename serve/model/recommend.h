/* recommend: a user's list of items. Pure: a resident model and a user's document in, a ranking out; no store is
 * asked.
 */
#ifndef TRIVET_SERVE_MODEL_RECOMMEND_H
#define TRIVET_SERVE_MODEL_RECOMMEND_H

#include <stddef.h>
#include <stdint.h>

#include "serve/model/item_filter.h"
#include "serve/model/resident.h"
#include "trivet/core/top_n.h"
#include "trivet/model/user_document.h"

/* The origin of a list. Answers tell it, so that a reader knows whether the list is about the user at all. */
enum tv_reason {
    TV_REASON_PERSONAL,  /* the model learned from this user */
    TV_REASON_FOLDED_IN, /* it did not, but the user's ratings place them in it */
    TV_REASON_POPULAR    /* nothing of theirs is in the model, or it leads to no factors: the items with most ratings */
};
enum tv_reason tv_reason_for(const struct tv_user_document *user); /* NULL: unknown */
const char *tv_reason_name(enum tv_reason reason); /* "personal", "folded_in", "popular" */

/* Memory for scoring that one thread uses again and again. `items`, `top` and `factors` say for how many there is
 * room. */
struct tv_workspace {
    double *scores;         /* (n_items) */
    uint8_t *skip;          /* (n_items) all zero between calls */
    struct tv_scored *best; /* (top) */
    float *user;            /* (factors) */
    struct tv_judged judged; /* the last filter */
    size_t items, top, factors;
};
/* Makes room for a list of `top` items of the model. A ranking in the workspace survives only if there was room. */
enum tv_status tv_workspace_prepare(struct tv_workspace *w, const struct tv_resident *s, size_t top,
                                    struct tv_error *err);
void tv_workspace_free(struct tv_workspace *w); /* also makes it empty */
/* The calling thread's own, freed when the thread ends; NULL without memory. */
struct tv_workspace *tv_workspace_of_thread(void);

/* A list on its way into an answer; it owns nothing. */
struct tv_ranking {
    enum tv_reason reason;
    const char *score_kind;       /* the model's ("relevance"), or "count": the number of ratings */
    size_t n;                     /* min(top, items that are eligible) */
    const struct tv_scored *best; /* (n) in the workspace, until it is used again */
    size_t counts[TV_REMOVALS];   /* with a filter: how many items are eligible, and how many each filter removed */
};

/* The best `top` items for a user, whose document may be NULL: unknown. Equal scores stand in the order of item
 * ids. `filter` was resolved for this model and says which items are eligible; NULL: those the user has not rated.
 * The only failure is TV_ERR_NO_MEMORY. */
enum tv_status tv_recommend(struct tv_ranking *out, struct tv_workspace *w, const struct tv_resident *s,
                            const struct tv_user_document *user, const struct tv_item_filter *filter, size_t top,
                            struct tv_error *err);

/* The same without a filter, from the list that trivet-train precompute stored in the user's document: 1 and *out, or 0
 * if there is none, it is too short, or it names an item that the model does not hold. */
int tv_recommend_stored(struct tv_ranking *out, struct tv_workspace *w, const struct tv_resident *s,
                        const struct tv_user_document *user, size_t top);

/* The score of one item, in a workspace made ready for the model: the same number as in a list. The user must have
 * a place in the model (tv_user_document_is_placed). */
double tv_score_one(struct tv_workspace *w, const struct tv_resident *s, const struct tv_user_document *user,
                    int32_t item);

/* A ranking that is kept with the document it was made from, so that it is not made again while that does not
 * change. */
enum { TV_KEPT_ITEMS = 50 };
struct tv_kept_ranking {
    enum tv_reason reason;
    size_t n; /* TV_KEPT_ITEMS, or fewer when there are no more */
    struct tv_scored best[TV_KEPT_ITEMS];
};
/* A copy of its best, malloc'ed; NULL without memory. */
struct tv_kept_ranking *tv_ranking_keep(const struct tv_ranking *ranking);
/* The ranking of so many items out of a kept one, if it holds them: 1 and *out, which points into it, else 0.
 */
int tv_ranking_from_kept(struct tv_ranking *out, const struct tv_kept_ranking *kept, const struct tv_resident *s,
                         size_t top);

#endif
