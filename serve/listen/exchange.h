/* exchange: one request and its answer, on its way through the files of this room that know libmicrohttpd: head.c reads it,
 * waiting.c has it answered, at once or by a worker, answer.c sends what it is answered, and http.c has it from its beginning to
 * its end.
 */
#ifndef TRIVET_SERVE_LISTEN_EXCHANGE_H
#define TRIVET_SERVE_LISTEN_EXCHANGE_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stddef.h>

#include "serve/listen/access_log.h"
#include "serve/listen/http.h"
#include "serve/listen/listener.h"
#include "serve/listen/visits.h"
#include "serve/stores/workers.h"
#include "serve/web/problem.h"
#include "serve/web/request.h"
#include "serve/web/response.h"
#include "trivet/base/buffer.h"

/* The server's sockets and the threads behind them. Four groups of workers, so that no kind of waiting holds up
 * another. */
struct tv_http {
    struct tv_app *app;
    struct MHD_Daemon *daemon;
    struct tv_workers *lookups;   /* for requests that need a user's document: many in one question */
    struct tv_workers *slow;      /* for everything else that waits */
    struct tv_workers *writes;    /* for ratings: a thread for each connection of the pool */
    struct tv_workers *questions; /* for requests that wait for seconds, on PostgreSQL */
    struct tv_access_log *log;
    struct tv_visits *visits;
    atomic_int open_requests;
    atomic_size_t held; /* bytes of answers that are not small, and not taken yet */
    struct tv_listener listener;
};

/* A connection, from its first byte to its last. It owns the request that is under way on it: libmicrohttpd does not
 * tell of the end of every request (some errors drop the connection at once), but of the end of every connection. */
struct tv_line {
    struct tv_visit *visit;
    struct tv_exchange *open; /* NULL between requests */
};

/* One request and its answer. Made when its target comes, freed when it is over (exchange_end). At any moment one
 * thread works on it: the connection's own, or, from TV_EXCHANGE_WAITING to the resume, a worker. */
struct tv_exchange {
    struct tv_work work; /* first, so that a worker's pointer is ours */
    struct tv_http *http;
    struct tv_line *line;
    struct MHD_Connection *connection;
    enum { TV_EXCHANGE_NEW, TV_EXCHANGE_READY, TV_EXCHANGE_WAITING, TV_EXCHANGE_DONE } state;
    double began;
    char method[32]; /* as much of it as the log shows */
    struct tv_request request;
    struct tv_response response;
    struct tv_buffer body; /* of the request */
    size_t received;       /* bytes of it, kept or not */
    int keeps_body;        /* 0: it is read, and forgotten */
    int admitted;          /* 1: its head is as it should be; 0: */
    struct tv_problem why; /* this is what is wrong */
    size_t sent;           /* bytes of the answer's body */
    size_t held;           /* its part of http->held */
    int closes;            /* 1: the connection ends with this answer */
    char *target;          /* taken apart by the parser ... */
    char *logged;          /* ... so the log has a copy of its own */
    const char *came;      /* the target in libmicrohttpd's memory, for wrong_framing */
    char space[];          /* both copies */
};

/* --- head.c --------------------------------------------------------------------------------------------- */

/* The head is whole. */
enum MHD_Result tv_exchange_begin(struct tv_exchange *x, const char *method, const char *version);
/* A piece of the body has come. MHD_NO ends the connection: nothing can be answered in the middle of a body. */
enum MHD_Result tv_exchange_take_body(struct tv_exchange *x, const char *bytes, size_t n);

/* --- waiting.c ------------------------------------------------------------------------------------------ */

/* The request is whole, on its connection's thread: it is answered, or given to workers. */
enum MHD_Result tv_exchange_answer(struct tv_exchange *x);
/* What workers do (workers.h); the context is a struct tv_http. */
void tv_exchange_lookups(void *context, struct tv_work *const *batch, size_t n);
void tv_exchange_slow(void *context, struct tv_work *const *batch, size_t n);

/* --- answer.c ------------------------------------------------------------------------------------------- */

/* Makes a problem the answer, ready to be sent by whichever thread comes next. */
void tv_exchange_problem(struct tv_exchange *x, int status, int retry_after, const char *why);
/* From here on it is the client's turn (visits.h). MHD_NO, without memory, ends the connection. */
enum MHD_Result tv_exchange_send(struct tv_exchange *x);
/* For requests that are refused before any route is asked. */
enum MHD_Result tv_exchange_refuse(struct tv_exchange *x, int status, const char *why);
/* Takes a large answer off the count of those that are held in memory. */
void tv_exchange_let_go(struct tv_exchange *x);

#endif
