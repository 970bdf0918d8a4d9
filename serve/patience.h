/* patience: ends connections on which no whole request comes.
 *
 * libmicrohttpd closes a connection on which nothing moves. A client that sends one byte every few seconds
 * keeps it moving, and could hold all connections there are with next to no work. So each connection also has
 * a time by which the head of its next request must be complete, counted from its start or from its last
 * answer. A thread looks once a second, and shuts late ones down; libmicrohttpd then sees them end and cleans
 * up as usual.
 */
#ifndef TRIVET_SERVE_PATIENCE_H
#define TRIVET_SERVE_PATIENCE_H

#include "trivet/status.h"

struct tv_patience;
struct tv_visit; /* one connection */

enum tv_status tv_patience_start(struct tv_patience **out, double seconds, struct tv_error *err);
void tv_patience_stop(struct tv_patience *p); /* when no visit is left; NULL is fine */

/* A connection began; NULL without memory, which the other calls take for a connection nobody watches. The
 * socket must stay open until tv_visit_end returns. */
struct tv_visit *tv_visit_begin(struct tv_patience *p, int socket);
void tv_visit_busy(struct tv_visit *visit); /* a request's head is complete */
void tv_visit_idle(struct tv_visit *visit); /* its answer is sent */
void tv_visit_end(struct tv_visit *visit);

#endif
