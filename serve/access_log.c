/* access_log: one line a request on standard output. */
#include "access_log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trivet/buffer.h"

enum { BUFFER = 1 << 20, MOST_OF_A_TARGET = 1024, FLUSH_MS = 100, LAST_WAIT_MS = 2000 };

struct tv_access_log {
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    char *filling; /* (BUFFER) */
    size_t n;
    size_t dropped;
    int stopping;
    char *writing; /* (BUFFER) the thread's own; the two change places */
    int fd;
    pthread_t thread;
};

/* Writes all of it; while stopping, a reader who does not read is given up after a while. */
static void write_out(struct tv_access_log *log, const char *text, size_t n)
{
    while (n > 0) {
        struct pollfd p = {.fd = log->fd, .events = POLLOUT};
        int ready = poll(&p, 1, LAST_WAIT_MS);
        pthread_mutex_lock(&log->mutex);
        int stopping = log->stopping;
        pthread_mutex_unlock(&log->mutex);
        if (ready <= 0) {
            if (stopping)
                return;
            continue;
        }
        ssize_t written = write(log->fd, text, n < 4096 ? n : 4096); /* what poll() promises a pipe takes */
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return; /* nobody reads any more */
        if (written > 0) {
            text += written;
            n -= (size_t)written;
        }
    }
}

static void *run(void *context)
{
    struct tv_access_log *log = context;
    const struct timespec pause = {.tv_nsec = FLUSH_MS * 1000000L};
    pthread_mutex_lock(&log->mutex);
    while (!log->stopping || log->n > 0) {
        while (log->n == 0 && !log->stopping)
            pthread_cond_wait(&log->wake, &log->mutex);
        if (!log->stopping) { /* lines come in crowds: let some gather */
            pthread_mutex_unlock(&log->mutex);
            nanosleep(&pause, NULL);
            pthread_mutex_lock(&log->mutex);
        }
        char *text = log->filling, note[80];
        size_t n = log->n, dropped = log->dropped;
        log->filling = log->writing;
        log->writing = text;
        log->n = log->dropped = 0;
        pthread_mutex_unlock(&log->mutex);
        write_out(log, text, n);
        if (dropped)
            write_out(log, note,
                      (size_t)snprintf(note, sizeof note,
                                       "(%zu lines dropped: they came faster than they were read)\n",
                                       dropped));
        pthread_mutex_lock(&log->mutex);
    }
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}

static void log_free(struct tv_access_log *log)
{
    pthread_cond_destroy(&log->wake);
    pthread_mutex_destroy(&log->mutex);
    free(log->filling);
    free(log->writing);
    free(log);
}

enum tv_status tv_access_log_start(struct tv_access_log **out, int fd, struct tv_error *err)
{
    struct tv_access_log *log = tv_alloc(1, sizeof *log, "the access log", err);
    if (log == NULL)
        return TV_ERR_NO_MEMORY;
    pthread_mutex_init(&log->mutex, NULL);
    pthread_cond_init(&log->wake, NULL);
    log->fd = fd;
    log->filling = tv_alloc(BUFFER, 1, "the access log", err);
    log->writing = tv_alloc(BUFFER, 1, "the access log", err);
    if (!log->filling || !log->writing || pthread_create(&log->thread, NULL, run, log) != 0) {
        log_free(log);
        return tv_fail(err, TV_ERR_NO_MEMORY, "no memory or thread for the access log");
    }
    *out = log;
    return TV_OK;
}

/* A target may hold anything: what could end the line, the quotes or a terminal's composure is written as
 * \x1b. */
static size_t put_target(char *out, size_t size, const char *target)
{
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)target; *c && n + 5 < size; c++) {
        if (*c > 0x20 && *c < 0x7F && *c != '"' && *c != '\\')
            out[n++] = (char)*c;
        else
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", *c);
    }
    out[n] = '\0';
    return n;
}

/* The date changes once a second, lines come thousands of times as often. */
static size_t put_time(char *out, size_t size)
{
    static _Thread_local time_t shown = -1;
    static _Thread_local char text[32];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != shown) {
        struct tm tm;
        gmtime_r(&now.tv_sec, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
        shown = now.tv_sec;
    }
    return (size_t)snprintf(out, size, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

void tv_access_log_line(struct tv_access_log *log, const char *peer, const char *method, const char *target,
                        int status, size_t bytes, double seconds)
{
    char line[MOST_OF_A_TARGET + 256];
    if (log == NULL)
        return;
    size_t n = put_time(line, sizeof line);
    n += (size_t)snprintf(line + n, sizeof line - n, " %.46s \"%.16s ", peer, method);
    n += put_target(line + n, MOST_OF_A_TARGET, target);
    n += (size_t)snprintf(line + n, sizeof line - n, status ? "\" %d %zu %.3fms\n" : "\" aborted\n", status,
                          bytes, seconds * 1e3);
    pthread_mutex_lock(&log->mutex);
    if (log->n + n <= BUFFER) {
        memcpy(log->filling + log->n, line, n);
        log->n += n;
    } else {
        log->dropped++;
    }
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->mutex);
}

void tv_access_log_stop(struct tv_access_log *log)
{
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->mutex);
    log->stopping = 1;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->mutex);
    pthread_join(log->thread, NULL);
    log_free(log);
}
