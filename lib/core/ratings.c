/* ratings: collects rows, then makes the matrix in three passes that free what they have used.
 *
 * The matrix is made by two counting sorts: by item into the transposed matrix, and from there by user, which
 * leaves the columns of each row ascending whatever the order of the rows was.
 */
#include "trivet/core/ratings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/rank_ids.h"
#include "trivet/base/buffer.h"

/* Rows in the order they came, one array a column. */
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

/* Three arrays and not one of structs: 20 bytes a row instead of 24, and each can be freed when it has been used. After
 * a failure each array is valid, be it as long as before or longer. */
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

/* --- the matrix --- */

/* The rows (m->n_values) sorted by item into a matrix whose sizes are set; the users within an item stay in the order
 * of the rows. */
static enum tv_status sort_by_item(struct tv_csr *m, const int32_t *user, const int32_t *item, const float *value,
                                   struct tv_error *err)
{
    size_t n = (size_t)m->n_values;
    m->start = tv_alloc((size_t)m->n_rows + 2, sizeof *m->start, "a matrix", err);
    m->column = tv_alloc(n, sizeof *m->column, "a matrix", err);
    m->value = tv_alloc(n, sizeof *m->value, "a matrix", err);
    if (!m->start || !m->column || !m->value)
        return TV_ERR_NO_MEMORY;
    int64_t *next = m->start + 1; /* as in tv_csr_transpose: next[r] ends where row r + 1 starts */
    for (size_t i = 0; i < n; i++)
        next[item[i] + 1]++;
    for (int32_t r = 1; r < m->n_rows; r++)
        next[r] += next[r - 1];
    for (size_t i = 0; i < n; i++) {
        int64_t to = next[item[i]]++;
        m->column[to] = user[i];
        m->value[to] = value[i];
    }
    return TV_OK;
}

/* Repeats can be told only here, where they are neighbours. A matrix with repeats would count a pair twice in every
 * sum. */
static enum tv_status refuse_repeats(const struct tv_matrix *d, struct tv_error *err)
{
    const struct tv_csr *m = &d->csr;
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

/* Raw ids go first, 16 of a row's 20 bytes, as soon as dense ones have taken their place. Two counting sorts cost
 * O(rows + users + items); sorting the rows by pair would cost O(n log n). */
enum tv_status tv_ratings_matrix(struct tv_matrix *out, struct tv_ratings *r, struct tv_error *err)
{
    struct tv_matrix d = {0};
    struct tv_csr by_item = {0};
    int32_t *user = NULL, *item = NULL, n_users = 0, n_items = 0;
    size_t n = r->n;
    memset(out, 0, sizeof *out);
    enum tv_status status = tv_rank_ids(&d.users, &n_users, &user, r->user, n, "users", err);
    free(r->user);
    r->user = NULL;
    if (status == TV_OK)
        status = tv_rank_ids(&d.items, &n_items, &item, r->item, n, "items", err);
    free(r->item);
    r->item = NULL;
    by_item = (struct tv_csr){.n_rows = n_items, .n_cols = n_users, .n_values = (int64_t)n};
    if (status == TV_OK)
        status = sort_by_item(&by_item, user, item, r->value, err);
    free(user);
    free(item);
    free(r->value);
    memset(r, 0, sizeof *r);
    if (status == TV_OK)
        status = tv_csr_transpose(&d.csr, &by_item, err);
    if (status == TV_OK)
        status = refuse_repeats(&d, err);
    tv_csr_free(&by_item);
    if (status != TV_OK)
        tv_matrix_free(&d);
    else
        *out = d;
    return status;
}

void tv_matrix_free(struct tv_matrix *d)
{
    if (d == NULL)
        return;
    free(d->users);
    free(d->items);
    tv_csr_free(&d->csr);
    memset(d, 0, sizeof *d);
}

/* The ids of a model are sorted, and this is how an id from outside becomes a row of its matrices. */
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
