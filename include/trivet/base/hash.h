/* hash: 64-bit FNV-1a (Fowler, Noll, Vo), for checksums of what is stored and fingerprints of what was read.
 * It finds accidents, not attackers. */
#ifndef TRIVET_BASE_HASH_H
#define TRIVET_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TV_HASH_START UINT64_C(14695981039346656037)

/* Feeds n bytes into a running hash that began as TV_HASH_START. */
static inline uint64_t tv_hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

/* The same idea eight bytes a step, for what is compared while programs run and never stored: a byte at a time takes
 * longer than writing the answer that an ETag is for. */
static inline uint64_t tv_hash_words(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t word;
    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        h = (h ^ word) * UINT64_C(1099511628211);
        h ^= h >> 32;
    }
    return tv_hash(h, p, n);
}

#endif
