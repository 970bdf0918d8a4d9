/* splitmix: the i-th output of splitmix64 (Steele, Lea and Flood, OOPSLA 2014) without the ones before it, so that a
 * draw depends on a seed and a place, and never on which thread came first. */
#ifndef TRIVET_CORE_SPLITMIX_H
#define TRIVET_CORE_SPLITMIX_H

#include <stdint.h>

/* Output i, from zero, of the generator started at `seed`. */
static inline uint64_t tv_splitmix_at(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* In [0, 1): the upper 53 bits. */
static inline double tv_splitmix_real(uint64_t x)
{
    return (double)(x >> 11) * 0x1p-53;
}

/* In 0 .. n-1; the bias is below n / 2^64. */
static inline uint64_t tv_splitmix_below(uint64_t x, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)x * n) >> 64);
}

#endif
