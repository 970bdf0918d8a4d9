/* log: one line a call, on standard error. It has no rotation and no files of its own: the system that starts a program
 * (systemd, a container) collects the lines. The settings are the process's and are made at its start, hence without a
 * lock. */
#include "trivet/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trivet/base/lines.h"
#include "trivet/base/text.h"

static enum tv_log_level current_level = TV_LOG_INFO;
static int timestamps;
static struct tv_lines *lines; /* NULL: each line is written by the thread that has it */

void tv_log_set_level(enum tv_log_level level)
{
    current_level = level;
}

enum tv_log_level tv_log_level_from(const char *name)
{
    if (strcasecmp(name, "error") == 0)
        return TV_LOG_ERROR;
    return strcasecmp(name, "debug") == 0 ? TV_LOG_DEBUG : TV_LOG_INFO;
}

int tv_log_enabled(enum tv_log_level level)
{
    return level <= current_level;
}

void tv_log_set_timestamps(int on)
{
    timestamps = on;
}

/* Run by exit(), in the thread that ends the program: a line that comes even later is written directly. */
static void stop_lines(void)
{
    struct tv_lines *last = lines;
    lines = NULL;
    tv_lines_stop(last);
}

/* A regular file is excepted because the last line before a crash is then in it; through `lines` it might not be. */
enum tv_status tv_log_never_wait(struct tv_error *err)
{
    struct stat what;
    if (lines || (fstat(STDERR_FILENO, &what) == 0 && S_ISREG(what.st_mode)))
        return TV_OK;
    enum tv_status status = tv_lines_start(&lines, STDERR_FILENO, 0, err);
    if (status == TV_OK)
        atexit(stop_lines);
    return status;
}

/* Goes on after a signal or half a line; gives up in silence otherwise, since there is nowhere to complain. */
static void write_line(const char *line, size_t n)
{
    while (n > 0) {
        ssize_t written = write(STDERR_FILENO, line, n);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            line += written;
            n -= (size_t)written;
        }
    }
}

/* A line that is too long is cut at the end of a character. */
void tv_log(enum tv_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "info", "debug"};
    if (!tv_log_enabled(level))
        return;
    /* As long as PIPE_BUF: a pipe takes a line in one piece (pipe(7)), so those of several threads or processes do not
     * mix. */
    char line[4096];
    size_t n = 0;
    if (timestamps) {
        struct timespec now;
        struct tm utc;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &utc);
        n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
        n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ %s ", now.tv_nsec / 1000000, names[level]);
    }
    va_list args;
    va_start(args, format);
    int m = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (m < 0)
        return;
    tv_text_end_whole(line, sizeof line - 1);
    n += strlen(line + n);
    line[n++] = '\n';
    if (lines)
        tv_lines_put(lines, line, n);
    else
        write_line(line, n);
}

/* err->where names a store's address: it belongs into the log, and into no answer. */
void tv_log_reason(enum tv_log_level level, const char *what, const struct tv_error *err)
{
    if (err->where[0])
        tv_log(level, "%s: %s (%s)", what, err->message, err->where);
    else
        tv_log(level, "%s: %s", what, err->message);
}

/* The last words of a program, or of a command. */
void tv_log_failure(const char *program, const struct tv_error *err)
{
    tv_log_reason(TV_LOG_ERROR, program, err);
    if (err->hint[0])
        tv_log(TV_LOG_ERROR, "hint: %s", err->hint);
}
