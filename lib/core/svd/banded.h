/* banded: the SVD B = P S Q' of a small upper banded matrix, by LAPACK. Private to lib/core. */
#ifndef TRIVET_CORE_SVD_BANDED_H
#define TRIVET_CORE_SVD_BANDED_H

#include "trivet/base/status.h"

/* B (n, n): entry (i, j), j - width <= i <= j, is band[j * (width + 1) + width + i - j]; others are 0. */
struct tv_banded {
    int n, width;
    const double *band;
};

/* sigma (n) gets the singular values, descending, and row[r * n + i] entry n - n_rows + r of left vector i:
 * the last n_rows of each. */
enum tv_status tv_banded_values(double *sigma, double *row, int n_rows, const struct tv_banded *b,
                                struct tv_error *err);

/* q (n, k) row-major gets the first k right vectors, zeros where k exceeds n; sigma (n) all values. */
enum tv_status tv_banded_vectors(double *sigma, double *q, int k, const struct tv_banded *b,
                                 struct tv_error *err);

#endif
