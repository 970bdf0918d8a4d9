/* http: the beginning and the end of the server, of connections and of requests. http.h tells how threads share the work.
 *
 * libmicrohttpd calls it in this order: on_connection when a connection begins; for each request on_target with the
 * target as it came, on_request once for the head, once for each piece of a body and once when the request is
 * whole, and on_completed when it is over; on_connection when the connection ends. One request is an `exchange`,
 * one connection a `line`.
 */
#include "serve/listen/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/listen/exchange.h"
#include "serve/route/route.h"
#include "serve/stores/pg_pool.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"

enum { MOST_WAITING = 4096, WRITES_WAITING = 256, DRAIN_STEP_US = 20000 };
/* libmicrohttpd keeps the head of a request, the pieces it took it into, and the head of the answer in one block; with
 * this much it takes a head that is too large for us, so that the refusal is ours, with the words of tv_problem. */
enum { CONNECTION_MEMORY = 4 * TV_MAX_HEAD };

/* libmicrohttpd's callback. *upload_size > 0: a piece of a body; otherwise the state says what is next. Setting
 * *upload_size to 0 says that the piece was taken. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **of_connection)
{
    (void)context, (void)url;
    struct tv_exchange *x = *of_connection;
    if (x == NULL)
        return MHD_NO; /* there was no memory for it */
    if (*upload_size > 0) {
        size_t n = *upload_size;
        *upload_size = 0;
        /* Not TV_EXCHANGE_READY: refused before; libmicrohttpd reads what is left and closes. */
        return x->state == TV_EXCHANGE_READY ? tv_exchange_take_body(x, upload, n) : MHD_YES;
    }
    switch (x->state) {
    case TV_EXCHANGE_NEW:
        x->connection = connection;
        return tv_exchange_begin(x, method, version);
    case TV_EXCHANGE_READY: /* the request is whole */
        x->request.body = x->body.data;
        x->request.body_size = x->body.size;
        return tv_exchange_answer(x);
    case TV_EXCHANGE_DONE:
        return tv_exchange_send(x);
    default:
        return MHD_YES; /* TV_EXCHANGE_WAITING: still suspended */
    }
}

/* The connection's `line`, as on_connection left it; NULL without memory. */
static struct tv_line *line_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The target is copied twice in one allocation with the exchange: the parser takes one apart, the log shows the
 * other. */
static struct tv_exchange *exchange_create(struct tv_http *http, struct tv_line *line, const char *target)
{
    size_t n = strlen(target) + 1;
    struct tv_exchange *x = calloc(1, sizeof *x + 2 * n);
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
    struct tv_line *line = line_of(connection);
    if (line == NULL || target == NULL)
        return NULL;
    struct tv_exchange *x = exchange_create(context, line, target);
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
static int status_of(const struct tv_exchange *x, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = NULL;
    if (x->state == TV_EXCHANGE_DONE)
        return x->response.status;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info ? (int)info->http_status : 0;
}

/* Counts and logs the request, and frees it. aborted: the answer was not sent, or not to its end. */
static void exchange_end(struct tv_exchange *x, struct MHD_Connection *connection, int aborted)
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
    tv_exchange_let_go(x);
    tv_response_free(&x->response);
    tv_buffer_free(&x->body);
    free(x);
    atomic_fetch_sub(&http->open_requests, 1);
}

/* Tells the end of most requests; the rest is line_end's. */
static void on_completed(void *context, struct MHD_Connection *connection, void **of_connection,
                         enum MHD_RequestTerminationCode how)
{
    struct tv_exchange *x = *of_connection;
    (void)context;
    if (x == NULL)
        return;
    *of_connection = NULL;
    tv_visit_turn(x->line->visit);
    /* A request that libmicrohttpd itself refuses ends "with error", though its answer was sent. */
    int whole = how == MHD_REQUEST_TERMINATED_COMPLETED_OK ||
                (x->state != TV_EXCHANGE_DONE && how == MHD_REQUEST_TERMINATED_WITH_ERROR);
    exchange_end(x, connection, !whole);
}

/* Without memory the connection goes on without a line, and its first request ends it (on_request). */
static struct tv_line *line_create(struct tv_http *http, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct tv_line *line = info ? calloc(1, sizeof *line) : NULL;
    if (line)
        line->visit = tv_visit_begin(http->visits, info->connect_fd);
    return line;
}

static void line_end(struct tv_line *line, struct MHD_Connection *connection)
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
            tv_workers_start(&http->lookups, o->lookups, MOST_WAITING, TV_MAX_BATCH, tv_exchange_lookups, http, err);
    if (status == TV_OK)
        status = tv_workers_start(&http->slow, o->workers, MOST_WAITING, 1, tv_exchange_slow, http, err);
    if (status == TV_OK)
        status = tv_workers_start(&http->writes, TV_PG_POOL, WRITES_WAITING, 1, tv_exchange_slow, http, err);
    if (status == TV_OK)
        status = tv_workers_start(&http->questions, TV_QUESTIONS_AT_ONCE, TV_QUESTIONS_WAITING, 1, tv_exchange_slow,
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
