/* models: the model list: which models are kept, and which of them is live and resident. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/handlers.h"
#include "serve/app.h"
#include "serve/html/problem_page.h"
#include "serve/web/problem.h"
#include "trivet/model/model.h"

/* The description as MongoDB has it; one that cannot be read is null. s:o? takes the reference over, also of NULL. */
static json_t *describe(struct tv_app *app, const struct tv_listed_model *model, int64_t live)
{
    struct tv_resident *held = tv_shelf_held(app->models.shelf, model->info.run_number);
    json_t *description = json_loads(model->description, 0, NULL);
    json_t *one = json_pack("{s:I, s:b, s:b, s:o?}", "number", (json_int_t)model->info.run_number, "live",
                            model->info.run_number == live, "loaded", held != NULL, "description", description);
    tv_resident_release(held);
    return one;
}

/* Writes the model list. "live" is the one this server serves, which may be a moment behind Redis. */
static void write_models(struct tv_app *app, struct tv_response *response, const struct tv_listed_models *list)
{
    struct tv_resident *live = tv_shelf_live(app->models.shelf);
    json_t *models = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(models, describe(app, &list->models[i], live ? live->run_number : -1));
    json_t *root = json_pack("{s:o?, s:o}", "live", live ? json_integer(live->run_number) : NULL, "models", models);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (text) {
        tv_out_text(&response->out, text);
        tv_out_text(&response->out, "\n");
    } else {
        response->out.failed = 1;
    }
    free(text);
    json_decref(root);
    tv_resident_release(live);
}

/* The list may be a second old (tv_model_list_read). A breaker that is open, or a failure just now, is a 503: without
 * MongoDB nothing tells which models there are. */
enum tv_outcome tv_handle_models(struct tv_app *app, const struct tv_request *request,
                                 struct tv_response *response)
{
    struct tv_listed_models *list = NULL;
    struct tv_error err = {0};
    if (tv_breaker_is_up(app->models.mongo_breaker) && !request->may_wait)
        return TV_LATER;
    enum tv_status status = TV_ERR_UNAVAILABLE;
    if (tv_breaker_is_up(app->models.mongo_breaker))
        status = tv_model_list_read(app->models.model_list, app->models.mongo, &list, &err);
    if (status == TV_OK) {
        write_models(app, response, list);
    } else {
        struct tv_problem problem;
        if (status == TV_ERR_UNAVAILABLE && err.message[0])
            tv_breaker_trip(app->models.mongo_breaker, &err);
        tv_problem(&problem, 503, "MongoDB, where the models are listed, does not answer");
        problem.retry_after = 1;
        tv_problem_answer(&app->models, request, response, &problem);
    }
    tv_model_list_release(list);
    return TV_ANSWERED;
}
