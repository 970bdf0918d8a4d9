/* ratings: rows (user, item, rating) become a matrix over dense indices.
 *
 * Raw ids are any int64. The dense index of a user (item) is the rank of its id among the sorted unique ids,
 * from zero; the sorted arrays are the way back. Rows may come in any order; a pair may come once only.
 */
#ifndef TRIVET_CORE_RATINGS_H
#define TRIVET_CORE_RATINGS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/csr.h"

struct tv_ratings; /* collects rows; 20 bytes a row */

enum tv_status tv_ratings_create(struct tv_ratings **out, struct tv_error *err);
void tv_ratings_free(struct tv_ratings *r);
enum tv_status tv_ratings_add(struct tv_ratings *r, int64_t user, int64_t item, float rating, struct tv_error *err);
size_t tv_ratings_count(const struct tv_ratings *r);

/* Ratings as a sparse matrix, with the ids of its rows and columns; all arrays are owned. */
struct tv_matrix {
    int64_t *users;    /* (csr.n_rows) raw user ids, ascending */
    int64_t *items;    /* (csr.n_cols) raw item ids, ascending */
    struct tv_csr csr; /* (users, items) */
};

/* Makes the matrix and empties `r` as it goes, so that both are never whole in memory at the same time; `r` is empty
 * after a failure, too. A repeated pair is TV_ERR_INPUT and names the pair; more than 2^31-1 users or items, too. */
enum tv_status tv_ratings_matrix(struct tv_matrix *out, struct tv_ratings *r, struct tv_error *err);
void tv_matrix_free(struct tv_matrix *d);

/* Binary search in n ascending ids: the dense index, or -1. */
int64_t tv_dense_find(const int64_t *ids, size_t n, int64_t id);

/* The same for millions of questions: ids that lie close enough together get a table from id to dense index, others
 * are searched. A table takes at most 4 bytes x (64 n + 65,536). */
struct tv_dense_map {
    const int64_t *ids; /* (n), lent */
    size_t n;
    int32_t *place; /* (n_places) dense index of the id ids[0] + i, or -1; NULL: search */
    size_t n_places;
};
void tv_dense_map_create(struct tv_dense_map *out, const int64_t *ids, size_t n); /* without memory it searches */
void tv_dense_map_free(struct tv_dense_map *m);

static inline int64_t tv_dense_map_find(const struct tv_dense_map *m, int64_t id)
{
    if (m->place == NULL)
        return tv_dense_find(m->ids, m->n, id);
    uint64_t offset = (uint64_t)id - (uint64_t)m->ids[0];
    return offset < m->n_places ? m->place[offset] : -1;
}

#endif
