/* access_log: one line a request on standard output. Lines are made on the thread that ends the request, and
 * written by the thread of lines.h.
 */
#include "serve/listen/access_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "trivet/base/buffer.h"
#include "trivet/base/lines.h"

enum { MOST_OF_A_METHOD = 64, MOST_OF_A_TARGET = 1024, GATHER_MS = 100 }; /* bytes; ms until lines are written */

struct tv_access_log {
    struct tv_lines *lines;
};

enum tv_status tv_access_log_start(struct tv_access_log **out, int fd, struct tv_error *err)
{
    struct tv_access_log *log = tv_alloc(1, sizeof *log, "the access log", err);
    if (log == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = tv_lines_start(&log->lines, fd, GATHER_MS, err);
    if (status == TV_OK)
        *out = log;
    else
        free(log);
    return status;
}

/* Clients send anything: a byte that could end the line or the quotes, or that a terminal would obey, is written as
 * \x1b. Cut to the room, whole escapes only. */
static size_t put_escaped(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && n + 5 < size; c++) {
        if (*c > 0x20 && *c < 0x7F && *c != '"' && *c != '\\')
            out[n++] = (char)*c;
        else
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", *c);
    }
    out[n] = '\0';
    return n;
}

/* The date changes once a second and lines may come thousands of times as often, so each thread keeps the text of
 * its last second. */
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

/* The line is complete before it is put, so that lines of several threads do not mix. */
void tv_access_log_line(struct tv_access_log *log, const char *peer, const char *method, const char *target,
                        int status, size_t bytes, double seconds)
{
    char line[MOST_OF_A_METHOD + MOST_OF_A_TARGET + 256];
    if (log == NULL)
        return;
    size_t n = put_time(line, sizeof line);
    n += (size_t)snprintf(line + n, sizeof line - n, " %.46s \"", peer);
    n += put_escaped(line + n, MOST_OF_A_METHOD, method);
    line[n++] = ' ';
    n += put_escaped(line + n, MOST_OF_A_TARGET, target);
    n += (size_t)snprintf(line + n, sizeof line - n, status ? "\" %d %zu %.3fms\n" : "\" aborted\n", status,
                          bytes, seconds * 1e3);
    tv_lines_put(log->lines, line, n);
}

void tv_access_log_stop(struct tv_access_log *log)
{
    if (log == NULL)
        return;
    tv_lines_stop(log->lines);
    free(log);
}
