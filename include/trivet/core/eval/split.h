/* split: which ratings are learned from, and which are kept apart to judge by.
 *
 * Three ways, each a function of the pairs and the options alone:
 *
 * random  Pair number i (from zero, in the order of user and item) draws u_i in [0, 1): output i of splitmix64 started
 *         at `seed`, its upper 53 bits times 2^-53. It is test if u_i < test, validation if u_i < test + validation,
 *         training otherwise. So a portion has about its share of the pairs, not exactly.
 * time    The newest pairs are test, those before them validation. Pairs of the same second stay together: with m =
 *         round(test n), test is every pair later than the (m + 1)-newest one, at most m of them; validation likewise
 *         with round((test + validation) n). So everything in test is later than all that is learned from.
 * last    The last `last` pairs of each user, by time, then by item id, are test. Users with `last` pairs or fewer
 *         keep all of theirs in training.
 */
#ifndef TRIVET_CORE_EVAL_SPLIT_H
#define TRIVET_CORE_EVAL_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/ratings.h"

/* Ratings, ascending by (user, item), a pair once; everything lent. */
struct tv_pairs {
    size_t n;
    const int64_t *user, *item; /* (n) raw ids */
    const float *value;         /* (n) */
    const double *time;         /* (n) seconds since 1970; NaN: none. NULL: none has one */
};

enum tv_portion { TV_TRAINING, TV_TEST, TV_VALIDATION, TV_PORTIONS };
enum tv_split_kind { TV_SPLIT_RANDOM, TV_SPLIT_TIME, TV_SPLIT_LAST };

struct tv_split_options {
    enum tv_split_kind kind;
    double test;       /* random, time: its share of the pairs, above 0 */
    double validation; /* random, time: 0 or its share; both together are below 1 */
    int64_t last;      /* last: pairs of each user, 1 or more */
    uint64_t seed;     /* random */
};
void tv_split_defaults(struct tv_split_options *o); /* random, a fifth, no validation; last 5; seed 1 */

/* Made by tv_split, for the very pairs it was given: portion[i] is that of pair i. */
struct tv_split {
    uint8_t *portion;      /* (n) an enum tv_portion for each pair */
    size_t n[TV_PORTIONS]; /* pairs of each portion */
};

/* TV_ERR_USAGE for options out of range; TV_ERR_INPUT for pairs out of order, for time and last where a pair has no
 * time, and where training, test, or a validation that was asked for ends up empty. *out is then empty. */
enum tv_status tv_split(struct tv_split *out, const struct tv_pairs *pairs, const struct tv_split_options *options,
                        struct tv_error *err);
void tv_split_free(struct tv_split *s); /* also makes it empty */

/* Marks a fraction of n pairs with 1, the others with 0: pair i is in it if output i of splitmix64 started at seed + 1,
 * its upper 53 bits times 2^-53, is below `fraction`. So a smaller fraction lies within every larger one. */
void tv_split_thin(uint8_t *marks, size_t n, double fraction, uint64_t seed);

/* The pairs of one portion as a matrix over dense indices of their own. For TV_TRAINING, these are the indices that
 * evaluation uses throughout. */
enum tv_status tv_split_matrix(struct tv_matrix *out, const struct tv_pairs *pairs, const struct tv_split *split,
                               enum tv_portion portion, struct tv_error *err);

#endif
