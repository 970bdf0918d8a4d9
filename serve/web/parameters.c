/* parameters: strict reading of a query. Route checks the names once for every request (tv_parameters_known);
 * handlers read the values.
 */
#include "serve/web/parameters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/text.h"

enum { SHOWN = 60 }; /* bytes of a name or value from a request that appear in a message */

int tv_shown(const char *text)
{
    return (int)tv_text_fitting(text, strnlen(text, SHOWN + 1), SHOWN + 1);
}

/* The parameter of that name in a route's list, or NULL. */
static const char *find_known(const char *const *known, const char *name)
{
    for (; *known; known++)
        if (strcmp(*known + (**known == '+'), name) == 0)
            return *known;
    return NULL;
}

/* Names that do not fit are left out whole, and dots say so. */
void tv_list_names(char *out, size_t size, const char *before, const char *const *names)
{
    static const char more[] = " ...";
    size_t n = (size_t)snprintf(out, size, "%s", before);
    for (size_t i = 0; names[i]; i++) {
        const char *name = names[i] + (names[i][0] == '+');
        if (n + strlen(name) + 2 + sizeof more > size) {
            snprintf(out + n, size - n, "%s", more);
            return;
        }
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", name);
    }
}

/* A misspelt parameter would be passed over in silence, and the answer taken for what was asked. The hint names the
 * nearest known one, or all of them. */
static int unknown(const char *const *known, const char *name, struct tv_problem *problem)
{
    tv_problem_at(problem, 400, name, "there is no parameter \"%.*s\" here", tv_shown(name), name);
    const char *nearest = tv_text_nearest(name, known);
    if (nearest)
        tv_problem_hint(problem, "did you mean %s?", nearest + (*nearest == '+'));
    else if (known[0] == NULL)
        tv_problem_hint(problem, "this address takes no parameters");
    else
        tv_list_names(problem->hint, sizeof problem->hint, "the parameters are ", known);
    return 0;
}

/* Each parameter is compared with all before it, of which there are at most TV_MAX_PARAMETERS. A second value of
 * the same name would be passed over (tv_parameter takes the first), so it is refused. */
int tv_parameters_known(const struct tv_request *request, const char *const *known,
                        struct tv_problem *problem)
{
    for (size_t i = 0; i < request->n_parameters; i++) {
        const char *name = request->parameters[i].name;
        const char *as_known = find_known(known, name);
        if (as_known == NULL)
            return unknown(known, name, problem);
        for (size_t j = 0; j < i && *as_known != '+'; j++)
            if (strcmp(request->parameters[j].name, name) == 0) {
                return tv_problem_at(problem, 400, name, "%s is given more than once", name);
            }
    }
    return 1;
}

const char *tv_parameter(const struct tv_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_parameters; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    return NULL;
}

/* An integer without bounds of its own is told of as one of 64 bits, for two numbers of nineteen digits help nobody. */
int tv_read_integer(const char *text, const struct tv_integer *rule, int64_t *value,
                    struct tv_problem *problem)
{
    int64_t read = 0;
    if (tv_text_int64(text, strlen(text), &read) && read >= rule->min && read <= rule->max) {
        *value = read;
        return 1;
    }
    if (rule->min == INT64_MIN && rule->max == INT64_MAX)
        return tv_problem_at(problem, 400, rule->name, "%s is \"%.*s\", but must be an integer of at most 64 bits",
                             rule->name, tv_shown(text), text);
    return tv_problem_at(problem, 400, rule->name,
                         "%s is \"%.*s\", but must be an integer from %" PRId64 " to %" PRId64, rule->name,
                         tv_shown(text), text, rule->min, rule->max);
}

int tv_parameter_integer(const struct tv_request *request, const struct tv_integer *rule, int64_t *value,
                         struct tv_problem *problem)
{
    const char *text = tv_parameter(request, rule->name);
    return text == NULL || tv_read_integer(text, rule, value, problem);
}
