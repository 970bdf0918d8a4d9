/* cache: witnesses that were read lately, so that most questions take one round trip instead of two. Nothing has to
 * be told when they change: a question asked with old ones finds that the item does not share all values with itself
 * (ask.c), and reads them again.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/similar/cache.h"
#include "lib/similar/inside.h"

#define MOST_BYTES ((size_t)4 << 20) /* then everything is forgotten, and read again as it is asked for */

void tv_similar_cache_clear(struct tv_similar *s)
{
    struct tv_similar_cache *c = &s->cache;
    for (int32_t i = 0; i < c->n_groups; i++)
        free(c->groups[i].bytes);
    free(c->groups);
    *c = (struct tv_similar_cache){0};
}

/* Half as many again as are needed, so that rows that come in turn do not copy the array each time. 0 where memory is
 * short. */
static int make_room(struct tv_similar_cache *c, int32_t group)
{
    int32_t n = group + 1 + group / 2;
    if (group < c->n_groups)
        return 1;
    struct tv_similar_cached *grown = realloc(c->groups, (size_t)n * sizeof *grown);
    if (grown == NULL)
        return 0;
    memset(grown + c->n_groups, 0, (size_t)(n - c->n_groups) * sizeof *grown);
    c->groups = grown;
    c->n_groups = n;
    return 1;
}

/* A group that is gone, or not kept for want of memory, also takes the place of what was kept before: old bytes must
 * not stay. */
void tv_similar_cache_put(struct tv_similar *s, int32_t group, const char *bytes, size_t n)
{
    struct tv_similar_cache *c = &s->cache;
    if (c->n_bytes + n > MOST_BYTES)
        tv_similar_cache_clear(s);
    char *copy = n > 0 && n <= MOST_BYTES && make_room(c, group) ? malloc(n) : NULL;
    if (copy)
        memcpy(copy, bytes, n);
    if (group >= c->n_groups)
        return;
    struct tv_similar_cached *g = &c->groups[group];
    c->n_bytes += (copy ? n : 0) - (g->bytes ? g->size : 0);
    free(g->bytes);
    *g = (struct tv_similar_cached){.bytes = copy, .size = n};
}

int tv_similar_cache_get(const struct tv_similar *s, int32_t group, struct tv_buffer *lent)
{
    const struct tv_similar_cache *c = &s->cache;
    if (group >= c->n_groups || c->groups[group].bytes == NULL)
        return 0;
    *lent = (struct tv_buffer){.data = c->groups[group].bytes, .size = c->groups[group].size};
    return 1;
}
