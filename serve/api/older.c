/* older: the older API: the addresses of the service that trivet took the place of, with its answers, because programs
 * were written for them: an array of [title, predicted rating, number of ratings].
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "serve/api/handlers.h"
#include "serve/app.h"
#include "serve/pick/prediction.h"
#include "serve/web/parameters.h"

enum { MAX_TOP = 1000, STANDARD_MIN_COUNT = 25 };

/* An item that cannot be predicted has null in the middle (NaN). */
static void write_triple(struct tv_out *out, const struct tv_resident *s, int64_t item_id, const char *basis, double predicted)
{
    char unknown[TV_CODE_MAX + 8];
    const struct tv_item *item = tv_items_find(&s->catalogue->items, item_id);
    tv_out_text(out, "[");
    tv_out_json(out, tv_resident_title(s, item_id, unknown, sizeof unknown));
    tv_out_text(out, ",");
    tv_predicted_json(out, basis, predicted);
    tv_out_format(out, ",%" PRId64 "]", item ? item->n_ratings : 0);
}

/* Scores are brought to the scale here, after the ranking: items that the scale's end makes equal keep the order of
 * their scores. */
static void write_top(struct tv_out *out, const struct tv_predictor *p, const struct tv_ranking *ranking)
{
    const struct tv_resident *s = p->picked.resident;
    tv_out_text(out, "[");
    for (size_t i = 0; i < ranking->n; i++) {
        if (i > 0)
            tv_out_text(out, ",");
        write_triple(out, s, s->item_ids[ranking->best[i].item], p->basis, tv_predicted_shown(p, ranking->best[i].score));
    }
    tv_out_text(out, "]\n");
}

/* Unlike a list, this asks for no number of ratings: any item that the model or the catalogue knows is answered. */
static void answer_one(const struct tv_predictor *p, struct tv_id *item, struct tv_response *response,
                       struct tv_problem *problem)
{
    struct tv_prediction prediction = {NAN, NULL};
    if (!tv_pick_item(item, p->picked.resident, problem))
        return;
    response->out.failed = tv_predict(p, item->number, &prediction) != TV_OK;
    tv_out_text(&response->out, "[");
    write_triple(&response->out, p->picked.resident, item->number, prediction.basis, prediction.value);
    tv_out_text(&response->out, "]\n");
    response->revalidated = 1;
    tv_predictor_headers(prediction.basis, response);
}

static void answer_top(const struct tv_predictor *p, struct tv_item_filter *filter, size_t top,
                       struct tv_response *response, struct tv_problem *problem)
{
    struct tv_ranking ranking;
    if (!tv_item_filter_resolve(filter, p->picked.resident, problem))
        return;
    if (tv_predict_top(p, filter, top, &ranking) != TV_OK)
        response->out.failed = 1;
    else
        write_top(&response->out, p, &ranking);
    response->revalidated = 1;
    tv_predictor_headers(p->basis, response);
}

enum tv_outcome tv_handle_older_rating(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_predictor predictor = {0};
    struct tv_id user, movie;
    int64_t model;
    enum tv_pick pick = TV_PICK_PROBLEM;
    tv_id_set(&user, "user", request->segments[0]);
    tv_id_set(&movie, "movie", request->segments[1]);
    if (tv_pick_model(request, &model, &problem))
        pick = tv_predictor_pick(&app->models, model, &user, request->may_wait, &predictor, &problem);
    if (pick == TV_PICKED)
        answer_one(&predictor, &movie, response, &problem);
    return tv_pick_finish(&app->models, request, response, pick, &predictor.picked, &problem);
}

/* Lists at these addresses leave out items with fewer ratings, unless min_count says otherwise. */
static int read_filter(const struct tv_request *request, struct tv_item_filter *filter, struct tv_problem *problem)
{
    if (!tv_item_filter_read(request, filter, problem))
        return 0;
    if (tv_parameter(request, "min_count") == NULL)
        filter->min_count = STANDARD_MIN_COUNT;
    return 1;
}

/* The number of items is a part of the path, but it is read and refused like a parameter, under the name n. */
enum tv_outcome tv_handle_older_top(struct tv_app *app, const struct tv_request *request,
                                    struct tv_response *response)
{
    static const struct tv_integer rule = {"n", 1, MAX_TOP};
    struct tv_problem problem = {0};
    struct tv_predictor predictor = {0};
    struct tv_item_filter filter;
    struct tv_id user;
    int64_t model, top = 0;
    enum tv_pick pick = TV_PICK_PROBLEM;
    tv_id_set(&user, "user", request->segments[0]);
    if (tv_read_integer(request->segments[1], &rule, &top, &problem) && tv_pick_model(request, &model, &problem) &&
        read_filter(request, &filter, &problem))
        pick = tv_predictor_pick(&app->models, model, &user, request->may_wait, &predictor, &problem);
    if (pick == TV_PICKED)
        answer_top(&predictor, &filter, (size_t)top, response, &problem);
    return tv_pick_finish(&app->models, request, response, pick, &predictor.picked, &problem);
}
