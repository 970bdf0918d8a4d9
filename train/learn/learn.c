/* learn: calls the algorithm that is asked for, and once more without outliers where one that predicts ratings
 * fails for numerical reasons.
 */
#include "train/learn/learn.h"

#include <stdlib.h>

#include "train/learn/algorithm.h"
#include "train/learn/proportion.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"

/* A truncated SVD has at most one less than the shorter side; alternating least squares takes any number. */
static int largest_factors(const struct tv_dense *d)
{
    int shorter = d->matrix.n_rows < d->matrix.n_cols ? d->matrix.n_rows : d->matrix.n_cols;
    return shorter > 1 ? shorter - 1 : 1;
}

/* A default shrinks for every algorithm. A number that was asked for is refused only where the algorithm is bounded
 * by the matrix. */
enum tv_status learn_fit_factors(struct learn_settings *s, const struct tv_dense *d, struct tv_error *err)
{
    int largest = largest_factors(d);
    if (s->factors <= largest || (s->factors_given && !s->algorithm->bounded))
        return TV_OK;
    if (s->factors_given) {
        tv_fail(err, TV_ERR_USAGE, "--factors is %d, but a matrix of %d users and %d items has at most %d", s->factors,
                (int)d->matrix.n_rows, (int)d->matrix.n_cols, largest);
        return tv_hint(err, "use --factors %d or less, or a wider filter", largest);
    }
    if (!s->quiet)
        tv_log_info("%d users and %d items allow %d factors, not the default of %d", (int)d->matrix.n_rows,
                    (int)d->matrix.n_cols, largest, s->factors);
    s->factors = largest;
    return TV_OK;
}

double learn_memory(const struct learn_settings *s, const struct tv_dense *d)
{
    return s->algorithm->memory(s, d);
}

/* One attempt, with an empty report. */
static enum tv_status learn_from(struct tv_model **out, struct learn_report *report, const struct tv_dense *d,
                                 struct learn_settings *s, struct tv_error *err)
{
    *report = (struct learn_report){0};
    return s->algorithm->learn(out, report, d, s, err);
}

/* Learns once more, without the ratings that may have been the reason (proportion.h). Where there are none, *err
 * still says why the first attempt failed. `less` lends the ids of `d`, and its matrix is its own. */
static enum tv_status learn_without_outliers(struct tv_model **out, struct learn_report *report, const struct tv_dense *d,
                                             struct learn_settings *s, struct tv_error *err)
{
    char ratings[64];
    struct tv_named beyond = {0};
    struct tv_dense less = {.users = d->users, .items = d->items};
    enum tv_status status = learn_keep_proportion(&less.matrix, &beyond, d, err);
    if (status == TV_OK && beyond.n == 0)
        status = TV_ERR_NUMERIC;
    else if (status == TV_OK) {
        if (!s->quiet)
            tv_log_info("%s not learned from, being out of all proportion to the others (%s): with %s there is no model: %s",
                        tv_text_are(ratings, beyond.n, "rating"), beyond.names, beyond.n == 1 ? "it" : "them",
                        err->message);
        status = learn_from(out, report, &less, s, err);
    }
    tv_csr_free(&less.matrix);
    return status;
}

/* On failure *report is empty, and *out is not set. */
enum tv_status learn(struct tv_model **out, struct learn_report *report, const struct tv_dense *d,
                     struct learn_settings *s, struct tv_error *err)
{
    char memory[32];
    if (!s->quiet)
        tv_log_info("learning needs about %s beside the ratings", tv_text_bytes(memory, learn_memory(s, d)));
    enum tv_status status = learn_from(out, report, d, s, err);
    if (status == TV_ERR_NUMERIC && s->algorithm->predicts_ratings) {
        learn_report_free(report);
        status = learn_without_outliers(out, report, d, s, err);
    }
    if (status == TV_OK)
        (*out)->checksum = tv_model_checksum(*out);
    else
        learn_report_free(report);
    return status;
}

void learn_report_free(struct learn_report *r)
{
    free(r->objective);
    *r = (struct learn_report){0};
}
