/* log: one line a call, on standard error. */
#include "trivet/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trivet/lines.h"

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

static void stop_lines(void)
{
    struct tv_lines *last = lines;
    lines = NULL;
    tv_lines_stop(last);
}

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

void tv_log(enum tv_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "info", "debug"};
    if (!tv_log_enabled(level))
        return;
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
    n += (size_t)m < sizeof line - n - 1 ? (size_t)m : sizeof line - n - 2;
    line[n++] = '\n';
    if (lines)
        tv_lines_put(lines, line, n);
    else
        write_line(line, n);
}

void tv_log_failure(const char *program, const struct tv_error *err)
{
    tv_log(TV_LOG_ERROR, "%s: %s", program, err->message);
    if (err->hint[0])
        tv_log(TV_LOG_ERROR, "hint: %s", err->hint);
}

/* scheme://user:password@host: the password lies between the first ':' after "://" and the last '@' before '/'. */
static const char *uri_password(const char *uri, size_t *n)
{
    const char *authority = strstr(uri, "://");
    if (authority == NULL)
        return NULL;
    authority += 3;
    size_t authority_len = strcspn(authority, "/?");
    const char *at = memrchr(authority, '@', authority_len);
    const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (colon == NULL)
        return NULL;
    *n = (size_t)(at - colon - 1);
    return colon + 1;
}

/* password=... in a libpq keyword string or a URI's query. */
static const char *keyword_password(const char *text, size_t *n)
{
    const char *p = strcasestr(text, "password=");
    if (p == NULL)
        return NULL;
    p += strlen("password=");
    if (*p == '\'') {
        const char *end = p + 1;
        while (*end && *end != '\'')
            end += *end == '\\' && end[1] ? 2 : 1;
        *n = (size_t)(end - p) + (*end == '\'');
    } else {
        *n = strcspn(p, " &");
    }
    return p;
}

void tv_log_hide_password(char *out, unsigned long out_size, const char *uri)
{
    size_t n = 0;
    const char *secret = uri_password(uri, &n);
    if (secret == NULL)
        secret = keyword_password(uri, &n);
    if (secret == NULL)
        snprintf(out, out_size, "%s", uri);
    else
        snprintf(out, out_size, "%.*s***%s", (int)(secret - uri), uri, secret + n);
}
