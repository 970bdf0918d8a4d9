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
static int largest_factors(const struct tv_matrix *d)
{
    int shorter = d->csr.n_rows < d->csr.n_cols ? d->csr.n_rows : d->csr.n_cols;
    return shorter > 1 ? shorter - 1 : 1;
}

/* A default shrinks for every algorithm. A number that was asked for is refused only where the algorithm is bounded
 * by the matrix. */
enum tv_status tv_learn_fit_factors(struct tv_learn_settings *s, const struct tv_matrix *d, struct tv_error *err)
{
    int largest = largest_factors(d);
    if (s->factors <= largest || (s->factors_given && !s->algorithm->bounded))
        return TV_OK;
    if (s->factors_given) {
        tv_fail(err, TV_ERR_USAGE, "--factors is %d, but a matrix of %d users and %d items has at most %d", s->factors,
                (int)d->csr.n_rows, (int)d->csr.n_cols, largest);
        return tv_hint(err, "use --factors %d or less, or a wider filter", largest);
    }
    if (!s->quiet)
        tv_log_info("%d users and %d items allow %d factors, not the default of %d", (int)d->csr.n_rows,
                    (int)d->csr.n_cols, largest, s->factors);
    s->factors = largest;
    return TV_OK;
}

double tv_learn_memory(const struct tv_learn_settings *s, const struct tv_matrix *d)
{
    return s->algorithm->memory(s, d);
}

/* One attempt, with an empty report. */
static enum tv_status learn_from(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                                 struct tv_learn_settings *s, struct tv_error *err)
{
    *report = (struct tv_learn_report){0};
    return s->algorithm->learn(out, report, d, s, err);
}

/* Learns once more, without the ratings that may have been the reason (proportion.h). Where there are none, *err
 * still says why the first attempt failed. `less` borrows the ids of `d`, and its matrix is its own. */
static enum tv_status learn_without_outliers(struct tv_model **out, struct tv_learn_report *report,
                                             const struct tv_matrix *d, struct tv_learn_settings *s,
                                             struct tv_error *err)
{
    char ratings[64];
    struct tv_named beyond = {0};
    struct tv_matrix less = {.users = d->users, .items = d->items};
    enum tv_status status = tv_learn_keep_proportion(&less.csr, &beyond, d, err);
    if (status == TV_OK && beyond.n == 0)
        status = TV_ERR_NUMERIC;
    else if (status == TV_OK) {
        if (!s->quiet)
            tv_log_info("%s not learned from, being out of all proportion to the others (%s): with %s there is no model: %s",
                        tv_text_are(ratings, beyond.n, "rating"), beyond.names, beyond.n == 1 ? "it" : "them",
                        err->message);
        status = learn_from(out, report, &less, s, err);
    }
    tv_csr_free(&less.csr);
    return status;
}

/* On failure *report is empty, and *out is not set. */
enum tv_status tv_learn(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                        struct tv_learn_settings *s, struct tv_error *err)
{
    char memory[32];
    if (!s->quiet)
        tv_log_info("learning needs about %s beside the ratings", tv_text_bytes(memory, tv_learn_memory(s, d)));
    enum tv_status status = learn_from(out, report, d, s, err);
    if (status == TV_ERR_NUMERIC && s->algorithm->predicts_ratings) {
        tv_learn_report_free(report);
        status = learn_without_outliers(out, report, d, s, err);
    }
    if (status == TV_OK)
        (*out)->checksum = tv_model_checksum(*out);
    else
        tv_learn_report_free(report);
    return status;
}

void tv_learn_report_free(struct tv_learn_report *r)
{
    free(r->objective);
    *r = (struct tv_learn_report){0};
}
