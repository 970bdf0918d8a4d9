/* named: counts the things that something could not be done for, and keeps the names of the first few. Ten thousand
 * rows that are wrong in the same way make one line of log this way instead of ten thousand. */
#include "trivet/base/named.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAMED = 5 };

/* A name that might leave no room for ", ..." is not added: the dots tell that there are more. Once they stand nothing
 * follows them. */
void tv_named_add(struct tv_named *n, const char *name, const char *why)
{
    size_t length = strlen(n->names), room = sizeof n->names - length;
    if (n->n < NAMED && strlen(name) + sizeof ", , ..." <= room)
        snprintf(n->names + length, room, "%s%s", n->n ? ", " : "", name);
    else if (room > sizeof ", ..." && strcmp(n->names + (length > 3 ? length - 3 : 0), "...") != 0)
        snprintf(n->names + length, room, "%s...", n->n ? ", " : "");
    if (n->n++ == 0)
        snprintf(n->why, sizeof n->why, "%s", why ? why : "");
}

void tv_named_add_int(struct tv_named *n, int64_t name, const char *why)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, name);
    tv_named_add(n, text, why);
}
