/* problem: why a request was not answered as asked: the value, and its JSON. The page for browsers is
 * problem_page's.
 */
#include "serve/web/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/text.h"

/* Makes *problem anew: everything that it said before is gone, so a hint is added afterwards. */
static void __attribute__((format(printf, 3, 0)))
fill(struct tv_problem *problem, int status, const char *format, va_list args)
{
    memset(problem, 0, sizeof *problem);
    problem->status = status;
    vsnprintf(problem->detail, sizeof problem->detail, format, args);
    tv_text_end_whole(problem->detail, sizeof problem->detail);
}

void tv_problem(struct tv_problem *problem, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(problem, status, format, args);
    va_end(args);
}

int tv_problem_at(struct tv_problem *problem, int status, const char *parameter, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(problem, status, format, args);
    va_end(args);
    tv_text_copy(problem->parameter, sizeof problem->parameter, parameter);
    return 0;
}

void tv_problem_hint(struct tv_problem *problem, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem->hint, sizeof problem->hint, format, args);
    va_end(args);
    tv_text_end_whole(problem->hint, sizeof problem->hint);
}

/* The reason phrases of RFC 9110, and of RFC 6585 for 431. Only statuses that the server answers are here; any
 * other is told as a failure of the server. */
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

static void write_scale(struct tv_out *out, const struct tv_problem *problem)
{
    tv_out_key(out, "scale");
    tv_out_text(out, "{");
    tv_out_key(out, "low");
    tv_out_float(out, problem->low);
    tv_out_key(out, "high");
    tv_out_float(out, problem->high);
    tv_out_text(out, "}");
}

/* `parameter`, `entry`, `scale` and `hint` are members of our own, which RFC 9457, 3.2 allows. The type is
 * about:blank, so the title is the status's own words (RFC 9457, 4.2.1). */
void tv_problem_json(struct tv_out *out, const struct tv_problem *problem)
{
    tv_out_text(out, "{");
    tv_out_key(out, "type");
    tv_out_json(out, "about:blank");
    tv_out_key(out, "title");
    tv_out_json(out, tv_status_words(problem->status));
    tv_out_key(out, "status");
    tv_out_int(out, problem->status);
    tv_out_key(out, "detail");
    tv_out_json(out, problem->detail);
    if (problem->parameter[0]) {
        tv_out_key(out, "parameter");
        tv_out_json(out, problem->parameter);
    }
    if (problem->entry) {
        tv_out_key(out, "entry");
        tv_out_int(out, problem->entry);
    }
    if (problem->has_scale)
        write_scale(out, problem);
    if (problem->hint[0]) {
        tv_out_key(out, "hint");
        tv_out_json(out, problem->hint);
    }
    tv_out_text(out, "}\n");
}
