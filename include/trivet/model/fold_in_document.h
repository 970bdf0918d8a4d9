/* fold_in_document: a user's whole document from a model's item side and the user's ratings.
 *
 * A fit, an import and a server that folds users in all make documents here, so a document is a function of the model
 * and of the ratings, bit for bit, and each of them may replace another's.
 */
#ifndef TRIVET_MODEL_FOLD_IN_DOCUMENT_H
#define TRIVET_MODEL_FOLD_IN_DOCUMENT_H

#include "trivet/core/fold_in.h"
#include "trivet/core/ratings.h"
#include "trivet/model/user_document.h"

/* A model made ready. Nothing in it changes afterwards, so any number of threads may fold with it. */
struct tv_fold_in_model {
    const struct tv_fold_in *fold_in; /* lent */
    struct tv_dense_map items;
};
/* `item_ids` are those of the model's items, ascending; both must live as long. */
void tv_fold_in_model_init(struct tv_fold_in_model *f, const struct tv_fold_in *fold_in, const int64_t *item_ids);
void tv_fold_in_model_free(struct tv_fold_in_model *f); /* also makes it empty */

/* Memory for one user at a time, used again for the next: one a thread. */
struct tv_fold_in_space {
    struct tv_user_document document;
    struct tv_user_blobs blobs;
    size_t capacity; /* elements of seen and seen_ratings */
    int32_t *seen;   /* dense indices of the rated items that the model has, ascending */
    float *seen_ratings;
    uint16_t *value; /* (factors) float16, the user's */
    int factors;
    char why[TV_USER_WHY]; /* document.why points here */
};
void tv_fold_in_space_init(struct tv_fold_in_space *s);
void tv_fold_in_space_free(struct tv_fold_in_space *s);

/* Folds a user in who gave n ratings, of distinct raw items in ascending order, both lent to s->document, and
 * encodes the document: row -1, rev 0 and no code, for the caller to set. Without an item of the model the
 * factors are zeros; so they are where tv_fold_in_factors finds none, and document.why then says why: that is no error,
 * because it is this user's alone. */
enum tv_status tv_fold_in_document(const struct tv_fold_in_model *f, struct tv_fold_in_space *s, int64_t user_id,
                                   const int64_t *items, const float *ratings, size_t n, struct tv_error *err);

#endif
