/* lab_parameters: the filter and the grid that a request of /lab names. Each value goes through the checks of
 * lib/model/filter, the same as for --set on a command line; here are names, lengths and which parameter is at
 * fault.
 */
#include "serve/lab/lab_parameters.h"

#include <stdio.h>
#include <string.h>

#include "serve/stores/questions.h"
#include "serve/web/parameters.h"

#define AXES "x", "x_values", "y", "y_values"
#define PARAMETER(name, ...) #name,

static const char *const names[] = {
#include "trivet/model/filter_parameters.def"
    NULL};
const char *const tv_lab_of_activity[] = {
#include "trivet/model/filter_parameters.def"
    "id", "dataset", NULL};
const char *const tv_lab_of_funnel[] = {
#include "trivet/model/filter_parameters.def"
    "id", "dataset", NULL};
const char *const tv_lab_of_sweep[] = {
#include "trivet/model/filter_parameters.def"
    AXES, "id", "dataset", NULL};
const char *const tv_lab_of_page[] = {
#include "trivet/model/filter_parameters.def"
    AXES, "measure", NULL};

/* A refusal of the filter's as a 400, with its own words. */
static int refuse_error(struct tv_problem *problem, const char *name, const struct tv_error *err)
{
    tv_problem_at(problem, 400, name, "%s", err->message);
    tv_problem_hint(problem, "%s", err->hint);
    return 0;
}

/* Values go into messages and SQL of bounded size, so they are bounded themselves. */
static int fits(const char *name, const char *value, struct tv_problem *problem)
{
    if (strlen(value) <= TV_LAB_VALUE)
        return 1;
    return tv_problem_at(problem, 400, name, "%s is longer than %d bytes", name, TV_LAB_VALUE);
}

/* lib/model/filter reads "name=value", as a flag gives it. `given` is the request's parameter in which the value
 * stands: of a sweep it is not the filter's, but x_values, say. */
static int set(struct tv_filter *filter, const char *name, const char *value, const char *given,
               struct tv_problem *problem)
{
    char assignment[TV_LAB_VALUE + 64];
    struct tv_error err = {0};
    if (!fits(given, value, problem))
        return 0;
    snprintf(assignment, sizeof assignment, "%s=%s", name, value);
    return tv_filter_set(filter, assignment, &err) == TV_OK || refuse_error(problem, given, &err);
}

/* Parameters are checked one by one first, so that the problem names the one at fault; conditions between two of
 * them (tv_filter_set_all) come last. On failure nothing is left to free. */
int tv_lab_filter(const struct tv_request *request, struct tv_filter **out, struct tv_problem *problem)
{
    struct tv_filter *filter = NULL;
    struct tv_error err = {0};
    if (tv_filter_create(&filter, &err) != TV_OK) {
        tv_problem(problem, 500, "%s", err.message);
        return 0;
    }
    int good = 1;
    for (size_t i = 0; names[i] && good; i++) {
        const char *value = tv_parameter(request, names[i]);
        good = value == NULL || set(filter, names[i], value, names[i], problem);
    }
    if (good && tv_filter_set_all(filter, NULL, 0, &err) != TV_OK) /* the checks across parameters */
        good = refuse_error(problem, err.parameter, &err);
    if (good)
        *out = filter;
    else
        tv_filter_free(filter);
    return good;
}

/* --- a sweep's two axes --------------------------------------------------------------------------------- */

/* Each value must be one that the filter itself would take: all are put into a filter, one after the other. Of genres,
 * each value is one genre. */
static int check_values(struct tv_lab_axis *axis, const char *values_name, struct tv_problem *problem)
{
    struct tv_filter *space = NULL;
    const char *at = axis->values;
    int good = fits(values_name, at, problem) && tv_filter_create(&space, NULL) == TV_OK;
    while (good) {
        char value[TV_LAB_VALUE + 1];
        size_t n = strcspn(at, ",");
        snprintf(value, sizeof value, "%.*s", (int)n, at);
        good = set(space, axis->name, value, values_name, problem);
        axis->n++;
        if (at[n] == '\0')
            break;
        at += n + 1;
    }
    tv_filter_free(space);
    if (good && axis->n > TV_LAB_AXIS_VALUES) {
        good = tv_problem_at(problem, 400, values_name, "%s holds %zu values, but may hold at most %d", values_name,
                             axis->n, TV_LAB_AXIS_VALUES);
    }
    return good;
}

/* axis->name is a pointer out of `names`, never text of the request: it goes into SQL as it is, and two axes are
 * the same where the pointers are. */
static int read_axis(const struct tv_request *request, const char *name, struct tv_lab_axis *axis,
                     struct tv_problem *problem)
{
    char values_name[16];
    const char *chosen = tv_parameter(request, name);
    snprintf(values_name, sizeof values_name, "%s_values", name);
    axis->values = tv_parameter(request, values_name);
    if (chosen == NULL || axis->values == NULL) {
        return tv_problem_at(problem, 400, chosen ? values_name : name, "%s is missing", chosen ? values_name : name);
    }
    int at = tv_filter_find(chosen, strlen(chosen));
    if (at >= 0) {
        axis->name = names[at];
        return check_values(axis, values_name, problem);
    }
    return tv_problem_at(problem, 400, name, "%s is \"%.60s\", but must be a parameter of the filter", name,
                         strlen(chosen) > 60 ? "..." : chosen);
}

int tv_lab_axes(const struct tv_request *request, struct tv_lab_axis axes[2], struct tv_problem *problem)
{
    memset(axes, 0, 2 * sizeof *axes);
    if (!read_axis(request, "x", &axes[0], problem) || !read_axis(request, "y", &axes[1], problem))
        return 0;
    if (axes[0].name != axes[1].name)
        return 1;
    return tv_problem_at(problem, 400, "y", "y is %s, but x is, too", axes[1].name);
}

/* Scripts make ids up; one with other characters comes from elsewhere. */
int tv_lab_id(const struct tv_request *request, const char **id, struct tv_problem *problem)
{
    const char *text = tv_parameter(request, "id");
    *id = text ? text : "";
    size_t n = strspn(*id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (text == NULL || (n > 0 && n <= TV_QUESTION_ID && text[n] == '\0'))
        return 1;
    return tv_problem_at(problem, 400, "id", "id must be 1 to %d letters, digits and dashes", TV_QUESTION_ID);
}
