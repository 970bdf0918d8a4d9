/* evidence: all ratings of all users, user after user, repeated pairs averaged. Users are folded in from it: those that
 * a model was learned from and those that it was not.
 *
 * 12 bytes a pair, 24 a user and 16 a repeated pair. Rows must come in (user, item) order.
 */
#ifndef TRIVET_CORE_EVIDENCE_H
#define TRIVET_CORE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* Begins as TV_EVIDENCE_INIT; all arrays are owned and grow as rows are added. Capacities are counted in entries. */
struct tv_evidence {
    size_t n_users, n_pairs;
    int64_t *users;  /* (n_users) raw ids, ascending */
    size_t *start;   /* (n_users + 1): user u has pairs start[u] .. start[u + 1] - 1 */
    int64_t *items;  /* (n_pairs) raw ids, ascending within a user */
    float *ratings;  /* (n_pairs) the mean of the pair's rows */
    int64_t *user_rows; /* (n_users) the user's rows: a pair counts as often as it stands there */
    struct tv_repeat {
        size_t pair;
        int64_t more;   /* rows beyond the first */
    } *repeats;         /* (n_repeats) the pairs of several rows, ascending */
    size_t n_repeats, user_capacity, pair_capacity, repeat_capacity;
    double sum;      /* of the ratings of the last pair's rows, whose mean changes with each */
    int64_t n_rows;  /* how many rows the last pair has so far */
};

#define TV_EVIDENCE_INIT {0}

/* Adds a row. The mean is taken in float64 and rounded once, as avg(real)::real does in SQL. TV_ERR_INPUT for a row out
 * of order. After a failure `e` is good for tv_evidence_free alone. */
enum tv_status tv_evidence_add(struct tv_evidence *e, int64_t user, int64_t item, float rating, struct tv_error *err);
/* How many rows, not pairs, each item has: *items (n, ascending) and *rows (n) are malloc'ed. */
enum tv_status tv_evidence_item_rows(const struct tv_evidence *e, int64_t **items, int64_t **rows, int32_t *n,
                                     struct tv_error *err);
/* The lowest and the highest rating, a pair's mean where it stands more than once; both 0 without a pair. */
void tv_evidence_scale(const struct tv_evidence *e, float *low, float *high);
/* The step between the ratings: the largest such that each lies a whole number of steps above the lowest; 0 where there
 * is none, as with a single value or with more than 100 different ones. Pairs of several rows, which are means, have no
 * part in it, nor has a value of fewer than one pair in a thousand, unless it is the lowest or the highest. */
double tv_evidence_step(const struct tv_evidence *e);
/* Of `e` the pairs whose mark is `wanted`, each with as many rows as it has there. `out` is empty before. */
enum tv_status tv_evidence_pick(struct tv_evidence *out, const struct tv_evidence *e, const uint8_t *marks, uint8_t wanted,
                                struct tv_error *err);
void tv_evidence_free(struct tv_evidence *e); /* also makes it empty */

#endif
