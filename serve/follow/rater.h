/* rater: ratings into PostgreSQL, and then into the document of the user who gave them.
 *
 * The rating is safe once its transaction is committed; that is one statement (trivet.rate), so it happens whole or
 * not at all. Only afterwards is the live model asked for, and the user folded in with exactly that one: a training
 * that switches models meanwhile either is seen here, or sees the rating (docs/design.md). A change whose folding
 * in fails is in the queue (trivet.user_change), which follower.h works off.
 */
#ifndef TRIVET_SERVE_FOLLOW_RATER_H
#define TRIVET_SERVE_FOLLOW_RATER_H

#include <stdint.h>

#include "serve/follow/model_data.h"
#include "serve/follow/rating_list.h"
#include "serve/stores/models.h"
#include "trivet/base/status.h"
#include "trivet/model/life/catch_up.h"

struct tv_rater;

/* Lent: `models`, and reader_uri, of a login that can only read, or NULL. Connects to nothing yet. */
enum tv_status tv_rater_create(struct tv_rater **out, struct tv_models *models, const char *postgres_uri,
                               const char *reader_uri, struct tv_error *err);
void tv_rater_free(struct tv_rater *rater); /* NULL is fine */

/* Why PostgreSQL refused a list (trivet.rate, trivet.play_as). */
enum tv_refused {
    TV_REFUSED_NOT,
    TV_REFUSED_UNKNOWN, /* there is no such item */
    TV_REFUSED_SCALE,   /* its value lies outside low..high */
    TV_REFUSED_FULL,    /* plays: there would be more than `high` */
    TV_REFUSED_KIND,    /* plays: the data is ratings */
    TV_REFUSED_DATASET  /* another data set is loaded than that of the model (model_data.h) */
};

/* The outcome of a change. */
struct tv_rated {
    int64_t user_id;     /* the number of the user, who may be new */
    int64_t rev;         /* the user's changes so far */
    int64_t dataset;     /* in which data set; 0: not known */
    int64_t changed;     /* items whose rating changed */
    enum tv_refused reason; /* if not TV_REFUSED_NOT, nothing was written, because of ... */
    int64_t refused_item;
    int has_scale;       /* 0: there are no loaded ratings, and so no scale */
    float low, high;
    struct tv_model_data data; /* with TV_REFUSED_DATASET */
};

/* Under what a rating was given. */
struct tv_shown {
    const struct tv_resident *live; /* knows items, which are then not looked up; NULL: no model is loaded */
    int64_t model; /* whose items were shown, this or another: its data set must be loaded; 0: none */
};

/* All three wait, and commit. The user is known by user->text, a number or a code. TV_ERR_UNAVAILABLE: PostgreSQL does not
 * answer; as a connection can break after a commit and before the answer, the change may have been made, whole. */
enum tv_status tv_rater_rate(struct tv_rater *rater, const struct tv_id *user, struct tv_rating_list *list,
                             const struct tv_shown *shown, struct tv_rated *rated, struct tv_error *err);
/* Adds plays to what stands; an item may stand twice. On success the list's values are the sums that stand now. */
enum tv_status tv_rater_play(struct tv_rater *rater, const struct tv_id *user, struct tv_rating_list *list,
                             const struct tv_shown *shown, struct tv_rated *rated, struct tv_error *err);
enum tv_status tv_rater_unrate(struct tv_rater *rater, const struct tv_id *user, int64_t item_id,
                               const struct tv_shown *shown, struct tv_rated *rated, struct tv_error *err);

/* After a commit: folds the user in with the live model, and notes that this was done up to the rev of `rated`. On success
 * *model is its run number, and this server's next answer has it. TV_ERR_UNAVAILABLE: a store is away;
 * TV_ERR_NOT_FOUND: no model is live, or one of another data set than what was shown, or nobody knows its row source;
 * TV_ERR_INPUT: its row source cannot be read for this user just now. Waits. */
enum tv_status tv_rater_fold_in(struct tv_rater *rater, const struct tv_shown *shown, const struct tv_rated *rated,
                                int64_t *model, struct tv_error *err);
/* Folds in who waits, at most `limit`, on connections of the caller's. *model is the live one's run number; 0: none.
 * Users who cannot be folded in are told in `work`, and are no failure. */
enum tv_status tv_rater_fold_in_waiting(struct tv_rater *rater, struct tv_fold_in_stores *reading, int limit,
                                        struct tv_catch_up_work *work, int64_t *model, struct tv_error *err);

#endif
