/* models_page: the page /models. Its scripts fill it; the page itself tells them the filter's parameters and defaults, beside
 * which the filters of models are shown.
 */
#include "serve/app.h"
#include "serve/html/page.h"
#include "serve/html/problem_page.h"
#include "serve/lab/handlers.h"
#include "serve/web/parameters.h"
#include "serve/web/problem.h"
#include "trivet/model/filter.h"

/* Without memory for the filter the page goes without its defaults, and can still be used. */
static void write_page(struct tv_app *app, struct tv_response *response)
{
    struct tv_resident *live = tv_shelf_live(app->models.shelf);
    struct tv_filter *standard = NULL;
    struct tv_buffer defaults = TV_BUFFER_INIT(1 << 16), fields = TV_BUFFER_INIT(1 << 16);
    struct tv_out content;
    if (tv_filter_create(&standard, NULL) == TV_OK)
        tv_ignore(tv_filter_json(standard, &defaults, NULL), "the page can be used without the defaults");
    tv_out_init(&content);
    content.failed |= tv_filter_fields(&fields, NULL) != TV_OK;
    const struct tv_slot slots[] = {{"parameters", tv_buffer_string(&fields), NULL},
                                    {"defaults", tv_buffer_string(&defaults), NULL}, {NULL, NULL, NULL}};
    tv_page_fill(&content, "models.html", slots);
    tv_page_finish(response, "Models", live, &content);
    response->scripts = 1;
    tv_out_free(&content);
    tv_buffer_free(&defaults);
    tv_buffer_free(&fields);
    tv_filter_free(standard);
    tv_resident_release(live);
}

/* A link with a wrong value is refused here as everywhere, rather than shown as something it does not say. A wrong
 * user_id is told by the lists, because the meaning of a code depends on the model. */
static int read_numbers(const struct tv_request *request, struct tv_problem *problem)
{
    static const struct tv_integer rules[] = {
        {"a", 1, INT64_MAX},      {"b", 1, INT64_MAX}, {"top", 1, 100}, {"run", 1, INT64_MAX},
        {"search", 1, INT64_MAX}, {"k", 1, 1000},      {"all", 0, 1}};
    int64_t value;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!tv_parameter_integer(request, &rules[i], &value, problem))
            return 0;
    return 1;
}

enum tv_outcome tv_handle_models_page(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response)
{
    struct tv_problem problem;
    if (read_numbers(request, &problem))
        write_page(app, response);
    else
        tv_problem_answer(&app->models, request, response, &problem);
    return TV_ANSWERED;
}
