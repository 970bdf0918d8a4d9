/* listener: the socket on which the server takes connections. Opened here and handed to libmicrohttpd, so that a
 * failure is told in our words, and port 0 as the port that was taken.
 */
#include "serve/listen/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 }; /* connections that the kernel holds until they are taken */

/* The last colon divides; an IPv6 address, which has colons itself, stands in brackets. */
static enum tv_status split_address(const char *listen_on, char *host, size_t size, const char **port,
                                    struct tv_error *err)
{
    const char *colon = strrchr(listen_on, ':'), *end = colon;
    const char *begin = listen_on;
    if (colon && *begin == '[' && colon > begin + 1 && colon[-1] == ']')
        begin++, end--;
    if (colon == NULL || end == begin || (size_t)(end - begin) >= size || colon[1] == '\0') {
        tv_fail(err, TV_ERR_USAGE, "--listen is \"%s\", but must be HOST:PORT", listen_on);
        return tv_hint(err, "for example 127.0.0.1:5001, [::1]:5001, or 0.0.0.0:5001 for every interface");
    }
    snprintf(host, size, "%.*s", (int)(end - begin), begin);
    *port = colon + 1;
    return TV_OK;
}

/* By the socket itself, which knows the port that was taken. */
static void name_address(char *out, size_t size, int fd)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "?", port[16] = "?";
    if (getsockname(fd, (struct sockaddr *)&bound, &n) == 0)
        getnameinfo((struct sockaddr *)&bound, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, size, bound.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
}

/* All of 127.0.0.0/8 is this machine; of IPv6 ::1 alone. */
static int is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

/* The first address that the name resolves to is taken. SO_REUSEADDR lets a server start again while connections of
 * the one before are still ending. */
enum tv_status tv_listen(struct tv_listener *out, const char *text, struct tv_error *err)
{
    char host[256];
    const char *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    enum tv_status status = split_address(text, host, sizeof host, &port, err);
    if (status != TV_OK)
        return status;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return tv_fail(err, TV_ERR_USAGE, "--listen %s: %s", text, gai_strerror(code));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    int ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
             bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int why = errno;
    out->loopback = is_loopback(found->ai_addr);
    freeaddrinfo(found);
    if (ok) {
        name_address(out->address, sizeof out->address, fd);
        out->fd = fd;
        return TV_OK;
    }
    if (fd >= 0)
        close(fd);
    tv_fail(err, TV_ERR_IO, "cannot listen on %s: %s", text, strerror(why));
    return why == EADDRINUSE ? tv_hint(err, "another program uses that port: stop it, or choose another with --listen")
           : err             ? err->status
                             : TV_ERR_IO;
}
