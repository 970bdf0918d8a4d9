/* patience: ends connections whose client is too slow. */
#include "serve/listen/patience.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/ticker.h"

enum { LOOK_SECONDS = 1 };

struct tv_visit {
    struct tv_patience *patience;
    struct tv_visit *next, **link; /* `link` is what points to us */
    int socket;
    _Atomic double since; /* the client's turn, on the clock that never goes back; negative: the server's */
};

struct tv_patience {
    pthread_mutex_t mutex; /* guards the list, and that no socket in it is closed while we shut it down */
    struct tv_visit *first;
    double seconds;
    struct tv_ticker *ticker;
};

static double look(void *context)
{
    struct tv_patience *p = context;
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

static void patience_free(struct tv_patience *p)
{
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

enum tv_status tv_patience_start(struct tv_patience **out, double seconds, struct tv_error *err)
{
    struct tv_patience *p = tv_alloc(1, sizeof *p, "the list of connections", err);
    if (p == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&p->mutex, NULL);
    p->seconds = seconds;
    enum tv_status status = tv_ticker_start(&p->ticker, "to watch the connections", LOOK_SECONDS, look, p, err);
    if (status == TV_OK)
        *out = p;
    else
        patience_free(p);
    return status;
}

void tv_patience_stop(struct tv_patience *p)
{
    if (p == NULL)
        return;
    tv_ticker_stop(p->ticker);
    patience_free(p);
}

struct tv_visit *tv_visit_begin(struct tv_patience *p, int socket)
{
    struct tv_visit *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    v->patience = p;
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

void tv_visit_end(struct tv_visit *v)
{
    if (v == NULL)
        return;
    pthread_mutex_lock(&v->patience->mutex);
    *v->link = v->next;
    if (v->next)
        v->next->link = v->link;
    pthread_mutex_unlock(&v->patience->mutex);
    free(v);
}
