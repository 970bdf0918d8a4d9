/* http: the one file that sees sockets. http.h tells how threads share the work. */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access_log.h"
#include "admission.h"
#include "patience.h"
#include "pg_pool.h"
#include "problem.h"
#include "route.h"
#include "trivet/buffer.h"
#include "trivet/clock.h"
#include "trivet/log.h"
#include "workers.h"

enum { MOST_WAITING = 4096, WRITES_WAITING = 256, BACKLOG = 1024, DRAIN_STEP_US = 20000 };
/* A body that is too large is read to its end, up to so many bytes, and then refused: who is still sending when the
 * connection ends sees that it ended, and not the answer. */
enum { MOST_DISCARDED = 16 << 20 };
/* libmicrohttpd keeps the head of a request, what it made of it, and the head of the answer in one block;
 * with this much it can take a head that is too large for us, so that we are the ones who refuse it. */
enum { CONNECTION_MEMORY = 4 * TV_MAX_HEAD };

/* Everything about the page may come from this server and nothing from elsewhere. */
#define POLICY                                                                                               \
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "            \
    "frame-ancestors 'none'"
/* ... and a page that has scripts runs files of this server's, which ask this server. */
#define POLICY_WITH_SCRIPTS POLICY "; script-src 'self'; connect-src 'self'"

struct tv_http {
    struct tv_app *app;
    struct MHD_Daemon *daemon;
    struct tv_workers *lookups;   /* for requests that need a user's document: many in one question */
    struct tv_workers *slow;      /* for everything else that waits */
    struct tv_workers *writes;    /* for ratings: one for each connection of the pool */
    struct tv_workers *questions; /* for what waits for seconds: a queue of its own, so nobody else does */
    struct tv_access_log *log;
    struct tv_patience *patience;
    atomic_int open_requests;
    char address[128];
};

/* One request and its answer. */
struct exchange {
    struct tv_work work; /* first, so that a worker's pointer is ours */
    struct tv_http *http;
    struct MHD_Connection *connection;
    enum { NEW, READY, WAITING, DONE } state;
    double began;
    const char *method;
    struct tv_request request;
    struct tv_response response;
    struct tv_buffer body; /* of the request */
    size_t received;       /* bytes of it, kept or not */
    int keeps_body;        /* 0: it is read, and forgotten */
    size_t sent;           /* bytes of the answer's body */
    char *target;          /* taken apart by the parser ... */
    char *logged;          /* ... so the log has a copy of its own */
    char space[];
};

/* --- an answer
 * ---------------------------------------------------------------------------------------------- */

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
    if (atomic_load_explicit(&x->http->app->draining, memory_order_relaxed))
        MHD_add_response_header(made, "Connection", "close");
}

static enum MHD_Result send_answer(struct exchange *x)
{
    struct MHD_Response *made = make_response(x);
    if (made == NULL)
        return MHD_NO;
    add_headers(x, made);
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)x->response.status, made);
    MHD_destroy_response(made);
    return queued;
}

static void prepare_problem(struct exchange *x, int status, int retry_after, const char *why)
{
    struct tv_problem problem;
    tv_problem(&problem, status, "%s", why);
    problem.retry_after = retry_after;
    tv_problem_answer(x->http->app, &x->request, &x->response, &problem);
    x->state = DONE;
}

static enum MHD_Result refuse(struct exchange *x, int status, const char *why)
{
    prepare_problem(x, status, 0, why);
    return send_answer(x);
}

/* --- a request
 * ---------------------------------------------------------------------------------------------- */

static void finish_waiting(struct exchange *x)
{
    x->request.may_wait = 1;
    tv_route_answer(x->http->app, &x->request, &x->response);
    x->state = DONE;
    MHD_resume_connection(x->connection);
}

/* Fetches the documents that the requests of a batch wait for in one question. They nearly always ask the
 * same model; who asks another is looked up alone, as is somebody who waits alone. */
static void fetch_users(struct tv_app *app, struct tv_work *const *batch, size_t n)
{
    int64_t user_ids[TV_MAX_BATCH], model = ((struct exchange *)batch[0])->response.need.model;
    size_t n_users = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tv_need *need = &((struct exchange *)batch[i])->response.need;
        if (need->model == model)
            user_ids[n_users++] = need->user_id;
    }
    struct tv_snapshot *snapshot = n_users > 1 ? tv_shelf_held(app->shelf, model) : NULL;
    if (snapshot)
        tv_users_fetch(&app->users, snapshot, user_ids, n_users);
    tv_snapshot_release(snapshot);
}

static void run_lookups(void *context, struct tv_work *const *batch, size_t n)
{
    struct tv_http *http = context;
    fetch_users(http->app, batch, n);
    for (size_t i = 0; i < n; i++)
        finish_waiting((struct exchange *)batch[i]);
}

static void run_slow(void *context, struct tv_work *const *batch, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++)
        finish_waiting((struct exchange *)batch[i]);
}

static struct tv_workers *workers_for(const struct exchange *x)
{
    const struct tv_need *need = &x->response.need;
    return need->writes     ? x->http->writes
           : need->postgres ? x->http->questions
           : need->user     ? x->http->lookups
                            : x->http->slow;
}

static enum MHD_Result answer(struct exchange *x)
{
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

static const char *header(struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

static struct tv_visit *visit_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Whether the client has closed the connection, or its own half of it. Called while the connection is
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

static size_t head_size(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

static enum MHD_Result note_proxy(void *forwarded, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind, (void)value;
    *(int *)forwarded |= tv_is_proxy_header(name);
    return MHD_YES;
}

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

/* What comes with the head of a request that has a body: it is read, kept or not, unless it is refused anyway and can
 * be stopped, or is longer than anybody should send. */
static enum MHD_Result begin_body(struct exchange *x)
{
    const char *expect = header(x, "Expect"), *length = header(x, "Content-Length");
    unsigned long long declared = length ? strtoull(length, NULL, 10) : 0;
    int wanted = tv_route_wants_body(x->http->app, &x->request);
    x->request.body_too_large = declared > TV_MAX_BODY;
    x->keeps_body = wanted && !x->request.body_too_large;
    if ((!x->keeps_body && expect) || declared > (wanted ? (unsigned)MOST_DISCARDED : (unsigned)TV_MAX_BODY))
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

static enum MHD_Result begin(struct exchange *x, const char *method)
{
    struct tv_error err;
    size_t target_size = strlen(x->logged);
    enum tv_status parsed = tv_request_parse(&x->request, x->target, &err);
    const char *length = header(x, "Content-Length");
    x->request.method = tv_method_read(method);
    x->request.sender = sender_of(x);
    x->request.caller = (struct tv_caller){peer_has_left, x};
    x->request.wants_html = tv_accepts_html(header(x, "Accept"));
    x->request.if_none_match = header(x, "If-None-Match");
    x->method = method[0] == 'H' && x->request.method == TV_GET ? "HEAD" : method;
    if (target_size > TV_MAX_HEAD)
        return refuse(x, 414, "the address is longer than 8 KiB");
    if (head_size(x) > TV_MAX_HEAD)
        return refuse(x, 431, "the address and the headers are longer than 8 KiB");
    if (parsed != TV_OK)
        return refuse(x, 400, err.message);
    if (x->request.method == TV_OTHER_METHOD) /* answered before its body is read, which ends the connection */
        return answer(x);
    if (x->request.method != TV_GET)
        return begin_body(x);
    int has_body = (length && strcmp(length, "0") != 0) || header(x, "Transfer-Encoding");
    if (has_body && !tv_route_wants_body(x->http->app, &x->request))
        return answer(x); /* what else is wrong with it says more */
    if (has_body)
        return refuse(x, 413, "a request to read something has no body");
    x->state = READY;
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **of_connection)
{
    (void)context, (void)url, (void)version;
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
        return begin(x, method);
    case READY: /* the request is whole */
        tv_visit_busy(visit_of(connection));
        x->request.body = x->body.data;
        x->request.body_size = x->body.size;
        return answer(x);
    case DONE:
        return send_answer(x);
    default:
        return MHD_YES; /* WAITING: still suspended */
    }
}

/* The first thing libmicrohttpd tells of a request: its target, as it came. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct tv_http *http = context;
    (void)connection;
    size_t n = strlen(target) + 1;
    struct exchange *x = malloc(sizeof *x + 2 * n);
    if (x == NULL)
        return NULL;
    x->work = (struct tv_work){NULL};
    x->http = http;
    x->state = NEW;
    x->began = tv_clock();
    x->method = "-";
    x->sent = 0;
    x->request = (struct tv_request){.n_parts = 0};
    x->received = 0;
    x->keeps_body = 0;
    tv_buffer_init(&x->body, TV_MAX_BODY);
    tv_response_init(&x->response);
    x->target = memcpy(x->space, target, n);
    x->logged = memcpy(x->space + n, target, n);
    atomic_fetch_add(&http->open_requests, 1);
    return x;
}

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

static void on_completed(void *context, struct MHD_Connection *connection, void **of_connection,
                         enum MHD_RequestTerminationCode how)
{
    struct tv_http *http = context;
    struct exchange *x = *of_connection;
    if (x == NULL)
        return;
    *of_connection = NULL;
    tv_visit_idle(visit_of(connection));
    int status = x->state == DONE && how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? x->response.status : 0;
    double seconds = tv_clock() - x->began;
    if (x->state == DONE)
        tv_metrics_request(http->app->metrics, tv_route_index(x->request.route), x->response.status, seconds);
    if (http->log) {
        char peer[INET6_ADDRSTRLEN];
        peer_of(connection, peer, sizeof peer);
        tv_access_log_line(http->log, peer, x->method, x->logged, status, x->sent, seconds);
    }
    tv_response_free(&x->response);
    tv_buffer_free(&x->body);
    free(x);
    atomic_fetch_sub(&http->open_requests, 1);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **visit,
                          enum MHD_ConnectionNotificationCode what)
{
    struct tv_http *http = context;
    const union MHD_ConnectionInfo *info;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        tv_visit_end(*visit);
    else if ((info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)) != NULL)
        *visit = tv_visit_begin(http->patience, info->connect_fd);
}

static void on_log(void *context, const char *format, va_list args)
{
    char text[512];
    (void)context;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    tv_log_debug("http: %s", text);
}

/* --- start and end
 * ------------------------------------------------------------------------------------------ */

static enum tv_status split_address(const char *listen_on, char *host, size_t size, const char **port,
                                    struct tv_error *err)
{
    const char *colon = strrchr(listen_on, ':'), *end = colon;
    const char *begin = listen_on;
    if (colon && *begin == '[' && colon > begin + 1 && colon[-1] == ']')
        begin++, end--;
    if (colon == NULL || end == begin || (size_t)(end - begin) >= size || colon[1] == '\0') {
        tv_fail(err, TV_ERR_USAGE, "--listen is \"%s\", but must be HOST:PORT", listen_on);
        return tv_hint(err, "for example 127.0.0.1:5001, [::1]:5001, or 0.0.0.0:5001 for every interface");
    }
    snprintf(host, size, "%.*s", (int)(end - begin), begin);
    *port = colon + 1;
    return TV_OK;
}

static void name_address(char *out, size_t size, int fd)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "?", port[16] = "?";
    if (getsockname(fd, (struct sockaddr *)&bound, &n) == 0)
        getnameinfo((struct sockaddr *)&bound, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, size, bound.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
}

static int is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static enum tv_status listen_on(int *out, const char *text, struct tv_http *http, struct tv_error *err)
{
    char host[256];
    const char *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    enum tv_status status = split_address(text, host, sizeof host, &port, err);
    if (status != TV_OK)
        return status;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return tv_fail(err, TV_ERR_USAGE, "--listen %s: %s", text, gai_strerror(code));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    int ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
             bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int why = errno;
    http->app->permission.loopback = http->app->hosts.loopback = is_loopback(found->ai_addr);
    freeaddrinfo(found);
    if (ok) {
        name_address(http->address, sizeof http->address, fd);
        *out = fd;
        return TV_OK;
    }
    if (fd >= 0)
        close(fd);
    tv_fail(err, TV_ERR_IO, "cannot listen on %s: %s", text, strerror(why));
    return why == EADDRINUSE
               ? tv_hint(err, "another program uses that port: stop it, or choose another with --listen")
           : err ? err->status
                 : TV_ERR_IO;
}

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

enum tv_status tv_http_start(struct tv_http **out, struct tv_app *app, const struct tv_http_options *o,
                             struct tv_error *err)
{
    int fd = -1;
    struct tv_http *http = tv_alloc(1, sizeof *http, "the server", err);
    if (http == NULL)
        return TV_ERR_NO_MEMORY;
    http->app = app;
    enum tv_status status = listen_on(&fd, o->listen, http, err);
    if (status == TV_OK)
        status = tv_permission_check(&app->permission, err);
    if (status == TV_OK && o->access_log)
        status = tv_access_log_start(&http->log, STDOUT_FILENO, err);
    if (status == TV_OK)
        status = tv_patience_start(&http->patience, o->timeout_seconds, err);
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
        http->daemon = start_daemon(http, o, fd);
        if (http->daemon == NULL)
            status = tv_fail(err, TV_ERR_IO, "libmicrohttpd could not start on %s", http->address);
    }
    if (status == TV_OK) {
        *out = http;
        return TV_OK;
    }
    if (fd >= 0)
        close(fd);
    tv_http_stop(http, 0);
    return status;
}

const char *tv_http_address(const struct tv_http *http)
{
    return http->address;
}

/* From the quiesce on nobody new comes in. Whoever is connected gets an answer to what they asked, with
 * "Connection: close"; who asks nothing for a moment is cut off. */
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
    tv_patience_stop(http->patience);
    tv_access_log_stop(http->log);
    free(http);
}

const char *tv_http_library(void)
{
    static char text[64];
    snprintf(text, sizeof text, "libmicrohttpd %s", MHD_get_version());
    return text;
}
