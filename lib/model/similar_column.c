/* similar_column: all pages of one position of the signatures. Rows are dealt out to pages by counting, and sorted by
 * value within each. */
#include <stdlib.h>
#include <string.h>

#include "similar_parts.h"

static int by_value_and_row(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* entries: value << 32 | row, ascending. */
static enum tv_status append_page(struct tv_buffer *page, const uint64_t *entries, size_t n, uint32_t *rows,
                                  struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0, end; i < n && status == TV_OK; i = end) {
        for (end = i; end < n && entries[end] >> 32 == entries[i] >> 32; end++)
            rows[end - i] = (uint32_t)entries[end];
        status = tv_bucket_append(page, (uint32_t)(entries[i] >> 32), rows, end - i, err);
    }
    return status;
}

enum tv_status similar_column_make(struct similar_column *c, uint32_t pages, const uint32_t *values, size_t stride,
                                   int32_t n, const uint8_t *present, struct tv_error *err)
{
    enum tv_status status = TV_ERR_NO_MEMORY;
    *c = (struct similar_column){.bytes = TV_BUFFER_INIT(SIZE_MAX / 2)};
    c->start = tv_alloc((size_t)pages + 1, sizeof *c->start, "pages of an index", err);
    size_t *next = tv_alloc((size_t)pages + 1, sizeof *next, "pages of an index", err);
    uint64_t *entries = tv_alloc((size_t)n, sizeof *entries, "a position of an index", err);
    uint32_t *rows = tv_alloc((size_t)n, sizeof *rows, "a position of an index", err);
    if (!c->start || !next || !entries || !rows)
        goto end;
    for (int32_t i = 0; i < n; i++)
        if (present == NULL || present[i])
            next[similar_page_of(values[(size_t)i * stride], pages) + 1]++;
    for (uint32_t p = 0; p < pages; p++)
        next[p + 1] += next[p];
    for (int32_t i = 0; i < n; i++) {
        uint32_t value = values[(size_t)i * stride];
        if (present == NULL || present[i])
            entries[next[similar_page_of(value, pages)]++] = (uint64_t)value << 32 | (uint32_t)i;
    }
    status = TV_OK;
    for (uint32_t p = 0; p < pages && status == TV_OK; p++) { /* next[p] is now where page p ends */
        size_t from = p ? next[p - 1] : 0;
        qsort(entries + from, next[p] - from, sizeof *entries, by_value_and_row);
        status = append_page(&c->bytes, entries + from, next[p] - from, rows, err);
        c->start[p + 1] = c->bytes.size;
    }
end:
    free(next);
    free(entries);
    free(rows);
    if (status != TV_OK)
        similar_column_free(c);
    return status;
}

void similar_column_free(struct similar_column *c)
{
    tv_buffer_free(&c->bytes);
    free(c->start);
    c->start = NULL;
}
