/* answer: sends what a request is answered, with the headers that say what it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/html/problem_page.h"
#include "serve/listen/exchange.h"
#include "serve/route/route.h"
#include "trivet/base/buffer.h"

/* An answer stays in memory until the client has taken it, and a thousand clients may take their time. Small ones are
 * no matter; the others take at most MOST_HELD bytes together. */
enum { SMALL_ANSWER = 64 << 10, MOST_HELD = 256 << 20 };

/* For Content-Security-Policy: styles and pictures of a page come from this server, and nothing from elsewhere. */
#define POLICY                                                                                               \
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "            \
    "frame-ancestors 'none'"
/* ... and a page that has scripts runs files of this server's, which ask this server. */
#define POLICY_WITH_SCRIPTS POLICY "; script-src 'self'; connect-src 'self'"

/* A lent body is sent from where it is. A written one becomes libmicrohttpd's, which frees it when the client has
 * taken it. */
static struct MHD_Response *make_response(struct tv_exchange *x)
{
    struct tv_response *r = &x->response;
    if (r->lent) {
        x->sent = r->lent_size;
        return MHD_create_response_from_buffer(r->lent_size, (void *)r->lent, MHD_RESPMEM_PERSISTENT);
    }
    x->sent = r->out.buffer.size;
    struct MHD_Response *made =
        MHD_create_response_from_buffer_with_free_callback(x->sent, r->out.buffer.data, free);
    if (made)
        tv_out_init(&r->out); /* the text is libmicrohttpd's now */
    return made;
}

/* X-Content-Type-Options and the policies keep a browser from taking an answer for something else, or from using it
 * in a page of another site (Cross-Origin-Resource-Policy). Vary: one address answers browsers with a page and
 * programs with JSON. "private, no-cache": a client may keep the answer, but asks with its ETag each time; a shared
 * cache may not, as it is about one user. RFC 9110, 11.6.1 wants WWW-Authenticate with every 401. */
static void add_headers(struct tv_exchange *x, struct MHD_Response *made)
{
    const struct tv_response *r = &x->response;
    char text[32];
    MHD_add_response_header(made, "Content-Type", r->type);
    MHD_add_response_header(made, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(made, "Cross-Origin-Resource-Policy", "same-origin");
    if (r->status == 401)
        MHD_add_response_header(made, "WWW-Authenticate", "Bearer realm=\"trivet\"");
    if (strncmp(r->type, "text/html", 9) == 0) {
        MHD_add_response_header(made, "Content-Security-Policy", r->scripts ? POLICY_WITH_SCRIPTS : POLICY);
        MHD_add_response_header(made, "Referrer-Policy", "no-referrer");
        MHD_add_response_header(made, "X-Frame-Options", "DENY");
        MHD_add_response_header(made, "Cross-Origin-Opener-Policy", "same-origin");
    }
    if (x->request.route && x->request.route->kind == TV_ROUTE_PAGE)
        MHD_add_response_header(made, "Vary", "Accept");
    if (r->cache_seconds) {
        snprintf(text, sizeof text, "max-age=%d", r->cache_seconds);
        MHD_add_response_header(made, "Cache-Control", text);
    } else if (r->etag[0]) {
        MHD_add_response_header(made, "Cache-Control", "private, no-cache");
        MHD_add_response_header(made, "ETag", r->etag);
    } else {
        MHD_add_response_header(made, "Cache-Control", "no-store");
    }
    if (r->retry_after) {
        snprintf(text, sizeof text, "%d", r->retry_after);
        MHD_add_response_header(made, "Retry-After", text);
    }
    if (r->allow[0])
        MHD_add_response_header(made, "Allow", r->allow);
    if (r->score)
        MHD_add_response_header(made, "X-Trivet-Score", r->score);
    if (r->hint)
        MHD_add_response_header(made, "X-Trivet-Hint", r->hint);
    if (r->location[0])
        MHD_add_response_header(made, "Location", r->location);
    if (x->closes || atomic_load_explicit(&x->http->app->draining, memory_order_relaxed))
        MHD_add_response_header(made, "Connection", "close");
}

/* Counts an answer that is not small; 0: there is no room for it just now, and tv_exchange_let_go is to take it off the
 * count again. */
static int hold(struct tv_exchange *x)
{
    size_t size = x->response.out.buffer.capacity;
    if (size <= SMALL_ANSWER)
        return 1;
    x->held = size;
    return atomic_fetch_add(&x->http->held, size) + size <= MOST_HELD;
}

void tv_exchange_let_go(struct tv_exchange *x)
{
    atomic_fetch_sub(&x->http->held, x->held);
    x->held = 0;
}

void tv_exchange_problem(struct tv_exchange *x, int status, int retry_after, const char *why)
{
    struct tv_problem problem;
    tv_problem(&problem, status, "%s", why);
    problem.retry_after = retry_after;
    tv_problem_answer(&x->http->app->models, &x->request, &x->response, &problem);
    x->state = TV_EXCHANGE_DONE;
}

enum MHD_Result tv_exchange_send(struct tv_exchange *x)
{
    if (!hold(x)) {
        tv_exchange_let_go(x);
        tv_exchange_problem(x, 503, 1, "more answers of this size are being taken than this server can hold");
    }
    struct MHD_Response *made = make_response(x);
    if (made == NULL)
        return MHD_NO;
    add_headers(x, made);
    tv_visit_turn(x->line->visit);
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)x->response.status, made);
    MHD_destroy_response(made);
    return queued;
}

enum MHD_Result tv_exchange_refuse(struct tv_exchange *x, int status, const char *why)
{
    tv_exchange_problem(x, status, 0, why);
    return tv_exchange_send(x);
}
