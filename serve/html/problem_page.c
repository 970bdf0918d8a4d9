/* problem_page: a problem, sent in the shape that the request wants. In serve/html and not beside the value in
 * serve/web, because the page shows a form with the models there are.
 */
#include "serve/html/problem_page.h"

#include <stdio.h>

#include "serve/html/page.h"

/* The heading of the page, for the statuses that people meet. */
static const char *headline(int status)
{
    switch (status) {
    case 400:
        return "Please check what you asked";
    case 404:
        return "Not found";
    case 503:
        return "Not right now";
    default:
        return tv_status_words(status);
    }
}

/* The live model, if there is one, is only for the banner. */
static void write_page(struct tv_models *models, const struct tv_request *request, struct tv_response *response,
                       const struct tv_problem *problem)
{
    struct tv_resident *live = tv_shelf_live(models->shelf);
    struct tv_out form, content;
    char status[32];
    tv_out_init(&form);
    tv_out_init(&content);
    tv_page_form(&form, models, request, NULL);
    snprintf(status, sizeof status, "%d %s", problem->status, tv_status_words(problem->status));
    const struct tv_slot slots[] = {{"headline", headline(problem->status), NULL},
                                    {"detail", problem->detail, NULL},
                                    {"hint", problem->hint, NULL},
                                    {"status", status, NULL},
                                    {"form", NULL, &form},
                                    {NULL, NULL, NULL}};
    tv_page_fill(&content, "problem.html", slots);
    tv_page_finish(response, headline(problem->status), live, &content);
    tv_out_free(&content);
    tv_out_free(&form);
    tv_resident_release(live);
}

/* Everything that the handler had written is dropped. */
void tv_problem_answer(struct tv_models *models, const struct tv_request *request, struct tv_response *response,
                       const struct tv_problem *problem)
{
    tv_response_reset(response);
    response->status = problem->status;
    response->retry_after = problem->retry_after;
    snprintf(response->allow, sizeof response->allow, "%s", problem->allow);
    if (request->wants_html) {
        write_page(models, request, response, problem);
    } else {
        response->type = "application/problem+json";
        tv_problem_json(&response->out, problem);
    }
}
