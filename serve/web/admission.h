/* admission: whose requests are answered at all, whatever they ask.
 *
 * Two things a page of another site can do to a server on one's own machine. It can make its own name point here (DNS
 * rebinding), and is then of the same site as our answers, so that it may read them: told by the Host that the browser
 * sends. And it can make a browser fetch an address of ours without reading the answer, which costs us the work: told
 * by Sec-Fetch-Site. Links to our pages are fine, so a navigation is.
 */
#ifndef TRIVET_SERVE_WEB_ADMISSION_H
#define TRIVET_SERVE_WEB_ADMISSION_H

#include <stddef.h>

#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "trivet/base/status.h"

/* The names under which the server may be asked. This machine's own (localhost, 127.0.0.1, [::1]) always are. Without a
 * list, a server on a loopback address answers to those alone, any other to every name. */
struct tv_hosts {
    int loopback;             /* 1: the server listens on a loopback address only */
    const char *const *names; /* (n) each one name, or several with commas between them */
    size_t n;
};

/* TV_ERR_USAGE for what cannot be a name in a Host header: a scheme or a port beside it, a blank. */
enum tv_status tv_hosts_check(const struct tv_hosts *hosts, struct tv_error *err);

/* "127.0.0.1:5001", "localhost", "[::1]:5001": 1 if a Host names this machine. */
int tv_host_is_here(const char *host);

/* 1, or 0 and a 421 in *problem. A request without a Host comes from no browser. */
TV_MUST_USE int tv_host_admitted(const struct tv_hosts *hosts, const struct tv_sender *sender,
                                 struct tv_problem *problem);

/* 1, or 0 and a 403 in *problem: a page of another site asks for something that is no page to be looked at. */
TV_MUST_USE int tv_site_admitted(const struct tv_sender *sender, int is_page, struct tv_problem *problem);

/* 1 if a header of this name is added by proxies and by nothing else. */
int tv_is_proxy_header(const char *name);

#endif
