/* without: a kept model made again without an item or a user that is to be forgotten.
 *
 * Dense numbers of items stand in every user's document, so an item cannot be taken out of a model in place: a server would mix
 * old rows with new documents. So there is another model, N', under a number of its own: the factors of all other items are those
 * of N, bit for bit, and each user is folded in again from their own document, without the item. It is written, read back and
 * activated like any model; then N is discarded. The caller holds the lock, and has repaired.
 */
#ifndef TRIVET_MODEL_LIFE_WITHOUT_H
#define TRIVET_MODEL_LIFE_WITHOUT_H

#include "trivet/model/life/lifecycle.h"
#include "trivet/model/model.h"

/* Whom, or what. */
struct tv_forgotten {
    int is_item;      /* else it is a user */
    int64_t id;       /* the number in all stores */
    const char *code; /* what the data calls it: a code, or the number as text */
};

/* *needed: the model has the item among its own or its users' ratings, or the user among the examples of the welcome page.
 * A user's document is no reason: tv_user_delete takes that. */
enum tv_status tv_without_needed(const struct tv_stores *s, int64_t run_number, const struct tv_forgotten *what, int *needed,
                                 struct tv_error *err);
/* Begins the run of the new model; its number is *again. A process that ends before it is whole leaves it to repair. */
enum tv_status tv_without_begin(const struct tv_stores *s, int64_t run_number, int64_t *again, struct tv_error *err);
/* Makes model `again` of `run_number`, reads it back, and calls it kept. */
enum tv_status tv_without_make(const struct tv_stores *s, int64_t run_number, int64_t again, const struct tv_forgotten *what,
                               struct tv_error *err);
/* The description and the journal have as many items and users as the model itself; the caller writes the description. */
enum tv_status tv_without_count(const struct tv_stores *s, struct tv_model *m, struct tv_error *err);
/* `again` is live if `run_number` was, which is discarded. */
enum tv_status tv_without_exchange(const struct tv_stores *s, int64_t run_number, int64_t again, int is_live,
                                   struct tv_error *err);
/* Does that for models of the current data set that a process made which was killed then. */
enum tv_status tv_without_finish(const struct tv_stores *s, struct tv_error *err);

#endif
