/* permission: who may change something over HTTP. */
#include "permission.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "Bearer ";

enum tv_status tv_token_check(const char *token, struct tv_error *err)
{
    for (size_t i = 0; token && token[i]; i++)
        if (token[i] < '!' || token[i] > '~') {
            tv_fail(err, TV_ERR_USAGE, "the token's character %zu cannot stand in a header", i + 1);
            tv_hint(err, "letters, digits and punctuation without blanks; `openssl rand -hex 24` makes one");
            return TV_ERR_USAGE;
        }
    return TV_OK;
}

/* Looks at every character of what was sent, however early the two differ. */
static int same_secret(const char *sent, const char *token)
{
    size_t n = strlen(token), sent_size = strlen(sent);
    unsigned difference = n != sent_size;
    for (size_t i = 0; i < sent_size; i++)
        difference |= (unsigned char)sent[i] ^ (unsigned char)token[i % n];
    return difference == 0;
}

static int has_token(const char *token, const struct tv_sender *sender, struct tv_problem *problem)
{
    const char *sent = sender->authorization;
    if (sent && strncasecmp(sent, scheme, strlen(scheme)) == 0) {
        sent += strlen(scheme);
        if (same_secret(sent + strspn(sent, " "), token))
            return 1;
        tv_problem(problem, 401, "the token that was sent is not this server's");
    } else {
        tv_problem(problem, 401, "changing something here takes this server's token");
    }
    snprintf(problem->hint, sizeof problem->hint,
             "send it as a header, Authorization: Bearer ..., with the value of TRIVET_TOKEN");
    return 0;
}

/* "127.0.0.1:5001", "localhost", "[::1]:5001". */
static int is_this_machine(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (strncasecmp(host, names[i], n) == 0 && (host[n] == '\0' || host[n] == ':'))
            return 1;
    }
    return 0;
}

/* 1 if a browser says that a page of ours asked, or nothing says that a browser did. */
static int from_own_page(const struct tv_sender *sender)
{
    const char *site = sender->fetch_site, *origin = sender->origin;
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return 0;
    if (origin == NULL)
        return 1;
    return strncmp(origin, "http://", 7) == 0 && sender->host && strcasecmp(origin + 7, sender->host) == 0;
}

int tv_may_write(const struct tv_permission *p, const struct tv_sender *sender, struct tv_problem *problem)
{
    if (p->token)
        return has_token(p->token, sender, problem);
    if (!p->loopback)
        tv_problem(problem, 403, "this server has no token, and takes changes over a loopback address only");
    else if (sender->forwarded || (sender->host && !is_this_machine(sender->host)))
        tv_problem(problem, 403, "this server has no token, and takes changes only from programs that ask it directly");
    else if (!from_own_page(sender))
        tv_problem(problem, 403, "this server has no token, and takes no changes from the pages of other sites");
    else
        return 1;
    snprintf(problem->hint, sizeof problem->hint,
             "start it with TRIVET_TOKEN=..., and send Authorization: Bearer ... with the same value");
    return 0;
}

const char *tv_permission_text(const struct tv_permission *p)
{
    return p->token      ? "changes are taken from whoever sends the token"
           : p->loopback ? "changes are taken from every program on this machine: no token is set (TRIVET_TOKEN)"
                         : "changes are not taken: no token is set (TRIVET_TOKEN), and this is no loopback address";
}
