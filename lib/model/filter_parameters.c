/* filter_parameters: the table of the filter's parameters, made of filter_parameters.def, and what is told of it as
 * a whole: names and hints in errors, the help, the fields of the pages.
 */
#include "trivet/model/filter_parameters.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"

const struct tv_filter_parameter tv_filter_parameters[] = {
#define PARAMETER(name_, ...) {.name = #name_, __VA_ARGS__},
#include "trivet/model/filter_parameters.def"
#undef PARAMETER
    {.name = NULL}};

int tv_filter_find(const char *name, size_t n)
{
    for (int i = 0; tv_filter_parameters[i].name; i++)
        if (strlen(tv_filter_parameters[i].name) == n && strncmp(tv_filter_parameters[i].name, name, n) == 0)
            return i;
    return -1;
}

/* Follows from the step that the parameter acts in. The sample of users is neither a condition on rows nor a cut. */
unsigned tv_filter_parts(const struct tv_filter_parameter *p)
{
    int on_rows = p->step <= TV_FILTER_ITEMS;
    int cut = p->step == TV_FILTER_ITEM_CUT || p->step == TV_FILTER_USER_CUT || p->step == TV_FILTER_ROW_LIMIT;
    return TV_FILTER_ALL | (on_rows && !p->only_learning ? TV_FILTER_EVIDENCE : 0) | (cut ? TV_FILTER_CUTS : 0);
}

/* All names, with commas between them, for the hint of an error. */
static void write_names(char *out, size_t size)
{
    int n = 0;
    for (const struct tv_filter_parameter *p = tv_filter_parameters; p->name && n >= 0 && (size_t)n < size; p++)
        n += snprintf(out + n, size - (size_t)n, "%s%s", p == tv_filter_parameters ? "" : ", ", p->name);
    tv_text_mark_cut(out, size, n);
}

enum tv_status tv_filter_unknown(const char *text, size_t n, struct tv_error *err)
{
    char name[64], all[sizeof err->hint];
    const char *names[TV_FILTER_PARAMETERS + 1] = {NULL};
    for (int i = 0; i < TV_FILTER_PARAMETERS; i++)
        names[i] = tv_filter_parameters[i].name;
    snprintf(name, sizeof name, "%.*s", (int)n, text);
    write_names(all, sizeof all);
    const char *nearest = tv_text_nearest(name, names);
    tv_fail(err, TV_ERR_USAGE, "the filter has no parameter \"%s\"", name);
    return nearest ? tv_hint(err, "did you mean %s?", nearest) : tv_hint(err, "its parameters are %s", all);
}

/* Each call writes the one text anew, always the same; --help of the commands with --set ends with it. */
const char *tv_filter_help(void)
{
    static char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "Filter parameters for --set (of the SQL function trivet.user_item):\n");
    for (const struct tv_filter_parameter *p = tv_filter_parameters; p->name && n < sizeof text; p++)
        n += (size_t)snprintf(text + n, sizeof text - n, "  %-20s %s (default %s)\n", p->name, p->meaning,
                              p->standard ? p->standard : "null: no condition");
    return text;
}

/* A parameter without a slider has no such member ("s*" leaves out a NULL). */
static json_t *field(const struct tv_filter_parameter *p)
{
    static const char *const kinds[] = {"integer", "real", "time", "names"};
    return json_pack("{s:s, s:s, s:s, s:i, s:s*, s:s}", "name", p->name, "kind", kinds[p->kind], "meaning", p->meaning, "step",
                     (int)p->step, "slider", p->slider, "sweep", p->sweep);
}

enum tv_status tv_filter_fields(struct tv_buffer *json, struct tv_error *err)
{
    json_t *fields = json_array();
    for (const struct tv_filter_parameter *p = tv_filter_parameters; p->name; p++)
        json_array_append_new(fields, field(p));
    char *text = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
    enum tv_status status = text ? tv_buffer_text(json, text, err)
                                 : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the fields of a page");
    free(text);
    return status;
}
