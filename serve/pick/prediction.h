/* prediction: a user's rating of an item, predicted, for answers that are ratings rather than recommendations.
 *
 * A rating is predicted by a model whose score is one: the live model, if its score is, else the newest such model
 * that is kept. With none of that kind, the live model's relevance takes the place of ratings, and the answer says
 * so. Nothing is known of a user who is nowhere in the model; then it is the mean of the item's ratings, as it is
 * for items that the model does not hold.
 */
#ifndef TRIVET_SERVE_PICK_PREDICTION_H
#define TRIVET_SERVE_PICK_PREDICTION_H

#include <stdint.h>

#include "serve/model/ids.h"
#include "serve/model/recommend.h"
#include "serve/pick/pick.h"

/* The model that predicts, chosen once for all items of a request. */
struct tv_predictor {
    struct tv_picked picked; /* the model, and the user's document in it or NULL */
    const char *basis;       /* of the items that the model holds: "rating", "relevance" or "mean" */
};

/* The command that trains a model which predicts ratings; sent as X-Trivet-Hint where there is none. */
#define TV_TRAIN_RATINGS "trivet-train fit --algorithm als --biases"

/* Picks as tv_pick does; TV_LIVE_MODEL leaves the choice to the rule above. Then picked holds references. */
enum tv_pick tv_predictor_pick(struct tv_models *models, int64_t model, struct tv_id *user, int may_wait,
                               struct tv_predictor *out, struct tv_problem *problem);

/* One item's predicted rating. */
struct tv_prediction {
    double value;      /* within the scale of the ratings, for a rating; NaN: nothing can be said */
    const char *basis; /* as above; NULL with NaN */
};
/* Uses the thread's workspace, as tv_recommend does. TV_ERR_NO_MEMORY without one. */
enum tv_status tv_predict(const struct tv_predictor *p, int64_t item_id, struct tv_prediction *out);
/* A predicted number as JSON: null for NaN, and a mean as it is told beside the item (tv_item_counts_json). */
void tv_predicted_json(struct tv_out *out, const char *basis, double value);
/* A score of the predictor's as it is shown: ratings within their scale. */
double tv_predicted_shown(const struct tv_predictor *p, double score);

/* The best items for the user among those that a filter, resolved for the predictor's model, leaves: best first, by
 * predicted rating; for an unknown user by the mean of their ratings. out->best is the workspace's; its scores are
 * to go through tv_predicted_shown. */
enum tv_status tv_predict_top(const struct tv_predictor *p, const struct tv_item_filter *filter, size_t top,
                              struct tv_ranking *out);

/* Says in the headers what kind of number an answer holds. */
void tv_predictor_headers(const char *basis, struct tv_response *response);

#endif
