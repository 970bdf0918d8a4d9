/* names: the keys of an index in Redis, and the command that asks for many of its lists at once. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/similar/inside.h"

/* The braces are literal: Redis Cluster keeps keys with the same text between them on one node, so MSET and MULTI may
 * name several. */
char *tv_similar_key(char *out, int64_t version, const char *suffix)
{
    snprintf(out, TV_SIMILAR_KEY, "trivet:similar:{%" PRId64 "}%s", version, suffix);
    return out;
}

char *tv_similar_sets_key(char *out, int64_t version, int32_t row)
{
    snprintf(out, TV_SIMILAR_KEY, "trivet:similar:{%" PRId64 "}:sets:%d", version, (int)(row / TV_SIMILAR_GROUP));
    return out;
}

/* Decimal digits at p; returns what follows them. */
static char *put_number(char *p, uint64_t number)
{
    char digits[20];
    int n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

/* By hand: a question names up to 128 pages, and snprintf took a sixth of its time. */
char *tv_similar_page_key(char *out, int64_t version, uint32_t page)
{
    static const char before[] = "trivet:similar:{", between[] = "}:page:";
    char *p = put_number(mempcpy(out, before, sizeof before - 1), (uint64_t)version);
    *put_number(mempcpy(p, between, sizeof between - 1), page) = '\0';
    return out;
}

char *tv_similar_heavy_key(char *out, int64_t version, uint32_t witness, int position)
{
    snprintf(out, TV_SIMILAR_KEY, "trivet:similar:{%" PRId64 "}:heavy:%u:%d", version, witness, position);
    return out;
}

/* The name was put at s->names[*n]; the command's first word is its own name, so words begin at 1. */
static void add_name(struct tv_similar *s, size_t *n)
{
    s->words[1 + *n] = s->names[*n];
    s->word_sizes[1 + *n] = strlen(s->names[*n]);
    ++*n;
}

/* Witnesses ascend, and pages with them, so it is enough to remember the last one. */
void tv_similar_add_page(struct tv_similar *s, uint32_t witness, uint32_t *last, size_t *n)
{
    uint32_t page = tv_similar_page_of(witness, s->pages);
    if (page == *last)
        return;
    *last = page;
    tv_similar_page_key(s->names[*n], s->version, page);
    add_name(s, n);
}

void tv_similar_add_heavy(struct tv_similar *s, uint32_t witness, int position, size_t *n)
{
    tv_similar_heavy_key(s->names[*n], s->version, witness, position);
    add_name(s, n);
}

enum tv_status tv_similar_queue_lists(struct tv_similar *s, size_t n, struct tv_error *err)
{
    s->words[0] = "MGET";
    s->word_sizes[0] = 4;
    return tv_redis_queue(s->redis, 1 + n, s->words, s->word_sizes, err);
}
