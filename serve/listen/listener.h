/* listener: the socket on which the server takes connections. */
#ifndef TRIVET_SERVE_LISTEN_LISTENER_H
#define TRIVET_SERVE_LISTEN_LISTENER_H

#include "trivet/base/status.h"

struct tv_listener {
    int fd;            /* the caller's to close */
    int loopback;      /* 1: only programs on this machine reach it */
    char address[128]; /* "http://127.0.0.1:5001", with the port that was taken */
};

/* text: "HOST:PORT", "[::1]:5001"; port 0: any free one. A failure leaves out->fd as it was. */
enum tv_status tv_listen(struct tv_listener *out, const char *text, struct tv_error *err);

#endif
