/* permission: who may change something over HTTP. Asked by route for every request that is no GET or HEAD, and at
 * the start, when settings and address are known. permission.h has the reasons.
 */
#include "serve/web/permission.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "serve/web/admission.h"

static const char scheme[] = "Bearer ";

/* The name was checked when the settings were read, so every other one is "token". */
enum tv_writes tv_writes_from(const char *name)
{
    return strcmp(name, "local") == 0 ? TV_WRITES_LOCAL : strcmp(name, "off") == 0 ? TV_WRITES_OFF : TV_WRITES_TOKEN;
}

/* A header keeps no blanks at the ends of its value, and promises nothing about bytes beyond ASCII (RFC 9110, 5.5). */
static enum tv_status check_token(const char *token, struct tv_error *err)
{
    for (size_t i = 0; token && token[i]; i++)
        if (token[i] < '!' || token[i] > '~') {
            tv_fail(err, TV_ERR_USAGE, "the token's character %zu cannot stand in a header", i + 1);
            return tv_hint(err, "letters, digits and punctuation without blanks; `openssl rand -hex 24` makes one");
        }
    return TV_OK;
}

/* Settings that contradict each other are refused at the start, instead of one of them being passed over. */
enum tv_status tv_permission_check(const struct tv_permission *p, struct tv_error *err)
{
    if (p->writes != TV_WRITES_LOCAL)
        return check_token(p->token, err);
    if (p->token) {
        tv_fail(err, TV_ERR_USAGE, "--writes local asks for no token, but a token is set (TRIVET_TOKEN)");
        return tv_hint(err, "leave out the one or the other");
    }
    if (!p->loopback) {
        tv_fail(err, TV_ERR_USAGE, "--writes local is for a server on a loopback address, and --listen names another");
        return tv_hint(err, "listen on 127.0.0.1, or set a token (TRIVET_TOKEN) and leave out --writes");
    }
    return TV_OK;
}

/* Looks at every character that was sent, however early the two differ: otherwise the time of the answer would tell
 * how many of them are right. */
static int same_secret(const char *sent, const char *token)
{
    size_t n = strlen(token), sent_size = strlen(sent);
    unsigned difference = n != sent_size;
    for (size_t i = 0; i < sent_size; i++)
        difference |= (unsigned char)sent[i] ^ (unsigned char)token[i % n];
    return difference == 0;
}

/* The scheme's name is the same in capitals (RFC 9110, 11.1); one or more blanks may follow it. A wrong token and
 * an absent one are told apart, for people whose setting is wrong. */
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
    tv_problem_hint(problem, "send it as a header, Authorization: Bearer ..., with the value of TRIVET_TOKEN");
    return 0;
}

/* 1 if a browser says that a page of ours asked, or nothing says that a browser did. Older browsers send no
 * Sec-Fetch-Site, but an Origin with every such request; it must be http:// and the name that the request asked
 * for, which is one of this machine's by then. */
static int from_own_page(const struct tv_sender *sender)
{
    const char *site = sender->fetch_site, *origin = sender->origin;
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return 0;
    if (origin == NULL)
        return 1;
    return strncmp(origin, "http://", 7) == 0 && sender->host && strcasecmp(origin + 7, sender->host) == 0;
}

/* For a server that takes changes from this machine (--writes local). */
static int is_local(const struct tv_sender *sender, struct tv_problem *problem)
{
    if (sender->forwarded || (sender->host && !tv_host_is_here(sender->host)))
        tv_problem(problem, 403, "this server has no token, and takes changes only from programs that ask it directly");
    else if (!from_own_page(sender))
        tv_problem(problem, 403, "this server has no token, and takes no changes from the pages of other sites");
    else
        return 1;
    tv_problem_hint(
        problem,
        "start it with TRIVET_TOKEN=... instead of --writes local, and send Authorization: Bearer ... with the "
        "same value");
    return 0;
}

/* The rule of --writes local counts only with a loopback address, whatever tv_permission_check has let pass. A
 * problem that the sender cannot mend is 403; 401 asks for the token. */
int tv_may_write(const struct tv_permission *p, const struct tv_sender *sender, struct tv_problem *problem)
{
    if (p->writes == TV_WRITES_LOCAL && p->loopback)
        return is_local(sender, problem);
    if (p->writes == TV_WRITES_TOKEN && p->token)
        return has_token(p->token, sender, problem);
    tv_problem(problem, 403,
               p->writes == TV_WRITES_OFF ? "this server takes no changes"
                                          : "this server has no token, and so takes no changes");
    tv_problem_hint(
        problem,
        "start it with TRIVET_TOKEN=..., and send Authorization: Bearer ... with the same value; on a machine of "
        "one's own --writes local takes changes without (docs/operations.md)");
    return 0;
}

/* Whatever led somebody to the page, what it sends comes from the page. */
int tv_may_offer(const struct tv_permission *p, const struct tv_sender *reader, struct tv_problem *problem)
{
    struct tv_sender page = *reader;
    page.origin = page.fetch_site = NULL;
    return tv_may_write(p, &page, problem) || problem->status == 401;
}

const char *tv_permission_text(const struct tv_permission *p)
{
    return p->writes == TV_WRITES_OFF     ? "changes are not taken (--writes off)"
           : p->writes == TV_WRITES_LOCAL ? "changes are taken from every program on this machine (--writes local)"
           : p->token                     ? "changes are taken from whoever sends the token"
                                          : "changes are not taken: no token is set (TRIVET_TOKEN), and --writes local "
                                            "is not given";
}
