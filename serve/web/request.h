/* request: all that a handler knows of its request. Made from a request target by tv_request_parse, and a few
 * fields beside it, so that handlers are tested, and the parser fuzzed, without a socket.
 */
#ifndef TRIVET_SERVE_WEB_REQUEST_H
#define TRIVET_SERVE_WEB_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

enum {
    TV_MAX_PARAMETERS = 32,
    TV_MAX_PATH_SEGMENTS = 8,
    TV_MAX_SEGMENTS = 2,
    TV_MAX_BODY = 1 << 20
}; /* the last in bytes */

enum tv_http_method {
    TV_GET, /* and HEAD, which libmicrohttpd answers without the body */
    TV_POST,
    TV_PUT,
    TV_DELETE,
    TV_OTHER_METHOD /* no route has it */
};
enum { TV_METHODS = TV_OTHER_METHOD };

struct tv_route;

struct tv_parameter {
    const char *name, *value; /* decoded, UTF-8, without NUL bytes inside */
};

/* Tells whether the client is still there, for questions that take seconds. */
struct tv_caller {
    int (*has_left)(void *context); /* 1: the client has gone; NULL: cannot be known */
    void *context;
};

/* The headers that say who sent a request, as they came, NULL where there is none. permission.h and admission.h
 * judge them. */
struct tv_sender {
    const char *authorization, *host, *origin, *fetch_site, *fetch_mode;
    int forwarded; /* 1: it bears a header that proxies add */
};

/* Its texts are lent, and live until the answer is sent. */
struct tv_request {
    enum tv_http_method method;
    /* The path cut at its slashes, each segment decoded: "/api/v1/users/AC%2FDC" has four, the last "AC/DC"; "/"
     * has one, "". More than TV_MAX_PATH_SEGMENTS, or a path that does not begin with a slash: none, and no route
     * fits. */
    size_t n_path_segments;
    const char *path_segments[TV_MAX_PATH_SEGMENTS];
    const struct tv_route *route;          /* set by tv_route_find, as are: */
    const char *segments[TV_MAX_SEGMENTS]; /* those that stand for each {..} of the route's pattern, in order */
    size_t n_parameters;
    struct tv_parameter parameters[TV_MAX_PARAMETERS];
    const char *body; /* (body_size) of a POST or PUT, followed by a NUL byte; NULL without one ... */
    size_t body_size;
    int body_too_large; /* ... or with one of more than TV_MAX_BODY bytes, which was not kept */
    struct tv_sender sender;
    int wants_html;            /* a browser: Accept names text/html */
    const char *if_none_match; /* the header, or NULL */
    int may_wait;              /* 0: on a thread that serves many connections, so a handler must not wait for a store */
    struct tv_caller caller;
};

/* Takes a request target ("/recs?user_id=10", or with http://host before it) apart in place; `target` must
 * live as long as the request. TV_ERR_INPUT says what is wrong with it. Clears the rest of *request. */
enum tv_status tv_request_parse(struct tv_request *request, char *target, struct tv_error *err);

/* "GET", "HEAD", "POST", ... as they stand in a request line. */
enum tv_http_method tv_http_method_read(const char *name);
const char *tv_http_method_name(enum tv_http_method method);

/* 1 if an Accept header names text/html without refusing it (q=0). `accept` may be NULL. */
int tv_accepts_html(const char *accept);

#endif
