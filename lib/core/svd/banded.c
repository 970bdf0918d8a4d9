/* banded: asks LAPACK for the values and the last rows of P (dgbbrd, dbdsqr), or for all of Q (dgesdd). The first is
 * what each look at the convergence needs, and makes no vectors; the second is wanted at the end and where a probe
 * begins. */
#include "lib/core/svd/banded.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

static enum tv_status lapack_failed(struct tv_error *err, const char *routine, int n, int info)
{
    return tv_fail(err, TV_ERR_NUMERIC, "LAPACK's %s gave up on a banded matrix of %d (info %d)", routine, n,
                   info);
}

/* LAPACK would only say that an argument is wrong. Sums over the matrix that overflowed show here. */
static enum tv_status check_band(const struct tv_banded *b, struct tv_error *err)
{
    for (size_t i = 0; i < (size_t)b->n * (size_t)(b->width + 1); i++)
        if (!isfinite(b->band[i]))
            return tv_fail(err, TV_ERR_NUMERIC, "sums over the matrix leave the range of its numbers");
    return TV_OK;
}

enum tv_status tv_banded_values(double *sigma, double *row, int n_rows, const struct tv_banded *b,
                                struct tv_error *err)
{
    int n = b->n, height = b->width + 1;
    if (check_band(b, err) != TV_OK)
        return TV_ERR_NUMERIC;
    size_t size = (size_t)n * (size_t)height;
    double *band = tv_alloc(size + (size_t)n, sizeof *band, "a banded matrix", err), nothing = 0;
    if (band == NULL)
        return TV_ERR_NO_MEMORY;
    double *right = band + size; /* of the diagonal, once the band is bidiagonal */
    memcpy(band, b->band, size * sizeof *band);
    /* LAPACK applies P' to the columns of `row`; unit columns in give rows of P out. */
    memset(row, 0, (size_t)n_rows * (size_t)n * sizeof *row);
    for (int r = 0; r < n_rows; r++)
        row[r * n + n - n_rows + r] = 1;
    const char *routine = "dgbbrd";
    int info = LAPACKE_dgbbrd(LAPACK_COL_MAJOR, 'N', n, n, n_rows, 0, b->width, band, height, sigma, right,
                              &nothing, 1, &nothing, 1, row, n);
    if (info == 0) {
        routine = "dbdsqr";
        info = LAPACKE_dbdsqr(LAPACK_COL_MAJOR, 'U', n, 0, 0, n_rows, sigma, right, &nothing, 1, &nothing, 1,
                              row, n);
    }
    free(band);
    return info == 0 ? TV_OK : lapack_failed(err, routine, n, info);
}

/* B is spread out into a full matrix, as LAPACK has no driver for the vectors of a banded one. Memory: three times n^2
 * float64. */
enum tv_status tv_banded_vectors(double *sigma, double *q, int k, const struct tv_banded *b,
                                 struct tv_error *err)
{
    size_t n = (size_t)b->n, square = n * n;
    if (check_band(b, err) != TV_OK)
        return TV_ERR_NUMERIC;
    double *full = tv_alloc(3 * square, sizeof *full, "singular vectors of a banded matrix", err);
    if (full == NULL)
        return TV_ERR_NO_MEMORY;
    double *p = full + square, *qt = p + square;
    for (size_t j = 0; j < n; j++)
        for (size_t i = j > (size_t)b->width ? j - (size_t)b->width : 0; i <= j; i++)
            full[i + j * n] = b->band[j * (size_t)(b->width + 1) + (size_t)b->width + i - j];
    int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', b->n, b->n, full, b->n, sigma, p, b->n, qt, b->n);
    for (size_t j = 0; info == 0 && j < n; j++)
        for (size_t i = 0; i < (size_t)k; i++)
            q[j * (size_t)k + i] = i < n ? qt[i + j * n] : 0;
    free(full);
    return info == 0 ? TV_OK : lapack_failed(err, "dgesdd", b->n, info);
}
