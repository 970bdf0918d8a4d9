/* bidiagonal: the SVD B = P S Q' of a small upper bidiagonal matrix, by LAPACK. Private to lib/core. */
#ifndef TRIVET_CORE_BIDIAGONAL_H
#define TRIVET_CORE_BIDIAGONAL_H

#include "trivet/status.h"

/* sigma (n) gets the singular values, descending, and row[r * n + i] entry at[r] of left vector i, for n_rows
 * places `at`. alpha (n) is the diagonal, beta (n - 1) what stands right of it. */
enum tv_status tv_bidiagonal_values(double *sigma, double *row, const int *at, int n_rows,
                                    const double *alpha, const double *beta, int n, struct tv_error *err);

/* q (n, k) row-major gets the first k right vectors, sigma (n) all singular values. */
enum tv_status tv_bidiagonal_vectors(double *sigma, double *q, int k, const double *alpha, const double *beta,
                                     int n, struct tv_error *err);

#endif
