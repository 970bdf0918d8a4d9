/* workers: a few threads that may wait for stores. http.c has four groups of them, each with a queue of its own, so
 * that slow work never holds up quick work.
 */
#include "serve/stores/workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trivet/base/buffer.h"

/* A queue as a chain of the works themselves: `last` points to the link that the next one goes into. */
struct tv_workers {
    pthread_mutex_t mutex; /* guards the queue */
    pthread_cond_t wake;
    struct tv_work *first, **last;
    size_t waiting, max_waiting, max_batch;
    int stopping;
    tv_run_batch run;
    void *context;
    int n;
    pthread_t threads[];
};

/* Waits for work, and takes all that has gathered, up to max_batch; 0: there is none, and there will be none. A
 * stop does not empty the queue: works that wait are done first. */
static size_t take(struct tv_workers *w, struct tv_work **batch)
{
    size_t n = 0;
    pthread_mutex_lock(&w->mutex);
    while (w->first == NULL && !w->stopping)
        pthread_cond_wait(&w->wake, &w->mutex);
    while (w->first && n < w->max_batch) {
        batch[n++] = w->first;
        w->first = w->first->next;
    }
    if (w->first == NULL)
        w->last = &w->first;
    w->waiting -= n;
    pthread_mutex_unlock(&w->mutex);
    return n;
}

/* A worker's thread: batch after batch, until there is none and will be none. */
static void *run(void *context)
{
    struct tv_workers *w = context;
    struct tv_work *batch[TV_MAX_BATCH];
    for (size_t n; (n = take(w, batch)) > 0;)
        w->run(w->context, batch, n);
    return NULL;
}

/* Works are chained and not copied, so a queue takes no memory of its own. */
enum tv_status tv_workers_start(struct tv_workers **out, int threads, size_t max_waiting, size_t max_batch,
                                tv_run_batch run_batch, void *context, struct tv_error *err)
{
    struct tv_workers *w =
        tv_alloc(1, sizeof *w + (size_t)threads * sizeof w->threads[0], "the workers", err);
    if (w == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->last = &w->first;
    w->max_waiting = max_waiting;
    w->max_batch = max_batch < TV_MAX_BATCH ? max_batch : TV_MAX_BATCH;
    w->run = run_batch;
    w->context = context;
    while (w->n < threads && pthread_create(&w->threads[w->n], NULL, run, w) == 0)
        w->n++;
    if (w->n < threads) {
        tv_fail(err, TV_ERR_NO_MEMORY, "only %d of %d worker threads could be started", w->n, threads);
        tv_workers_stop(w);
        return TV_ERR_NO_MEMORY;
    }
    *out = w;
    return TV_OK;
}

void tv_thread_behind_requests(void)
{
    enum { NICER = 10 };
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICER); /* on Linux a thread has a priority of its own */
}

/* Bounded, so that a store that hangs leads to refusals and not to a queue that grows. */
int tv_workers_give(struct tv_workers *w, struct tv_work *work)
{
    pthread_mutex_lock(&w->mutex);
    int taken = w->waiting < w->max_waiting && !w->stopping;
    if (taken) {
        work->next = NULL;
        *w->last = work;
        w->last = &work->next;
        w->waiting++;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->mutex);
    return taken;
}

/* Work that comes from now on is refused; works that wait are done before the threads end. */
void tv_workers_stop(struct tv_workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = 1;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    for (int i = 0; i < w->n; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
