/* als: alternating least squares, explicit and implicit, and the model's item side from it. lib/core/als solves; here
 * the settings become its options, its item factors become float16, and its progress goes to the log.
 */
#include "train/learn/als.h"

#include <stdlib.h>

#include "train/learn/algorithm.h"
#include "train/learn/packing.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/cli/interrupt.h"
#include "trivet/core/als/als.h"

/* An iteration that lowers the objective by less than this part of it is the last one. */
static const double NO_IMPROVEMENT = 1e-5;

/* The context of show_progress; `started` is a moment of tv_clock(). */
struct watch {
    int iterations, quiet;
    double started;
};

/* Called after each iteration. A signal ends the work with TV_ERR_INTERRUPTED. */
static int show_progress(void *context, int iteration, double objective)
{
    const struct watch *w = context;
    double seconds = tv_clock() - w->started;
    if (!w->quiet)
        tv_log_info("iteration %d of %d: objective %.6g; %.1f s, about %.1f s to go", iteration, w->iterations, objective,
                    seconds, seconds / iteration * (w->iterations - iteration));
    return tv_interrupted();
}

/* Everything that the settings can say is passed on; the tolerance is the same for all trainings. */
static enum tv_status run_als(struct tv_als *als, const struct tv_learn_settings *s, const struct tv_matrix *d,
                              struct tv_error *err)
{
    struct watch watch = {s->iterations, s->quiet, tv_clock()};
    const struct tv_als_options options = {.implicit = s->algorithm->takes_counts,
                                           .biases = s->biases,
                                           .factors = s->factors,
                                           .iterations = s->iterations,
                                           .lambda = s->lambda,
                                           .alpha = s->alpha,
                                           .seed = s->seed,
                                           .tolerance = NO_IMPROVEMENT,
                                           .threads = s->threads,
                                           .progress = show_progress,
                                           .context = &watch};
    return tv_als(als, &d->csr, &options, err);
}

/* The solver's user factors are freed with it: users are folded in with the item factors (trivet/core/fold_in.h).
 * The objectives move to the report. */
enum tv_status tv_learn_als(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                            struct tv_learn_settings *s, struct tv_error *err)
{
    struct tv_als als = {0};
    struct tv_learn_packing packing = {.beyond = &report->beyond};
    enum tv_status status = run_als(&als, s, d, err);
    if (status != TV_OK)
        return status;
    if (!s->quiet && als.iterations < s->iterations)
        tv_log_info("iteration %d brought no improvement, so it was the last", als.iterations);
    struct tv_model *m = tv_learn_new_model(d, s, als.columns, err);
    if (m == NULL)
        status = TV_ERR_NO_MEMORY;
    for (size_t i = 0; status == TV_OK && i < (size_t)m->n_items; i++)
        tv_learn_pack_row(&packing, m, i, als.item_factors + i * (size_t)als.columns);
    if (status == TV_OK)
        status = tv_learn_end_packing(&packing, m, s->quiet,
                                      "use a larger --lambda, or scale the ratings in the filter", err);
    if (status == TV_OK) {
        m->lambda = s->lambda;
        m->alpha = s->alpha;
        m->biases = s->biases;
        report->steps = als.iterations;
        report->objective = als.objective;
        als.objective = NULL;
        *out = m;
    } else {
        tv_model_free(m);
    }
    tv_als_free(&als);
    return status;
}

double tv_learn_als_memory(const struct tv_learn_settings *s, const struct tv_matrix *d)
{
    const struct tv_csr *m = &d->csr;
    const struct tv_als_options options = {
        .implicit = s->algorithm->takes_counts, .biases = s->biases, .factors = s->factors, .threads = s->threads};
    return tv_als_memory(m->n_rows, m->n_cols, m->n_values, &options);
}
