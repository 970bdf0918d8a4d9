/* recs: recommendations for one user, and the way to a user picked at random. The answer that is asked for most:
 * for a user in the cache, with a ranking kept, it costs little more than lookups in memory and the copying of
 * texts.
 */
#include "serve/api/recs.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>

#include "serve/api/handlers.h"
#include "serve/app.h"
#include "serve/html/problem_page.h"
#include "serve/pick/pick.h"
#include "serve/web/parameters.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"

enum { STANDARD_TOP = 15, MAX_TOP = 1000 };

/* The request's parameters. `strict` refuses a user whom the model does not know, who otherwise gets the popular
 * items. */
struct ask {
    struct tv_id user;
    int64_t top, model, strict;
    struct tv_item_filter filter;
};

static int read_ask(const struct tv_request *request, struct ask *ask, struct tv_problem *problem)
{
    static const struct tv_integer top = {"top", 1, MAX_TOP}, strict = {"strict", 0, 1};
    ask->top = STANDARD_TOP;
    ask->strict = 0;
    if (!tv_id_parameter(&ask->user, request, "user_id")) {
        return tv_problem_at(problem, 400, "user_id", "user_id is missing: whose recommendations?");
    }
    return tv_parameter_integer(request, &top, &ask->top, problem) &&
           tv_parameter_integer(request, &strict, &ask->strict, problem) &&
           tv_pick_model(request, &ask->model, problem) &&
           tv_item_filter_read(request, &ask->filter, problem);
}

/* Each item's members are written once (tv_resident_text), so mostly only rank and score are formatted here. */
void tv_ranked_json(struct tv_out *out, const struct tv_resident *s, const struct tv_scored *best, size_t n)
{
    tv_out_text(out, "[");
    for (size_t i = 0; i < n; i++) {
        tv_out_text(out, i ? ",{\"rank\":" : "{\"rank\":");
        tv_out_int(out, (int64_t)i + 1);
        tv_out_bytes(out, ",", 1);
        tv_resident_text(out, s, best[i].item);
        tv_out_real(out, best[i].score);
        tv_out_bytes(out, "}", 1);
    }
    tv_out_text(out, "]");
}

/* {"user_id":10,"model":2,"reason":"personal","score_kind":"relevance","items":[...]} */
static void write_recs(struct tv_out *out, const struct tv_recs *recs)
{
    const struct tv_resident *s = recs->resident;
    tv_out_text(out, "{");
    tv_out_key(out, "user_id");
    tv_id_user_json(out, s, recs->id);
    tv_model_json(out, s);
    tv_out_key(out, "reason");
    tv_out_json(out, tv_reason_name(recs->ranking.reason));
    tv_out_key(out, "score_kind");
    tv_out_json(out, recs->ranking.score_kind);
    if (recs->user && recs->user->why) {
        tv_out_key(out, "why");
        tv_out_json(out, recs->user->why);
    }
    if (recs->filter)
        tv_item_filter_json(out, recs->ranking.counts);
    tv_out_key(out, "items");
    tv_ranked_json(out, s, recs->ranking.best, recs->ranking.n);
    tv_out_text(out, "}\n");
}

/* In this order: the ranking kept with the cached user; the list stored in the user's document; one computed now.
 * Of a new one the beginning is kept, and therefore at least TV_KEPT_ITEMS are ranked. A filtered ranking is always
 * computed, and never kept. The acquire is for the ranking's contents, which another thread may just have written. */
static enum tv_status rank(struct tv_recs *recs, struct tv_cached_user *user, size_t top)
{
    if (recs->filter)
        user = NULL;
    const struct tv_kept_ranking *kept =
        user ? atomic_load_explicit(&user->ranking, memory_order_acquire) : NULL;
    if (kept && tv_ranking_from_kept(&recs->ranking, kept, recs->resident, top))
        return TV_OK;
    struct tv_workspace *w = tv_workspace_of_thread();
    int keep = user && kept == NULL && top <= TV_KEPT_ITEMS;
    if (w == NULL)
        return TV_ERR_NO_MEMORY;
    size_t wanted = keep ? TV_KEPT_ITEMS : top;
    enum tv_status status = TV_OK;
    if (recs->filter || !tv_recommend_stored(&recs->ranking, w, recs->resident, recs->user, wanted))
        status = tv_recommend(&recs->ranking, w, recs->resident, recs->user, recs->filter, wanted, NULL);
    if (status == TV_OK && keep) {
        if (recs->ranking.reason != TV_REASON_POPULAR) /* popular items change though the document does not */
            tv_cached_user_keep(user, tv_ranking_keep(&recs->ranking));
        recs->ranking.n = recs->ranking.n < top ? recs->ranking.n : top;
    }
    return status;
}

/* The page and the JSON have the same ranking. */
static void answer(struct tv_app *app, const struct tv_request *request, struct tv_response *response,
                   const struct ask *ask, const struct tv_picked *picked)
{
    struct tv_recs recs = {.id = &ask->user,
                           .resident = picked->resident,
                           .user = picked->user ? picked->user->document : NULL,
                           .filter = ask->filter.asked ? &ask->filter : NULL};
    struct tv_problem refused = {0};
    recs.may_rate = tv_may_offer(&app->permission, &request->sender, &refused);
    if (rank(&recs, picked->user, (size_t)ask->top) != TV_OK)
        response->out.failed = 1;
    else if (request->wants_html)
        tv_recs_page(&app->models, request, response, &recs);
    else
        write_recs(&response->out, &recs);
    response->revalidated = !request->wants_html; /* the page also tells how old the model is */
}

/* The page lists the models there are, which may take a question to MongoDB, so browsers are answered on a worker. */
enum tv_outcome tv_handle_recs(struct tv_app *app, const struct tv_request *request,
                               struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked;
    struct ask ask;
    if (request->wants_html && !request->may_wait)
        return TV_LATER;
    if (request->wants_html)
        tv_model_list_refresh(app->models.model_list, app->models.mongo, app->models.mongo_breaker);
    enum tv_pick pick = read_ask(request, &ask, &problem) ? TV_PICKED : TV_PICK_PROBLEM;
    if (pick == TV_PICKED)
        pick = tv_pick(&app->models, ask.model, &ask.user, request->may_wait, &picked, &problem);
    if (pick == TV_PICKED && tv_pick_is_meant(request, picked.resident, &problem)) {
        if (picked.user == NULL && ask.strict)
            tv_problem(&problem, 404, "there is no user %s", ask.user.text);
        else if (tv_item_filter_resolve(&ask.filter, picked.resident, &problem))
            answer(app, request, response, &ask, &picked);
    }
    return tv_pick_finish(&app->models, request, response, pick, &picked, &problem);
}

/* Any user the live model learned from, all as likely. Their documents have their rows in the training matrix as
 * `id`, 0 to users - 1, with an index on it, so a random row is found in one question. */
static enum tv_pick pick_any(struct tv_app *app, struct tv_id *user, struct tv_problem *problem)
{
    struct tv_resident *s = NULL;
    struct tv_mongo_doc *doc = NULL;
    struct tv_error err = {0};
    char users[TV_MODEL_NAME];
    const char *code;
    int64_t number = 0;
    uint64_t random = 0;
    enum tv_pick pick = tv_pick_resident(&app->models, TV_LIVE_MODEL, 1, &s, problem);
    if (pick != TV_PICKED)
        return pick;
    enum tv_status status = TV_ERR_NOT_FOUND;
    if (getrandom(&random, sizeof random, 0) == sizeof random && s->info.users > 0 &&
        tv_breaker_is_up(app->models.mongo_breaker))
        status = tv_mongo_find_int(app->models.mongo, tv_model_users(users, s->run_number), "id",
                                   (int64_t)(random % (uint64_t)s->info.users), &doc, &err);
    if (status != TV_OK || !tv_mongo_doc_int(doc, "_id", &number)) {
        tv_problem(problem, 503, "no user could be picked just now");
        problem->retry_after = 1;
        pick = TV_PICK_PROBLEM;
    }
    tv_id_set_number(user, "user_id", number);
    if (tv_mongo_doc_text(doc, "code", &code))
        tv_id_set(user, "user_id", code);
    tv_mongo_doc_free(doc);
    tv_resident_release(s);
    return pick;
}

/* 303, so that the browser asks the other address with GET. The code is escaped in the Location. */
void tv_lead_to(struct tv_response *response, const char *path, const struct tv_id *user)
{
    struct tv_out location;
    tv_out_init(&location);
    tv_out_format(&location, "%s?user_id=", path);
    tv_out_url(&location, user->text);
    response->status = 303;
    snprintf(response->location, sizeof response->location, "%s", tv_buffer_string(&location.buffer));
    response->out.failed |= location.failed;
    tv_out_free(&location);
    response->type = "text/plain; charset=utf-8";
    tv_out_format(&response->out, "user %s\n", user->text);
}

/* A user at random takes a question to MongoDB, so this begins where it may wait. */
enum tv_outcome tv_handle_surprise(struct tv_app *app, const struct tv_request *request,
                                   struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_id user;
    if (!request->may_wait)
        return TV_LATER;
    if (pick_any(app, &user, &problem) != TV_PICKED) {
        tv_problem_answer(&app->models, request, response, &problem);
        return TV_ANSWERED;
    }
    tv_lead_to(response, "/recs", &user);
    return TV_ANSWERED;
}
