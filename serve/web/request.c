/* request: takes a request target apart, in place: segments and parameters are pieces of the text that came.
 */
#include "serve/web/request.h"

#include <string.h>
#include <strings.h>

#include "trivet/base/text.h"

/* Names of methods are the same only letter for letter (RFC 9110, 9.1): "get" is another one. */
enum tv_http_method tv_http_method_read(const char *name)
{
    if (strcmp(name, "HEAD") == 0)
        return TV_GET;
    int m = TV_GET;
    while (m < TV_METHODS && strcmp(name, tv_http_method_name(m)) != 0)
        m++;
    return m;
}

const char *tv_http_method_name(enum tv_http_method method)
{
    static const char *const names[] = {"GET", "POST", "PUT", "DELETE", "other"};
    return names[method];
}

/* The value of a hexadecimal digit, or -1. */
static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %41 in place, and + as a blank where a form wrote it. The result is never longer than the text. NUL bytes
 * are refused, because a C string would end there and the rest be passed over; so is text that is no UTF-8, because
 * it comes back in answers and goes to the stores. */
static enum tv_status decode(char *text, int plus_is_blank, struct tv_error *err)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from == '%') {
            int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);
            if (low < 0)
                return tv_fail(err, TV_ERR_INPUT,
                               "the address has a %% that two hexadecimal digits do not follow");
            if (high == 0 && low == 0)
                return tv_fail(err, TV_ERR_INPUT, "the address holds a NUL byte");
            *to++ = (char)(high << 4 | low);
            from += 2;
        } else {
            *to++ = *from == '+' && plus_is_blank ? ' ' : *from;
        }
    }
    *to = '\0';
    if (!tv_text_is_utf8(text, (size_t)(to - text)))
        return tv_fail(err, TV_ERR_INPUT, "the address is not UTF-8");
    return TV_OK;
}

/* "a" without "=" is a with an empty value, and "&&" divides nothing: browsers and programs write both. */
static enum tv_status parse_query(struct tv_request *request, char *query, struct tv_error *err)
{
    char *rest = query;
    while (rest) {
        char *pair = strsep(&rest, "&");
        if (*pair == '\0')
            continue;
        if (request->n_parameters == TV_MAX_PARAMETERS)
            return tv_fail(err, TV_ERR_INPUT, "the address has more than %d parameters", TV_MAX_PARAMETERS);
        char *value = pair, *name = strsep(&value, "=");
        if (value == NULL)
            value = name + strlen(name);
        enum tv_status status = decode(name, 1, err);
        if (status == TV_OK)
            status = decode(value, 1, err);
        if (status != TV_OK)
            return status;
        request->parameters[request->n_parameters++] = (struct tv_parameter){name, value};
    }
    return TV_OK;
}

/* The path is cut first and decoded then, because an id may hold a slash, sent as %2F. A path with too many segments
 * has none: no route fits, which is a 404 and no error. */
static enum tv_status parse_path(struct tv_request *request, char *path, struct tv_error *err)
{
    int nowhere = *path != '\0' && *path != '/';
    char *rest = *path == '/' ? path + 1 : path;
    while (rest) {
        char *segment = strsep(&rest, "/");
        enum tv_status status = decode(segment, 0, err);
        if (status != TV_OK)
            return status;
        if (request->n_path_segments == TV_MAX_PATH_SEGMENTS)
            nowhere = 1;
        else
            request->path_segments[request->n_path_segments++] = segment;
    }
    if (nowhere)
        request->n_path_segments = 0;
    return TV_OK;
}

/* Proxies send the whole address, and a server must take it (RFC 9112, 3.2.2). */
static char *skip_authority(char *target)
{
    size_t n = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
    return n ? target + n + strcspn(target + n, "/?") : target;
}

/* On failure the parameters found so far stay, and fill the form on the problem's page. */
enum tv_status tv_request_parse(struct tv_request *request, char *target, struct tv_error *err)
{
    memset(request, 0, sizeof *request);
    char *query = skip_authority(target), *path = strsep(&query, "?");
    enum tv_status status = parse_path(request, path, err);
    return status == TV_OK ? parse_query(request, query, err) : status;
}

/* Browsers name text/html in Accept, programs do not; a type with stars is no wish for a page. A q of 0, in any of the
 * ways to write it, refuses the type (RFC 9110, 12.4.2). */
int tv_accepts_html(const char *accept)
{
    for (const char *at = accept ? strcasestr(accept, "text/html") : NULL; at;
         at = strcasestr(at, "text/html")) {
        at += strlen("text/html");
        size_t n = strcspn(at, ",");
        const char *q = memmem(at, n, "q=0", 3);
        if (q == NULL || strspn(q + 2, "0.") != (size_t)(at + n - (q + 2)))
            return 1;
    }
    return 0;
}
