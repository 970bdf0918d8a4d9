/* cache: groups of witnesses that were read lately. */
#ifndef TRIVET_SIMILAR_CACHE_H
#define TRIVET_SIMILAR_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"

struct tv_similar;

/* Groups of witnesses by number, as Redis had them when they were read. */
struct tv_similar_cache {
    struct tv_similar_cached {
        char *bytes; /* NULL: not there */
        size_t size;
    } * groups; /* (n_groups) */
    int32_t n_groups;
    size_t n_bytes;
};

void tv_similar_cache_clear(struct tv_similar *s);
/* Keeps a copy; n = 0: there is no such group. Where memory is short, it is not kept. */
void tv_similar_cache_put(struct tv_similar *s, int32_t group, const char *bytes, size_t n);
/* 1, and the bytes are lent until the next call, if the group is there. They may be old. */
int tv_similar_cache_get(const struct tv_similar *s, int32_t group, struct tv_buffer *lent);

#endif
