/* similar: the items nearest to an item, by the factors of a model or by the users who rated or played them. The
 * address under /api/v1 answers by factors unless told otherwise, the page by audience.
 */
#include "serve/api/similar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/handlers.h"
#include "serve/api/recs.h"
#include "serve/app.h"
#include "serve/pick/pick.h"
#include "serve/route/route.h"
#include "serve/web/parameters.h"
#include "trivet/base/code.h"

enum { STANDARD_SIMILAR = 10, MAX_SIMILAR = 100 };

/* --- what is asked -------------------------------------------------------------------------------------- */

/* The parameter `by`, or the default of the address: the page answers by audience, the API by factors. */
static int read_by(const struct tv_request *request, struct tv_similar_question *q, struct tv_problem *problem)
{
    const char *by = tv_parameter(request, "by");
    q->by = request->route->kind == TV_ROUTE_PAGE ? TV_BY_AUDIENCE : TV_BY_FACTORS;
    if (by && strcmp(by, "factors") != 0 && strcmp(by, "audience") != 0) {
        return tv_problem_at(problem, 400, "by", "by is \"%.*s\", but must be factors or audience", tv_shown(by), by);
    }
    if (by)
        q->by = by[0] == 'a' ? TV_BY_AUDIENCE : TV_BY_FACTORS;
    return 1;
}

/* The page is there without an item, too, for browsers: it has a field to search for one. */
static int read_item(const struct tv_request *request, struct tv_similar_question *q, struct tv_problem *problem)
{
    if (request->route->kind != TV_ROUTE_PAGE) {
        tv_id_set(&q->item, "id", request->segments[0]);
    } else if ((!tv_id_parameter(&q->item, request, "item") || q->item.text[0] == '\0') && !request->wants_html) {
        return tv_problem_at(problem, 400, "item", "item is missing: similar to which item?");
    }
    return 1;
}

/* A parameter that would do nothing with this way of asking is refused and not passed over. */
static int read_question(const struct tv_request *request, struct tv_similar_question *q, struct tv_problem *problem)
{
    static const struct tv_integer top = {"top", 1, MAX_SIMILAR}, exact = {"exact", 0, 1}, dataset = {"dataset", 1, INT64_MAX};
    int64_t exactly = 0;
    *q = (struct tv_similar_question){.top = STANDARD_SIMILAR};
    if (!read_by(request, q, problem) || !read_item(request, q, problem) ||
        !tv_parameter_integer(request, &top, &q->top, problem) ||
        !tv_parameter_integer(request, &exact, &exactly, problem) ||
        !tv_parameter_integer(request, &dataset, &q->dataset, problem) || !tv_pick_model(request, &q->model, problem))
        return 0;
    q->exact = (int)exactly;
    if (q->exact && q->by == TV_BY_FACTORS) {
        return tv_problem_at(problem, 400, "exact", "exact counts audiences, so it goes with by=audience");
    }
    if (q->model != TV_LIVE_MODEL && q->by == TV_BY_AUDIENCE) {
        return tv_problem_at(problem, 400, "model", "audiences belong to no model: model goes with by=factors");
    }
    return 1;
}

/* --- by factors ----------------------------------------------------------------------------------------- */

/* An item that the catalogue has and the model has not is answered with an empty list. */
static int by_factors(const struct tv_resident *s, const struct tv_similar_question *q, struct tv_neighbours *found,
                      struct tv_problem *problem)
{
    struct tv_workspace *w = tv_workspace_of_thread();
    int32_t item = tv_resident_dense(s, q->item.number);
    found->items = calloc((size_t)q->top, sizeof *found->items);
    if (w == NULL || found->items == NULL || tv_workspace_prepare(w, s, (size_t)q->top, NULL) != TV_OK) {
        tv_problem(problem, 500, "out of memory for similar items");
        return 0;
    }
    found->n = item >= 0 ? tv_scan_nearest(w->best, (size_t)q->top, &s->side->scan, item, w->user) : 0;
    for (size_t i = 0; i < found->n; i++)
        found->items[i] =
            (struct tv_neighbour){.item = s->item_ids[w->best[i].item], .score = w->best[i].score, .jaccard = NAN};
    return 1;
}

/* The ranking still lies in the workspace of this thread, in which by_factors put it. */
static void write_factors_json(struct tv_out *out, const struct tv_resident *s, int64_t item, size_t n)
{
    tv_model_json(out, s);
    tv_out_key(out, "in_model");
    tv_out_bool(out, tv_resident_dense(s, item) >= 0);
    tv_out_key(out, "by");
    tv_out_json(out, "factors");
    tv_out_key(out, "items");
    tv_ranked_json(out, s, tv_workspace_of_thread()->best, n);
}

/* --- the answer ----------------------------------------------------------------------------------------- */

static void write_json(struct tv_out *out, const struct tv_resident *s, const struct tv_similar_question *q,
                       const struct tv_neighbours *found)
{
    tv_out_text(out, "{");
    tv_item_json(out, s, q->item.number);
    if (q->by == TV_BY_AUDIENCE)
        tv_similar_audience_json(out, s, found);
    else
        write_factors_json(out, s, q->item.number, found->n);
    tv_out_text(out, "}\n");
}

/* The catalogue of an index has no description of a model, and so no name. */
static void name_data(struct tv_app *app, const struct tv_resident *s, char *out, size_t size)
{
    struct tv_similar_made made;
    tv_similar_keeper_made(app->similar_keeper, tv_similar_keeper_seen(app->similar_keeper), &made);
    if (s->info.dataset[0])
        snprintf(out, size, "%s", s->info.dataset);
    else if (made.dataset == s->dataset && made.data[0])
        snprintf(out, size, "%s", made.data);
    else
        snprintf(out, size, "number %" PRId64, s->dataset);
}

/* A link of ours says of which data set its item is: another one, which may have taken its place since, has other items
 * under the same ids. */
static int is_meant(struct tv_app *app, const struct tv_similar_question *q, const struct tv_resident *s, struct tv_problem *problem)
{
    char name[sizeof s->info.dataset + 16];
    if (q->dataset == 0 || s->dataset == 0 || q->dataset == s->dataset || tv_code_refusal(q->item.text, strlen(q->item.text)))
        return 1; /* what can be no id is refused as such */
    name_data(app, s, name, sizeof name);
    tv_problem_at(problem, 409, "dataset", "item %s is meant of another data set than the %s, which is of %s", q->item.text,
                  q->by == TV_BY_AUDIENCE ? "index of similar items" : "model", name);
    tv_problem_hint(problem, q->by == TV_BY_AUDIENCE
                                 ? "by=factors asks the model; trivet-train similar builds an index of what is loaded"
                                 : "by=audience asks the index of similar items");
    return 0;
}

/* By audience, ids of items outside the catalogue are looked up, too: the index may have them. */
static int find_neighbours(struct tv_app *app, const struct tv_request *request, struct tv_similar_question *q,
                           const struct tv_resident *s, struct tv_neighbours *found, struct tv_problem *problem)
{
    if (!is_meant(app, q, s, problem))
        return 0;
    if (q->by == TV_BY_AUDIENCE)
        return tv_id_item(&q->item, s, problem) && tv_similar_by_audience(app, request, q, found, problem) &&
               tv_similar_is_of(found, s->dataset, problem);
    return tv_pick_item(&q->item, s, problem) && by_factors(s, q, found, problem);
}

/* Without an item there is nothing to look up: the page is its search alone. */
static void answer(struct tv_app *app, const struct tv_request *request, struct tv_response *response,
                   struct tv_similar_question *q, const struct tv_resident *s, struct tv_problem *problem)
{
    struct tv_neighbours found = {0};
    int has_item = q->item.text[0] != '\0', is_page = request->route->kind == TV_ROUTE_PAGE && request->wants_html;
    if (!has_item || find_neighbours(app, request, q, s, &found, problem)) {
        if (is_page) {
            char data[1024] = "";
            if (q->by == TV_BY_AUDIENCE)
                tv_similar_keeper_data(app->similar_keeper, data, sizeof data);
            tv_similar_page(request, response, s, q, has_item ? &found : NULL, data);
        } else
            write_json(&response->out, s, q, &found);
        response->revalidated = 1;
    }
    free(found.items);
}

/* By audience, items are those of the index, which is of one data set, and a model need not be there: on a worker, as Redis
 * tells which index is live. A question that counts in PostgreSQL is told from the others, as it may take seconds. */
enum tv_outcome tv_handle_similar(struct tv_app *app, const struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_picked picked = {0};
    struct tv_similar_question q;
    enum tv_pick pick = TV_PICK_PROBLEM;
    if (read_question(request, &q, &problem)) {
        if (q.by == TV_BY_AUDIENCE && !request->may_wait) {
            response->need.postgres = q.exact;
            return TV_LATER;
        }
        pick = q.by == TV_BY_AUDIENCE
                   ? tv_pick_indexed(&app->models, app->similar_keeper, &picked.resident, &problem)
                   : tv_pick_resident(&app->models, q.model, request->may_wait, &picked.resident, &problem);
    }
    if (pick == TV_PICKED)
        answer(app, request, response, &q, picked.resident, &problem);
    return tv_pick_finish(&app->models, request, response, pick, &picked, &problem);
}
