/* user: a user's ratings, with the ratings that a model predicts beside them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "serve/api/handlers.h"
#include "serve/app.h"
#include "serve/pick/prediction.h"
#include "serve/web/parameters.h"

/* The model that predicts need not be the one whose document is shown, so the answer names it; null: none could be
 * asked. */
static void write_predicted_by(struct tv_out *out, const struct tv_predictor *p)
{
    tv_out_key(out, "predicted_by");
    if (p->basis == NULL) {
        tv_out_text(out, "null");
        return;
    }
    tv_out_text(out, "{");
    tv_out_key(out, "model");
    tv_out_int(out, p->picked.resident->run_number);
    tv_out_key(out, "score_kind");
    tv_out_json(out, p->basis);
    tv_out_text(out, "}");
}

/* Items in an answer, whose room is TV_OUT_MAX; only programs have more ratings than that. */
enum { MOST_ITEMS = 100000 };

/* Only predictions from factors: the mean of all ratings says nothing about this user. */
static void write_predicted(struct tv_out *out, const struct tv_predictor *p, int64_t item_id)
{
    struct tv_prediction prediction = {NAN, NULL};
    if (p->basis && tv_predict(p, item_id, &prediction) != TV_OK)
        out->failed = 1;
    tv_out_key(out, "predicted");
    tv_out_real(out, prediction.basis && strcmp(prediction.basis, "mean") != 0 ? prediction.value : NAN);
}

/* Every item that the user rated, also those outside the model; n_in_model tells how many are in it. Ratings beyond
 * MOST_ITEMS are left off, and their number told. */
static void write_user(struct tv_out *out, const struct tv_id *id, const struct tv_picked *picked,
                       const struct tv_predictor *p)
{
    const struct tv_resident *s = picked->resident;
    const struct tv_user_document *u = picked->user->document;
    tv_out_text(out, "{");
    tv_out_key(out, "user_id");
    tv_id_user_json(out, s, id);
    tv_model_json(out, s);
    tv_out_key(out, "learned");
    tv_out_bool(out, u->row >= 0);
    tv_out_key(out, "n");
    tv_out_int(out, (int64_t)u->n_rated);
    tv_out_key(out, "n_in_model");
    tv_out_int(out, (int64_t)u->n_seen);
    write_predicted_by(out, p);
    tv_out_key(out, "items");
    tv_out_text(out, "[");
    for (size_t i = 0; i < u->n_rated && i < MOST_ITEMS; i++) {
        tv_out_text(out, i ? ",{" : "{");
        tv_item_json(out, s, u->rated[i]);
        tv_out_key(out, "rating");
        tv_out_float(out, u->ratings[i]);
        write_predicted(out, p, u->rated[i]);
        tv_out_text(out, "}");
    }
    tv_out_text(out, "]");
    if (u->n_rated > MOST_ITEMS) {
        tv_out_key(out, "left_off");
        tv_out_int(out, (int64_t)(u->n_rated - MOST_ITEMS));
    }
    tv_out_text(out, "}\n");
}

static int is_same_data(const struct tv_resident *a, const struct tv_resident *b)
{
    return strcmp(a->info.dataset, b->info.dataset) == 0;
}

/* Whom a number means in other data is somebody else, and its items are others: beside a kept model of another data set than
 * the live one's that model predicts itself. */
static enum tv_pick pick_predictor(struct tv_app *app, const struct tv_request *request, const struct tv_id *id,
                                   const struct tv_resident *shown, struct tv_predictor *out)
{
    struct tv_problem ignored = {0};
    struct tv_id same = *id, again = *id;
    struct tv_resident *live = tv_shelf_live(app->models.shelf);
    int64_t model = live && is_same_data(live, shown) ? TV_LIVE_MODEL : shown->run_number;
    tv_resident_release(live);
    enum tv_pick pick = tv_predictor_pick(&app->models, model, &same, request->may_wait, out, &ignored);
    if (pick != TV_PICKED || is_same_data(out->picked.resident, shown))
        return pick;
    tv_picked_release(&out->picked); /* another one has gone live since */
    return tv_predictor_pick(&app->models, shown->run_number, &again, request->may_wait, out, &ignored);
}

/* Ratings are told without predictions where the model that predicts cannot be asked: they are what was asked for.
 * If that model has to be waited for, though, this is called again where it may. */
static enum tv_pick answer(struct tv_app *app, const struct tv_request *request, struct tv_response *response,
                           const struct tv_id *id, struct tv_picked *picked)
{
    struct tv_predictor predictor;
    enum tv_pick pick = pick_predictor(app, request, id, picked->resident, &predictor);
    if (pick == TV_PICK_LATER) {
        tv_picked_release(picked);
        picked->need = predictor.picked.need;
        return pick;
    }
    write_user(&response->out, id, picked, &predictor);
    response->revalidated = 1;
    if (pick == TV_PICKED)
        tv_picked_release(&predictor.picked);
    return TV_PICKED;
}

/* Of a user without a document there is nothing to tell, so this is a 404 and no empty answer. */
enum tv_outcome tv_handle_user(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct tv_id id;
    int64_t model;
    enum tv_pick pick = TV_PICK_PROBLEM;
    tv_id_set(&id, "id", request->segments[0]);
    if (tv_pick_model(request, &model, &problem))
        pick = tv_pick(&app->models, model, &id, request->may_wait, &picked, &problem);
    int meant = pick == TV_PICKED && tv_pick_is_meant(request, picked.resident, &problem);
    if (meant && picked.user)
        pick = answer(app, request, response, &id, &picked);
    else if (meant)
        tv_problem(&problem, 404, "there is no user %s", id.text);
    return tv_pick_finish(&app->models, request, response, pick, &picked, &problem);
}
