/* bidiagonal: asks LAPACK for singular values with a few rows of P (dbdsqr), or for all of Q (dbdsdc). */
#include "bidiagonal.h"

#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/buffer.h"

/* LAPACK overwrites both diagonals: *d and *e are copies, in one allocation that starts at *d. */
static enum tv_status copy_diagonals(double **d, double **e, const double *alpha, const double *beta, int n,
                                     struct tv_error *err)
{
    *d = tv_alloc(2 * (size_t)n, sizeof **d, "a bidiagonal matrix", err);
    if (*d == NULL)
        return TV_ERR_NO_MEMORY;
    *e = *d + n;
    memcpy(*d, alpha, (size_t)n * sizeof **d);
    memcpy(*e, beta, (size_t)(n - 1) * sizeof **e);
    return TV_OK;
}

static enum tv_status lapack_failed(struct tv_error *err, const char *routine, int n, int info)
{
    return tv_fail(err, TV_ERR_NUMERIC, "LAPACK's %s gave up on a bidiagonal matrix of %d (info %d)", routine,
                   n, info);
}

enum tv_status tv_bidiagonal_values(double *sigma, double *row, const int *at, int n_rows,
                                    const double *alpha, const double *beta, int n, struct tv_error *err)
{
    double *d = NULL, *e = NULL, nothing = 0;
    int stride = n_rows > 0 ? n_rows : 1; /* LAPACK refuses 0 even where there is nothing to apply to */
    /* LAPACK applies to the rows of `u` what it does to P; unit rows in give rows of P out. */
    double *u = tv_alloc((size_t)n_rows * (size_t)n, sizeof *u, "a bidiagonal matrix", err);
    enum tv_status status = u ? copy_diagonals(&d, &e, alpha, beta, n, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        for (int r = 0; r < n_rows; r++)
            u[r + at[r] * stride] = 1;
        int info =
            LAPACKE_dbdsqr(LAPACK_COL_MAJOR, 'U', n, 0, n_rows, 0, d, e, &nothing, 1, u, stride, &nothing, 1);
        if (info != 0)
            status = lapack_failed(err, "dbdsqr", n, info);
    }
    if (status == TV_OK) {
        memcpy(sigma, d, (size_t)n * sizeof *sigma);
        for (int r = 0; r < n_rows; r++)
            for (int i = 0; i < n; i++)
                row[r * n + i] = u[r + i * stride];
    }
    free(d);
    free(u);
    return status;
}

enum tv_status tv_bidiagonal_vectors(double *sigma, double *q, int k, const double *alpha, const double *beta,
                                     int n, struct tv_error *err)
{
    double *d = NULL, *e = NULL;
    size_t square = (size_t)n * (size_t)n;
    double *p = tv_alloc(2 * square, sizeof *p, "singular vectors of a bidiagonal matrix", err);
    enum tv_status status = p ? copy_diagonals(&d, &e, alpha, beta, n, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        double *qt = p + square, unused_q;
        int unused_iq;
        int info = LAPACKE_dbdsdc(LAPACK_COL_MAJOR, 'U', 'I', n, d, e, p, n, qt, n, &unused_q, &unused_iq);
        if (info != 0)
            status = lapack_failed(err, "dbdsdc", n, info);
        for (int j = 0; status == TV_OK && j < n; j++)
            for (int i = 0; i < k; i++)
                q[(size_t)j * (size_t)k + (size_t)i] = qt[(size_t)i + (size_t)j * (size_t)n];
        memcpy(sigma, d, (size_t)n * sizeof *sigma);
    }
    free(d);
    free(p);
    return status;
}
