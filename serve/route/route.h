/* route: which handler answers which address. */
#ifndef TRIVET_SERVE_ROUTE_ROUTE_H
#define TRIVET_SERVE_ROUTE_ROUTE_H

#include <stddef.h>

#include "serve/app.h"
#include "serve/web/handler.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "serve/web/response.h"

enum tv_route_kind {
    TV_ROUTE_JSON, /* answers browsers like everybody else */
    TV_ROUTE_PAGE, /* answers browsers with a page */
    /* Shows nobody's data: answers under every name of the server, and the pages of other sites, too. Probes ask by
     * whatever address they know. */
    TV_ROUTE_OPEN,
    /* The rest change something: tv_may_write is asked first, and the answer is JSON for everybody. */
    TV_ROUTE_POST,
    TV_ROUTE_PUT,
    TV_ROUTE_DELETE
};

/* A row of the table of addresses. It lives as long as the program. */
struct tv_route {
    const char *pattern; /* "/api/v1/items/{id}/similar": a segment in braces stands for any one segment */
    enum tv_route_kind kind;
    tv_handler handle;
    const char *const *parameters; /* the names that it knows (parameters.h), NULL-terminated */
};

/* Tells how exactly a pattern fits the path of a request: 0 not at all, else the more the earlier a segment is the
 * very same instead of braces. Of two patterns that fit, the one with more is meant. */
unsigned tv_route_fits(const char *pattern, const struct tv_request *request);
/* The route that fits best and has the method of the request; where none of those that fit best has it, one of them.
 * NULL if none fits. Sets request->route and request->segments. */
const struct tv_route *tv_route_find(struct tv_request *request);
/* Everything that can be said of a request before its body is known, once for each request: finds the route, and
 * asks whether the sender, the method and the names of the parameters will do. 0: *problem says why not. */
TV_MUST_USE int tv_route_admit(struct tv_app *app, struct tv_request *request, struct tv_problem *problem);
/* A route's place among tv_route_names, for counting; NULL: the place of addresses that do not exist. */
size_t tv_route_index(const struct tv_route *route);
const char *const *tv_route_names(size_t *n);

/* The answer to a request that was not admitted, or stops otherwise. */
void tv_route_refuse(struct tv_app *app, struct tv_request *request, struct tv_response *response,
                     const struct tv_problem *why);
/* The answer of an admitted request's handler; one that could not be written whole is replaced. After TV_LATER it
 * is called again, where one may wait. */
enum tv_outcome tv_route_answer(struct tv_app *app, struct tv_request *request, struct tv_response *response);
/* Both, for a caller that has the whole request at once. */
enum tv_outcome tv_route_run(struct tv_app *app, struct tv_request *request, struct tv_response *response);

#endif
