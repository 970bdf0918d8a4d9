/* predict: /api/v1/predict: a user's ratings of some items, predicted. serve/pick/prediction.h chooses the model and
 * computes; here the ids are read and the answer is written, an item at a time.
 */
#include <stdio.h>
#include <string.h>

#include "serve/api/handlers.h"
#include "serve/app.h"
#include "serve/pick/prediction.h"
#include "serve/web/parameters.h"

enum { MAX_IDS = 1000 };

/* The request's parameters; `ids` is taken apart while the answer is written. */
struct ask {
    struct tv_id user;
    int64_t model;
    const char *ids; /* "500,296" */
};

/* The problem of a parameter that is not there; `question` says what it would tell. */
static int missing(const char *parameter, const char *question, struct tv_problem *problem)
{
    return tv_problem_at(problem, 400, parameter, "%s is missing: %s", parameter, question);
}

/* Only the model's number is checked here: what an id may be depends on the model, so ids are read once it is picked.
 */
static int read_ask(const struct tv_request *request, struct ask *ask, struct tv_problem *problem)
{
    ask->ids = tv_parameter(request, "ids");
    if (!tv_id_parameter(&ask->user, request, "user_id"))
        return missing("user_id", "whose ratings?", problem);
    if (ask->ids == NULL)
        return missing("ids", "which items, divided by commas?", problem);
    return tv_pick_model(request, &ask->model, problem);
}

/* One item with its prediction. The basis stands with each item and not once for the answer, because items outside the
 * model are answered with their mean; it is null where nothing can be said. */
static void write_prediction(struct tv_out *out, const struct tv_predictor *p, int64_t item_id)
{
    struct tv_prediction prediction;
    if (tv_predict(p, item_id, &prediction) != TV_OK) {
        out->failed = 1;
        return;
    }
    tv_out_text(out, "{");
    tv_item_json(out, p->picked.resident, item_id);
    tv_item_counts_json(out, p->picked.resident, item_id);
    tv_out_key(out, "predicted");
    tv_predicted_json(out, prediction.basis, prediction.value);
    tv_out_key(out, "basis");
    if (prediction.basis)
        tv_out_json(out, prediction.basis);
    else
        tv_out_text(out, "null");
    tv_out_text(out, "}");
}

/* Writes the items in the order they were asked for; 0 and *problem at the first that is none. */
static int write_items(struct tv_out *out, const struct tv_predictor *p, const char *ids, struct tv_problem *problem)
{
    struct tv_id_list list = {.rest = ids, .most = MAX_IDS};
    struct tv_id item;
    while (tv_id_next(&list, "ids", &item, problem)) {
        if (!tv_pick_item(&item, p->picked.resident, problem))
            return 0;
        if (list.n > 1)
            tv_out_text(out, ",");
        write_prediction(out, p, item.number);
    }
    return problem->status == 0;
}

/* The answer is written as ids are read. Where one of them is none, the part written so far is dropped, and
 * tv_pick_finish answers with the problem instead. */
static void answer(struct tv_response *response, const struct tv_predictor *p, const struct ask *ask,
                   struct tv_problem *problem)
{
    struct tv_out *out = &response->out;
    tv_out_text(out, "{");
    tv_out_key(out, "user_id");
    tv_id_user_json(out, p->picked.resident, &ask->user);
    tv_model_json(out, p->picked.resident);
    tv_out_key(out, "items");
    tv_out_text(out, "[");
    if (!write_items(out, p, ask->ids, problem))
        return;
    tv_out_text(out, "]}\n");
    response->revalidated = 1;
    tv_predictor_headers(p->basis, response);
}

/* Begins on the connection's thread, and is called again on a worker where the user's document or a model has to be
 * fetched first (TV_PICK_LATER). */
enum tv_outcome tv_handle_predict(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_predictor predictor = {0};
    struct ask ask;
    enum tv_pick pick = TV_PICK_PROBLEM;
    if (read_ask(request, &ask, &problem))
        pick = tv_predictor_pick(&app->models, ask.model, &ask.user, request->may_wait, &predictor, &problem);
    if (pick == TV_PICKED && tv_pick_is_meant(request, predictor.picked.resident, &problem))
        answer(response, &predictor, &ask, &problem);
    return tv_pick_finish(&app->models, request, response, pick, &predictor.picked, &problem);
}
