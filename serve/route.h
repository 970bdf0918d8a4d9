/* route: which handler answers which address. */
#ifndef TRIVET_SERVE_ROUTE_H
#define TRIVET_SERVE_ROUTE_H

#include <stddef.h>

#include "serve/app.h"
#include "serve/web/request.h"
#include "serve/web/response.h"

enum tv_outcome {
    TV_ANSWERED,
    TV_LATER /* a store has to be waited for and request->may_wait is 0: call again where one may wait */
};

typedef enum tv_outcome (*tv_handler)(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response);

enum tv_route_kind {
    TV_ROUTE_JSON, /* answers browsers like everybody else */
    TV_ROUTE_PAGE, /* answers browsers with a page */
    /* Shows nobody's data: answers under every name of the server, and the pages of other sites, too. Probes ask by
     * whatever address they know. */
    TV_ROUTE_OPEN,
    /* Those that change something: tv_may_write is asked first, and the answer is JSON for everybody. */
    TV_ROUTE_POST,
    TV_ROUTE_PUT,
    TV_ROUTE_DELETE
};

struct tv_route {
    const char *pattern; /* "/api/v1/items/{id}/similar": a part in braces stands for any one part */
    enum tv_route_kind kind;
    tv_handler handle;
    const char *const *parameters; /* that it knows (parameters.h), NULL-terminated */
};

/* How exactly a pattern fits the path of a request: 0 not at all, else the more the earlier a part is the
 * very same instead of braces, so that of two patterns that fit, the one with more is meant. */
unsigned tv_route_fits(const char *pattern, const struct tv_request *request);
/* The route that fits best and has the method of the request; where none of those that fit best has it, one of them.
 * NULL if none fits. Sets request->route and request->segments. */
const struct tv_route *tv_route_find(struct tv_request *request);
enum tv_method tv_route_method(const struct tv_route *route);
/* 1 if a body is worth reading: the route is there, and may be used by whoever asks. 0: tv_route_answer will say why
 * not, and needs no body for that. */
int tv_route_wants_body(struct tv_app *app, struct tv_request *request);
/* A route's place among tv_route_names, for counting; NULL: the place of addresses that do not exist. */
size_t tv_route_index(const struct tv_route *route);
const char *const *tv_route_names(size_t *n);

/* Everything between a parsed request and its answer: finds the route, checks method, permission and
 * parameter names, calls the handler, and replaces an answer that could not be written whole. */
enum tv_outcome tv_route_answer(struct tv_app *app, struct tv_request *request, struct tv_response *response);

#endif
