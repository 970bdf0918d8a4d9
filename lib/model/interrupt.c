/* interrupt: a thread waits for the signals, so that cancelling may use locks and sockets, which a handler must not. */
#include "trivet/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int seen;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct tv_pg *watched; /* guarded by mutex */
static int started;

static void *wait_for_signals(void *set)
{
    for (int signal_number; sigwait(set, &signal_number) == 0;) {
        atomic_store(&seen, 1);
        pthread_mutex_lock(&mutex);
        if (watched)
            tv_pg_cancel(watched);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static enum tv_status start(struct tv_error *err)
{
    static sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int code = pthread_create(&thread, NULL, wait_for_signals, &set);
    if (code != 0)
        return tv_fail(err, TV_ERR_NO_MEMORY, "cannot start a thread: %s", strerror(code));
    pthread_detach(thread);
    started = 1;
    return TV_OK;
}

enum tv_status tv_interrupt_watch(struct tv_pg *pg, struct tv_error *err)
{
    pthread_mutex_lock(&mutex);
    watched = pg;
    pthread_mutex_unlock(&mutex);
    return started ? TV_OK : start(err);
}

int tv_interrupted(void)
{
    return atomic_load(&seen);
}
