/* explain: why an item has its score for a user: the contribution of each of the user's ratings, shown so that it
 * adds up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/api/handlers.h"
#include "serve/app.h"
#include "serve/model/account.h"
#include "serve/model/ids.h"
#include "serve/pick/pick.h"
#include "serve/web/parameters.h"

enum { STANDARD_LIMIT = 10, MAX_LIMIT = 1000 };

/* The request's parameters. `limit` is how many ratings are shown one by one; the others are summed up. */
struct ask {
    struct tv_id user, item;
    int64_t model, limit;
};

/* The item is item_id, or movie_id as older clients say: 1, or 0 and *problem. Where both stand they are to agree. */
static int read_item(const struct tv_request *request, struct tv_id *item, struct tv_problem *problem)
{
    struct tv_id movie;
    int has_item = tv_id_parameter(item, request, "item_id"), has_movie = tv_id_parameter(&movie, request, "movie_id");
    if (has_item && has_movie && strcmp(item->text, movie.text) != 0)
        return tv_problem_at(problem, 400, "movie_id", "item_id and movie_id differ, and are two names of one thing");
    if (!has_item && has_movie)
        *item = movie;
    if (!has_item && !has_movie)
        tv_problem_at(problem, 400, "item_id", "item_id is missing: which score of whom is to be explained?");
    return has_item || has_movie;
}

static int read_ask(const struct tv_request *request, struct ask *ask, struct tv_problem *problem)
{
    static const struct tv_integer limit = {"limit", 0, MAX_LIMIT};
    ask->limit = STANDARD_LIMIT;
    if (!tv_id_parameter(&ask->user, request, "user_id"))
        return tv_problem_at(problem, 400, "user_id", "user_id is missing: which score of whom is to be explained?");
    return read_item(request, &ask->item, problem) && tv_parameter_integer(request, &limit, &ask->limit, problem) &&
           tv_pick_model(request, &ask->model, problem);
}

/* The terms as they are shown, added up in that order. `rounding` is what is missing then to the score that is
 * served, whose factors were rounded (trivet/core/explain.h), so a reader who adds up the printed numbers gets the
 * score. */
static void write_terms(struct tv_out *out, const struct tv_resident *s, const struct tv_account *a, size_t limit)
{
    size_t shown = a->n < limit ? a->n : limit;
    double sum = a->item_term + a->user_term, others = 0;
    tv_out_key(out, "item_term");
    tv_out_real(out, a->item_term);
    tv_out_key(out, "user_term");
    tv_out_real(out, a->user_term);
    tv_out_key(out, "ratings");
    tv_out_text(out, "[");
    for (size_t i = 0; i < shown; i++) {
        tv_out_text(out, i ? ",{" : "{");
        tv_item_json(out, s, a->rated[i].item_id);
        tv_out_key(out, "rating");
        tv_out_float(out, a->rated[i].rating);
        tv_out_key(out, "contribution");
        tv_out_real(out, a->rated[i].contribution);
        tv_out_text(out, "}");
        sum += a->rated[i].contribution;
    }
    for (size_t i = shown; i < a->n; i++)
        others += a->rated[i].contribution;
    sum += others;
    tv_out_text(out, "]");
    tv_out_key(out, "others");
    tv_out_text(out, "{");
    tv_out_key(out, "n");
    tv_out_int(out, (int64_t)(a->n - shown));
    tv_out_key(out, "contribution");
    tv_out_real(out, others);
    tv_out_text(out, "}");
    tv_out_key(out, "rounding");
    tv_out_real(out, a->score - sum);
}

/* {"user_id":10,"model":2,"reason":...,"item":{...},"score":...} with the terms behind it. The score of a user without
 * a place in the model is a number of ratings, and is called "count". */
static void write_account(struct tv_out *out, const struct tv_resident *s, const struct ask *ask,
                          const struct tv_account *a)
{
    tv_out_text(out, "{");
    tv_out_key(out, "user_id");
    tv_id_user_json(out, s, &ask->user);
    tv_model_json(out, s);
    tv_out_key(out, "reason");
    tv_out_json(out, tv_reason_name(a->reason));
    tv_out_key(out, "score_kind");
    tv_out_json(out, a->reason == TV_REASON_POPULAR ? "count" : s->score_kind);
    tv_out_key(out, "item");
    tv_out_text(out, "{");
    tv_item_json(out, s, ask->item.number);
    tv_out_text(out, "}");
    tv_out_key(out, "score");
    tv_out_real(out, a->score);
    write_terms(out, s, a, (size_t)ask->limit);
    tv_out_text(out, "}\n");
}

/* An item outside the model has no score to explain, though the catalogue may have it. */
static void answer(const struct tv_picked *picked, struct ask *ask, struct tv_response *response,
                   struct tv_problem *problem)
{
    const struct tv_resident *s = picked->resident;
    struct tv_account account = {0};
    struct tv_error err = {0};
    if (!tv_pick_item(&ask->item, s, problem))
        return;
    int32_t item = tv_resident_dense(s, ask->item.number);
    if (item < 0) {
        tv_problem(problem, 404, "item %s is not in model %" PRId64 ", which scores it for nobody", ask->item.text,
                   s->run_number);
        tv_problem_hint(problem, "trivet-etl why item %s tells which step of the filter leaves it out", ask->item.text);
        return;
    }
    if (tv_account(&account, s, picked->user ? picked->user->document : NULL, item, &err) == TV_OK)
        write_account(&response->out, s, ask, &account);
    else
        tv_problem(problem, 500, "the score could not be taken apart: %s", err.message);
    response->revalidated = 1;
    tv_account_free(&account);
}

enum tv_outcome tv_handle_explain(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct ask ask;
    enum tv_pick pick = TV_PICK_PROBLEM;
    if (read_ask(request, &ask, &problem))
        pick = tv_pick(&app->models, ask.model, &ask.user, request->may_wait, &picked, &problem);
    if (pick == TV_PICKED && tv_pick_is_meant(request, picked.resident, &problem))
        answer(&picked, &ask, response, &problem);
    return tv_pick_finish(&app->models, request, response, pick, &picked, &problem);
}
