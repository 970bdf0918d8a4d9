/* row_list: a set of rows (small numbers from zero), packed: as differences where they lie apart, as bits where that is
 * shorter. So a set of rows below N takes at most N / 8 bytes and a few more, and no row takes more than two bytes
 * where N is at most 16,384.
 *
 * An index of similar items keeps the rows of heavy users so: docs/formats.md has the bytes.
 */
#ifndef TRIVET_CORE_SETS_ROW_LIST_H
#define TRIVET_CORE_SETS_ROW_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"
#include "trivet/core/sets/postings.h"

/* Appends a list: `rows` (n > 0) ascend. Equal rows have equal bytes. */
enum tv_status tv_row_list_append(struct tv_buffer *out, const uint32_t *rows, size_t n, struct tv_error *err);
/* Adds one to the count of each row of a list (n > 0 bytes). TV_ERR_CORRUPT if the bytes are none, or name a row beyond
 * n_rows. */
enum tv_status tv_row_list_count(struct tv_postings_counts *counts, const void *list, size_t n, struct tv_error *err);
/* Puts into `out` (emptied first) the list with `row` in it, or without it. The empty list has no bytes, and may be
 * given with n = 0. */
enum tv_status tv_row_list_change(struct tv_buffer *out, const void *list, size_t n, uint32_t row, int present,
                                  struct tv_error *err);

#endif
