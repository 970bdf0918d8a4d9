/* varint: numbers of seven bits a byte, the lowest first; the high bit says that more follow (LEB128, as in DWARF).
 * Differences between neighbours are small, so most take one byte. */
#ifndef TRIVET_CORE_SETS_VARINT_H
#define TRIVET_CORE_SETS_VARINT_H

#include <stddef.h>
#include <stdint.h>

/* Returns what follows it; there must be room for ten bytes. */
static inline uint8_t *tv_varint_put(uint8_t *out, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        *out++ = (uint8_t)(v | 128);
    *out++ = (uint8_t)v;
    return out;
}

static inline size_t tv_varint_size(uint64_t v)
{
    return v ? (size_t)(63 - __builtin_clzll(v)) / 7 + 1 : 1;
}

static inline const uint8_t *tv_varint_get_long(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint64_t value = 0;
    for (unsigned shift = 0; p < end && shift < 35; shift += 7) {
        value |= (uint64_t)(*p & 127) << shift;
        if (*p++ < 128) {
            *v = value;
            return p;
        }
    }
    return NULL;
}

/* NULL if it does not end before `end` or takes more than five bytes, 35 bits: rows and sizes are 32 bits wide. One
 * byte is the common case and is inlined. */
static inline const uint8_t *tv_varint_get(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    if (p < end && *p < 128) {
        *v = *p;
        return p + 1;
    }
    return tv_varint_get_long(p, end, v);
}

#endif
