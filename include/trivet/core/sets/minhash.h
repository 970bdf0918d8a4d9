/* minhash: short signatures of sets, whose agreement estimates the Jaccard similarity |A and B| / |A or B|
 * (Broder, 1997).
 *
 * Value j of a set's signature is the least of p_j(h(x)) over its elements x. The values are those of Python's
 * datasketch in its original scheme (scheme="legacy" there), bit for bit:
 *
 *   h(x)   the first four bytes of SHA-1(x), little endian
 *   p_j(h) = ((a_j h + b_j mod 2^64) mod 2^61 - 1) mod 2^32: the sum wraps at 2^64 before the prime is taken
 *   a_j, b_j drawn in turn by numpy's RandomState(1), a from 1 and b from 0, below 2^61 - 1
 *
 * So signatures of different lengths begin alike. An element is a text: the decimal digits of a user's own id, or the
 * user's code. Order and repeats of elements change nothing.
 *
 * An element whose p_j is the least somewhere is a witness. The witnesses of a set, at most one a value, have the same
 * signature as the set, and are few where the set is small: that is how signatures are stored.
 */
#ifndef TRIVET_CORE_SETS_MINHASH_H
#define TRIVET_CORE_SETS_MINHASH_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* Every value of the empty set's signature. */
#define TV_MINHASH_EMPTY UINT32_MAX

enum { TV_MINHASH_SIZE = 128, TV_MINHASH_MAX = 4096 }; /* values of a signature: the default, and the most */

struct tv_minhash; /* the functions p_0 .. p_{size-1}; never changes, so threads may share it */

/* TV_ERR_USAGE unless size is 1 .. TV_MINHASH_MAX. */
enum tv_status tv_minhash_create(struct tv_minhash **out, int size, struct tv_error *err);
void tv_minhash_free(struct tv_minhash *m); /* NULL is fine */
int tv_minhash_size(const struct tv_minhash *m);

/* h of an element: n bytes, or the decimal text of an id. */
uint32_t tv_minhash_hash(const void *element, size_t n);
uint32_t tv_minhash_hash_id(int64_t id);

/* The signature of the empty set into values (size). */
void tv_minhash_clear(const struct tv_minhash *m, uint32_t *values);
/* Adds an element by its hash to values (size). Returns how many of them changed. */
int tv_minhash_update(const struct tv_minhash *m, uint32_t *values, uint32_t hash);
/* The same, and keeps in witness (size) the hash that each value comes from; of equal values the smaller hash, so that
 * the order of elements does not matter. Both start as tv_minhash_clear leaves them. */
void tv_minhash_update_witness(const struct tv_minhash *m, uint32_t *values, uint32_t *witness, uint32_t hash);
/* 1 for the signature of the empty set. */
int tv_minhash_is_empty(const struct tv_minhash *m, const uint32_t *values);

/* A witness of a signature, and the n positions, from `first` on in an array beside it, whose values come from it. */
struct tv_minhash_witness {
    uint32_t hash;
    uint16_t first, n;
};
/* The distinct witnesses of a signature (size), ascending, into out (size), and the positions of each, ascending, into
 * positions (size); returns how many there are. */
int tv_minhash_witnesses(const struct tv_minhash *m, const uint32_t *values, const uint32_t *witness,
                         struct tv_minhash_witness *out, uint16_t *positions);

/* Tells of every hash h with p_j(h) = value, one after the other: few, as p_j is much like a random function. */
typedef void (*tv_minhash_take_hash)(void *context, uint32_t hash);
void tv_minhash_inverse(const struct tv_minhash *m, int j, uint32_t value, tv_minhash_take_hash take, void *context);

/* In how many places two signatures (size) agree. */
int tv_minhash_shared(const struct tv_minhash *m, const uint32_t *a, const uint32_t *b);
/* The estimate of the Jaccard similarity, shared / size, and its standard error sqrt(J (1 - J) / size). */
double tv_minhash_estimate(int shared, int size);
double tv_minhash_standard_error(double jaccard, int size);

/* The true similarity of two sets of ascending, distinct ids; 0 for two empty sets. */
double tv_jaccard(const int64_t *a, size_t n_a, const int64_t *b, size_t n_b);

#endif
