/* svd: the truncated SVD of a sparse matrix, from the banded matrix that the Lanczos process makes.
 *
 * Float32 vectors are accurate to about 1e-7 sigma_1, which is plenty while sigma_k is not tiny beside
 * sigma_1. Where it is, and where the rank itself is in question, the work is done again in float64.
 */
#include "trivet/core/svd/svd.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/svd/converge.h"
#include "lib/core/svd/ritz.h"
#include "trivet/base/buffer.h"

/* Below this share of sigma_1, float32 would not give vectors that are orthogonal to 2e-5. */
#define FLOAT_IS_ENOUGH 0.01

void tv_svd_defaults(struct tv_svd_options *o)
{
    *o = (struct tv_svd_options){.factors = 50, .tolerance = 1e-5};
}

void tv_svd_free(struct tv_svd *s)
{
    if (s == NULL)
        return;
    free(s->u);
    free(s->v);
    free(s->sigma);
    memset(s, 0, sizeof *s);
}

/* Counts a run in float32; where float64 is needed, vectors take twice as much. 32 bytes for each pair of steps are
 * LAPACK's matrices in banded.c. */
double tv_svd_memory(int64_t rows, int64_t cols, int64_t n_values, int factors)
{
    double shorter = (double)(rows < cols ? rows : cols), longer = (double)(rows < cols ? cols : rows);
    double steps = fmin(shorter, 5.0 * factors + 50); /* seldom more */
    double transpose = 8.0 * (double)n_values + 8.0 * (double)cols;
    double vectors = 4.0 * (shorter * (steps + TV_PANEL) + longer * TV_PANEL) + 32.0 * steps * steps;
    return transpose + vectors + 4.0 * factors * (longer + 2 * shorter);
}

static enum tv_status check_options(const struct tv_svd_options *o, const struct tv_csr *m,
                                    struct tv_error *err)
{
    int shorter = m->n_rows < m->n_cols ? m->n_rows : m->n_cols, most = shorter > 1 ? shorter - 1 : shorter;
    if (o->factors < 1 || o->factors > most)
        return tv_fail(err, TV_ERR_USAGE, "%d factors of a matrix of %d x %d: 1 to %d are possible",
                       o->factors, m->n_rows, m->n_cols, most);
    if (!(o->tolerance > 0))
        return tv_fail(err, TV_ERR_USAGE, "a tolerance of %g: it must be above 0", o->tolerance);
    return TV_OK;
}

/* How many singular values stand out from rounding errors, by the rule of svd.h (numpy's matrix_rank has the same). */
static int rank_of(const double *sigma, int n, const struct tv_csr *m)
{
    int rank = 0;
    double floor = sigma[0] * (double)(m->n_rows > m->n_cols ? m->n_rows : m->n_cols) * DBL_EPSILON;
    while (rank < n && sigma[rank] > floor)
        rank++;
    return rank;
}

/* Makes the entry of largest magnitude of each column of v positive. A pair of singular vectors is only known up to its
 * sign; with a rule, models of the same ratings can be compared column by column. */
static void fix_signs(struct tv_svd *s)
{
    size_t k = (size_t)s->factors;
    for (size_t f = 0; f < k; f++) {
        float largest = 0;
        for (size_t i = 0; i < (size_t)s->cols; i++)
            if (fabsf(s->v[i * k + f]) > fabsf(largest))
                largest = s->v[i * k + f];
        if (largest >= 0)
            continue;
        for (size_t i = 0; i < (size_t)s->cols; i++)
            s->v[i * k + f] = -s->v[i * k + f];
        for (size_t i = 0; i < (size_t)s->rows; i++)
            s->u[i * k + f] = -s->u[i * k + f];
    }
}

/* The singular vectors of A: X on the shorter side, A X / sigma on the longer. */
static enum tv_status make_vectors(float *shorter, float *longer, const struct tv_lanczos *l,
                                   const struct tv_ritz *found, struct tv_error *err)
{
    const struct tv_svd_kernels *kernels = l->kernels;
    char *inverse = tv_alloc((size_t)found->k, kernels->size, "singular values", err);
    if (inverse == NULL)
        return TV_ERR_NO_MEMORY;
    for (int f = 0; f < found->k; f++) {
        double one = 1 / found->sigma[f];
        kernels->from_doubles(inverse + (size_t)f * kernels->size, &one, 1);
    }
    kernels->to_floats(shorter, found->k, found->x, found->width, l->n_short);
    kernels->expand(longer, &l->down, found->x, inverse, found->k, found->width, l->threads);
    free(inverse);
    return TV_OK;
}

/* Lanczos worked on the taller of the matrix and its transpose; which side is u and which v is put right here. */
static enum tv_status fill_result(struct tv_svd *out, const struct tv_csr *matrix, const struct tv_lanczos *l,
                                  const struct tv_ritz *found, double residual, struct tv_error *err)
{
    size_t k = (size_t)found->k;
    struct tv_svd s = {.factors = found->k, .rows = matrix->n_rows, .cols = matrix->n_cols};
    s.steps = l->steps;
    s.residual = residual;
    s.u = tv_alloc((size_t)s.rows * k, sizeof *s.u, "left singular vectors", err);
    s.v = tv_alloc((size_t)s.cols * k, sizeof *s.v, "right singular vectors", err);
    s.sigma = tv_alloc(k, sizeof *s.sigma, "singular values", err);
    int tall = l->down.matrix == matrix;
    enum tv_status status = !s.u || !s.v || !s.sigma
                                ? TV_ERR_NO_MEMORY
                                : make_vectors(tall ? s.v : s.u, tall ? s.u : s.v, l, found, err);
    if (status != TV_OK) {
        tv_svd_free(&s);
        return status;
    }
    memcpy(s.sigma, found->sigma, k * sizeof *s.sigma);
    fix_signs(&s);
    *out = s;
    return TV_OK;
}

/* *out carries the rank beside the failure, so that a caller may ask again for that many. */
static enum tv_status refuse_rank(struct tv_svd *out, const struct tv_csr *matrix, int rank, int k,
                                  struct tv_error *err)
{
    out->rank = rank;
    enum tv_status status =
        tv_fail(err, TV_ERR_NUMERIC, "the matrix of %d x %d has rank %d: %d factors cannot be found",
                matrix->n_rows, matrix->n_cols, rank, k);
    if (rank > 0)
        tv_hint(err, "ask for at most %d factors", rank);
    return status;
}

/* One run with vectors of one kind. Where they were not accurate enough, *enough is 0 and *out empty. */
static enum tv_status factorise(struct tv_svd *out, int *enough, const struct tv_svd_kernels *kernels,
                                const struct tv_csr *matrix, const struct tv_csr *transpose,
                                const struct tv_svd_options *options, struct tv_error *err)
{
    int k = options->factors, tall = matrix->n_rows >= matrix->n_cols, rank;
    double residual;
    struct tv_lanczos l;
    struct tv_ritz found = {0};
    enum tv_status status = tv_lanczos_create(&l, kernels, tall ? matrix : transpose,
                                              tall ? transpose : matrix, options->threads, err);
    if (status != TV_OK)
        return status;
    if ((status = tv_converge(&l, &residual, options, err)) != TV_OK ||
        (status = tv_ritz_create(&found, &l, k, err)) != TV_OK)
        goto done;
    *enough = kernels->size == sizeof(double) || found.sigma[k - 1] >= FLOAT_IS_ENOUGH * found.sigma[0];
    if (!*enough)
        goto done;
    if ((rank = rank_of(found.sigma, k, matrix)) < k)
        status = refuse_rank(out, matrix, rank, k, err);
    else
        status = fill_result(out, matrix, &l, &found, residual, err);
done:
    tv_ritz_free(&found);
    tv_lanczos_free(&l);
    return status;
}

/* Whether sums of squares stay well within a float, above and below: norms are sums of squares of sums of values. */
static int fits_float(const struct tv_csr *matrix)
{
    double square = 0;
    for (int64_t i = 0; i < matrix->n_values; i++)
        square += (double)matrix->value[i] * (double)matrix->value[i];
    return square == 0 || (square > 1e-20 && square < 1e30);
}

enum tv_status tv_svd(struct tv_svd *out, const struct tv_csr *matrix, const struct tv_svd_options *options,
                      struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    enum tv_status status = check_options(options, matrix, err);
    if (status != TV_OK)
        return status;
    struct tv_svd_options o = *options;
    if (o.threads < 1)
        o.threads = omp_get_max_threads();
    int shorter = matrix->n_rows < matrix->n_cols ? matrix->n_rows : matrix->n_cols;
    if (o.max_steps < 1 || o.max_steps > shorter)
        o.max_steps = shorter;
    openblas_set_num_threads(1); /* LAPACK below must not depend on threads, and its matrices are small */
    struct tv_csr transpose = {0};
    int enough = fits_float(matrix);
    status = tv_csr_transpose(&transpose, matrix, err);
    if (status == TV_OK && enough)
        status = factorise(out, &enough, tv_svd_kernels_f32(), matrix, &transpose, &o, err);
    if (status == TV_OK && !enough)
        status = factorise(out, &enough, tv_svd_kernels_f64(), matrix, &transpose, &o, err);
    tv_csr_free(&transpose);
    return status;
}
