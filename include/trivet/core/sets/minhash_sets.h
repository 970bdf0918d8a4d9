/* minhash_sets: the signatures of many items at once, from pairs of user and item in any order, on all cores.
 *
 * Each user is hashed once, however often they come. Takes 8 bytes x size and some 20 more an item, and some 40 a user.
 */
#ifndef TRIVET_CORE_SETS_MINHASH_SETS_H
#define TRIVET_CORE_SETS_MINHASH_SETS_H

#include "trivet/core/id_map.h"
#include "trivet/core/sets/minhash.h"

/* All signatures in memory, row by row. Fill by tv_minhash_sets_add; values and witness are complete after
 * tv_minhash_sets_finish, and move when items are added. Used by one thread, which lets others help within a call. */
struct tv_minhash_sets {
    struct tv_minhash *functions;
    struct tv_id_map items;     /* row r is the item items.ids[r] */
    uint32_t *values, *witness; /* (items.n, size), row-major; see minhash.h */
    struct tv_id_map users;
    uint32_t *hashes;               /* (users.n) */
    int64_t n_pairs;                /* added so far, repeats included */
    struct tv_minhash_batch *batch; /* pairs that wait for a core */
    int32_t room, user_room;        /* rows and users that fit */
    int threads;
};

/* threads 0: one a core. */
enum tv_status tv_minhash_sets_create(struct tv_minhash_sets *s, int size, int threads, struct tv_error *err);
/* A user whose element is a code, and not the decimal text of the id. Before the first pair with that user. */
enum tv_status tv_minhash_sets_name(struct tv_minhash_sets *s, int64_t user, const char *code, size_t n,
                                    struct tv_error *err);
enum tv_status tv_minhash_sets_add(struct tv_minhash_sets *s, int64_t user, int64_t item, struct tv_error *err);
/* Works off what waits: from then on values and witness are those of all pairs. More pairs may follow. */
void tv_minhash_sets_finish(struct tv_minhash_sets *s);
void tv_minhash_sets_free(struct tv_minhash_sets *s); /* also makes it empty */

static inline uint32_t *tv_minhash_sets_values(const struct tv_minhash_sets *s, int32_t row)
{
    return s->values + (size_t)row * (size_t)tv_minhash_size(s->functions);
}

static inline uint32_t *tv_minhash_sets_witness(const struct tv_minhash_sets *s, int32_t row)
{
    return s->witness + (size_t)row * (size_t)tv_minhash_size(s->functions);
}

#endif
