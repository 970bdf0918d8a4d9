/* head: what the head of a request says, and what is wrong with it; and its body, which is kept or passed over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "serve/listen/exchange.h"
#include "serve/listen/framing.h"
#include "serve/route/route.h"
#include "serve/web/admission.h"
#include "trivet/base/buffer.h"

/* A body that is too large is read to its end, up to so many bytes, and then refused: a client that is still sending
 * when the connection ends sees that it ended, and not the answer. */
enum { MOST_DISCARDED = 16 << 20 };

/* A header of the request, or NULL. The text is libmicrohttpd's, and lives as long as the request. */
static const char *header(struct tv_exchange *x, const char *name)
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

static size_t head_size(struct tv_exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

/* Feeds every part of the head to framing.h, in the order in which they lie in libmicrohttpd's memory, up to the
 * head's end. NULL if nothing is wrong. */
static const char *wrong_framing(struct tv_exchange *x, const char *method, const char *version)
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
    const struct tv_exchange *x = context;
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
static struct tv_sender sender_of(struct tv_exchange *x)
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
static enum MHD_Result begin_body(struct tv_exchange *x)
{
    const char *expect = header(x, "Expect"), *length = header(x, "Content-Length");
    unsigned long long declared = length ? strtoull(length, NULL, 10) : 0;
    x->request.body_too_large = declared > TV_MAX_BODY;
    x->keeps_body = x->admitted && !x->request.body_too_large;
    if ((!x->keeps_body && expect) || declared > (x->admitted ? (unsigned)MOST_DISCARDED : (unsigned)TV_MAX_BODY))
        return tv_exchange_answer(x);
    x->state = TV_EXCHANGE_READY;
    return MHD_YES;
}

enum MHD_Result tv_exchange_take_body(struct tv_exchange *x, const char *bytes, size_t n)
{
    x->received += n;
    if (x->keeps_body && tv_buffer_append(&x->body, bytes, n, NULL) != TV_OK) {
        tv_buffer_free(&x->body);
        x->keeps_body = 0;
        x->request.body_too_large = 1;
    }
    return x->received <= MOST_DISCARDED ? MHD_YES : MHD_NO;
}

/* Everything that can be wrong with the head is found here; what is wrong with the address alone (x->admitted) is mostly
 * answered only once the body has been read (begin_body), so that the connection can go on. A head that can be read in two
 * ways is refused, and its connection closed, because nobody knows where the next request begins. */
enum MHD_Result tv_exchange_begin(struct tv_exchange *x, const char *method, const char *version)
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
        return tv_exchange_refuse(x, 414, "the address is longer than 8 KiB");
    if (head_size(x) > TV_MAX_HEAD)
        return tv_exchange_refuse(x, 431, "the address and the headers are longer than 8 KiB");
    if (wrong || parsed != TV_OK)
        return tv_exchange_refuse(x, 400, wrong ? wrong : err.message);
    x->admitted = tv_route_admit(x->http->app, &x->request, &x->why);
    if (x->request.method == TV_OTHER_METHOD) /* answered before its body is read, which ends the connection */
        return tv_exchange_answer(x);
    if (x->request.method != TV_GET)
        return begin_body(x);
    int has_body = (length && strcmp(length, "0") != 0) || header(x, "Transfer-Encoding");
    if (has_body && !x->admitted)
        return tv_exchange_answer(x); /* what else is wrong with it says more */
    if (has_body)
        return tv_exchange_refuse(x, 413, "a request to read something has no body");
    x->state = TV_EXCHANGE_READY;
    return MHD_YES;
}
