/* patience: ends connections whose client is too slow. */
#include "serve/listen/patience.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"

struct tv_visit {
    struct tv_patience *patience;
    struct tv_visit *next, **link; /* `link` is what points to us */
    int socket;
    _Atomic double since; /* the client's turn, on the clock that never goes back; negative: the server's */
};

struct tv_patience {
    pthread_mutex_t mutex; /* guards the list, and that no socket in it is closed while we shut it down */
    pthread_cond_t wake;
    struct tv_visit *first;
    double seconds;
    int stopping;
    pthread_t thread;
};

static void *run(void *context)
{
    struct tv_patience *p = context;
    struct timespec next;
    pthread_mutex_lock(&p->mutex);
    clock_gettime(CLOCK_MONOTONIC, &next);
    while (!p->stopping) {
        next.tv_sec++;
        while (!p->stopping && pthread_cond_timedwait(&p->wake, &p->mutex, &next) == 0)
            ;
        double late = tv_clock() - p->seconds;
        for (struct tv_visit *v = p->first; v; v = v->next) {
            double since = atomic_load_explicit(&v->since, memory_order_relaxed);
            if (since >= 0 && since < late)
                shutdown(v->socket, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

static void patience_free(struct tv_patience *p)
{
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

enum tv_status tv_patience_start(struct tv_patience **out, double seconds, struct tv_error *err)
{
    struct tv_patience *p = tv_alloc(1, sizeof *p, "the list of connections", err);
    if (p == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_condattr_t monotonic; /* a clock that is set back must not make anybody patient */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&p->mutex, NULL);
    p->seconds = seconds;
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        patience_free(p);
        return tv_fail(err, TV_ERR_NO_MEMORY, "no thread to watch the connections");
    }
    *out = p;
    return TV_OK;
}

void tv_patience_stop(struct tv_patience *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->stopping = 1;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
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
