/* framing: whether the head of a request can be read in one way only. http.c feeds it all parts of a head before
 * the request is looked at; framing.h has the reasons.
 */
#include "serve/listen/framing.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Names of headers and codings are the same in capitals (RFC 9110, 5.1 and RFC 9112, 7). */
static int is(const char *text, size_t n, const char *wanted)
{
    return n == strlen(wanted) && strncasecmp(text, wanted, n) == 0;
}

/* A token as RFC 9110, 5.6.2 has it. "Content-Length " with a blank is another header to some servers, and the same
 * one to others. */
static int is_token(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (name[i] == '\0' || !((name[i] > 0 && isalnum(name[i])) || strchr("!#$%&'*+-.^_`|~", name[i])))
            return 0;
    return n > 0;
}

/* 1 if nothing but dividers stands between two parts. */
static int only_divides(const char *from, const char *to)
{
    static const char dividers[] = {'\0', '\r', '\n', '\t', ' ', ':'};
    while (from < to && memchr(dividers, *from, sizeof dividers))
        from++;
    return from == to;
}

void tv_framing_part(struct tv_framing *f, const char *part, size_t size)
{
    if (f->end && !only_divides(f->end, part))
        f->hidden = 1;
    f->end = part + size;
}

/* Where no parts were fed (f->end is NULL), the header is judged by its text alone. */
void tv_framing_header(struct tv_framing *f, const char *name, size_t name_size, const char *value, size_t value_size)
{
    if (f->end) {
        tv_framing_part(f, name, name_size);
        tv_framing_part(f, value, value_size);
    }
    if (!is_token(name, name_size))
        f->bad_name = 1;
    if (is(name, name_size, "Host"))
        f->hosts++;
    if (is(name, name_size, "Content-Length"))
        f->lengths++;
    if (is(name, name_size, "Transfer-Encoding")) {
        f->codings++;
        f->other_coding |= !is(value, value_size, "chunked");
    }
}

/* HTTP/1.0 needs no Host and has no Transfer-Encoding (RFC 9112, 3.2 and 6.1). */
const char *tv_framing_wrong(const struct tv_framing *f, const char *version)
{
    int old = strcmp(version, "HTTP/1.0") == 0;
    if (f->hidden)
        return "a line goes on in the next one, or holds a NUL byte";
    if (f->bad_name)
        return "a header's name holds a character that no name may hold";
    if (f->hosts > 1 || (f->hosts == 0 && !old))
        return f->hosts ? "there is more than one Host header" : "there is no Host header";
    if (f->lengths > 1)
        return "there is more than one Content-Length header";
    if (f->lengths && f->codings)
        return "there are both Content-Length and Transfer-Encoding";
    if (f->codings > 1 || f->other_coding)
        return "Transfer-Encoding is not \"chunked\"";
    return f->codings && old ? "HTTP/1.0 knows no Transfer-Encoding" : NULL;
}
