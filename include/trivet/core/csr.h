/* csr: a sparse matrix, compressed by rows: the form in which ratings are learned from. Users are rows, items columns;
 * the transpose has them the other way round. */
#ifndef TRIVET_CORE_CSR_H
#define TRIVET_CORE_CSR_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* Arrays are malloc'ed and owned; where a matrix is passed as const, it is lent. Ascending columns make sums run in a
 * fixed order and let a row be searched. */
struct tv_csr {
    int32_t n_rows, n_cols;
    int64_t n_values;
    int64_t *start;  /* (n_rows + 1): row r holds values start[r] .. start[r + 1] - 1 */
    int32_t *column; /* (n_values), ascending within a row, no repeats */
    float *value;    /* (n_values) */
};

void tv_csr_free(struct tv_csr *m); /* also makes it empty; NULL is fine */

/* The transpose, with columns ascending in each row again. *out is overwritten. */
enum tv_status tv_csr_transpose(struct tv_csr *out, const struct tv_csr *m, struct tv_error *err);

#endif
