/* permission: who may change something over HTTP.
 *
 * A request may if it has the token (TRIVET_TOKEN) as `Authorization: Bearer` (RFC 6750). Without a token none may,
 * unless the server was told on purpose to take changes from this machine (--writes local): that a request comes
 * from a loopback address proves nothing, as every request through a proxy on this machine does, and a plain nginx
 * `proxy_pass` adds no header that would tell. A server that was told so must listen on a loopback address, and
 * takes changes from programs that speak to it directly: not from the pages of other sites in a browser on this
 * machine, which could make it send such a request (told by Origin and Sec-Fetch-Site, and by Host, should their
 * name be made to point to us), and not where the request bears the header of a proxy.
 */
#ifndef TRIVET_SERVE_WEB_PERMISSION_H
#define TRIVET_SERVE_WEB_PERMISSION_H

#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "trivet/base/status.h"

enum tv_writes {
    TV_WRITES_TOKEN, /* with the token; none if no token is set */
    TV_WRITES_LOCAL, /* from programs on this machine */
    TV_WRITES_OFF    /* none */
};

/* The server's settings about changes. `loopback` is known once the socket is there. */
struct tv_permission {
    enum tv_writes writes;
    const char *token; /* NULL: none is set */
    int loopback;      /* 1: the server listens on a loopback address only */
};

enum tv_writes tv_writes_from(const char *name); /* "token", "local", "off" */

/* TV_ERR_USAGE for settings that contradict each other or the address, and for a token that cannot stand in a header:
 * anything but visible ASCII. Asked when `loopback` is known. */
enum tv_status tv_permission_check(const struct tv_permission *permission, struct tv_error *err);

/* 1, or 0 and a 401 or 403 in *problem. The token is compared in a time that does not depend on what was sent. */
TV_MUST_USE int tv_may_write(const struct tv_permission *permission, const struct tv_sender *sender,
                             struct tv_problem *problem);

/* 1 if a page may offer to change something to who asks for the page: what it sends is then taken, or taken with a token. 0 and the
 * 403 that it would get. */
TV_MUST_USE int tv_may_offer(const struct tv_permission *permission, const struct tv_sender *reader, struct tv_problem *problem);

/* One line for the log: who may write. */
const char *tv_permission_text(const struct tv_permission *permission);

#endif
