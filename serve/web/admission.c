/* admission: whose requests are answered at all, whatever they ask. Route asks here before it says anything else
 * (serve/route/route.c); http.c asks which headers are a proxy's.
 */
#include "serve/web/admission.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The length of the name in a Host, without the port; 0 if the rest is no port. An IPv6 address stands in brackets,
 * because it has colons of its own (RFC 3986, 3.2.2). */
static size_t name_length(const char *host)
{
    size_t n = host[0] == '[' ? strcspn(host, "]") : strcspn(host, ":");
    n += host[0] == '[' && host[n] == ']';
    const char *port = host + n;
    if (*port == ':')
        port += 1 + strspn(port + 1, "0123456789");
    return *port ? 0 : n;
}

static int is_named(const char *host, size_t n, const char *name, size_t name_size)
{
    return n == name_size && strncasecmp(host, name, n) == 0;
}

int tv_host_is_here(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t n = name_length(host);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_named(host, n, names[i], strlen(names[i])))
            return 1;
    return 0;
}

/* One setting may hold several names: an environment variable cannot be given twice, as --allowed-host can. */
static const char *next_name(const char *at, size_t *n)
{
    at += strspn(at, ", ");
    *n = strcspn(at, ", ");
    return at;
}

static int is_listed(const struct tv_hosts *hosts, const char *host)
{
    size_t size = name_length(host);
    for (size_t i = 0; i < hosts->n && size > 0; i++) {
        size_t n;
        for (const char *at = next_name(hosts->names[i], &n); n > 0; at = next_name(at + n, &n))
            if (is_named(host, size, at, n))
                return 1;
    }
    return 0;
}

/* Letters, digits and .-_ or an IPv6 address in brackets: a scheme, a port or a path in the setting would never
 * equal a Host, and is refused at the start instead. */
static int is_host_name(const char *name, size_t n)
{
    int bracketed = n > 2 && name[0] == '[' && name[n - 1] == ']';
    for (size_t i = bracketed; i < n - (size_t)bracketed; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr(bracketed ? ":." : ".-_", name[i]))
            return 0;
    return 1;
}

enum tv_status tv_hosts_check(const struct tv_hosts *hosts, struct tv_error *err)
{
    for (size_t i = 0; i < hosts->n; i++) {
        size_t n;
        for (const char *at = next_name(hosts->names[i], &n); n > 0; at = next_name(at + n, &n))
            if (!is_host_name(at, n)) {
                tv_fail(err, TV_ERR_USAGE, "--allowed-host \"%.*s\" cannot be the name of a host", (int)n, at);
                return tv_hint(err, "a name alone, without http:// and without a port: recommend.example.org");
            }
    }
    return TV_OK;
}

/* 421 is the status for a name that this server does not answer for (RFC 9110, 15.5.20). */
int tv_host_admitted(const struct tv_hosts *hosts, const struct tv_sender *sender, struct tv_problem *problem)
{
    const char *host = sender->host;
    if (host == NULL || (!hosts->loopback && hosts->n == 0) || tv_host_is_here(host) || is_listed(hosts, host))
        return 1;
    tv_problem(problem, 421, "this server does not answer to the name \"%.100s\"", host);
    tv_problem_hint(problem, "ask for 127.0.0.1 or localhost, or start the server with that name in --allowed-host "
                             "(TRIVET_ALLOWED_HOST)");
    return 0;
}

/* A browser sends "none" for an address that its user typed, and "same-origin" for our own pages. "same-site" is
 * refused, too: a site is no more than a domain and a scheme, so another port of this machine would be of it.
 * Programs send no such header. */
int tv_site_admitted(const struct tv_sender *sender, int is_page, struct tv_problem *problem)
{
    const char *site = sender->fetch_site, *mode = sender->fetch_mode;
    if (site == NULL || (strcasecmp(site, "cross-site") != 0 && strcasecmp(site, "same-site") != 0))
        return 1;
    if (is_page && mode && strcasecmp(mode, "navigate") == 0)
        return 1;
    tv_problem(problem, 403, "this is not answered to the pages of other sites");
    tv_problem_hint(problem,
                    "ask from a page of this server or from a program; a proxy can let a site in (docs/nginx.conf)");
    return 0;
}

/* Names of the proxies and networks that are common, as no header is sent by all of them; a plain proxy that adds
 * none is not seen (permission.h). */
int tv_is_proxy_header(const char *name)
{
    static const char *const whole[] = {"Via",         "Forwarded",           "CDN-Loop",       "X-Real-IP",
                                        "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "Fastly-Client-IP"};
    static const char *const begin[] = {"X-Forwarded", "X-Original-", "X-Envoy-", "X-Amzn-",
                                        "X-Amz-Cf-",   "X-Azure-",    "CF-",      "Fly-"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcasecmp(name, whole[i]) == 0)
            return 1;
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (strncasecmp(name, begin[i], strlen(begin[i])) == 0)
            return 1;
    return 0;
}
