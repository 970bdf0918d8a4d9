/* route: which handler answers which address. All addresses stand in one table, with the parameters that each
 * knows. The questions that every request is asked first are here, too: who may ask, with which method, with which
 * parameters.
 */
#include "serve/route/route.h"

#include <stdio.h>
#include <string.h>

#include "serve/api/handlers.h"
#include "serve/api/health.h"
#include "serve/api/ratings.h"
#include "serve/html/handlers.h"
#include "serve/html/problem_page.h"
#include "serve/lab/handlers.h"
#include "serve/lab/lab_parameters.h"
#include "serve/model/item_filter.h"
#include "serve/web/admission.h"
#include "serve/web/parameters.h"
#include "serve/web/permission.h"
#include "serve/web/problem.h"

/* Names of parameters, for tv_parameters_known; one with a + may stand more than once. */
static const char *const none[] = {NULL};
static const char *const recs[] = {"user_id", "top", "model", "dataset", "strict", TV_ITEM_FILTER_PARAMETERS, NULL};
static const char *const items[] = {"q", "top", "model", "dataset", NULL};
static const char *const similar[] = {"by", "top", "model", "exact", "dataset", NULL};
static const char *const similar_page[] = {"item", "q", "by", "top", "model", "exact", "dataset", NULL};
static const char *const explain[] = {"user_id", "item_id", "movie_id", "limit", "model", "dataset", NULL};
static const char *const predict[] = {"user_id", "ids", "model", "dataset", NULL};
static const char *const older_top[] = {"model", TV_ITEM_FILTER_PARAMETERS, NULL};
static const char *const of_user[] = {"user_id", NULL};
static const char *const of_id[] = {"id", NULL};
static const char *const of_model[] = {"model", NULL};
static const char *const of_one[] = {"model", "dataset", NULL};
static const char *const of_run[] = {"run", NULL};
static const char *const of_models_page[] = {"user_id", "a", "b",      "top", "run",
                                             "search",  "k", "metric", "all", "data", NULL};

/* A row for each address and method. The more exact pattern wins, wherever it stands (tv_route_find). */
static const struct tv_route routes[] = {
    {"/", TV_ROUTE_PAGE, tv_handle_welcome, none},
    {"/recs", TV_ROUTE_PAGE, tv_handle_recs, recs},
    {"/surprise", TV_ROUTE_PAGE, tv_handle_surprise, none},
    {"/rate", TV_ROUTE_PAGE, tv_handle_rate, of_user},
    {"/similar", TV_ROUTE_PAGE, tv_handle_similar, similar_page},
    {"/api/v1/recs", TV_ROUTE_JSON, tv_handle_recs, recs},
    {"/api/v1/users/{id}", TV_ROUTE_JSON, tv_handle_user, of_one},
    {"/api/v1/predict", TV_ROUTE_JSON, tv_handle_predict, predict},
    {"/api/v1/explain", TV_ROUTE_JSON, tv_handle_explain, explain},
    {"/{user}/ratings/top/{n}", TV_ROUTE_JSON, tv_handle_older_top, older_top},
    {"/{user}/ratings/{movie}", TV_ROUTE_JSON, tv_handle_older_rating, of_model},
    {"/api/v1/items", TV_ROUTE_JSON, tv_handle_items, items},
    {"/api/v1/items/{id}", TV_ROUTE_JSON, tv_handle_item, of_one},
    {"/api/v1/items/{id}/similar", TV_ROUTE_JSON, tv_handle_similar, similar},
    {"/api/v1/users/{user}/ratings", TV_ROUTE_POST, tv_handle_post_ratings, of_model},
    {"/api/v1/users/{user}/plays", TV_ROUTE_POST, tv_handle_post_plays, of_model},
    {"/api/v1/users/{user}/ratings/{item}", TV_ROUTE_PUT, tv_handle_put_rating, of_model},
    {"/api/v1/users/{user}/ratings/{item}", TV_ROUTE_DELETE, tv_handle_delete_rating, of_model},
    {"/{user}/ratings", TV_ROUTE_POST, tv_handle_post_triples, none},
    {"/api/v1/models", TV_ROUTE_JSON, tv_handle_models, none},
    {"/lab", TV_ROUTE_PAGE, tv_handle_lab, tv_lab_of_page},
    {"/lab/funnel", TV_ROUTE_JSON, tv_handle_lab_funnel, tv_lab_of_funnel},
    {"/lab/sweep", TV_ROUTE_JSON, tv_handle_lab_sweep, tv_lab_of_sweep},
    {"/lab/activity", TV_ROUTE_JSON, tv_handle_lab_activity, tv_lab_of_activity},
    {"/lab/presets", TV_ROUTE_JSON, tv_handle_lab_presets, of_id},
    {"/lab/stop", TV_ROUTE_JSON, tv_handle_lab_stop, of_id},
    {"/lab/progress", TV_ROUTE_JSON, tv_handle_lab_progress, of_id},
    {"/models", TV_ROUTE_PAGE, tv_handle_models_page, of_models_page},
    {"/models/journal", TV_ROUTE_JSON, tv_handle_models_journal, none},
    {"/models/metrics", TV_ROUTE_JSON, tv_handle_models_metrics, of_run},
    {"/healthz", TV_ROUTE_OPEN, tv_handle_healthz, none},
    {"/readyz", TV_ROUTE_OPEN, tv_handle_readyz, none},
    {"/metrics", TV_ROUTE_OPEN, tv_handle_counters, none},
    {"/openapi.json", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/trivet.css", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/trivet.svg", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/data.css", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/charts.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/dom.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/rate.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/rate_control.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/rate_send.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/lab.css", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/lab.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/lab_filter.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/lab_charts.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/lab_sweep.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/models.css", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/models.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/models_charts.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/models_lists.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/models_quality.js", TV_ROUTE_OPEN, tv_handle_file, none},
    {"/chart.min.js", TV_ROUTE_OPEN, tv_handle_file, none},
};
enum { ROUTES = sizeof routes / sizeof routes[0] };

static size_t segment_length(const char *pattern)
{
    return strcspn(pattern, "/");
}

/* A bit for each segment, the first one's the highest: 1 where the segment is the very same, 0 where braces take it.
 * Whatever fits has as many segments as the request, so the larger number is the nearer pattern. An empty segment is
 * nothing that braces could stand for. */
unsigned tv_route_fits(const char *pattern, const struct tv_request *request)
{
    unsigned fit = 1;
    for (size_t i = 0; i < request->n_path_segments; i++) {
        if (*pattern != '/')
            return 0;
        const char *segment = request->path_segments[i];
        if (*++pattern != *segment && *pattern != '{')
            return 0; /* most routes, at their first letter */
        size_t n = segment_length(pattern);
        int same = strncmp(pattern, segment, n) == 0 && segment[n] == '\0';
        if (!same && !(*pattern == '{' && *segment))
            return 0;
        fit = fit << 1 | (unsigned)same;
        pattern += n;
    }
    return *pattern == '\0' && request->n_path_segments ? fit : 0;
}

/* Notes the segments of the request that the pattern's braces stand for. The pattern fits, and so has as many segments
 * as the request. */
static void take_segments(struct tv_request *request, const char *pattern)
{
    size_t n = 0;
    for (size_t i = 0; i < request->n_path_segments; i++) {
        pattern++;
        if (*pattern == '{' && n < TV_MAX_SEGMENTS)
            request->segments[n++] = request->path_segments[i];
        pattern += segment_length(pattern);
    }
}

/* The kind of a route says its method; all that read are GET, and so HEAD. */
static enum tv_http_method method_of(const struct tv_route *route)
{
    switch (route->kind) {
    case TV_ROUTE_POST:
        return TV_POST;
    case TV_ROUTE_PUT:
        return TV_PUT;
    case TV_ROUTE_DELETE:
        return TV_DELETE;
    default:
        return TV_GET;
    }
}

/* An address may have several routes, one a method. Among those that fit equally well, the one with the method of
 * the request is taken; otherwise any, for tv_route_admit to say which methods there are. */
const struct tv_route *tv_route_find(struct tv_request *request)
{
    unsigned best = 0;
    request->route = NULL;
    for (size_t i = 0; i < ROUTES; i++) {
        unsigned fit = tv_route_fits(routes[i].pattern, request);
        if (fit > best || (fit && fit == best && method_of(&routes[i]) == request->method)) {
            best = fit;
            request->route = &routes[i];
        }
    }
    if (request->route)
        take_segments(request, request->route->pattern);
    return request->route;
}

size_t tv_route_index(const struct tv_route *route)
{
    return route ? (size_t)(route - routes) : ROUTES;
}

/* The server calls it once, before there are threads: the texts are static, because the counters keep pointers to
 * them. */
const char *const *tv_route_names(size_t *n)
{
    static const char *names[ROUTES + 1];
    static char with_method[ROUTES][64]; /* a pattern may stand there more than once */
    for (size_t i = 0; i < ROUTES; i++) {
        enum tv_http_method method = method_of(&routes[i]);
        names[i] = routes[i].pattern;
        if (method == TV_GET)
            continue;
        snprintf(with_method[i], sizeof with_method[i], "%s %s", tv_http_method_name(method), routes[i].pattern);
        names[i] = with_method[i];
    }
    names[ROUTES] = "other";
    *n = ROUTES + 1;
    return names;
}

/* A 405 must list the methods of the address (RFC 9110, 15.5.6). */
static void refuse_method(const struct tv_request *request, struct tv_problem *problem)
{
    char allow[sizeof problem->allow] = "";
    unsigned fit = tv_route_fits(request->route->pattern, request);
    for (size_t i = 0, n = 0; i < ROUTES; i++) {
        enum tv_http_method method = method_of(&routes[i]);
        if (tv_route_fits(routes[i].pattern, request) == fit)
            n += (size_t)snprintf(allow + n, sizeof allow - n, "%s%s", n ? ", " : "",
                                  method == TV_GET ? "GET, HEAD" : tv_http_method_name(method));
    }
    tv_problem(problem, 405, "%s takes %s here", request->route->pattern, allow);
    memcpy(problem->allow, allow, sizeof allow);
}

/* A sender that is not admitted is told nothing else, not even what there is. The site is asked about only for
 * requests that read; those that change something are judged by tv_may_write, which is stricter. */
static int refuse_sender(const struct tv_app *app, const struct tv_request *request, struct tv_problem *problem)
{
    const struct tv_route *route = request->route;
    if (route && route->kind == TV_ROUTE_OPEN)
        return 0;
    return !tv_host_admitted(&app->hosts, &request->sender, problem) ||
           (request->method == TV_GET &&
            !tv_site_admitted(&request->sender, route && route->kind == TV_ROUTE_PAGE, problem));
}

/* The order of the questions is that of what may be told: first whether the sender is answered at all, then the
 * address and its methods, then permission, and parameters last. Only pages, and addresses that do not exist and do
 * not look like the API's, are answered with HTML. */
int tv_route_admit(struct tv_app *app, struct tv_request *request, struct tv_problem *problem)
{
    const struct tv_route *route = tv_route_find(request);
    if (route ? route->kind != TV_ROUTE_PAGE
              : request->n_path_segments > 1 && strcmp(request->path_segments[0], "api") == 0)
        request->wants_html = 0;
    if (refuse_sender(app, request, problem))
        return 0;
    if (route == NULL) {
        tv_problem(problem, 404, "there is nothing at this address");
        return 0;
    }
    if (method_of(route) != request->method) {
        refuse_method(request, problem);
        return 0;
    }
    return (request->method == TV_GET || tv_may_write(&app->permission, &request->sender, problem)) &&
           tv_parameters_known(request, route->parameters, problem);
}

/* The one place that may answer with a problem whose own page could not be written; the second attempt is JSON,
 * which takes little memory and no template. */
void tv_route_refuse(struct tv_app *app, struct tv_request *request, struct tv_response *response,
                     const struct tv_problem *why)
{
    tv_problem_answer(&app->models, request, response, why);
    if (response->out.failed) {
        struct tv_problem problem;
        tv_response_reset(response);
        tv_problem(&problem, 500, "the answer could not be written");
        request->wants_html = 0; /* memory is short, or a page is broken: say so in the plainest way */
        tv_problem_answer(&app->models, request, response, &problem);
    }
}

/* A body that is too large is refused here and not in tv_route_admit, which is asked before the body has come. */
enum tv_outcome tv_route_answer(struct tv_app *app, struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem;
    if (request->body_too_large) {
        tv_problem(&problem, 413, "the body of a request is limited to 1 MiB");
        tv_route_refuse(app, request, response, &problem);
        return TV_ANSWERED;
    }
    enum tv_outcome outcome = request->route->handle(app, request, response);
    if (outcome == TV_ANSWERED && response->out.failed) {
        tv_problem(&problem, 500, "the answer could not be written");
        request->wants_html = 0;
        tv_route_refuse(app, request, response, &problem);
    }
    if (outcome == TV_ANSWERED)
        tv_response_tag(response, request->if_none_match);
    return outcome;
}

enum tv_outcome tv_route_run(struct tv_app *app, struct tv_request *request, struct tv_response *response)
{
    struct tv_problem problem;
    if (tv_route_admit(app, request, &problem))
        return tv_route_answer(app, request, response);
    tv_route_refuse(app, request, response, &problem);
    return TV_ANSWERED;
}
