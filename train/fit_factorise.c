/* fit_factorise: the truncated SVD, and the model's item side from it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/fit.h"
#include "trivet/clock.h"
#include "trivet/half.h"
#include "trivet/interrupt.h"
#include "trivet/log.h"
#include "trivet/svd.h"

/* The exponent of sigma on the item side: square roots of the singular values go into both sides. */
static const double SIGMA_POWER = 0.5;

/* k at the most: one less than the shorter side, but at least one. */
static int largest_factors(const struct tv_dense *d)
{
    int shorter = d->matrix.n_rows < d->matrix.n_cols ? d->matrix.n_rows : d->matrix.n_cols;
    return shorter > 1 ? shorter - 1 : 1;
}

enum tv_status fit_choose_factors(struct fit *f, struct tv_error *err)
{
    int largest = largest_factors(&f->dense);
    if (f->factors <= largest)
        return TV_OK;
    if (f->factors_given) {
        tv_fail(err, TV_ERR_USAGE, "--factors is %d, but a matrix of %d users and %d items has at most %d", f->factors,
                (int)f->dense.matrix.n_rows, (int)f->dense.matrix.n_cols, largest);
        return tv_hint(err, "use --factors %d or less, or a wider filter", largest);
    }
    tv_log_info("%d users and %d items allow %d factors, not the default of %d", (int)f->dense.matrix.n_rows,
                (int)f->dense.matrix.n_cols, largest, f->factors);
    f->factors = largest;
    return TV_OK;
}

struct watch {
    int factors;
    double shown;
};

static int show_progress(void *context, int steps, int converged)
{
    struct watch *w = context;
    double now = tv_clock();
    if (now - w->shown >= 5) {
        tv_log_info("factorising: %d steps, %d of %d singular values found", steps, converged, w->factors);
        w->shown = now;
    }
    return tv_interrupted();
}

/* Without --factors a matrix of lower rank gets as many factors as it has; with it, that is an error. */
static enum tv_status run_svd(struct fit *f, struct tv_svd *svd, struct tv_error *err)
{
    struct watch watch = {f->factors, tv_clock()};
    struct tv_svd_options options;
    tv_svd_defaults(&options);
    options.factors = f->factors;
    options.threads = (int)tv_settings_int(f->settings, "threads");
    options.progress = show_progress;
    options.context = &watch;
    enum tv_status status = tv_svd(svd, &f->dense.matrix, &options, err);
    if (status == TV_ERR_NUMERIC && svd->rank > 0 && !f->factors_given) {
        tv_log_info("the matrix has rank %d, so it gets %d factors, not %d", svd->rank, svd->rank, f->factors);
        f->factors = options.factors = svd->rank;
        status = tv_svd(svd, &f->dense.matrix, &options, err);
    } else if (status == TV_ERR_NUMERIC && svd->rank > 0) {
        tv_hint(err, "use --factors %d or less, or a wider filter", svd->rank);
    }
    return status;
}

/* I = V diag(sigma^a), rounded to float16; a factor that does not fit is refused, not made infinite. */
static enum tv_status pack_items(struct tv_model *m, const struct tv_svd *svd, struct tv_error *err)
{
    size_t k = (size_t)m->factors, n = (size_t)m->n_items, lost = 0;
    float *row = tv_alloc(k, sizeof *row, "item factors", err);
    double *power = tv_alloc(k, sizeof *power, "item factors", err);
    if (row == NULL || power == NULL) {
        free(row);
        free(power);
        return TV_ERR_NO_MEMORY;
    }
    for (size_t j = 0; j < k; j++)
        power[j] = pow(svd->sigma[j], m->sigma_power);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < k; j++)
            row[j] = (float)((double)svd->v[i * k + j] * power[j]);
        lost += tv_half_from_floats(m->item_factors + i * k, row, k);
    }
    free(row);
    free(power);
    if (lost == 0)
        return TV_OK;
    tv_fail(err, TV_ERR_NUMERIC, "%zu item factors are beyond %g, the largest float16", lost, (double)TV_HALF_MAX);
    return tv_hint(err, "ratings this large (counts of plays?) need scaling in the filter, e.g. their logarithm");
}

static struct tv_model *new_model(struct fit *f, const struct tv_svd *svd, struct tv_error *err)
{
    struct tv_model *m = tv_alloc(1, sizeof *m, "a model", err);
    if (m == NULL)
        return NULL;
    size_t k = (size_t)f->factors, n = (size_t)f->dense.matrix.n_cols;
    m->number = f->number;
    m->factors = f->factors;
    m->n_items = f->dense.matrix.n_cols;
    m->n_learned = f->dense.matrix.n_rows;
    m->sigma_power = SIGMA_POWER;
    m->created_at = tv_clock_wall();
    strcpy(m->algorithm, "svd");
    strcpy(m->score_kind, "relevance");
    m->item_ids = tv_alloc(n, sizeof *m->item_ids, "item ids", err);
    m->item_factors = tv_alloc(n * k, sizeof *m->item_factors, "item factors", err);
    m->sigma = tv_alloc(k, sizeof *m->sigma, "singular values", err);
    if (m->item_ids == NULL || m->item_factors == NULL || m->sigma == NULL) {
        tv_model_free(m);
        return NULL;
    }
    memcpy(m->item_ids, f->dense.items, n * sizeof *m->item_ids);
    memcpy(m->sigma, svd->sigma, k * sizeof *m->sigma);
    return m;
}

enum tv_status fit_factorise(struct fit *f, struct tv_error *err)
{
    struct tv_svd svd = {0};
    enum tv_status status = run_svd(f, &svd, err);
    if (status != TV_OK)
        return status;
    f->counts.svd_steps = svd.steps;
    f->counts.svd_residual = svd.residual;
    tv_log_info("%d singular values, %.4g to %.4g, in %d steps; largest residual %.1e", f->factors, svd.sigma[0],
                svd.sigma[f->factors - 1], svd.steps, svd.residual);
    if ((f->model = new_model(f, &svd, err)) == NULL)
        status = TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = pack_items(f->model, &svd, err);
    if (status == TV_OK)
        f->model->checksum = tv_model_checksum(f->model);
    if (status == TV_OK)
        status = tv_model_fold_in(&f->fold_in, f->model, err);
    tv_svd_free(&svd);
    tv_csr_free(&f->dense.matrix); /* the ids stay: they tell who was learned from */
    return status;
}
