/* problem: why a request was not answered as asked. */
#include "serve/web/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "serve/app.h"
#include "serve/html/page.h"
#include "serve/web/request.h"
#include "serve/web/response.h"
#include "trivet/base/text.h"

void tv_problem(struct tv_problem *problem, int status, const char *format, ...)
{
    memset(problem, 0, sizeof *problem);
    problem->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(problem->detail, sizeof problem->detail, format, args);
    va_end(args);
    tv_text_end_whole(problem->detail, sizeof problem->detail);
}

const char *tv_status_words(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 421:
        return "Misdirected Request";
    case 422:
        return "Unprocessable Content";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "Internal Server Error";
    }
}

static void write_json(struct tv_out *out, const struct tv_problem *problem)
{
    tv_out_text(out, "{\"type\":\"about:blank\",\"title\":");
    tv_out_json(out, tv_status_words(problem->status));
    tv_out_format(out, ",\"status\":%d,\"detail\":", problem->status);
    tv_out_json(out, problem->detail);
    if (problem->parameter[0]) {
        tv_out_text(out, ",\"parameter\":");
        tv_out_json(out, problem->parameter);
    }
    if (problem->entry)
        tv_out_format(out, ",\"entry\":%d", problem->entry);
    if (problem->has_scale)
        tv_out_format(out, ",\"scale\":{\"low\":%.9g,\"high\":%.9g}", problem->low, problem->high);
    if (problem->hint[0]) {
        tv_out_text(out, ",\"hint\":");
        tv_out_json(out, problem->hint);
    }
    tv_out_text(out, "}\n");
}

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

static void write_page(struct tv_app *app, const struct tv_request *request, struct tv_response *response,
                       const struct tv_problem *problem)
{
    struct tv_snapshot *live = tv_shelf_live(app->shelf);
    struct tv_out form, content;
    char status[32];
    tv_out_init(&form);
    tv_out_init(&content);
    tv_page_form(&form, app, request, NULL);
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
    tv_snapshot_release(live);
}

void tv_problem_answer(struct tv_app *app, const struct tv_request *request, struct tv_response *response,
                       const struct tv_problem *problem)
{
    tv_response_reset(response);
    response->status = problem->status;
    response->retry_after = problem->retry_after;
    snprintf(response->allow, sizeof response->allow, "%s", problem->allow);
    if (request->wants_html) {
        write_page(app, request, response, problem);
    } else {
        response->type = "application/problem+json";
        write_json(&response->out, problem);
    }
}
