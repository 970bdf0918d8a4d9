/* ratings: collects rows, then makes the matrix in three passes that free what they have used.
 *
 * The unique ids go through a hash table (there are far fewer ids than rows) and only they are sorted. The
 * matrix is made by two counting sorts: by item into the transposed matrix, and from there by user, which
 * leaves the columns of each row ascending whatever the order of the rows was.
 */
#include "trivet/ratings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/buffer.h"

struct tv_ratings {
    int64_t *user, *item; /* (capacity) */
    float *value;         /* (capacity) */
    size_t n, capacity;
};

enum tv_status tv_ratings_create(struct tv_ratings **out, struct tv_error *err)
{
    *out = tv_alloc(1, sizeof **out, "ratings", err);
    return *out ? TV_OK : TV_ERR_NO_MEMORY;
}

void tv_ratings_free(struct tv_ratings *r)
{
    if (r == NULL)
        return;
    free(r->user);
    free(r->item);
    free(r->value);
    free(r);
}

size_t tv_ratings_count(const struct tv_ratings *r)
{
    return r->n;
}

static int grow_one(void **array, size_t n, size_t size)
{
    void *grown = n > SIZE_MAX / size ? NULL : realloc(*array, n * size);
    if (grown == NULL)
        return 0;
    *array = grown;
    return 1;
}

static enum tv_status grow(struct tv_ratings *r, struct tv_error *err)
{
    size_t n = r->capacity + r->capacity / 2 + 4096;
    void *user = r->user, *item = r->item, *value = r->value;
    int ok = grow_one(&user, n, sizeof *r->user) && grow_one(&item, n, sizeof *r->item) &&
             grow_one(&value, n, sizeof *r->value);
    r->user = user;
    r->item = item;
    r->value = value;
    if (!ok)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: %zu ratings need %zu bytes", n,
                       n * (2 * sizeof *r->user + sizeof *r->value));
    r->capacity = n;
    return TV_OK;
}

enum tv_status tv_ratings_add(struct tv_ratings *r, int64_t user, int64_t item, float rating,
                              struct tv_error *err)
{
    if (!isfinite(rating))
        return tv_fail(err, TV_ERR_INPUT, "the rating of item %lld by user %lld is not a finite number",
                       (long long)item, (long long)user);
    if (r->n == r->capacity) {
        enum tv_status status = grow(r, err);
        if (status != TV_OK)
            return status;
    }
    r->user[r->n] = user;
    r->item[r->n] = item;
    r->value[r->n++] = rating;
    return TV_OK;
}

/* --- ids to dense ids --- */

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

/* *sorted gets the distinct ids, *dense each row's rank among them; *ids is freed. */
static enum tv_status rank_ids(int64_t **sorted, int32_t *n_sorted, int32_t **dense, int64_t **ids, size_t n,
                               const char *what, struct tv_error *err)
{
    struct id_table t = {0};
    int32_t *seen = tv_alloc(n, sizeof *seen, "dense ids", err), *rank = NULL;
    enum tv_status status = seen ? number_ids(&t, seen, *ids, n, what, err) : TV_ERR_NO_MEMORY;
    if (status != TV_OK)
        goto done;
    free(*ids);
    *ids = NULL;
    status = TV_ERR_NO_MEMORY;
    if ((*sorted = tv_alloc(t.n, sizeof **sorted, what, err)) == NULL ||
        (rank = tv_alloc(t.n, sizeof *rank, what, err)) == NULL)
        goto done;
    if (t.n > 0)
        memcpy(*sorted, t.ids, t.n * sizeof **sorted);
    qsort(*sorted, t.n, sizeof **sorted, ascending);
    *n_sorted = (int32_t)t.n;
    for (size_t i = 0; i < t.n; i++)
        rank[*find_place(&t, (*sorted)[i]) - 1] = (int32_t)i;
    for (size_t i = 0; i < n; i++)
        seen[i] = rank[seen[i]];
    *dense = seen;
    seen = NULL;
    status = TV_OK;
done:
    free(seen);
    free(rank);
    table_free(&t);
    return status;
}

/* --- the matrix --- */

/* The rows sorted by item; the users within an item stay in the order of the rows. */
static enum tv_status sort_by_item(struct tv_csr *m, int32_t n_users, int32_t n_items, const int32_t *user,
                                   const int32_t *item, const float *value, size_t n, struct tv_error *err)
{
    *m = (struct tv_csr){.n_rows = n_items, .n_cols = n_users, .n_values = (int64_t)n};
    m->start = tv_alloc((size_t)n_items + 2, sizeof *m->start, "a matrix", err);
    m->column = tv_alloc(n, sizeof *m->column, "a matrix", err);
    m->value = tv_alloc(n, sizeof *m->value, "a matrix", err);
    if (!m->start || !m->column || !m->value)
        return TV_ERR_NO_MEMORY;
    int64_t *next = m->start + 1; /* as in tv_csr_transpose: ends as the row starts */
    for (size_t i = 0; i < n; i++)
        next[item[i] + 1]++;
    for (int32_t r = 1; r < n_items; r++)
        next[r] += next[r - 1];
    for (size_t i = 0; i < n; i++) {
        int64_t to = next[item[i]]++;
        m->column[to] = user[i];
        m->value[to] = value[i];
    }
    return TV_OK;
}

static enum tv_status refuse_repeats(const struct tv_dense *d, struct tv_error *err)
{
    const struct tv_csr *m = &d->matrix;
    for (int32_t row = 0; row < m->n_rows; row++)
        for (int64_t p = m->start[row] + 1; p < m->start[row + 1]; p++)
            if (m->column[p] == m->column[p - 1]) {
                tv_fail(err, TV_ERR_INPUT, "user %lld and item %lld come more than once",
                        (long long)d->users[row], (long long)d->items[m->column[p]]);
                return tv_hint(err,
                               "a source of ratings gives one row a pair: group by user and item and take "
                               "AVG(rating)");
            }
    return TV_OK;
}

enum tv_status tv_ratings_densify(struct tv_dense *out, struct tv_ratings *r, struct tv_error *err)
{
    struct tv_dense d = {0};
    struct tv_csr by_item = {0};
    int32_t *user = NULL, *item = NULL, n_users = 0, n_items = 0;
    size_t n = r->n;
    memset(out, 0, sizeof *out);
    enum tv_status status = rank_ids(&d.users, &n_users, &user, &r->user, n, "users", err);
    if (status == TV_OK)
        status = rank_ids(&d.items, &n_items, &item, &r->item, n, "items", err);
    if (status == TV_OK)
        status = sort_by_item(&by_item, n_users, n_items, user, item, r->value, n, err);
    free(user);
    free(item);
    free(r->user);
    free(r->item);
    free(r->value);
    memset(r, 0, sizeof *r);
    if (status == TV_OK)
        status = tv_csr_transpose(&d.matrix, &by_item, err);
    if (status == TV_OK)
        status = refuse_repeats(&d, err);
    tv_csr_free(&by_item);
    if (status != TV_OK)
        tv_dense_free(&d);
    else
        *out = d;
    return status;
}

void tv_dense_free(struct tv_dense *d)
{
    if (d == NULL)
        return;
    free(d->users);
    free(d->items);
    tv_csr_free(&d->matrix);
    memset(d, 0, sizeof *d);
}

int64_t tv_dense_find(const int64_t *ids, size_t n, int64_t id)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ids[low] == id ? (int64_t)low : -1;
}
