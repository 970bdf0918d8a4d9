/* csr: transposing by counting, and release. */
#include "trivet/core/csr.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

void tv_csr_free(struct tv_csr *m)
{
    if (m == NULL)
        return;
    free(m->start);
    free(m->column);
    free(m->value);
    memset(m, 0, sizeof *m);
}

enum tv_status tv_csr_transpose(struct tv_csr *out, const struct tv_csr *m, struct tv_error *err)
{
    struct tv_csr t = {.n_rows = m->n_cols, .n_cols = m->n_rows, .n_values = m->n_values};
    memset(out, 0, sizeof *out);
    t.start = tv_alloc((size_t)t.n_rows + 2, sizeof *t.start, "a transposed matrix", err);
    t.column = tv_alloc((size_t)t.n_values, sizeof *t.column, "a transposed matrix", err);
    t.value = tv_alloc((size_t)t.n_values, sizeof *t.value, "a transposed matrix", err);
    if (!t.start || !t.column || !t.value) {
        tv_csr_free(&t);
        return TV_ERR_NO_MEMORY;
    }
    /* Count one place further on: next[r] then begins as the start of row r, and has moved to the start of
     * row r + 1 when all values are placed, so that `start` ends up right without a second array. */
    int64_t *next = t.start + 1;
    for (int64_t p = 0; p < m->n_values; p++)
        next[m->column[p] + 1]++;
    for (int32_t r = 1; r < t.n_rows; r++)
        next[r] += next[r - 1];
    /* Rows of `m` are read in ascending order, so each row of the transpose gets its columns ascending without a
     * sort. */
    for (int32_t row = 0; row < m->n_rows; row++)
        for (int64_t p = m->start[row]; p < m->start[row + 1]; p++) {
            int64_t to = next[m->column[p]]++;
            t.column[to] = row;
            t.value[to] = m->value[p];
        }
    *out = t;
    return TV_OK;
}
