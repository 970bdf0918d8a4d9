/* pick: the model and the user that a request is about. Nearly every handler begins with tv_pick or
 * tv_pick_resident and ends with tv_pick_finish, so that waiting, models that are gone and stores that are away are
 * answered alike everywhere.
 */
#include "serve/pick/pick.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/html/problem_page.h"
#include "serve/web/parameters.h"

enum { RETRY_SECONDS = 1 };

/* A 503 that says when to try again; the store's own words may stand in it, as they name no address. */
static enum tv_pick unavailable(struct tv_problem *problem, const char *detail, const char *hint)
{
    tv_problem(problem, 503, "%s", detail);
    tv_problem_hint(problem, "%s", hint);
    problem->retry_after = RETRY_SECONDS;
    return TV_PICK_PROBLEM;
}

static enum tv_pick no_such_model(struct tv_problem *problem, int64_t model)
{
    tv_problem_at(problem, 404, "model", "there is no model %" PRId64 " (any more)", model);
    tv_problem_hint(problem, "/api/v1/models lists those that are kept");
    return TV_PICK_PROBLEM;
}

int tv_pick_model(const struct tv_request *request, int64_t *model, struct tv_problem *problem)
{
    static const struct tv_integer rule = {"model", 1, INT64_MAX};
    const char *text = tv_parameter(request, "model");
    *model = TV_LIVE_MODEL;
    return text == NULL || strcmp(text, "live") == 0 || tv_read_integer(text, &rule, model, problem);
}

/* Needs no store, and goes on while both are away: the resident model answers. */
static enum tv_pick pick_live(struct tv_models *models, struct tv_resident **out, struct tv_problem *problem)
{
    *out = tv_shelf_live(models->shelf);
    if (*out)
        return TV_PICKED;
    if (!tv_models_reachable(models))
        return unavailable(problem, "no model could be loaded: a store does not answer", "/readyz names it");
    return unavailable(problem, "no model is live yet", "train one: trivet-train");
}

/* TV_ERR_NOT_FOUND is the one failure that is the request's own; any other is a 503 with the store's words. */
enum tv_pick tv_pick_resident(struct tv_models *models, int64_t model, int may_wait, struct tv_resident **out,
                              struct tv_problem *problem)
{
    struct tv_error err = {0};
    if (model == TV_LIVE_MODEL)
        return pick_live(models, out, problem);
    *out = tv_shelf_held(models->shelf, model);
    if (*out)
        return TV_PICKED;
    if (!tv_models_reachable(models))
        return unavailable(problem, "that model cannot be loaded: a store does not answer",
                           "/readyz names it");
    if (!may_wait)
        return TV_PICK_LATER;
    enum tv_status status = tv_shelf_load(models->shelf, model, out, &err);
    if (status == TV_ERR_NOT_FOUND)
        return no_such_model(problem, model);
    return status == TV_OK ? TV_PICKED : unavailable(problem, err.message, err.hint);
}

/* Without an index, what is missing is a model: that is what most answers need. */
enum tv_pick tv_pick_indexed(struct tv_models *models, struct tv_similar_keeper *keeper, struct tv_resident **out,
                             struct tv_problem *problem)
{
    struct tv_error err = {0};
    struct tv_indexed index;
    struct tv_similar_made made;
    enum tv_status status = tv_similar_keeper_index(keeper, &index.version, &index.dataset, &err);
    if (status == TV_OK) {
        tv_similar_keeper_made(keeper, index.version, &made);
        index.forgets = made.forgets;
        status = tv_shelf_catalogue(models->shelf, &index, out, &err);
        return status == TV_OK ? TV_PICKED : unavailable(problem, err.message, err.hint);
    }
    enum tv_pick pick = pick_live(models, out, problem);
    if (pick != TV_PICKED && status == TV_ERR_NOT_FOUND)
        tv_problem_hint(problem, "trivet-train similar builds an index of similar items, which needs no model; trivet-train fit trains one");
    return pick;
}

enum tv_pick tv_pick_catalogue(struct tv_models *models, struct tv_similar_keeper *keeper, int64_t model, int may_wait,
                               struct tv_resident **out, struct tv_problem *problem)
{
    *out = model == TV_LIVE_MODEL ? tv_shelf_live(models->shelf) : NULL;
    if (*out)
        return TV_PICKED;
    if (model != TV_LIVE_MODEL)
        return tv_pick_resident(models, model, may_wait, out, problem);
    return may_wait ? tv_pick_indexed(models, keeper, out, problem) : TV_PICK_LATER;
}

/* MongoDB no longer has the model that the user was looked up in. Where the request names that model, this is the
 * answer. Where it means the live one, another must have gone live that this server has not noticed yet: it is
 * shown now, and TV_PICKED says that a second attempt is worth it. */
static enum tv_pick outdated(struct tv_models *models, int64_t model, int64_t run_number, struct tv_problem *problem)
{
    struct tv_error err = {0};
    if (model != TV_LIVE_MODEL) {
        tv_shelf_forget(models->shelf, model);
        return no_such_model(problem, model);
    }
    if (tv_breaker_is_up(models->redis_breaker) && tv_shelf_refresh(models->shelf, &err) == TV_OK) {
        struct tv_resident *live = tv_shelf_live(models->shelf);
        int moved = live && live->run_number != run_number;
        tv_resident_release(live);
        if (moved)
            return TV_PICKED;
    }
    return unavailable(problem, "the live model has been removed, and no newer one can be loaded",
                       "trivet-train repair");
}

/* Sets the user's number and looks the document up. A user by code takes two steps, code to number and number to
 * document, each with a cache of its own. TV_USER_UNKNOWN leaves TV_NO_ID in place of a code that nobody has; a
 * text that is no id at all is TV_USER_UNKNOWN, too, with *problem. */
static enum tv_lookup look_up(struct tv_models *models, struct tv_id *user, int may_wait, struct tv_picked *picked,
                              struct tv_problem *problem, struct tv_error *err)
{
    const struct tv_resident *s = picked->resident;
    enum tv_id_kind kind = tv_id_kind(user, s->info.user_codes, problem);
    enum tv_lookup lookup = kind == TV_ID_PROBLEM ? TV_USER_UNKNOWN : TV_USER_FOUND;
    if (kind == TV_ID_CODE)
        lookup = tv_users_number(&models->users, s, user->text, may_wait, &user->number, err);
    return lookup == TV_USER_FOUND ? tv_users_find(&models->users, s, user->number, may_wait, &picked->user, err)
                                   : lookup;
}

/* Model and user are found in one loop because the second can outdate the first: a user missing from a model may
 * mean that the model was pruned meanwhile. It is tried once more at the most. */
enum tv_pick tv_pick(struct tv_models *models, int64_t model, struct tv_id *user, int may_wait,
                     struct tv_picked *picked, struct tv_problem *problem)
{
    struct tv_error err = {0};
    *picked = (struct tv_picked){.resident = NULL};
    for (int attempt = 0;; attempt++) {
        enum tv_pick pick = tv_pick_resident(models, model, may_wait, &picked->resident, problem);
        if (pick != TV_PICKED)
            return pick;
        problem->status = 0;
        enum tv_lookup lookup = look_up(models, user, may_wait, picked, problem, &err);
        if (lookup == TV_USER_FOUND || (lookup == TV_USER_UNKNOWN && problem->status == 0))
            return TV_PICKED;
        int64_t run_number = picked->resident->run_number;
        tv_picked_release(picked);
        if (lookup == TV_USER_UNKNOWN)
            return TV_PICK_PROBLEM;
        if (lookup == TV_USER_LATER) {
            picked->need =
                (struct tv_need){.user = user->number != TV_NO_ID, .model = run_number, .user_id = user->number};
            return TV_PICK_LATER;
        }
        if (lookup == TV_USER_AWAY)
            return unavailable(problem, err.message, "try again in a moment");
        pick = outdated(models, model, run_number, problem);
        if (pick != TV_PICKED)
            return pick;
        if (attempt > 0)
            return unavailable(problem, "models change faster than this server can load them", "");
    }
}

void tv_picked_release(struct tv_picked *picked)
{
    tv_resident_release(picked->resident);
    tv_cached_user_release(picked->user);
    *picked = (struct tv_picked){.resident = NULL};
}

/* The catalogue of an index has no description, and so no name of its data set. */
static void say_other_data(const struct tv_resident *s, struct tv_problem *problem)
{
    char name[sizeof s->info.dataset + 16];
    if (s->info.dataset[0])
        snprintf(name, sizeof name, "the data set %s", s->info.dataset);
    else
        snprintf(name, sizeof name, "data set %" PRId64, s->dataset);
    if (s->run_number)
        tv_problem_at(problem, 409, "dataset", "model %" PRId64 " is of %s, and not of the data set that is asked about",
                      s->run_number, name);
    else
        tv_problem_at(problem, 409, "dataset", "the index of similar items is of %s, and not of the data set that is asked about", name);
    tv_problem_hint(problem, "a page that was opened before has to be loaded again; /api/v1/models lists the models that model=N can name");
}

int tv_pick_is_meant(const struct tv_request *request, const struct tv_resident *s, struct tv_problem *problem)
{
    static const struct tv_integer rule = {"dataset", 1, INT64_MAX};
    int64_t dataset = 0;
    if (!tv_parameter_integer(request, &rule, &dataset, problem))
        return 0;
    if (dataset && s->dataset && dataset != s->dataset)
        say_other_data(s, problem);
    return problem->status == 0;
}

int tv_pick_item(struct tv_id *id, const struct tv_resident *s, struct tv_problem *problem)
{
    if (!tv_id_item(id, s, problem))
        return 0;
    if (tv_resident_dense(s, id->number) >= 0 || tv_items_find(&s->catalogue->items, id->number))
        return 1;
    tv_problem(problem, 404, "there is no item %s", id->text);
    return 0;
}

/* References are given back here also where a problem came up after picking, so that no handler can forget them. */
enum tv_outcome tv_pick_finish(struct tv_models *models, const struct tv_request *request, struct tv_response *response,
                               enum tv_pick pick, struct tv_picked *picked, const struct tv_problem *problem)
{
    if (pick == TV_PICKED)
        tv_picked_release(picked);
    if (pick == TV_PICK_LATER) {
        response->need = picked->need;
        return TV_LATER;
    }
    if (problem->status)
        tv_problem_answer(models, request, response, problem);
    return TV_ANSWERED;
}
