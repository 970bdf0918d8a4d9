/* interrupt: a thread waits for the signals, so that it may use locks and sockets, which a handler must not
 * (signal-safety(7)). On the first SIGINT or SIGTERM it sets the moment of trivet/base/stop.h, cancels the statement
 * that Postgres is working on, and wakes the server's main thread; a second one changes nothing. */
#include "trivet/cli/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/stop.h"

/* Beyond TV_STOP_SECONDS, for work that keeps to the moment but ends right at it. */
static const double grace_seconds = 0.8;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static struct tv_pg *watched; /* guarded by mutex, as is the next */
static int seen;              /* the first signal; 0: none yet */
static int started;

/* The cancellation is sent with the mutex held, so that tv_interrupt_forget, after which the connection is closed,
 * waits for it. */
static void pass_on(int signal_number)
{
    pthread_mutex_lock(&mutex);
    seen = signal_number;
    if (watched)
        tv_pg_cancel(watched);
    pthread_cond_broadcast(&arrived);
    pthread_mutex_unlock(&mutex);
}

/* The last resort, for a wait that no deadline of ours reaches: a client library (MongoDB's, or for DNS), a disk that
 * hangs. A program that is killed leaves work half done which the next one mends, so this is no worse than SIGKILL. The
 * message is only tried where standard error takes it at once: it must not be one more thing that hangs. */
static void end_late(void)
{
    double until = tv_clock() + TV_STOP_SECONDS + grace_seconds;
    for (double left; (left = until - tv_clock()) > 0;)
        poll(NULL, 0, (int)(left * 1000) + 1);
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) > 0 && (out.revents & POLLOUT))
        tv_log_error("still busy %d s after it was told to end, so this program ends as it stands", TV_STOP_SECONDS);
    poll(NULL, 0, 100); /* for the thread that writes the log */
    _exit(1);
}

static void *wait_for_signals(void *set)
{
    int signal_number;
    while (sigwait(set, &signal_number) != 0)
        ;
    tv_stop_within(TV_STOP_SECONDS);
    pass_on(signal_number);
    end_late();
    return NULL;
}

/* The signals are blocked in this thread before others exist; they inherit that, so sigwait alone takes them. The set
 * is static because the thread outlives this call. */
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

void tv_interrupt_forget(const struct tv_pg *pg)
{
    pthread_mutex_lock(&mutex);
    if (watched == pg)
        watched = NULL;
    pthread_mutex_unlock(&mutex);
}

int tv_interrupted(void)
{
    return tv_stop_asked();
}

int tv_interrupt_wait(void)
{
    pthread_mutex_lock(&mutex);
    while (seen == 0)
        pthread_cond_wait(&arrived, &mutex);
    int signal_number = seen;
    pthread_mutex_unlock(&mutex);
    return signal_number;
}
