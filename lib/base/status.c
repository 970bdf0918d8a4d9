/* status: carries a failure and its words from where it happened to the person at the terminal. */
#include "trivet/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/text.h"

/* A caller who wants no words passes NULL, and then there is no struct tv_error that remembers the status for tv_hint
 * and the others; `return tv_hint(err, ...)` must give it all the same. Each thread has its own last failure. */
static _Thread_local enum tv_status last_failure = TV_ERR_INPUT;

unsigned tv_fail(struct tv_error *err, enum tv_status status, const char *format, ...)
{
    last_failure = status;
    if (err == NULL)
        return status;
    /* The arguments may point into err->message itself, so format first and copy after. */
    char text[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tv_text_end_whole(text, sizeof text);
    err->status = status;
    memcpy(err->message, text, sizeof text);
    err->origin = TV_FROM_NO_STORE;
    err->hint[0] = err->where[0] = err->parameter[0] = '\0';
    return status;
}

unsigned tv_hint(struct tv_error *err, const char *format, ...)
{
    if (err == NULL)
        return last_failure;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    tv_text_end_whole(err->hint, sizeof err->hint);
    return err->status;
}

/* Apart from the message, because messages go into answers over HTTP and addresses must not. */
unsigned tv_where(struct tv_error *err, const char *format, ...)
{
    if (err == NULL)
        return last_failure;
    va_list args;
    va_start(args, format);
    vsnprintf(err->where, sizeof err->where, format, args);
    va_end(args);
    tv_text_end_whole(err->where, sizeof err->where);
    return err->status;
}

/* A long message loses its end, not the context ahead of it. */
unsigned tv_context(struct tv_error *err, const char *format, ...)
{
    if (err == NULL)
        return last_failure;
    char text[sizeof err->message];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* A context that leaves no room for the message is dropped: the message is what matters. */
    if (n < 0 || (size_t)n >= sizeof text)
        return err->status;
    snprintf(text + n, sizeof text - (size_t)n, ": %s", err->message);
    tv_text_end_whole(text, sizeof text);
    memcpy(err->message, text, sizeof text);
    return err->status;
}

unsigned tv_from(struct tv_error *err, enum tv_origin origin)
{
    if (err == NULL)
        return last_failure;
    err->origin = origin;
    return err->status;
}

unsigned tv_about(struct tv_error *err, const char *parameter)
{
    if (err == NULL)
        return last_failure;
    tv_text_copy(err->parameter, sizeof err->parameter, parameter ? parameter : "");
    return err->status;
}

/* Scripts tell failures apart by it; docs/operations.md has the list. */
int tv_exit_code(enum tv_status status)
{
    switch (status) {
    case TV_OK:
        return 0;
    case TV_ERR_USAGE:
        return 2;
    case TV_ERR_INPUT:
    case TV_ERR_NOT_FOUND:
    case TV_ERR_NUMERIC:
    case TV_ERR_RECORD:
        return 3;
    case TV_ERR_UNAVAILABLE:
    case TV_ERR_STORE:
    case TV_ERR_CORRUPT:
        return 4;
    case TV_ERR_BUSY:
        return 5;
    case TV_ERR_WORSE:
        return 6;
    default:
        return 1;
    }
}
