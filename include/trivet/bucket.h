/* bucket: which rows have a value, packed; several values to a page. Pages are what an index of similar items stores:
 * docs/formats.md has their bytes.
 *
 * A page is a run of records, ascending by value, each with its rows. Rows are small numbers from zero; they are coded
 * as differences where they lie apart, and as bits where that is shorter, so a value that n rows share takes at most
 * n / 8 bytes more than nothing and never more than two bytes a row below 16,384 rows.
 */
#ifndef TRIVET_BUCKET_H
#define TRIVET_BUCKET_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/buffer.h"
#include "trivet/status.h"

/* Appends a record; `rows` (n > 0) ascend. The page's values must be below `value`. */
enum tv_status tv_bucket_append(struct tv_buffer *page, uint32_t value, const uint32_t *rows, size_t n,
                                struct tv_error *err);

/* Counts of rows. Between uses all of `count` is zero. */
struct tv_bucket_counts {
    uint16_t *count;   /* (n_rows + TV_BUCKET_SPARE) */
    uint32_t *touched; /* (n_touched, room for n_rows + 1) rows with a count, each once: after tv_bucket_gather */
    size_t n_rows, n_touched;
    int many; /* rows were counted eight at a time, so that touched does not have them all */
};
enum { TV_BUCKET_SPARE = 8 };
/* Adds one to each row of a value; a page without it adds nothing. TV_ERR_CORRUPT if the bytes are no page, or name a
 * row beyond n_rows. */
enum tv_status tv_bucket_count(struct tv_bucket_counts *counts, const void *page, size_t n, uint32_t value,
                               struct tv_error *err);
/* Makes `touched` all rows with a count, in no order. */
void tv_bucket_gather(struct tv_bucket_counts *counts);
/* Makes all counts zero again; for that, tv_bucket_gather need not have been called. */
void tv_bucket_clear(struct tv_bucket_counts *counts);

/* Puts into `out` (emptied first) the page with `row` among the rows of `value`, or not among them. What is so already
 * stays as it is; a record that loses its last row goes. */
enum tv_status tv_bucket_change(struct tv_buffer *out, const void *page, size_t n, uint32_t value, uint32_t row,
                                int present, struct tv_error *err);

/* Every record of a page, for checks: rows (n) ascend and are lent. */
typedef enum tv_status (*tv_bucket_take)(void *context, uint32_t value, const uint32_t *rows, size_t n,
                                         struct tv_error *err);
enum tv_status tv_bucket_each(const void *page, size_t n, tv_bucket_take take, void *context, struct tv_error *err);

#endif
