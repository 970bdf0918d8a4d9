/* permission: who may change something over HTTP.
 *
 * With a token (TRIVET_TOKEN), whoever sends `Authorization: Bearer` and that token (RFC 6750). Without one, whoever is
 * on this machine: the server then takes changes only while it listens on a loopback address, and only from a program
 * that speaks to it directly. That excludes the pages of other sites in a browser on this machine, which could make it
 * send such a request (told by Origin and Sec-Fetch-Site, and by Host, should their name be made to point to us), and
 * everybody behind a proxy that forwards to the loopback address.
 */
#ifndef TRIVET_SERVE_PERMISSION_H
#define TRIVET_SERVE_PERMISSION_H

#include "problem.h"
#include "request.h"
#include "trivet/status.h"

struct tv_permission {
    const char *token; /* NULL: none is set */
    int loopback;      /* 1: the server listens on a loopback address only */
};

/* TV_ERR_USAGE for a token that cannot stand in a header: anything but visible ASCII. NULL is fine. */
enum tv_status tv_token_check(const char *token, struct tv_error *err);

/* 1, or 0 and a 401 or 403 in *problem. The token is compared in a time that does not depend on what was sent. */
int tv_may_write(const struct tv_permission *permission, const struct tv_sender *sender,
                 struct tv_problem *problem);

/* One line for the log: who may write. */
const char *tv_permission_text(const struct tv_permission *permission);

#endif
