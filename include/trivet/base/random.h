/* random: numbers that depend on the seed alone: splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
#ifndef TRIVET_BASE_RANDOM_H
#define TRIVET_BASE_RANDOM_H

#include <math.h>
#include <stdint.h>

/* A generator: set `state` to the seed and draw. Generators share nothing, so each thread or purpose has one of its
 * own. */
struct tv_random {
    uint64_t state;
};

static inline uint64_t tv_random_next(struct tv_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* In [0, 1). */
static inline double tv_random_real(struct tv_random *r)
{
    return (double)(tv_random_next(r) >> 11) * 0x1p-53;
}

/* In 0 .. n-1; the bias is below n / 2^64. */
static inline uint64_t tv_random_below(struct tv_random *r, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)tv_random_next(r) * n) >> 64);
}

/* Normal, mean 0, variance 1 (Box and Muller). */
static inline double tv_random_normal(struct tv_random *r)
{
    double u = 1 - tv_random_real(r), v = tv_random_real(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif
