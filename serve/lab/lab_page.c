/* lab_page: the page /lab. Its scripts fill it; the page itself tells them the filter's parameters and defaults, and the filter of
 * the live model to compare with. The address holds the filter and the axes, so a link shows the same again.
 */
#include <inttypes.h>
#include <stdio.h>

#include "serve/app.h"
#include "serve/follow/model_data.h"
#include "serve/html/page.h"
#include "serve/html/problem_page.h"
#include "serve/lab/handlers.h"
#include "serve/lab/lab_parameters.h"
#include "serve/web/parameters.h"
#include "serve/web/problem.h"

/* Without memory for the filter the page goes without its defaults, and can still be used. */
static void write_page(struct tv_app *app, struct tv_response *response)
{
    struct tv_resident *live = tv_shelf_live(app->models.shelf);
    struct tv_filter *standard = NULL;
    struct tv_buffer defaults = TV_BUFFER_INIT(1 << 16), fields = TV_BUFFER_INIT(1 << 16);
    struct tv_out content;
    struct tv_model_data data;
    char number[24] = "", loaded[320] = "";
    tv_data_board_look(app->models.data, live ? live->run_number : 0, &data);
    if (data.loaded[0])
        snprintf(loaded, sizeof loaded, "Data set: %s%s", data.loaded,
                 tv_model_data_is_away(&data) ? ", which the live model was not made of" : "");
    if (tv_filter_create(&standard, NULL) == TV_OK)
        tv_ignore(tv_filter_json(standard, &defaults, NULL), "the page can be used without the defaults");
    if (live)
        snprintf(number, sizeof number, "%" PRId64, live->run_number);
    tv_out_init(&content);
    content.failed |= tv_filter_fields(&fields, NULL) != TV_OK;
    const struct tv_slot slots[] = {{"parameters", tv_buffer_string(&fields), NULL},
                                    {"defaults", tv_buffer_string(&defaults), NULL},
                                    {"live_number", number, NULL},
                                    {"loaded", loaded, NULL},
                                    {"live_filter", live ? live->info.filter_json : "", NULL},
                                    {"live_source", live ? live->info.source : "", NULL},
                                    {NULL, NULL, NULL}};
    tv_page_fill(&content, "lab.html", slots);
    tv_page_finish(response, "Filter lab", live, &content);
    response->scripts = 1;
    tv_out_free(&content);
    tv_buffer_free(&defaults);
    tv_buffer_free(&fields);
    tv_filter_free(standard);
    tv_resident_release(live);
}

/* A link with a wrong value is refused here as everywhere, rather than shown as something it does not say. */
enum tv_outcome tv_handle_lab(struct tv_app *app, const struct tv_request *request,
                              struct tv_response *response)
{
    struct tv_problem problem = {0};
    struct tv_filter *filter = NULL;
    struct tv_lab_axis axes[2];
    if (tv_lab_filter(request, &filter, &problem) &&
        (tv_parameter(request, "x") == NULL || tv_lab_axes(request, axes, &problem)))
        write_page(app, response);
    else
        tv_problem_answer(&app->models, request, response, &problem);
    tv_filter_free(filter);
    return TV_ANSWERED;
}
