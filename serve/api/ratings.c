/* ratings: takes ratings in, and takes them back. A change is committed in PostgreSQL first, then the user is
 * folded in, then the answer says whether it counts now or later. rater.h tells when a rating counts, and
 * rating_list.h reads bodies.
 */
#include <inttypes.h>
#include <stdio.h>

#include "serve/api/ratings.h"
#include "serve/app.h"
#include "serve/follow/follower.h"
#include "serve/follow/rater.h"
#include "serve/follow/similar_keeper.h"
#include "serve/html/problem_page.h"
#include "serve/model/ids.h"
#include "serve/pick/pick.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

enum { RETRY_SECONDS = 1 };

/* One request that changes a user's ratings, on its way through this file. It stands on the stack of `handle`. */
struct change {
    struct tv_app *app;
    struct tv_resident *s; /* NULL: no model is loaded, and ids are to be numbers */
    struct tv_shown shown;
    struct tv_id user;
    struct tv_rating_list list; /* of a rating taken back: its item alone */
    int plays; /* 1: the list's values are added to what stands, and are replaced by the sums once they are */
    struct tv_rated rated;
    const char *later; /* the rating is safe, and counts later: why; NULL: it counts now */
    int64_t model;     /* the one the user was folded into; 0: none */
};

/* --- before ----------------------------------------------------------------------------------------------- */

/* A user who has no rating yet is no mistake: the id is checked here, and the first rating makes the user. */
static int find_user(struct change *c, const struct tv_request *request, struct tv_problem *problem)
{
    tv_id_set(&c->user, "user", request->segments[0]);
    if (c->s == NULL)
        return tv_id_number(&c->user, problem);
    return tv_id_kind(&c->user, c->s->info.user_codes, problem) != TV_ID_PROBLEM;
}

/* For the routes that name one item in the path; the list is that one item. */
static int find_item(struct change *c, const struct tv_request *request, struct tv_problem *problem)
{
    struct tv_id item;
    tv_id_set(&item, "item", request->segments[1]);
    c->list.n = 1;
    if (c->s ? !tv_id_item(&item, c->s, problem) : !tv_id_number(&item, problem))
        return 0;
    c->list.items[0] = item.number;
    return 1;
}

/* The model whose items were shown: the one that a page says, or the live one. */
static int find_shown(struct change *c, const struct tv_request *request, struct tv_problem *problem)
{
    c->shown.live = c->s;
    if (!tv_pick_model(request, &c->shown.model, problem))
        return 0;
    if (c->shown.model == TV_LIVE_MODEL)
        c->shown.model = c->s ? c->s->run_number : 0;
    return 1;
}

/* --- between ---------------------------------------------------------------------------------------------- */

/* The store's own words go to the log alone, as they may tell of the server. A repeat of ratings is harmless: the same
 * one twice changes nothing. Plays would be added twice, where the connection broke after the commit. */
static void unavailable(const struct change *c, struct tv_problem *problem, enum tv_status status,
                        const struct tv_error *err)
{
    const char *again = "nothing is half done; try again in a moment, a repeat changes nothing";
    if (c->plays)
        again = "nothing is half done, but look at /api/v1/users/{user} before sending them again: a repeat adds again";
    tv_log_reason(TV_LOG_ERROR, "a rating was not taken", err);
    tv_problem(problem, 503, "%s cannot be taken just now: PostgreSQL %s", c->plays ? "plays" : "ratings",
               status == TV_ERR_UNAVAILABLE ? "does not answer" : "refuses them");
    tv_problem_hint(problem, "%s",
                    status == TV_ERR_UNAVAILABLE
                        ? again
                        : "the server's log says why; trivet-etl schema brings an older database up to date");
    problem->retry_after = RETRY_SECONDS;
}

/* The place of the refused item in the list. It is one of the list's; were it none, the last place is an answer
 * that breaks nothing. */
static size_t place_of(const struct tv_rating_list *list, int64_t item)
{
    size_t i = 0;
    while (i + 1 < list->n && list->items[i] != item)
        i++;
    return i;
}

/* The page and its ids are of one data set, and another one is loaded by now. */
static void of_another_data_set(const struct change *c, struct tv_problem *problem)
{
    char what[768], hint[640];
    tv_model_data_say(&c->rated.data, what, sizeof what, hint, sizeof hint);
    tv_problem(problem, 409, "%s cannot be taken: %s", c->plays ? "plays" : "ratings",
               what);
    tv_problem_hint(problem, "nothing was written; %s", hint);
}

/* What is wrong with the entry, by the reason that PostgreSQL gave; `values` is what the list's values are called. */
static void say_refused(const struct change *c, const char *entry, const char *item, const char *values,
                        struct tv_problem *problem)
{
    const struct tv_rated *r = &c->rated;
    const char *does = c->plays ? "plays" : "rates";
    char value[TV_TEXT_FLOAT], low[TV_TEXT_FLOAT], high[TV_TEXT_FLOAT];
    tv_text_float(value, c->list.values[place_of(&c->list, r->refused_item)]);
    tv_text_float(low, r->low);
    tv_text_float(high, r->high);
    switch (r->reason) {
    case TV_REFUSED_SCALE:
        tv_problem(problem, 422, "%s %s item %s with %s, but %s lie between %s and %s", entry, does, item, value,
                   values, low, high);
        break;
    case TV_REFUSED_FULL:
        tv_problem(problem, 422, "%s %s item %s, of which more than %s plays are not counted exactly", entry, does,
                   item, high);
        break;
    default:
        tv_problem(problem, 422, "%s %s item %s, which is not known", entry, does, item);
    }
}

/* Nothing of a list is written if one entry is refused (trivet.rate), so the answer names that entry and says that
 * all is as before. */
static void refused(const struct change *c, int is_list, struct tv_problem *problem)
{
    const struct tv_rated *r = &c->rated;
    const int counts = c->plays || (c->s && c->s->info.counts);
    char space[TV_ID_SPACE], entry[48] = "the request";
    size_t i = place_of(&c->list, r->refused_item);
    const char *item = space;
    if (r->reason == TV_REFUSED_DATASET) {
        of_another_data_set(c, problem);
        return;
    }
    if (r->reason == TV_REFUSED_KIND) {
        tv_problem(problem, 422, "there are no plays to add to: the data is ratings");
        tv_problem_hint(problem, "nothing was written; /api/v1/users/{user}/ratings takes ratings");
        return;
    }
    snprintf(space, sizeof space, "%" PRId64, r->refused_item);
    if (c->s)
        item = tv_id_item_text(c->s, r->refused_item, space);
    if (is_list)
        snprintf(entry, sizeof entry, "entry %zu of the list", i + 1);
    say_refused(c, entry, item, counts ? "counts" : "ratings", problem);
    tv_problem_hint(problem, "%snothing was written%s", is_list ? "of the whole list " : "",
                    r->reason == TV_REFUSED_SCALE && !counts ? "; the scale is that of the loaded ratings" : "");
    problem->entry = is_list ? (int)i + 1 : 0;
    problem->has_scale = r->has_scale;
    problem->low = r->low;
    problem->high = r->high;
}

/* Called once for every change that is committed, on a worker, before the answer. Threads that keep something made
 * from ratings (counts of items, the index of similar items) are woken here. It must be quick, and must not fail. */
static void on_committed(const struct change *c)
{
    tv_follower_wake(c->app->follower); /* counts of items */
    tv_similar_keeper_wake(c->app->similar_keeper);
}

/* Tells a client no more than it should know; the log has the words of the store. */
static const char *why_later(enum tv_status status)
{
    switch (status) {
    case TV_OK:
        return NULL;
    case TV_ERR_INPUT:
        return "what the live model's users are folded in from cannot be read just now; the server's log says why";
    case TV_ERR_NOT_FOUND:
        return "no model is live that this user could be folded into";
    default:
        return "a store does not answer just now";
    }
}

/* The change is safe by now. If the user cannot be folded in, the queue has them already (trivet.user_change), and
 * the follower is told. */
static void fold_in(struct change *c)
{
    struct tv_error err = {0};
    on_committed(c);
    c->later = why_later(tv_rater_fold_in(c->app->rater, &c->shown, &c->rated, &c->model, &err));
    if (c->later) {
        tv_log_debug("user %s counts later: %s", c->user.text, err.message);
        tv_follower_wake(c->app->follower);
    }
}

/* 1 if the change was committed, whether or not it counts yet; 0 and *problem. */
static int rate(struct change *c, int is_list, struct tv_problem *problem)
{
    struct tv_error err = {0};
    enum tv_status status = c->plays ? tv_rater_play(c->app->rater, &c->user, &c->list, &c->shown, &c->rated, &err)
                                     : tv_rater_rate(c->app->rater, &c->user, &c->list, &c->shown, &c->rated, &err);
    if (status != TV_OK)
        unavailable(c, problem, status, &err);
    else if (c->rated.reason != TV_REFUSED_NOT)
        refused(c, is_list, problem);
    else
        fold_in(c);
    return problem->status == 0;
}

/* Taking back a rating that is not there is a 404, so that a mistyped id does not look like success. */
static int unrate(struct change *c, struct tv_problem *problem)
{
    char space[TV_ID_SPACE];
    struct tv_error err = {0};
    enum tv_status status =
        tv_rater_unrate(c->app->rater, &c->user, c->list.items[0], &c->shown, &c->rated, &err);
    if (status != TV_OK)
        unavailable(c, problem, status, &err);
    else if (c->rated.reason == TV_REFUSED_DATASET)
        of_another_data_set(c, problem);
    else if (c->rated.changed == 0)
        tv_problem(problem, 404, "user %s has no rating of item %s", c->user.text,
                   c->s ? tv_id_item_text(c->s, c->list.items[0], space) : "of this id");
    else
        fold_in(c);
    return problem->status == 0;
}

/* --- after ------------------------------------------------------------------------------------------------ */

/* The user's id; without a model it was read as a number. */
static void write_user(struct tv_out *out, const struct change *c)
{
    if (c->s)
        tv_id_user_json(out, c->s, &c->user);
    else
        tv_out_int(out, c->user.number);
}

static void write_item(struct tv_out *out, const struct change *c, size_t i)
{
    if (c->s)
        tv_id_item_json(out, c->s, c->list.items[i]);
    else
        tv_out_int(out, c->list.items[i]);
}

/* The older API's answer: [[user, item, rating], ...] */
static void write_triples(struct tv_out *out, const struct change *c)
{
    tv_out_text(out, "[");
    for (size_t i = 0; i < c->list.n; i++) {
        tv_out_text(out, i ? ",[" : "[");
        write_user(out, c);
        tv_out_text(out, ",");
        write_item(out, c, i);
        tv_out_text(out, ",");
        tv_out_float(out, c->list.values[i]);
        tv_out_text(out, "]");
    }
    tv_out_text(out, "]\n");
}

/* The ratings are told as they were understood: ids as the data calls users and items, and numbers that came as text as
 * numbers. `counts` is "now" if this server's next answer has them. Of plays an item stands
 * once, with the count that it has now. */
static void write_change(struct tv_out *out, const struct change *c, int with_ratings)
{
    tv_out_text(out, "{");
    tv_out_key(out, "user_id");
    write_user(out, c);
    tv_out_key(out, "rev");
    tv_out_int(out, c->rated.rev);
    tv_out_key(out, "changed");
    tv_out_int(out, c->rated.changed);
    tv_out_key(out, "counts");
    tv_out_json(out, c->later ? "later" : "now");
    tv_out_key(out, "model");
    if (c->model)
        tv_out_int(out, c->model);
    else
        tv_out_text(out, "null");
    tv_out_key(out, "dataset");
    if (c->rated.dataset)
        tv_out_int(out, c->rated.dataset);
    else
        tv_out_text(out, "null");
    if (c->later) {
        tv_out_key(out, "why");
        tv_out_json(out, c->later);
    }
    tv_out_key(out, "ratings");
    tv_out_text(out, "[");
    for (size_t i = 0; with_ratings && i < c->list.n; i++) {
        if (c->plays && place_of(&c->list, c->list.items[i]) < i)
            continue;
        tv_out_text(out, i ? ",{" : "{");
        tv_out_key(out, "id");
        write_item(out, c, i);
        tv_out_key(out, "rating");
        tv_out_float(out, c->list.values[i]);
        tv_out_text(out, "}");
    }
    tv_out_text(out, "]}\n");
}

/* --- the routes ------------------------------------------------------------------------------------------- */

/* The five routes: a list with the older answer, a list, a list of plays, one rating, and one rating taken back. */
enum shape { TRIPLES, LIST, PLAYS, ONE, NONE };

/* Ids and body are read before PostgreSQL is asked. The route's address names the user, and some an item. */
static int work(struct change *c, const struct tv_request *request, enum shape shape, struct tv_problem *problem)
{
    if (!find_shown(c, request, problem) || !find_user(c, request, problem))
        return 0;
    switch (shape) {
    case ONE:
        return find_item(c, request, problem) &&
               tv_rating_read(&c->list.values[0], request->body, request->body_size, c->list.items[0], c->s, problem) &&
               rate(c, 0, problem);
    case NONE:
        return find_item(c, request, problem) && unrate(c, problem);
    case PLAYS:
        c->plays = 1;
        return tv_play_list_read(&c->list, request->body, request->body_size, c->s, problem) && rate(c, 1, problem);
    default:
        return tv_rating_list_read(&c->list, request->body, request->body_size, c->s, problem) &&
               rate(c, 1, problem);
    }
}

/* Writes have workers of their own, one for each connection of the pool (http.c). The live model is held for the
 * whole request, so that ids mean the same in its question and in its answer. 202 says that a rating is safe and
 * counts later. */
static enum tv_outcome handle(struct tv_app *app, const struct tv_request *request, struct tv_response *response,
                              enum shape shape)
{
    struct tv_problem problem = {0};
    if (!request->may_wait) {
        response->need.writes = 1;
        return TV_LATER;
    }
    struct change c = {.app = app, .s = tv_shelf_live(app->models.shelf)};
    if (!work(&c, request, shape, &problem)) {
        tv_problem_answer(&app->models, request, response, &problem);
    } else {
        response->status = c.later ? 202 : 200;
        if (shape == TRIPLES)
            write_triples(&response->out, &c);
        else
            write_change(&response->out, &c, shape != NONE);
    }
    tv_resident_release(c.s);
    return TV_ANSWERED;
}

enum tv_outcome tv_handle_post_triples(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response)
{
    return handle(app, request, response, TRIPLES);
}

enum tv_outcome tv_handle_post_ratings(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response)
{
    return handle(app, request, response, LIST);
}

enum tv_outcome tv_handle_post_plays(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response)
{
    return handle(app, request, response, PLAYS);
}

enum tv_outcome tv_handle_put_rating(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response)
{
    return handle(app, request, response, ONE);
}

enum tv_outcome tv_handle_delete_rating(struct tv_app *app, const struct tv_request *request,
                                        struct tv_response *response)
{
    return handle(app, request, response, NONE);
}
