/* rank_ids: distinct ids by a hash table (there are far fewer ids than rows); only they are sorted. Sorting all rows
 * would cost O(n log n) for n ratings; this is O(n) and a sort of the ids. */
#include "lib/core/rank_ids.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

/* Open addressing with linear probing; at most half of the places are taken. place[h] - 1 indexes `ids`. */
struct id_table {
    int64_t *ids;    /* (n), in the order they were first seen */
    uint32_t *place; /* (mask + 1) */
    size_t n, mask;
};

static void table_free(struct id_table *t)
{
    free(t->ids);
    free(t->place);
    memset(t, 0, sizeof *t);
}

/* Multiplicative hashing with a final mix, so that ids in arithmetic progression spread, too. */
static size_t hash_id(int64_t id)
{
    uint64_t x = (uint64_t)id * 0x9e3779b97f4a7c15u;
    return (size_t)(x ^ x >> 32);
}

/* The place of `id`, or the free place where it belongs. */
static uint32_t *find_place(const struct id_table *t, int64_t id)
{
    size_t h = hash_id(id) & t->mask;
    while (t->place[h] != 0 && t->ids[t->place[h] - 1] != id)
        h = (h + 1) & t->mask;
    return &t->place[h];
}

/* Places as uint32_t suffice: there are at most 2^31-1 ids, which number_ids sees to. */
static enum tv_status table_grow(struct id_table *t, struct tv_error *err)
{
    size_t places = t->place ? 2 * (t->mask + 1) : 1024;
    int64_t *ids = realloc(t->ids, places / 2 * sizeof *ids);
    if (ids)
        t->ids = ids;
    uint32_t *place = ids ? calloc(places, sizeof *place) : NULL;
    if (place == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: a table of %zu ids", places / 2);
    free(t->place);
    t->place = place;
    t->mask = places - 1;
    for (size_t i = 0; i < t->n; i++)
        *find_place(t, t->ids[i]) = (uint32_t)i + 1;
    return TV_OK;
}

/* Writes to seen[i] which of the distinct ids ids[i] is, in the order of first appearance. */
static enum tv_status number_ids(struct id_table *t, int32_t *seen, const int64_t *ids, size_t n,
                                 const char *what, struct tv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && ids[i] == ids[i - 1]) { /* rows mostly come sorted by user */
            seen[i] = seen[i - 1];
            continue;
        }
        if (t->place == NULL || 2 * (t->n + 1) > t->mask + 1) {
            enum tv_status status = table_grow(t, err);
            if (status != TV_OK)
                return status;
        }
        uint32_t *place = find_place(t, ids[i]);
        if (*place == 0) {
            if (t->n == INT32_MAX)
                return tv_fail(err, TV_ERR_INPUT, "more than %d %s", INT32_MAX, what);
            t->ids[t->n++] = ids[i];
            *place = (uint32_t)t->n;
        }
        seen[i] = (int32_t)(*place - 1);
    }
    return TV_OK;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* *sorted gets the table's ids, ascending; rank[i] the place of the i-th seen among them. */
static enum tv_status sort_ids(const struct id_table *t, int64_t **sorted, int32_t **rank, const char *what,
                               struct tv_error *err)
{
    *sorted = tv_alloc(t->n, sizeof **sorted, what, err);
    *rank = tv_alloc(t->n, sizeof **rank, what, err);
    if (*sorted == NULL || *rank == NULL)
        return TV_ERR_NO_MEMORY;
    if (t->n > 0)
        memcpy(*sorted, t->ids, t->n * sizeof **sorted);
    qsort(*sorted, t->n, sizeof **sorted, ascending);
    for (size_t i = 0; i < t->n; i++)
        (*rank)[*find_place(t, (*sorted)[i]) - 1] = (int32_t)i;
    return TV_OK;
}

enum tv_status tv_rank_ids(int64_t **sorted, int32_t *n_sorted, int32_t **dense, const int64_t *ids, size_t n,
                           const char *what, struct tv_error *err)
{
    /* *dense holds numbers in the order of first appearance until the ids are sorted, and is then translated in
     * place. */
    struct id_table t = {0};
    int32_t *rank = NULL;
    *sorted = NULL;
    *dense = tv_alloc(n, sizeof **dense, what, err);
    enum tv_status status = *dense ? number_ids(&t, *dense, ids, n, what, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = sort_ids(&t, sorted, &rank, what, err);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        (*dense)[i] = rank[(*dense)[i]];
    *n_sorted = (int32_t)t.n;
    free(rank);
    table_free(&t);
    if (status != TV_OK) {
        free(*sorted);
        free(*dense);
        *sorted = NULL;
        *dense = NULL;
    }
    return status;
}
