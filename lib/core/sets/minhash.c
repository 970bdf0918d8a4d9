/* minhash: signatures of sets, bit for bit those of datasketch's original scheme (minhash.h has the formulas). An
 * item's set is the users who rated it; the index of similar items is built, asked and changed by these functions. */
#include "trivet/core/sets/minhash.h"

#include <math.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/clones.h"
#include "lib/core/sets/mt19937.h"
#include "trivet/base/buffer.h"

#define PRIME ((UINT64_C(1) << 61) - 1)
enum { SEED = 1 };

/* a is kept in halves: 32 x 32 bits is the widest product that vectors have everywhere. */
struct tv_minhash {
    int size;
    uint32_t *a_low, *a_high; /* (size) */
    uint64_t *b;              /* (size) */
    uint32_t *inverse;        /* (size) of a_low's odd part, modulo 2^32 */
};

/* How often 2 divides a. (None of the first TV_MINHASH_MAX numbers ends in 32 zeros.) */
static int twos(uint32_t a)
{
    return a ? __builtin_ctz(a) : 31;
}

/* Of an odd number, modulo 2^32: each of Newton's steps doubles the bits that are right, of which a itself has three.
 */
static uint32_t odd_inverse(uint32_t a)
{
    uint32_t x = a;
    for (int i = 0; i < 4; i++)
        x *= 2 - a * x;
    return x;
}

enum tv_status tv_minhash_create(struct tv_minhash **out, int size, struct tv_error *err)
{
    if (size < 1 || size > TV_MINHASH_MAX)
        return tv_fail(err, TV_ERR_USAGE, "a signature of %d values is asked for, but it has 1 to %d", size,
                       TV_MINHASH_MAX);
    struct tv_minhash *m = tv_alloc(1, sizeof *m, "a signature's functions", err);
    if (m == NULL)
        return TV_ERR_NO_MEMORY;
    m->size = size;
    m->a_low = tv_alloc((size_t)size, sizeof *m->a_low, "a signature's functions", err);
    m->a_high = tv_alloc((size_t)size, sizeof *m->a_high, "a signature's functions", err);
    m->b = tv_alloc((size_t)size, sizeof *m->b, "a signature's functions", err);
    m->inverse = tv_alloc((size_t)size, sizeof *m->inverse, "a signature's functions", err);
    if (!m->a_low || !m->a_high || !m->b || !m->inverse) {
        tv_minhash_free(m);
        return TV_ERR_NO_MEMORY;
    }
    struct tv_mt19937 g;
    tv_mt19937_seed(&g, SEED);
    for (int j = 0; j < size; j++) {
        uint64_t a = tv_mt19937_between(&g, 1, PRIME);
        m->a_low[j] = (uint32_t)a;
        m->a_high[j] = (uint32_t)(a >> 32);
        m->b[j] = tv_mt19937_between(&g, 0, PRIME);
        m->inverse[j] = odd_inverse(m->a_low[j] >> twos(m->a_low[j]));
    }
    *out = m;
    return TV_OK;
}

void tv_minhash_free(struct tv_minhash *m)
{
    if (m == NULL)
        return;
    free(m->a_low);
    free(m->a_high);
    free(m->b);
    free(m->inverse);
    free(m);
}

int tv_minhash_size(const struct tv_minhash *m)
{
    return m->size;
}

/* --- elements --------------------------------------------------------------------------------------------- */

/* The first four bytes of the digest, little-endian: datasketch's sha1_hash32. */
uint32_t tv_minhash_hash(const void *element, size_t n)
{
    struct sha1_ctx context;
    uint8_t digest[4];
    sha1_init(&context);
    sha1_update(&context, n, element);
    sha1_digest(&context, sizeof digest, digest);
    return digest[0] | (uint32_t)digest[1] << 8 | (uint32_t)digest[2] << 16 | (uint32_t)digest[3] << 24;
}

uint32_t tv_minhash_hash_id(int64_t id)
{
    char text[24];
    return tv_minhash_hash(text, (size_t)snprintf(text, sizeof text, "%lld", (long long)id));
}

/* --- signatures ------------------------------------------------------------------------------------------- */

/* p_j(h). The prime is taken by folding the bits from 61 on: the sum is below 2^61 + 7, so at most one prime is left in
 * it, and taking one away is adding 1 to the low 32 bits. */
static inline uint32_t permuted(uint32_t a_low, uint32_t a_high, uint64_t b, uint32_t h)
{
    uint64_t x = (uint64_t)a_low * h + ((uint64_t)a_high * h << 32) + b;
    uint64_t folded = (x & PRIME) + (x >> 61);
    return (uint32_t)folded + (folded >= PRIME);
}

void tv_minhash_clear(const struct tv_minhash *m, uint32_t *values)
{
    for (int j = 0; j < m->size; j++)
        values[j] = TV_MINHASH_EMPTY;
}

TV_CLONES int tv_minhash_update(const struct tv_minhash *m, uint32_t *values, uint32_t hash)
{
    const uint32_t *restrict a_low = m->a_low, *restrict a_high = m->a_high;
    const uint64_t *restrict b = m->b;
    uint32_t *restrict v = values;
    int changed = 0, size = m->size; /* a number of its own, or the compiler thinks it may change within the loop */
    for (int j = 0; j < size; j++) {
        uint32_t p = permuted(a_low[j], a_high[j], b[j], hash);
        changed += p < v[j];
        v[j] = p < v[j] ? p : v[j];
    }
    return changed;
}

TV_CLONES void tv_minhash_update_witness(const struct tv_minhash *m, uint32_t *values, uint32_t *witness, uint32_t hash)
{
    const uint32_t *restrict a_low = m->a_low, *restrict a_high = m->a_high;
    const uint64_t *restrict b = m->b;
    uint32_t *restrict v = values, *restrict w = witness;
    int size = m->size;
    for (int j = 0; j < size; j++) {
        uint32_t p = permuted(a_low[j], a_high[j], b[j], hash), before = v[j], witness_before = w[j];
        uint32_t tied = hash < witness_before ? hash : witness_before, least = p < before ? p : before;
        w[j] = p < before ? hash : p == before ? tied : witness_before;
        v[j] = least;
    }
}

int tv_minhash_is_empty(const struct tv_minhash *m, const uint32_t *values)
{
    for (int j = 0; j < m->size; j++)
        if (values[j] != TV_MINHASH_EMPTY)
            return 0;
    return 1;
}

/* --- witnesses -------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* O(size log size); sorting by witness and position in one key keeps the positions of each ascending. */
int tv_minhash_witnesses(const struct tv_minhash *m, const uint32_t *values, const uint32_t *witness,
                         struct tv_minhash_witness *out, uint16_t *positions)
{
    uint64_t keys[TV_MINHASH_MAX]; /* witness and position */
    int n = 0, one = 1;
    if (tv_minhash_is_empty(m, values))
        return 0;
    for (int j = 0; j < m->size; j++) {
        keys[j] = (uint64_t)witness[j] << 16 | (uint64_t)j;
        one &= witness[j] == witness[0];
    }
    if (!one) /* with a single witness, as an item of one user has, the keys ascend already */
        qsort(keys, (size_t)m->size, sizeof *keys, ascending);
    for (int i = 0; i < m->size; i++) {
        uint32_t hash = (uint32_t)(keys[i] >> 16);
        positions[i] = (uint16_t)keys[i];
        if (n == 0 || out[n - 1].hash != hash)
            out[n++] = (struct tv_minhash_witness){.hash = hash, .first = (uint16_t)i};
        out[n - 1].n++;
    }
    return n;
}

/* The low half of the sum before the prime is taken is a_low h + b_low (mod 2^32), and taking the prime adds 0 to 8 to
 * it (permuted). So nine equations a_low h = t have all solutions: where a_low = 2^s odd, t must be divisible by 2^s,
 * and h is free in its s upper bits. */
void tv_minhash_inverse(const struct tv_minhash *m, int j, uint32_t value, tv_minhash_take_hash take, void *context)
{
    int s = twos(m->a_low[j]);
    for (uint32_t added = 0; added <= 8; added++) {
        uint32_t t = value - added - (uint32_t)m->b[j];
        if (t & ((UINT32_C(1) << s) - 1))
            continue;
        uint32_t mask = UINT32_MAX >> s, h = (t >> s) * m->inverse[j] & mask;
        for (uint32_t upper = 0; upper < UINT32_C(1) << s; upper++, h += mask + 1)
            if (permuted(m->a_low[j], m->a_high[j], m->b[j], h) == value)
                take(context, h);
    }
}

/* --- similarity ------------------------------------------------------------------------------------------- */

int tv_minhash_shared(const struct tv_minhash *m, const uint32_t *a, const uint32_t *b)
{
    int shared = 0;
    for (int j = 0; j < m->size; j++)
        shared += a[j] == b[j];
    return shared;
}

double tv_minhash_estimate(int shared, int size)
{
    return (double)shared / size;
}

double tv_minhash_standard_error(double jaccard, int size)
{
    return sqrt(jaccard * (1 - jaccard) / size);
}

double tv_jaccard(const int64_t *a, size_t n_a, const int64_t *b, size_t n_b)
{
    size_t i = 0, j = 0, common = 0;
    while (i < n_a && j < n_b) {
        common += a[i] == b[j];
        int64_t x = a[i], y = b[j];
        i += x <= y;
        j += y <= x;
    }
    size_t either = n_a + n_b - common;
    return either ? (double)common / (double)either : 0;
}
