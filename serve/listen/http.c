/* http: the one file that sees sockets. http.h tells how threads share the work.
 *
 * libmicrohttpd calls it in this order: on_connection when a connection begins; for each request on_target with the
 * target as it came, on_request once for the head, once for each piece of a body and once when the request is
 * whole, and on_completed when it is over; on_connection when the connection ends. One request is an `exchange`,
 * one connection a `line`.
 */
#include "serve/listen/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/html/problem_page.h"
#include "serve/listen/access_log.h"
#include "serve/listen/framing.h"
#include "serve/listen/listener.h"
#include "serve/listen/visits.h"
#include "serve/route/route.h"
#include "serve/stores/pg_pool.h"
#include "serve/stores/workers.h"
#include "serve/web/admission.h"
#include "serve/web/problem.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"

enum { MOST_WAITING = 4096, WRITES_WAITING = 256, DRAIN_STEP_US = 20000 };
/* A body that is too large is read to its end, up to so many bytes, and then refused: a client that is still sending
 * when the connection ends sees that it ended, and not the answer. */
enum { MOST_DISCARDED = 16 << 20 };
/* libmicrohttpd keeps the head of a request, the pieces it took it into, and the head of the answer in one block; with
 * this much it takes a head that is too large for us, so that the refusal is ours, with the words of tv_problem. */
enum { CONNECTION_MEMORY = 4 * TV_MAX_HEAD };
/* An answer stays in memory until the client has taken it, and a thousand clients may take their time. Small ones are
 * no matter; the others take at most MOST_HELD bytes together. */
enum { SMALL_ANSWER = 64 << 10, MOST_HELD = 256 << 20 };

/* For Content-Security-Policy: styles and pictures of a page come from this server, and nothing from elsewhere. */
#define POLICY                                                                                               \
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "            \
    "frame-ancestors 'none'"
/* ... and a page that has scripts runs files of this server's, which ask this server. */
#define POLICY_WITH_SCRIPTS POLICY "; script-src 'self'; connect-src 'self'"

/* The server's sockets and the threads behind them. Four groups of workers, so that no kind of waiting holds up
 * another. */
struct tv_http {
    struct tv_app *app;
    struct MHD_Daemon *daemon;
    struct tv_workers *lookups;   /* for requests that need a user's document: many in one question */
    struct tv_workers *slow;      /* for everything else that waits */
    struct tv_workers *writes;    /* for ratings: a thread for each connection of the pool */
    struct tv_workers *questions; /* for requests that wait for seconds, on PostgreSQL */
    struct tv_access_log *log;
    struct tv_visits *visits;
    atomic_int open_requests;
    atomic_size_t held; /* bytes of answers that are not small, and not taken yet */
    struct tv_listener listener;
};

/* A connection, from its first byte to its last. It owns the request that is under way on it: libmicrohttpd does not
 * tell of the end of every request (some errors drop the connection at once), but of the end of every connection. */
struct line {
    struct tv_visit *visit;
    struct exchange *open; /* NULL between requests */
};

/* One request and its answer. Made when its target comes, freed when it is over (exchange_end). At any moment one
 * thread works on it: the connection's own, or, from WAITING to the resume, a worker. */
struct exchange {
    struct tv_work work; /* first, so that a worker's pointer is ours */
    struct tv_http *http;
    struct line *line;
    struct MHD_Connection *connection;
    enum { NEW, READY, WAITING, DONE } state;
    double began;
    char method[32]; /* as much of it as the log shows */
    struct tv_request request;
    struct tv_response response;
    struct tv_buffer body; /* of the request */
    size_t received;       /* bytes of it, kept or not */
    int keeps_body;        /* 0: it is read, and forgotten */
    int admitted;          /* 1: its head is as it should be; 0: */
    struct tv_problem why; /* this is what is wrong */
    size_t sent;           /* bytes of the answer's body */
    size_t held;           /* its part of http->held */
    int closes;            /* 1: the connection ends with this answer */
    char *target;          /* taken apart by the parser ... */
    char *logged;          /* ... so the log has a copy of its own */
    const char *came;      /* the target in libmicrohttpd's memory, for wrong_framing */
    char space[];          /* both copies */
};

/* --- an answer ------------------------------------------------------------------------------------------ */

/* A lent body is sent from where it is. A written one becomes libmicrohttpd's, which frees it when the client has
 * taken it. */
static struct MHD_Response *make_response(struct exchange *x)
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
static void add_headers(struct exchange *x, struct MHD_Response *made)
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

/* Counts an answer that is not small; 0: there is no room for it just now, and let_go is to take it off the count
 * again. */
static int hold(struct exchange *x)
{
    size_t size = x->response.out.buffer.capacity;
    if (size <= SMALL_ANSWER)
        return 1;
    x->held = size;
    return atomic_fetch_add(&x->http->held, size) + size <= MOST_HELD;
}

static void let_go(struct exchange *x)
{
    atomic_fetch_sub(&x->http->held, x->held);
    x->held = 0;
}

/* Makes a problem the answer, ready to be sent by whichever thread comes next. */
static void prepare_problem(struct exchange *x, int status, int retry_after, const char *why)
{
    struct tv_problem problem;
    tv_problem(&problem, status, "%s", why);
    problem.retry_after = retry_after;
    tv_problem_answer(&x->http->app->models, &x->request, &x->response, &problem);
    x->state = DONE;
}

/* From here on it is the client's turn (visits.h). MHD_NO, without memory, ends the connection. */
static enum MHD_Result send_answer(struct exchange *x)
{
    if (!hold(x)) {
        let_go(x);
        prepare_problem(x, 503, 1, "more answers of this size are being taken than this server can hold");
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

/* For requests that are refused before any route is asked. */
static enum MHD_Result refuse(struct exchange *x, int status, const char *why)
{
    prepare_problem(x, status, 0, why);
    return send_answer(x);
}

/* --- a request ------------------------------------------------------------------------------------------ */

/* On a worker: runs the handler once more, now with leave to wait, and lets the connection's own thread send the
 * answer (on_request, DONE). After MHD_resume_connection the exchange may be gone. */
static void finish_waiting(struct exchange *x)
{
    x->request.may_wait = 1;
    tv_route_answer(x->http->app, &x->request, &x->response);
    x->state = DONE;
    MHD_resume_connection(x->connection);
}

/* Fetches the documents that the requests of a batch wait for in one question. They nearly always ask the same
 * model; a request about another is looked up alone, as is one that waits alone. */
static void fetch_users(struct tv_app *app, struct tv_work *const *batch, size_t n)
{
    int64_t user_ids[TV_MAX_BATCH], model = ((struct exchange *)batch[0])->response.need.model;
    size_t n_users = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tv_need *need = &((struct exchange *)batch[i])->response.need;
        if (need->model == model)
            user_ids[n_users++] = need->user_id;
    }
    struct tv_resident *resident = n_users > 1 ? tv_shelf_held(app->models.shelf, model) : NULL;
    if (resident)
        tv_users_fetch(&app->models.users, resident, user_ids, n_users);
    tv_resident_release(resident);
}

static void run_lookups(void *context, struct tv_work *const *batch, size_t n)
{
    struct tv_http *http = context;
    fetch_users(http->app, batch, n);
    for (size_t i = 0; i < n; i++)
        finish_waiting((struct exchange *)batch[i]);
}

/* The batch function of the other workers: their requests have nothing in common that could be fetched together. */
static void run_slow(void *context, struct tv_work *const *batch, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++)
        finish_waiting((struct exchange *)batch[i]);
}

/* A handler tells one need at most. One that tells none waits for something that cannot be fetched together, a
 * model to be loaded for instance. */
static struct tv_workers *workers_for(const struct exchange *x)
{
    const struct tv_need *need = &x->response.need;
    return need->writes     ? x->http->writes
           : need->postgres ? x->http->questions
           : need->user     ? x->http->lookups
                            : x->http->slow;
}

/* Runs the handler on the connection's thread, which must not wait. If the handler needs to, the connection is
 * suspended and the exchange given to workers; their queue is bounded, and a full one is a 503 at once. */
static enum MHD_Result answer(struct exchange *x)
{
    tv_visit_busy(x->line->visit);
    if (!x->admitted) {
        tv_route_refuse(x->http->app, &x->request, &x->response, &x->why);
        x->state = DONE;
        return send_answer(x);
    }
    if (tv_route_answer(x->http->app, &x->request, &x->response) == TV_ANSWERED) {
        x->state = DONE;
        return send_answer(x);
    }
    x->state = WAITING;
    MHD_suspend_connection(x->connection); /* before a worker can resume it */
    if (!tv_workers_give(workers_for(x), &x->work)) {
        prepare_problem(x, 503, 1, "more requests are waiting than this server can hold");
        MHD_resume_connection(x->connection);
    }
    return MHD_YES;
}

/* A header of the request, or NULL. The text is libmicrohttpd's, and lives as long as the request. */
static const char *header(struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                   const char *value, size_t value_size)
{
    (void)kind;
    tv_framing_header(context, name, name_size, value, value_size);
    return MHD_YES;
}

static size_t head_size(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

/* Feeds every part of the head to framing.h, in the order in which they lie in libmicrohttpd's memory, up to the
 * head's end. NULL if nothing is wrong. */
static const char *wrong_framing(struct exchange *x, const char *method, const char *version)
{
    struct tv_framing framing = {0};
    tv_framing_part(&framing, method, strlen(method));
    tv_framing_part(&framing, x->came, strlen(x->logged));
    tv_framing_part(&framing, version, strlen(version));
    MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, note_header, &framing);
    tv_framing_part(&framing, method + head_size(x), 0);
    return tv_framing_wrong(&framing, version);
}

/* 1 if the client has closed the connection, or its own half of it. Called on a worker while the connection is
 * suspended: libmicrohttpd looks at it no more, but keeps it open. */
static int peer_has_left(void *context)
{
    const struct exchange *x = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;
    ssize_t n = info ? recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) : 1;
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static enum MHD_Result note_proxy(void *forwarded, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind, (void)value;
    *(int *)forwarded |= tv_is_proxy_header(name);
    return MHD_YES;
}

/* Headers that say who sent the request, as they came; permission.h and admission.h judge them. */
static struct tv_sender sender_of(struct exchange *x)
{
    int forwarded = 0;
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, note_proxy, &forwarded);
    return (struct tv_sender){
        .authorization = header(x, "Authorization"),
        .host = header(x, "Host"),
        .origin = header(x, "Origin"),
        .fetch_site = header(x, "Sec-Fetch-Site"),
        .fetch_mode = header(x, "Sec-Fetch-Mode"),
        .forwarded = forwarded,
    };
}

/* The head of a request that has a body has come. The body is read, and kept if it will be used; a refused one is
 * read as well, so that the client sees the answer. It is not read where the client waits for leave (Expect:
 * 100-continue, RFC 9110, 10.1.1), or where it is longer than should be sent at all: then the answer comes at once
 * and ends the connection. */
static enum MHD_Result begin_body(struct exchange *x)
{
    const char *expect = header(x, "Expect"), *length = header(x, "Content-Length");
    unsigned long long declared = length ? strtoull(length, NULL, 10) : 0;
    x->request.body_too_large = declared > TV_MAX_BODY;
    x->keeps_body = x->admitted && !x->request.body_too_large;
    if ((!x->keeps_body && expect) || declared > (x->admitted ? (unsigned)MOST_DISCARDED : (unsigned)TV_MAX_BODY))
        return answer(x);
    x->state = READY;
    return MHD_YES;
}

/* MHD_NO ends the connection: nothing can be answered in the middle of a body. */
static enum MHD_Result take_body(struct exchange *x, const char *bytes, size_t n)
{
    x->received += n;
    if (x->keeps_body && tv_buffer_append(&x->body, bytes, n, NULL) != TV_OK) {
        tv_buffer_free(&x->body);
        x->keeps_body = 0;
        x->request.body_too_large = 1;
    }
    return x->received <= MOST_DISCARDED ? MHD_YES : MHD_NO;
}

/* The head is whole. Everything that can be wrong with it is found here; what is wrong with the address alone
 * (x->admitted) is mostly answered only once the body has been read (begin_body), so that the connection can go on. A
 * head that can be read in two ways is refused, and its connection closed, because nobody knows where the next request
 * begins. */
static enum MHD_Result begin(struct exchange *x, const char *method, const char *version)
{
    struct tv_error err;
    size_t target_size = strlen(x->logged);
    enum tv_status parsed = tv_request_parse(&x->request, x->target, &err);
    const char *length = header(x, "Content-Length"), *wrong = wrong_framing(x, method, version);
    x->closes = wrong != NULL; /* whatever it is answered */
    x->request.method = tv_http_method_read(method);
    x->request.sender = sender_of(x);
    x->request.caller = (struct tv_caller){peer_has_left, x};
    x->request.wants_html = tv_accepts_html(header(x, "Accept"));
    x->request.if_none_match = header(x, "If-None-Match");
    snprintf(x->method, sizeof x->method, "%s", method);
    if (target_size > TV_MAX_HEAD)
        return refuse(x, 414, "the address is longer than 8 KiB");
    if (head_size(x) > TV_MAX_HEAD)
        return refuse(x, 431, "the address and the headers are longer than 8 KiB");
    if (wrong || parsed != TV_OK)
        return refuse(x, 400, wrong ? wrong : err.message);
    x->admitted = tv_route_admit(x->http->app, &x->request, &x->why);
    if (x->request.method == TV_OTHER_METHOD) /* answered before its body is read, which ends the connection */
        return answer(x);
    if (x->request.method != TV_GET)
        return begin_body(x);
    int has_body = (length && strcmp(length, "0") != 0) || header(x, "Transfer-Encoding");
    if (has_body && !x->admitted)
        return answer(x); /* what else is wrong with it says more */
    if (has_body)
        return refuse(x, 413, "a request to read something has no body");
    x->state = READY;
    return MHD_YES;
}

/* libmicrohttpd's callback. *upload_size > 0: a piece of a body; otherwise the state says what is next. Setting
 * *upload_size to 0 says that the piece was taken. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **of_connection)
{
    (void)context, (void)url;
    struct exchange *x = *of_connection;
    if (x == NULL)
        return MHD_NO; /* there was no memory for it */
    if (*upload_size > 0) {
        size_t n = *upload_size;
        *upload_size = 0;
        /* Not READY: refused before; libmicrohttpd reads what is left and closes. */
        return x->state == READY ? take_body(x, upload, n) : MHD_YES;
    }
    switch (x->state) {
    case NEW:
        x->connection = connection;
        return begin(x, method, version);
    case READY: /* the request is whole */
        x->request.body = x->body.data;
        x->request.body_size = x->body.size;
        return answer(x);
    case DONE:
        return send_answer(x);
    default:
        return MHD_YES; /* WAITING: still suspended */
    }
}

/* The connection's `line`, as on_connection left it; NULL without memory. */
static struct line *line_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The target is copied twice in one allocation with the exchange: the parser takes one apart, the log shows the
 * other. */
static struct exchange *exchange_create(struct tv_http *http, struct line *line, const char *target)
{
    size_t n = strlen(target) + 1;
    struct exchange *x = calloc(1, sizeof *x + 2 * n);
    if (x == NULL)
        return NULL;
    x->http = http;
    x->line = line;
    x->began = tv_clock();
    strcpy(x->method, "-");
    tv_buffer_init(&x->body, TV_MAX_BODY);
    tv_response_init(&x->response);
    x->target = memcpy(x->space, target, n);
    x->logged = memcpy(x->space + n, target, n);
    x->came = target;
    line->open = x;
    atomic_fetch_add(&http->open_requests, 1);
    return x;
}

/* libmicrohttpd would now make a record of each argument, which is of no use here, in the connection's own memory,
 * and where that is too small give the request up and never answer. The text is still to be taken apart in place
 * (this is what it calls on_target ahead of), so it may be changed; without text there is nothing to do. */
static void leave_no_arguments(const char *target)
{
    char *query = strchr(target, '?');
    if (query)
        query[1] = '\0';
}

/* The first thing libmicrohttpd tells of a request: its target, as it came. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct line *line = line_of(connection);
    if (line == NULL || target == NULL)
        return NULL;
    struct exchange *x = exchange_create(context, line, target);
    leave_no_arguments(target);
    return x;
}

/* The address that the connection comes from, a proxy's where one stands in front; "-" if it cannot be told. */
static void peer_of(struct MHD_Connection *connection, char *out, size_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *peer = info ? info->client_addr : NULL;
    const void *at = NULL;
    if (peer && peer->sa_family == AF_INET)
        at = &((const struct sockaddr_in *)peer)->sin_addr;
    else if (peer && peer->sa_family == AF_INET6)
        at = &((const struct sockaddr_in6 *)peer)->sin6_addr;
    if (at == NULL || inet_ntop(peer->sa_family, at, out, (socklen_t)size) == NULL)
        snprintf(out, size, "-");
}

/* The status of the answer: the handler's, or libmicrohttpd's own to a request that it cannot read; 0: there is
 * none. */
static int status_of(const struct exchange *x, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = NULL;
    if (x->state == DONE)
        return x->response.status;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info ? (int)info->http_status : 0;
}

/* Counts and logs the request, and frees it. aborted: the answer was not sent, or not to its end. */
static void exchange_end(struct exchange *x, struct MHD_Connection *connection, int aborted)
{
    struct tv_http *http = x->http;
    int status = status_of(x, connection);
    double seconds = tv_clock() - x->began;
    if (status)
        tv_counters_request(http->app->counters, tv_route_index(x->request.route), status, seconds);
    if (http->log) {
        char peer[INET6_ADDRSTRLEN];
        peer_of(connection, peer, sizeof peer);
        tv_access_log_line(http->log, peer, x->method, x->logged, aborted ? 0 : status, x->sent, seconds);
    }
    x->line->open = NULL;
    let_go(x);
    tv_response_free(&x->response);
    tv_buffer_free(&x->body);
    free(x);
    atomic_fetch_sub(&http->open_requests, 1);
}

/* Tells the end of most requests; the rest is line_end's. */
static void on_completed(void *context, struct MHD_Connection *connection, void **of_connection,
                         enum MHD_RequestTerminationCode how)
{
    struct exchange *x = *of_connection;
    (void)context;
    if (x == NULL)
        return;
    *of_connection = NULL;
    tv_visit_turn(x->line->visit);
    /* A request that libmicrohttpd itself refuses ends "with error", though its answer was sent. */
    int whole =
        how == MHD_REQUEST_TERMINATED_COMPLETED_OK || (x->state != DONE && how == MHD_REQUEST_TERMINATED_WITH_ERROR);
    exchange_end(x, connection, !whole);
}

/* Without memory the connection goes on without a line, and its first request ends it (on_request). */
static struct line *line_create(struct tv_http *http, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct line *line = info ? calloc(1, sizeof *line) : NULL;
    if (line)
        line->visit = tv_visit_begin(http->visits, info->connect_fd);
    return line;
}

static void line_end(struct line *line, struct MHD_Connection *connection)
{
    if (line == NULL)
        return;
    if (line->open) /* libmicrohttpd has dropped it without a word */
        exchange_end(line->open, connection, 1);
    tv_visit_end(line->visit);
    free(line);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **of_socket,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *of_socket = line_create(context, connection);
    else
        line_end(*of_socket, connection);
}

/* libmicrohttpd's own messages are about single connections, and of interest only when something is sought. */
static void on_log(void *context, const char *format, va_list args)
{
    char text[512];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    tv_log_debug("http: %s", text);
}

/* --- start and end -------------------------------------------------------------------------------------- */

/* One epoll for each thread, and suspended connections (http.h). TURBO reads from a socket at once instead of
 * waiting to be told that there is something to read. */
static struct MHD_Daemon *start_daemon(struct tv_http *http, const struct tv_http_options *o, int fd)
{
    /* A pool of one thread is not a pool. */
    int threads = o->threads > 1 ? o->threads : 0;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_TURBO, 0, NULL,
        NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)threads, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->max_connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)o->timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        http, MHD_OPTION_END);
}

/* Connections are taken from the moment the daemon runs, so it comes last. Only the socket tells whether the
 * address is a loopback one, on which permission and hosts depend. */
enum tv_status tv_http_start(struct tv_http **out, struct tv_app *app, const struct tv_http_options *o,
                             struct tv_error *err)
{
    struct tv_http *http = tv_alloc(1, sizeof *http, "the server", err);
    if (http == NULL)
        return TV_ERR_NO_MEMORY;
    http->app = app;
    http->listener.fd = -1;
    enum tv_status status = tv_listen(&http->listener, o->listen, err);
    app->permission.loopback = app->hosts.loopback = http->listener.loopback;
    if (status == TV_OK)
        status = tv_permission_check(&app->permission, err);
    if (status == TV_OK && o->access_log)
        status = tv_access_log_start(&http->log, STDOUT_FILENO, err);
    if (status == TV_OK)
        status = tv_visits_start(&http->visits, o->timeout_seconds, err);
    if (status == TV_OK)
        status =
            tv_workers_start(&http->lookups, o->lookups, MOST_WAITING, TV_MAX_BATCH, run_lookups, http, err);
    if (status == TV_OK)
        status = tv_workers_start(&http->slow, o->workers, MOST_WAITING, 1, run_slow, http, err);
    if (status == TV_OK)
        status = tv_workers_start(&http->writes, TV_PG_POOL, WRITES_WAITING, 1, run_slow, http, err);
    if (status == TV_OK)
        status = tv_workers_start(&http->questions, TV_QUESTIONS_AT_ONCE, TV_QUESTIONS_WAITING, 1, run_slow,
                                  http, err);
    if (status == TV_OK) {
        http->daemon = start_daemon(http, o, http->listener.fd);
        if (http->daemon == NULL)
            status = tv_fail(err, TV_ERR_IO, "libmicrohttpd could not start on %s", http->listener.address);
    }
    if (status == TV_OK) {
        *out = http;
        return TV_OK;
    }
    if (http->listener.fd >= 0)
        close(http->listener.fd);
    tv_http_stop(http, 0);
    return status;
}

const char *tv_http_address(const struct tv_http *http)
{
    return http->listener.address;
}

/* From the quiesce on no new connection is taken. Requests under way are answered, with "Connection: close"; a
 * connection on which nothing is asked for a moment is cut off. Questions to PostgreSQL are stopped: they could
 * take longer than there is time. */
static void drain(struct tv_http *http, double seconds)
{
    double until = tv_clock() + seconds, quiet_since = tv_clock();
    atomic_store(&http->app->draining, 1);
    tv_questions_close(http->app->questions);
    int fd = MHD_quiesce_daemon(http->daemon);
    if (fd >= 0)
        close(fd);
    while (tv_clock() < until && tv_clock() - quiet_since < 0.2) {
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        if (info && info->num_connections == 0)
            break;
        if (atomic_load(&http->open_requests) > 0)
            quiet_since = tv_clock();
        usleep(DRAIN_STEP_US);
    }
}

/* Workers end before the daemon, because MHD_stop_daemon must not find a suspended connection. */
void tv_http_stop(struct tv_http *http, double seconds)
{
    if (http == NULL)
        return;
    if (http->daemon)
        drain(http, seconds);
    tv_workers_stop(http->lookups); /* resumes every connection that was suspended */
    tv_workers_stop(http->slow);
    tv_workers_stop(http->questions);
    tv_workers_stop(http->writes);
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    tv_visits_stop(http->visits);
    tv_access_log_stop(http->log);
    free(http);
}

const char *tv_http_library(void)
{
    static char text[64];
    snprintf(text, sizeof text, "libmicrohttpd %s", MHD_get_version());
    return text;
}
