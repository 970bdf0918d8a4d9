/* address: how much of a store's address may be said. The three adapters of lib/store check and mask addresses with it,
 * and the command line of lib/cli cuts words that may hold one. */
#include "trivet/base/address.h"

#include <string.h>

int tv_address_is_clear(const char *uri)
{
    const char *authority = strstr(uri, "://");
    if (authority == NULL)
        return 0;
    authority += 3;
    const char *at = strchr(authority, '@');
    return at == NULL || (strchr(at + 1, '@') == NULL && authority + strcspn(authority, "/") > at);
}

/* The hint lists the characters to escape, because a password with one of them makes an address that cannot be read
 * (RFC 3986, section 2.1, has the escapes). */
enum tv_status tv_address_refuse(struct tv_error *err, const char *store, const char *setting, const char *example)
{
    tv_fail(err, TV_ERR_USAGE, "the %s address in %s cannot be read", store, setting);
    return tv_hint(err,
                   "it looks like %s; in a user or a password write @ as %%40, : as %%3A, / as %%2F, ? as %%3F, # as %%23, "
                   "%% as %%25, and [ ] as %%5B %%5D",
                   example);
}

void tv_address_mask(char *text, const char *secret)
{
    size_t n = secret ? strlen(secret) : 0, stars = n < 3 ? n : 3;
    /* A secret of one or two bytes gets as many stars, so the text never grows and needs no room beyond its own. */
    while (n > 0 && (text = strstr(text, secret)) != NULL) {
        memset(text, '*', stars);
        memmove(text + stars, text + n, strlen(text + n) + 1);
        text += stars;
    }
}

int tv_address_shown(const char *word)
{
    const char *scheme = strstr(word, "://");
    size_t n = strcspn(word, "=");
    return (int)(scheme && (size_t)(scheme - word) < n ? (size_t)(scheme - word) : n);
}
