/* svd: the truncated SVD of a sparse matrix, from the bidiagonal matrix that the Lanczos process makes.
 *
 * Float32 vectors are accurate to about 1e-7 sigma_1, which is plenty while sigma_k is not tiny beside
 * sigma_1. Where it is, and where the rank itself is in question, the work is done again in float64.
 */
#include "trivet/svd.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "bidiagonal.h"
#include "lanczos.h"
#include "trivet/buffer.h"

/* Below this share of sigma_1, float32 would not give sigma_k to 1e-5. */
#define FLOAT_IS_ENOUGH 0.005

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

double tv_svd_memory(int64_t rows, int64_t cols, int64_t n_values, int factors)
{
    double shorter = (double)(rows < cols ? rows : cols), longer = (double)(rows < cols ? cols : rows);
    double steps = fmin(shorter, 4.0 * factors + 50); /* seldom more */
    double transpose = 8.0 * (double)n_values + 8.0 * (double)cols;
    double vectors = 4.0 * (shorter * (steps + 1) + longer) + 16.0 * steps * steps;
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

/* The largest count of singular values that stand out from rounding errors. */
static int rank_of(const double *sigma, int n, const struct tv_csr *m)
{
    int rank = 0;
    double floor = sigma[0] * (double)(m->n_rows > m->n_cols ? m->n_rows : m->n_cols) * DBL_EPSILON;
    while (rank < n && sigma[rank] > floor)
        rank++;
    return rank;
}

/* The right vectors of B and its singular values, the first k of which are A's. */
static enum tv_status small_svd(double **sigma, double **q, const struct tv_lanczos *l, struct tv_error *err)
{
    size_t n = (size_t)l->steps, k = (size_t)l->options->factors;
    *sigma = tv_alloc(n > k ? n : k, sizeof **sigma, "singular values", err);
    *q = tv_alloc(n * k, sizeof **q, "singular vectors", err);
    if (*sigma == NULL || *q == NULL)
        return TV_ERR_NO_MEMORY;
    return tv_bidiagonal_vectors(*sigma, *q, (int)(n < k ? n : k), l->alpha, l->beta, (int)n, err);
}

/* Makes the entry of largest magnitude of each column of v positive. */
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

/* The singular vectors of A: V q on the shorter side, A V q / sigma on the longer. */
static enum tv_status make_vectors(float *shorter, float *longer, const struct tv_lanczos *l,
                                   const double *sigma, const double *q, struct tv_error *err)
{
    const struct tv_svd_kernels *kernels = l->kernels;
    int n = l->steps, k = l->options->factors, threads = l->options->threads;
    int width = (k + TV_WIDTH_STEP - 1) / TV_WIDTH_STEP * TV_WIDTH_STEP;
    char *q_padded = tv_alloc((size_t)n * (size_t)width, kernels->size, "singular vectors", err);
    void *x = q_padded ? tv_alloc(l->n_short * (size_t)width, kernels->size, "singular vectors", err) : NULL;
    void *inverse = x ? tv_alloc((size_t)k, kernels->size, "singular values", err) : NULL;
    if (inverse) {
        for (int f = 0; f < k; f++) {
            double one = 1 / sigma[f];
            kernels->from_doubles((char *)inverse + (size_t)f * kernels->size, &one, 1);
        }
        for (int j = 0; j < n; j++)
            kernels->from_doubles(q_padded + (size_t)j * (size_t)width * kernels->size,
                                  q + (size_t)j * (size_t)k, (size_t)k);
        kernels->combine(x, l->basis, n, q_padded, width, l->n_short, threads);
        kernels->to_floats(shorter, k, x, width, l->n_short);
        kernels->expand(longer, &l->down, x, inverse, k, width, threads);
    }
    enum tv_status status = inverse ? TV_OK : TV_ERR_NO_MEMORY;
    free(q_padded);
    free(x);
    free(inverse);
    return status;
}

static enum tv_status fill_result(struct tv_svd *out, const struct tv_csr *matrix, const struct tv_lanczos *l,
                                  const double *sigma, const double *q, struct tv_error *err)
{
    size_t k = (size_t)l->options->factors;
    struct tv_svd s = {.factors = (int)k, .rows = matrix->n_rows, .cols = matrix->n_cols, .steps = l->steps};
    s.residual = l->residual;
    s.u = tv_alloc((size_t)s.rows * k, sizeof *s.u, "left singular vectors", err);
    s.v = tv_alloc((size_t)s.cols * k, sizeof *s.v, "right singular vectors", err);
    s.sigma = tv_alloc(k, sizeof *s.sigma, "singular values", err);
    int tall = l->down.matrix == matrix;
    enum tv_status status = !s.u || !s.v || !s.sigma
                                ? TV_ERR_NO_MEMORY
                                : make_vectors(tall ? s.v : s.u, tall ? s.u : s.v, l, sigma, q, err);
    if (status != TV_OK) {
        tv_svd_free(&s);
        return status;
    }
    memcpy(s.sigma, sigma, k * sizeof *sigma);
    fix_signs(&s);
    *out = s;
    return TV_OK;
}

/* One run with vectors of one kind. Where they were not accurate enough, *enough is 0 and *out empty. */
static enum tv_status factorise(struct tv_svd *out, int *enough, const struct tv_svd_kernels *kernels,
                                const struct tv_csr *matrix, const struct tv_csr *transpose,
                                const struct tv_svd_options *options, struct tv_error *err)
{
    struct tv_lanczos l;
    double *sigma = NULL, *q = NULL;
    int k = options->factors, tall = matrix->n_rows >= matrix->n_cols, rank;
    enum tv_status status =
        tv_lanczos_create(&l, kernels, tall ? matrix : transpose, tall ? transpose : matrix, options, err);
    if (status != TV_OK)
        return status;
    *enough = 1;
    if ((status = tv_lanczos_run(&l, err)) != TV_OK || (status = small_svd(&sigma, &q, &l, err)) != TV_OK)
        goto done;
    if (kernels == &tv_svd_kernels_f32 && (l.steps < k || sigma[k - 1] < FLOAT_IS_ENOUGH * sigma[0])) {
        *enough = 0;
        goto done;
    }
    rank = rank_of(sigma, l.steps < k ? l.steps : k, matrix);
    if (rank < k) {
        out->rank = rank;
        status = tv_fail(err, TV_ERR_NUMERIC, "the matrix of %d x %d has rank %d: %d factors cannot be found",
                         matrix->n_rows, matrix->n_cols, rank, k);
        if (rank > 0)
            tv_hint(err, "ask for at most %d factors", rank);
        goto done;
    }
    status = fill_result(out, matrix, &l, sigma, q, err);
done:
    free(sigma);
    free(q);
    tv_lanczos_free(&l);
    return status;
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
    int enough = 0;
    status = tv_csr_transpose(&transpose, matrix, err);
    if (status == TV_OK)
        status = factorise(out, &enough, &tv_svd_kernels_f32, matrix, &transpose, &o, err);
    if (status == TV_OK && !enough)
        status = factorise(out, &enough, &tv_svd_kernels_f64, matrix, &transpose, &o, err);
    tv_csr_free(&transpose);
    return status;
}
