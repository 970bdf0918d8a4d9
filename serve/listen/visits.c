/* visits: ends connections whose client is too slow. The threads that serve connections only note whose turn it
 * is, an atomic write; the ticker's thread looks at all of them once a second. http.c begins and ends a visit with each
 * connection, and turns it with each request and answer.
 */
#include "serve/listen/visits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/ticker.h"

enum { LOOK_SECONDS = 1 };

/* One connection, in a list that any of them leaves in constant time. http.c has it from the connection's start to its
 * end. */
struct tv_visit {
    struct tv_visits *visits;
    struct tv_visit *next, **link; /* `link` points to the pointer that points here */
    int socket;
    _Atomic double since; /* tv_clock() when the client's turn began; negative: it is the server's */
};

/* The connections there are, newest first. */
struct tv_visits {
    pthread_mutex_t mutex; /* guards the list; while it is held, no socket in the list is closed */
    struct tv_visit *first;
    double seconds;
    struct tv_ticker *ticker;
};

/* The ticker's step. A socket is shut down and not closed: its number stays taken until libmicrohttpd has seen the
 * end, so no other connection can be hit. */
static double look(void *context)
{
    struct tv_visits *p = context;
    double late = tv_clock() - p->seconds;
    pthread_mutex_lock(&p->mutex);
    for (struct tv_visit *v = p->first; v; v = v->next) {
        double since = atomic_load_explicit(&v->since, memory_order_relaxed);
        if (since >= 0 && since < late)
            shutdown(v->socket, SHUT_RDWR);
    }
    pthread_mutex_unlock(&p->mutex);
    return LOOK_SECONDS;
}

static void visits_free(struct tv_visits *p)
{
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

/* `seconds` is what a client has for its turn (--request-timeout). */
enum tv_status tv_visits_start(struct tv_visits **out, double seconds, struct tv_error *err)
{
    struct tv_visits *p = tv_alloc(1, sizeof *p, "the list of connections", err);
    if (p == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&p->mutex, NULL);
    p->seconds = seconds;
    enum tv_status status = tv_ticker_start(&p->ticker, "to watch the connections", LOOK_SECONDS, look, p, err);
    if (status == TV_OK)
        *out = p;
    else
        visits_free(p);
    return status;
}

void tv_visits_stop(struct tv_visits *p)
{
    if (p == NULL)
        return;
    tv_ticker_stop(p->ticker);
    visits_free(p);
}

/* A connection begins with the client's turn: to send its first request. */
struct tv_visit *tv_visit_begin(struct tv_visits *p, int socket)
{
    struct tv_visit *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    v->visits = p;
    v->socket = socket;
    v->since = tv_clock();
    pthread_mutex_lock(&p->mutex);
    v->next = p->first;
    v->link = &p->first;
    if (v->next)
        v->next->link = &v->next;
    p->first = v;
    pthread_mutex_unlock(&p->mutex);
    return v;
}

/* Relaxed, here and in tv_visit_turn: the time is all that the ticker reads, and a look that comes a moment too early
 * or too late is made good by the next. */
void tv_visit_busy(struct tv_visit *v)
{
    if (v)
        atomic_store_explicit(&v->since, -1, memory_order_relaxed);
}

void tv_visit_turn(struct tv_visit *v)
{
    if (v)
        atomic_store_explicit(&v->since, tv_clock(), memory_order_relaxed);
}

/* Takes the connection off the list. The mutex makes it wait until `look` is through with the list, so the socket may
 * be closed afterwards. */
void tv_visit_end(struct tv_visit *v)
{
    if (v == NULL)
        return;
    pthread_mutex_lock(&v->visits->mutex);
    *v->link = v->next;
    if (v->next)
        v->next->link = v->link;
    pthread_mutex_unlock(&v->visits->mutex);
    free(v);
}
