/* http: what sees sockets. It gives requests to serve/route and sends what comes back.
 *
 * libmicrohttpd runs a few threads, each with an epoll of its own and its share of the connections. Such a
 * thread must never wait for anything but its sockets. So a handler that has to wait answers TV_LATER; then
 * the connection is suspended, and the same handler runs again on a worker, where it may wait; when it is
 * done, the connection is resumed, and its own thread sends the answer.
 */
#ifndef TRIVET_SERVE_LISTEN_HTTP_H
#define TRIVET_SERVE_LISTEN_HTTP_H

#include "serve/app.h"
#include "trivet/base/status.h"

struct tv_http;

struct tv_http_options {
    const char *listen; /* "127.0.0.1:5001", "[::1]:5001"; port 0: any free one */
    int threads;        /* that serve connections */
    int lookups;        /* that fetch users' documents */
    int workers;        /* that wait for anything else */
    int max_connections;
    int timeout_seconds; /* for a client to send a request, and to take its answer */
    int access_log;      /* 1: on standard output */
};

enum { TV_MAX_HEAD = 8192 }; /* bytes of request line and headers */

enum tv_status tv_http_start(struct tv_http **out, struct tv_app *app, const struct tv_http_options *options,
                             struct tv_error *err);
/* "http://127.0.0.1:5001", with the port that was taken. */
const char *tv_http_address(const struct tv_http *http);
/* Takes no new connections, answers what is under way (for at most `seconds`), then stops. NULL is fine. */
void tv_http_stop(struct tv_http *http, double seconds);

const char *tv_http_library(void); /* "libmicrohttpd 0.9.75" */

#endif
