/* proportion: ratings that are out of all proportion to the others. One of 1e9 among those of one to five makes a
 * mean of which nothing is left in float16, so that a training with biases ends without a model. Only after such a
 * failure are they looked for: whatever can be learned is learned from all there is.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/learn/proportion.h"
#include "trivet/base/buffer.h"
#include "trivet/base/text.h"

/* A rating is out of proportion beyond so many times the median size. If more than one in so many are, that is how
 * the data are, and none is left out. */
enum { TIMES = 1000, ONE_IN = 100 };

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The size beyond which a rating is out of proportion: TIMES the median of the sizes that are not zero; INFINITY if
 * all are zero. */
static enum tv_status find_limit(float *limit, const struct tv_csr *m, struct tv_error *err)
{
    int64_t n = 0;
    float *sizes = tv_alloc((size_t)m->n_values + 1, sizeof *sizes, "sizes of ratings", err);
    if (sizes == NULL)
        return TV_ERR_NO_MEMORY;
    for (int64_t p = 0; p < m->n_values; p++)
        if (m->value[p] != 0)
            sizes[n++] = fabsf(m->value[p]);
    qsort(sizes, (size_t)n, sizeof *sizes, by_size);
    *limit = n > 0 ? TIMES * sizes[n / 2] : INFINITY;
    free(sizes);
    return TV_OK;
}

/* A matrix with room for all of `m`, and no values yet. On failure the caller frees what there is. */
static enum tv_status make_room(struct tv_csr *out, const struct tv_csr *m, struct tv_error *err)
{
    *out = (struct tv_csr){.n_rows = m->n_rows, .n_cols = m->n_cols};
    out->start = tv_alloc((size_t)m->n_rows + 1, sizeof *out->start, "ratings", err);
    out->column = tv_alloc((size_t)m->n_values, sizeof *out->column, "ratings", err);
    out->value = tv_alloc((size_t)m->n_values, sizeof *out->value, "ratings", err);
    return out->start && out->column && out->value ? TV_OK : TV_ERR_NO_MEMORY;
}

static void name_rating(struct tv_named *beyond, const struct tv_matrix *d, int32_t row, int64_t p)
{
    char name[96], value[TV_TEXT_FLOAT];
    snprintf(name, sizeof name, "user %" PRId64 " item %" PRId64 ": %s", d->users[row], d->items[d->csr.column[p]],
             tv_text_float(value, d->csr.value[p]));
    tv_named_add(beyond, name, NULL);
}

/* Users and items keep their rows and columns, also where nothing of them is left, so that the ids still fit. */
enum tv_status tv_learn_keep_proportion(struct tv_csr *out, struct tv_named *beyond, const struct tv_matrix *d,
                                        struct tv_error *err)
{
    const struct tv_csr *m = &d->csr;
    float limit;
    enum tv_status status = find_limit(&limit, m, err);
    if (status == TV_OK)
        status = make_room(out, m, err);
    for (int32_t r = 0; status == TV_OK && r < m->n_rows; r++) {
        for (int64_t p = m->start[r]; p < m->start[r + 1]; p++) {
            if (fabsf(m->value[p]) > limit) {
                name_rating(beyond, d, r, p);
                continue;
            }
            out->column[out->n_values] = m->column[p];
            out->value[out->n_values++] = m->value[p];
        }
        out->start[r + 1] = out->n_values;
    }
    if (beyond->n > m->n_values / ONE_IN + 1)
        beyond->n = 0;
    return status;
}
