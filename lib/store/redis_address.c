/* redis_address: reads redis://[user:password@]host[:port][/db], which hiredis 0.14 does not. An address that it
 * does not understand is refused and not guessed, and no message repeats the address.
 */
#include <string.h>

#include "trivet/base/address.h"
#include "trivet/base/text.h"
#include "trivet/store/redis.h"

/* -1 for no digit; a letter may be of either case. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Copies n bytes with %XX undone (RFC 3986, 2.1); 0 if it does not fit or an escape is wrong. */
static int copy_unescaped(char *out, size_t size, const char *text, size_t n)
{
    size_t o = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < n ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return 0;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (o + 1 >= size)
            return 0;
        out[o++] = c;
    }
    out[o] = '\0';
    return 1;
}

/* Says what is wrong with the address without repeating it, because it may hold a password. */
static enum tv_status bad_uri(const char *why, struct tv_error *err)
{
    tv_fail(err, TV_ERR_USAGE, "the Redis address in --redis (TRIVET_REDIS) %s", why);
    return tv_hint(err, "it looks like redis://127.0.0.1:6379/0");
}

/* [user:password@] or [:password@]; returns what follows it, NULL if it is malformed. */
static const char *parse_login(struct tv_redis_address *out, const char *p)
{
    const char *at = strchr(p, '@'); /* the only one, and ahead of every slash: tv_address_is_clear */
    if (at == NULL)
        return p;
    const char *colon = memchr(p, ':', (size_t)(at - p));
    const char *user_end = colon ? colon : at;
    if (!copy_unescaped(out->user, sizeof out->user, p, (size_t)(user_end - p)))
        return NULL;
    if (colon && !copy_unescaped(out->password, sizeof out->password, colon + 1, (size_t)(at - colon - 1)))
        return NULL;
    return at + 1;
}

/* host, [v6], optional :port, optional /db. NULL, or what is wrong. */
static const char *parse_place(struct tv_redis_address *out, const char *p)
{
    int64_t number;
    size_t n = p[0] == '[' ? strcspn(p, "]") : strcspn(p, ":/");
    size_t skip = p[0] == '[';
    if (n <= skip || !copy_unescaped(out->host, sizeof out->host, p + skip, n - skip))
        return "names no host";
    p += n + (p[n] == ']');
    if (*p == ':') {
        size_t digits = strcspn(++p, "/");
        if (!tv_text_int64(p, digits, &number) || number < 1 || number > 65535)
            return "has a port that is no number from 1 to 65535";
        out->port = (int)number;
        p += digits;
    }
    if (*p == '/' && p[1]) {
        if (!tv_text_int64(p + 1, strlen(p + 1), &number) || number < 0 || number > 1000000)
            return "ends in a database that is no number";
        out->db = (int)number;
    } else if (*p && *p != '/') {
        return "has something behind the host that is neither a port nor a database";
    }
    return NULL;
}

enum tv_status tv_redis_parse(struct tv_redis_address *out, const char *uri, struct tv_error *err)
{
    *out = (struct tv_redis_address){.port = 6379};
    if (strncmp(uri, "rediss://", 9) == 0) {
        tv_fail(err, TV_ERR_USAGE, "rediss:// (Redis over TLS) is not supported");
        return tv_hint(err, "let a TLS tunnel such as stunnel listen on this machine and name it as redis://");
    }
    if (strncmp(uri, "redis://", 8) != 0)
        return bad_uri("does not begin with redis://", err);
    if (!tv_address_is_clear(uri))
        return tv_address_refuse(err, "Redis", "--redis (TRIVET_REDIS)", "redis://user:password@127.0.0.1:6379/0");
    const char *place = parse_login(out, uri + 8);
    if (place == NULL)
        return bad_uri("has a user or password that is too long or wrongly escaped", err);
    const char *why = parse_place(out, place);
    return why ? bad_uri(why, err) : TV_OK;
}
