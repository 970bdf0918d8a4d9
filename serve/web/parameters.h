/* parameters: strict reading of a query. Every parameter is known, stands once (those with a + before their
 * name in the list of the known may stand again), and is what it should be, mostly a whole integer in range;
 * anything else is a 400 that names the parameter.
 */
#ifndef TRIVET_SERVE_WEB_PARAMETERS_H
#define TRIVET_SERVE_WEB_PARAMETERS_H

#include <stdint.h>

#include "serve/web/problem.h"
#include "serve/web/request.h"

/* 1 if every parameter is among `known` (NULL-terminated) and none stands twice that must not; else 0 and
 * *problem. */
TV_MUST_USE int tv_parameters_known(const struct tv_request *request, const char *const *known,
                                    struct tv_problem *problem);

/* The text of a parameter, or NULL. */
const char *tv_parameter(const struct tv_request *request, const char *name);

/* The number of bytes of a text out of a request that a message shows, for "%.*s": cut at a character's edge. */
int tv_shown(const char *text);
/* "the parameters are a, b, c", as many as there is room for. */
void tv_list_names(char *out, size_t size, const char *before, const char *const *names);

/* A whole number that a parameter, or a part of the path, is to be; `name` is how messages call it. */
struct tv_integer {
    const char *name;
    int64_t min, max; /* inclusive */
};
/* Reads a text as an integer in range: 1 and *value, or 0 and *problem. */
TV_MUST_USE int tv_read_integer(const char *text, const struct tv_integer *rule, int64_t *value,
                                struct tv_problem *problem);
/* Reads a parameter; when it is absent *value is left as it is. */
TV_MUST_USE int tv_parameter_integer(const struct tv_request *request, const struct tv_integer *rule, int64_t *value,
                                     struct tv_problem *problem);

#endif
