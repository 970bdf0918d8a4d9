/* lines: text for a reader who may stop reading. The server's log and its access log go through it: once a pipe is full
 * (a stopped `less`, a logger that hangs), write() would block each thread that has something to say, and the server
 * with it. Two buffers of fixed size change places, so memory is bounded and the lock is held for a memcpy alone. */
#include "trivet/base/lines.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trivet/base/buffer.h"

enum { CAPACITY = 1 << 20, LAST_WAIT_MS = 2000, AT_ONCE = 4096 /* bytes that a pipe takes when poll() says so */ };

/* Owned by its caller until tv_lines_stop, and by its thread from then on if that thread hangs in write(). */
struct tv_lines {
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;   /* there is something to write, or an end */
    pthread_cond_t ended;  /* the thread has come to its end; on the clock that never goes back */
    char *filling;         /* (CAPACITY) */
    size_t n;
    size_t dropped;
    int stopping, done, abandoned;
    char *writing; /* (CAPACITY) the thread's own; the two change places */
    int fd, gather_ms;
    pthread_t thread;
};

static int is_stopping(struct tv_lines *lines)
{
    pthread_mutex_lock(&lines->mutex);
    int stopping = lines->stopping;
    pthread_mutex_unlock(&lines->mutex);
    return stopping;
}

/* Writes all of it. poll() comes first because write() on a full pipe would block without an end, and the thread must
 * look every two seconds whether it is to stop; while stopping, a reader who does not read is given up. */
static void write_out(struct tv_lines *lines, const char *text, size_t n)
{
    while (n > 0) {
        struct pollfd p = {.fd = lines->fd, .events = POLLOUT};
        if (poll(&p, 1, LAST_WAIT_MS) <= 0) {
            if (is_stopping(lines))
                return;
            continue;
        }
        ssize_t written = write(lines->fd, text, n < AT_ONCE ? n : AT_ONCE);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return; /* the reader is gone */
        if (written > 0) {
            text += written;
            n -= (size_t)written;
        }
    }
}

/* With the mutex held: swaps the buffers, so the gathered lines are now in `writing`, and says how many lines there was
 * no room for. */
static size_t take(struct tv_lines *lines, size_t *dropped)
{
    char *text = lines->filling;
    size_t n = lines->n;
    *dropped = lines->dropped;
    lines->filling = lines->writing;
    lines->writing = text;
    lines->n = lines->dropped = 0;
    return n;
}

static void write_dropped(struct tv_lines *lines, size_t dropped)
{
    char note[80];
    int n = snprintf(note, sizeof note, "(%zu lines dropped: they came faster than they were read)\n", dropped);
    write_out(lines, note, (size_t)n);
}

/* Called and left with the mutex held, and lets go of it meanwhile. The access log asks for it: one write for a crowd
 * of lines instead of one each. */
static void gather(struct tv_lines *lines)
{
    const struct timespec pause = {.tv_nsec = lines->gather_ms * 1000000L};
    pthread_mutex_unlock(&lines->mutex);
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&lines->mutex);
}

static void lines_free(struct tv_lines *lines)
{
    pthread_cond_destroy(&lines->ended);
    pthread_cond_destroy(&lines->wake);
    pthread_mutex_destroy(&lines->mutex);
    free(lines->filling);
    free(lines->writing);
    free(lines);
}

/* Ends when told to and nothing is left. Whether the struct is freed here or by tv_lines_stop is settled under the
 * mutex: by the one of the two that comes later. */
static void *run(void *context)
{
    struct tv_lines *lines = context;
    size_t dropped;
    pthread_mutex_lock(&lines->mutex);
    while (!lines->stopping || lines->n > 0) {
        while (lines->n == 0 && !lines->stopping)
            pthread_cond_wait(&lines->wake, &lines->mutex);
        if (lines->gather_ms > 0 && !lines->stopping) /* lines come in crowds: let some gather */
            gather(lines);
        size_t n = take(lines, &dropped);
        pthread_mutex_unlock(&lines->mutex);
        write_out(lines, lines->writing, n);
        if (dropped)
            write_dropped(lines, dropped);
        pthread_mutex_lock(&lines->mutex);
    }
    lines->done = 1;
    int abandoned = lines->abandoned;
    pthread_cond_signal(&lines->ended);
    pthread_mutex_unlock(&lines->mutex);
    if (abandoned)
        lines_free(lines);
    return NULL;
}

static void init_waits(struct tv_lines *lines)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lines->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&lines->wake, NULL);
    pthread_mutex_init(&lines->mutex, NULL);
}

enum tv_status tv_lines_start(struct tv_lines **out, int fd, int gather_ms, struct tv_error *err)
{
    struct tv_lines *lines = tv_alloc(1, sizeof *lines, "a log", err);
    if (lines == NULL)
        return TV_ERR_NO_MEMORY;
    init_waits(lines);
    lines->fd = fd;
    lines->gather_ms = gather_ms;
    lines->filling = tv_alloc(CAPACITY, 1, "a log", err);
    lines->writing = tv_alloc(CAPACITY, 1, "a log", err);
    if (!lines->filling || !lines->writing || pthread_create(&lines->thread, NULL, run, lines) != 0) {
        lines_free(lines);
        return tv_fail(err, TV_ERR_NO_MEMORY, "no memory or thread for a log");
    }
    *out = lines;
    return TV_OK;
}

/* When the buffer is full the newest line is dropped, not the oldest: nothing that is in the buffer has to be moved. */
void tv_lines_put(struct tv_lines *lines, const char *line, size_t n)
{
    pthread_mutex_lock(&lines->mutex);
    if (lines->n + n <= CAPACITY) {
        memcpy(lines->filling + lines->n, line, n);
        lines->n += n;
    } else {
        lines->dropped++;
    }
    pthread_cond_signal(&lines->wake);
    pthread_mutex_unlock(&lines->mutex);
}

/* With the mutex held. poll() may have promised room that another process then filled, and write() waits for more. */
static int ends_in_time(struct tv_lines *lines)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LAST_WAIT_MS / 1000;
    while (!lines->done && pthread_cond_timedwait(&lines->ended, &lines->mutex, &until) == 0)
        ;
    return lines->done;
}

/* A thread that hangs cannot be joined without hanging, too, so it is left alone with the memory that it uses. */
void tv_lines_stop(struct tv_lines *lines)
{
    if (lines == NULL)
        return;
    pthread_mutex_lock(&lines->mutex);
    lines->stopping = 1;
    pthread_cond_signal(&lines->wake);
    int done = ends_in_time(lines);
    lines->abandoned = !done;
    pthread_t thread = lines->thread;
    pthread_mutex_unlock(&lines->mutex);
    if (!done) {
        pthread_detach(thread); /* which still uses the memory, and frees it if it ever comes to its end */
        return;
    }
    pthread_join(thread, NULL);
    lines_free(lines);
}
