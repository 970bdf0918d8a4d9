/* prediction: a user's rating of an item, predicted. The older API, /api/v1/predict and the ratings of a user go
 * through here; lists of recommendations do not (recommend.h), as they show the model's scores as they are.
 */
#include "serve/pick/prediction.h"

#include <math.h>
#include <string.h>

#include "trivet/base/clock.h"
#include "trivet/core/formats/half.h"

static int is_rating(const char *score_kind)
{
    return strcmp(score_kind, "rating") == 0;
}

/* The newest kept model of the live one's data set that predicts ratings, or TV_LIVE_MODEL if there is none: the user of
 * a number is somebody else in other data. The list ascends by run number. */
static int64_t newest_of(const struct tv_listed_models *list, const struct tv_resident *live)
{
    for (size_t i = list ? list->n : 0; i-- > 0;) {
        const struct tv_model_info *info = &list->models[i].info;
        if (is_rating(info->score_kind) && strcmp(info->dataset, live->info.dataset) == 0)
            return info->run_number;
    }
    return TV_LIVE_MODEL;
}

/* The list may be a second old; an older one is read again, unless MongoDB is away: then the old one is better than
 * none. */
static enum tv_pick choose_beside(struct tv_models *models, const struct tv_resident *live, int may_wait, int64_t *model)
{
    struct tv_listed_models *list = tv_model_list_known(models->model_list);
    int fresh = list && tv_clock() - list->read_at < TV_FRESH_SECONDS;
    if (!fresh && tv_breaker_is_up(models->mongo_breaker)) {
        tv_model_list_release(list);
        if (!may_wait)
            return TV_PICK_LATER;
        tv_model_list_refresh(models->model_list, models->mongo, models->mongo_breaker);
        list = tv_model_list_known(models->model_list);
    }
    *model = newest_of(list, live);
    tv_model_list_release(list);
    return TV_PICKED;
}

/* A live model that predicts ratings itself needs no list of models, and none is read. */
static enum tv_pick choose_model(struct tv_models *models, int may_wait, int64_t *model)
{
    struct tv_resident *live = tv_shelf_live(models->shelf);
    *model = TV_LIVE_MODEL;
    enum tv_pick pick =
        live == NULL || is_rating(live->score_kind) ? TV_PICKED : choose_beside(models, live, may_wait, model);
    tv_resident_release(live);
    return pick;
}

/* One basis for all items of the model: it depends on the model and on whether the user has a place in it. */
static const char *basis_of(const struct tv_picked *picked)
{
    const struct tv_user_document *user = picked->user ? picked->user->document : NULL;
    if (tv_reason_for(user) == TV_REASON_POPULAR)
        return "mean";
    return is_rating(picked->resident->score_kind) ? "rating" : "relevance";
}

/* A chosen model may have been pruned since the list was read. A 404 for a model that the request did not name
 * would be nobody's fault, so the live one answers instead. */
enum tv_pick tv_predictor_pick(struct tv_models *models, int64_t model, struct tv_id *user, int may_wait,
                               struct tv_predictor *out, struct tv_problem *problem)
{
    *out = (struct tv_predictor){.basis = NULL};
    int64_t chosen = model;
    enum tv_pick pick = model == TV_LIVE_MODEL ? choose_model(models, may_wait, &chosen) : TV_PICKED;
    if (pick == TV_PICKED)
        pick = tv_pick(models, chosen, user, may_wait, &out->picked, problem);
    if (pick == TV_PICK_PROBLEM && problem->status == 404 && chosen != model) { /* pruned a moment ago */
        problem->status = 0;
        pick = tv_pick(models, TV_LIVE_MODEL, user, may_wait, &out->picked, problem);
    }
    if (pick == TV_PICKED)
        out->basis = basis_of(&out->picked);
    return pick;
}

double tv_predicted_shown(const struct tv_predictor *p, double score)
{
    return tv_on_scale(&p->picked.resident->info, p->basis, score);
}

static double mean_of(const struct tv_resident *s, int64_t item_id)
{
    const struct tv_item *item = tv_items_find(&s->catalogue->items, item_id);
    return item && item->n_ratings > 0 ? item->mean_rating : NAN;
}

/* The mean where the factors say nothing: for an item outside the model, and for a user without a place in it. An
 * item that nobody has rated has no mean either. */
enum tv_status tv_predict(const struct tv_predictor *p, int64_t item_id, struct tv_prediction *out)
{
    const struct tv_resident *s = p->picked.resident;
    int32_t item = tv_resident_dense(s, item_id);
    if (item < 0 || strcmp(p->basis, "mean") == 0) {
        out->value = mean_of(s, item_id);
        out->basis = isnan(out->value) ? NULL : "mean";
        return TV_OK;
    }
    struct tv_workspace *w = tv_workspace_of_thread();
    if (w == NULL || tv_workspace_prepare(w, s, 1, NULL) != TV_OK)
        return TV_ERR_NO_MEMORY;
    out->value = tv_predicted_shown(p, tv_score_one(w, s, p->picked.user->document, item));
    out->basis = p->basis;
    return TV_OK;
}

void tv_predicted_json(struct tv_out *out, const char *basis, double value)
{
    if (basis && strcmp(basis, "mean") == 0)
        tv_out_float(out, (float)value);
    else
        tv_out_real(out, value);
}

/* For a user without a place in the model every list of predicted ratings is the same but for what they have rated.
 * Items without a mean are NaN, which tv_top_n never chooses. `skip` is zero again in the end, as tv_recommend
 * leaves it. */
static enum tv_status rank_means(const struct tv_resident *s, const struct tv_user_document *user,
                                 const struct tv_item_filter *filter, size_t top, struct tv_ranking *out)
{
    struct tv_workspace *w = tv_workspace_of_thread();
    if (w == NULL || tv_workspace_prepare(w, s, top, NULL) != TV_OK)
        return TV_ERR_NO_MEMORY;
    for (int32_t i = 0; i < s->n_items; i++)
        w->scores[i] = mean_of(s, s->item_ids[i]);
    tv_item_filter_mark(filter, s, user, &w->judged, w->skip, out->counts);
    out->n = tv_top_n(w->best, top, w->scores, w->skip, (size_t)s->n_items);
    memset(w->skip, TV_KEPT, (size_t)s->n_items * sizeof *w->skip);
    out->best = w->best;
    return TV_OK;
}

enum tv_status tv_predict_top(const struct tv_predictor *p, const struct tv_item_filter *filter, size_t top,
                              struct tv_ranking *out)
{
    const struct tv_resident *s = p->picked.resident;
    const struct tv_user_document *user = p->picked.user ? p->picked.user->document : NULL;
    if (strcmp(p->basis, "mean") == 0)
        return rank_means(s, user, filter, top, out);
    struct tv_workspace *w = tv_workspace_of_thread();
    return w ? tv_recommend(out, w, s, user, filter, top, NULL) : TV_ERR_NO_MEMORY;
}

void tv_predictor_headers(const char *basis, struct tv_response *response)
{
    response->score = basis;
    if (basis && strcmp(basis, "relevance") == 0)
        response->hint = "no kept model predicts ratings: " TV_TRAIN_RATINGS;
}
