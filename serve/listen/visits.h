/* visits: ends connections whose client is too slow.
 *
 * libmicrohttpd closes a connection on which nothing moves. A client that sends one byte every few seconds, or
 * takes its answer so, keeps it moving, and could hold all connections there are with next to no work. So whenever
 * it is the client's turn, it has a time by which it must be done: from the connection's start, or from its last
 * answer, until the whole next request is there, body and all; and from the first byte of an answer until it is
 * taken. While the server has a request in hand no time runs. A thread looks once a second, and shuts late
 * connections down; libmicrohttpd then sees them end and cleans up as usual.
 */
#ifndef TRIVET_SERVE_LISTEN_VISITS_H
#define TRIVET_SERVE_LISTEN_VISITS_H

#include "trivet/base/status.h"

struct tv_visits; /* all connections, and the thread that looks at them */
struct tv_visit;  /* one connection */

enum tv_status tv_visits_start(struct tv_visits **out, double seconds, struct tv_error *err);
void tv_visits_stop(struct tv_visits *p); /* when no visit is left; NULL is fine */

/* A connection began; NULL without memory, which the other calls take for a connection that is not watched. The
 * socket must stay open until tv_visit_end returns. */
struct tv_visit *tv_visit_begin(struct tv_visits *p, int socket);
void tv_visit_busy(struct tv_visit *visit); /* a request is with the server */
void tv_visit_turn(struct tv_visit *visit); /* the client's turn begins: to take an answer, or to ask */
void tv_visit_end(struct tv_visit *visit);

#endif
