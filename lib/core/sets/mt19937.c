/* mt19937: the Mersenne Twister, as numpy's RandomState draws from it. The constants are those of the paper
 * (mt19937.h); datasketch draws its functions with it, and a signature must agree with datasketch's. */
#include "lib/core/sets/mt19937.h"

enum { MIDDLE = 397 };

/* The generator's state is used up, so the first draw makes a new one. */
void tv_mt19937_seed(struct tv_mt19937 *g, uint32_t seed)
{
    g->word[0] = seed;
    for (uint32_t i = 1; i < TV_MT19937_WORDS; i++)
        g->word[i] = 1812433253u * (g->word[i - 1] ^ g->word[i - 1] >> 30) + i;
    g->next = TV_MT19937_WORDS;
}

/* In place: a word needs its own old value, its neighbour's, and one that is 397 further on, which is new already from
 * place 227 on, as in the reference. */
static void twist(struct tv_mt19937 *g)
{
    uint32_t *w = g->word;
    for (int i = 0; i < TV_MT19937_WORDS; i++) {
        uint32_t y = (w[i] & 0x80000000u) | (w[(i + 1) % TV_MT19937_WORDS] & 0x7fffffffu);
        w[i] = w[(i + MIDDLE) % TV_MT19937_WORDS] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    g->next = 0;
}

uint32_t tv_mt19937_next(struct tv_mt19937 *g)
{
    if (g->next == TV_MT19937_WORDS)
        twist(g);
    uint32_t y = g->word[g->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* The mask covers the range, so fewer than half of the draws are thrown away. */
uint64_t tv_mt19937_between(struct tv_mt19937 *g, uint64_t low, uint64_t high)
{
    uint64_t range = high - 1 - low, mask = UINT64_MAX >> (range ? __builtin_clzll(range) : 63), drawn;
    do {
        uint64_t upper = tv_mt19937_next(g); /* numpy takes the upper half first */
        drawn = (upper << 32 | tv_mt19937_next(g)) & mask;
    } while (drawn > range);
    return low + drawn;
}
