/* svd: the truncated SVD, and the model's item side from it: A is about U S V', items get V S^sigma, and users are
 * folded in with these. lib/core/svd computes; here the settings become its options and its vectors float16.
 */
#include "train/learn/svd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/learn/packing.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/cli/interrupt.h"
#include "trivet/core/svd/svd.h"

/* The context of show_progress; `shown` is when it last said something, by tv_clock(). */
struct watch {
    int factors, quiet;
    double shown;
};

/* A line every five seconds at most. A signal ends the work with TV_ERR_INTERRUPTED. */
static int show_progress(void *context, int steps, int converged)
{
    struct watch *w = context;
    double now = tv_clock();
    if (!w->quiet && now - w->shown >= 5) {
        tv_log_info("factorising: %d steps, %d of %d singular values found", steps, converged, w->factors);
        w->shown = now;
    }
    return tv_interrupted();
}

/* Computes the singular values and vectors. Where the rank of the matrix is below the number of factors, a default
 * number shrinks to the rank and the computation begins again; a number that was asked for is an error. */
static enum tv_status run_svd(struct tv_learn_settings *s, const struct tv_matrix *d, struct tv_svd *svd,
                              struct tv_error *err)
{
    struct watch watch = {s->factors, s->quiet, tv_clock()};
    struct tv_svd_options options;
    tv_svd_defaults(&options);
    options.factors = s->factors;
    options.threads = s->threads;
    options.progress = show_progress;
    options.context = &watch;
    enum tv_status status = tv_svd(svd, &d->csr, &options, err);
    if (status == TV_ERR_NUMERIC && svd->rank > 0 && !s->factors_given) {
        tv_log_info("the matrix has rank %d, so it gets %d factors, not %d", svd->rank, svd->rank, s->factors);
        s->factors = options.factors = svd->rank;
        status = tv_svd(svd, &d->csr, &options, err);
    } else if (status == TV_ERR_NUMERIC && svd->rank > 0) {
        tv_hint(err, "use --factors %d or less, or a wider filter", svd->rank);
    }
    return status;
}

/* I = V diag(sigma^a), computed in float64 and rounded to float16; an item with a factor that does not fit is left
 * out. */
static enum tv_status pack_items(struct tv_model *m, const struct tv_svd *svd, struct tv_learn_report *report,
                                 int quiet, struct tv_error *err)
{
    struct tv_learn_packing packing = {.beyond = &report->beyond};
    size_t k = (size_t)m->factors;
    float *row = tv_alloc(k, sizeof *row, "item factors", err);
    double *power = tv_alloc(k, sizeof *power, "item factors", err);
    enum tv_status status = row && power ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t j = 0; j < k && status == TV_OK; j++)
        power[j] = pow(svd->sigma[j], m->sigma_power);
    for (size_t i = 0; i < (size_t)m->n_items && status == TV_OK; i++) {
        for (size_t j = 0; j < k; j++)
            row[j] = (float)((double)svd->v[i * k + j] * power[j]);
        tv_learn_pack_row(&packing, m, i, row);
    }
    free(row);
    free(power);
    return status == TV_OK ? tv_learn_end_packing(&packing, m, quiet,
                                                  "use a smaller --sigma, or scale ratings this large "
                                                  "(counts of plays?) in the filter, e.g. by their logarithm",
                                                  err)
                           : status;
}

/* The left singular vectors are freed with the rest: users are folded in with the item factors and sigma
 * (trivet/core/fold_in.h). */
enum tv_status tv_learn_svd(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                            struct tv_learn_settings *s, struct tv_error *err)
{
    struct tv_svd svd = {0};
    enum tv_status status = run_svd(s, d, &svd, err);
    if (status != TV_OK)
        return status;
    report->steps = svd.steps;
    report->residual = svd.residual;
    if (!s->quiet)
        tv_log_info("%d singular values, %.4g to %.4g, in %d steps; largest residual %.1e", s->factors, svd.sigma[0],
                    svd.sigma[s->factors - 1], svd.steps, svd.residual);
    struct tv_model *m = tv_learn_new_model(d, s, s->factors, err);
    status = m && (m->sigma = tv_alloc((size_t)s->factors, sizeof *m->sigma, "singular values", err)) ? TV_OK
                                                                                                     : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        memcpy(m->sigma, svd.sigma, (size_t)s->factors * sizeof *m->sigma);
        status = pack_items(m, &svd, report, s->quiet, err);
    }
    tv_svd_free(&svd);
    if (status == TV_OK)
        *out = m;
    else
        tv_model_free(m);
    return status;
}

double tv_learn_svd_memory(const struct tv_learn_settings *s, const struct tv_matrix *d)
{
    const struct tv_csr *m = &d->csr;
    return tv_svd_memory(m->n_rows, m->n_cols, m->n_values, s->factors);
}
