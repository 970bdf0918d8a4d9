/* mt19937: the Mersenne Twister of Matsumoto and Nishimura (1998), seeded as numpy's RandomState(seed) seeds it. For
 * numbers that have to be the same as numpy's; elsewhere splitmix.h is smaller. */
#ifndef TRIVET_CORE_SETS_MT19937_H
#define TRIVET_CORE_SETS_MT19937_H

#include <stdint.h>

enum { TV_MT19937_WORDS = 624 };

/* 624 words of state and the place of the next one to hand out; 624: all are used up. */
struct tv_mt19937 {
    uint32_t word[TV_MT19937_WORDS];
    int next;
};

void tv_mt19937_seed(struct tv_mt19937 *g, uint32_t seed);
uint32_t tv_mt19937_next(struct tv_mt19937 *g);
/* RandomState.randint(low, high, dtype=uint64): uniform in low .. high - 1, by masking and drawing again. The same as
 * numpy's where the range has more than 2^32 numbers: of smaller ones numpy draws 32 bits at a time. */
uint64_t tv_mt19937_between(struct tv_mt19937 *g, uint64_t low, uint64_t high);

#endif
