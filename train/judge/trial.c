/* trial: settings judged on ratings that are kept apart from learning: one trial, or one baseline. trial_data.c has
 * divided the ratings. Nothing here changes the data, so trials may run at the same time.
 */
#include "train/judge/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/judge/cuts.h"
#include "train/judge/judge.h"
#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"

/* Asked by an evaluation as it goes on, so that Ctrl-C does not wait for its end. */
static int stop_when_interrupted(void *context, int32_t done, int32_t n)
{
    (void)context, (void)done, (void)n;
    return tv_interrupted();
}

static struct tv_evaluate_options judging(int threads)
{
    struct tv_evaluate_options options;
    tv_evaluate_defaults(&options);
    options.threads = threads;
    options.progress = stop_when_interrupted;
    return options;
}

/* Only the cuts may differ from the data's filter: another condition on rows would make other ratings, which cannot
 * be compared. */
static enum tv_status check_filter(const struct tv_trial *t, const struct tv_trial_data *d, struct tv_error *err)
{
    const char *other = t->filter && d->filter ? tv_filter_other_rows(d->filter, t->filter) : NULL;
    if (other == NULL)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "trials on the same ratings cannot have different values of %s", other);
    return tv_hint(err, "it decides which ratings there are to be kept apart; evaluate each value by itself");
}

static enum tv_status check_portion(const struct tv_trial_data *d, enum tv_portion portion, struct tv_error *err)
{
    if (d->holdout[portion].counts.rows > 0)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "there is no validation part to judge on");
    return tv_hint(err, "--validation SHARE sets one aside, of a split at random or by time");
}

/* --- what is learned from ---------------------------------------------------------------------------------------- */

/* The training portion, or a fraction of it over the same dense indices, so that what users have seen and the
 * catalogue stay the same. */
struct share {
    const struct tv_evidence *evidence; /* lent: of the data, or `own` */
    const struct tv_csr *matrix;
    struct tv_evidence own;
    struct tv_csr own_matrix;
};

static void free_share(struct share *s)
{
    tv_evidence_free(&s->own);
    tv_csr_free(&s->own_matrix);
}

/* The values of the matrix that are marked. Its values stand in the order of the evidence's pairs. */
static enum tv_status pick_values(struct tv_csr *out, const struct tv_csr *m, const uint8_t *marks, struct tv_error *err)
{
    *out = (struct tv_csr){.n_rows = m->n_rows, .n_cols = m->n_cols};
    out->start = tv_alloc((size_t)m->n_rows + 1, sizeof *out->start, "a fraction", err);
    out->column = tv_alloc((size_t)m->n_values, sizeof *out->column, "a fraction", err);
    out->value = tv_alloc((size_t)m->n_values, sizeof *out->value, "a fraction", err);
    if (out->start == NULL || out->column == NULL || out->value == NULL)
        return TV_ERR_NO_MEMORY;
    for (int32_t row = 0; row < m->n_rows; row++) {
        for (int64_t i = m->start[row]; i < m->start[row + 1]; i++)
            if (marks[i]) {
                out->column[out->n_values] = m->column[i];
                out->value[out->n_values++] = m->value[i];
            }
        out->start[row + 1] = out->n_values;
    }
    return TV_OK;
}

/* A fraction is drawn with the split's seed: a smaller one lies within a larger, and the same one is the same for
 * the model and for baselines. */
static enum tv_status take_share(struct share *out, const struct tv_trial_data *d, double fraction,
                                 struct tv_error *err)
{
    *out = (struct share){&d->training, &d->training_matrix.csr, TV_EVIDENCE_INIT, {0}};
    if (fraction == 0 || fraction >= 1)
        return TV_OK;
    uint8_t *marks = tv_alloc(d->training.n_pairs, sizeof *marks, "a fraction", err);
    if (marks == NULL)
        return TV_ERR_NO_MEMORY;
    tv_split_thin(marks, d->training.n_pairs, fraction, d->split.seed);
    enum tv_status status = tv_evidence_pick(&out->own, &d->training, marks, 1, err);
    if (status == TV_OK)
        status = pick_values(&out->own_matrix, &d->training_matrix.csr, marks, err);
    out->evidence = &out->own;
    out->matrix = &out->own_matrix;
    free(marks);
    return status;
}

/* --- a model ----------------------------------------------------------------------------------------------------- */

static enum tv_status nothing_left(const struct tv_trial *t, const struct tv_evidence *e, struct tv_error *err)
{
    char text[512] = "";
    if (t->filter)
        tv_filter_describe(t->filter, text, sizeof text);
    tv_fail(err, TV_ERR_INPUT, "the filter (%s) keeps none of the %zu ratings that may be learned from", text, e->n_pairs);
    return tv_hint(err, "its numbers count what is left when the test is kept apart; use a wider one");
}

/* A row limit that was reached keeps the users with the lowest ids and no others, so it is said. */
static void report_rows(const struct tv_trial *t)
{
    char rows[32], users[32], items[32];
    tv_log_info("learning from %s ratings of %s users and %s items", tv_text_number(rows, t->rows),
                tv_text_number(users, t->users), tv_text_number(items, t->items));
    if (t->filter && t->rows == tv_filter_int(t->filter, "max_row_number"))
        tv_log_info("warning: max_row_number allows no more, so only the first users are learned from; --set max_row_number=N "
                    "allows N");
}

/* Makes the matrix that the trial learns from: the share after the trial's cuts. */
static enum tv_status choose_rows(struct tv_matrix *out, struct tv_trial *t, const struct tv_evidence *e,
                                  struct tv_error *err)
{
    struct tv_ratings *ratings = NULL;
    struct tv_named too_large = {0};
    enum tv_status status = tv_ratings_create(&ratings, err);
    if (status == TV_OK)
        status = t->filter ? tv_cuts_apply(ratings, e, t->filter, &too_large, err)
                           : tv_cuts_none(ratings, e, &too_large, err);
    if (status == TV_OK && tv_ratings_count(ratings) == 0)
        status = nothing_left(t, e, err);
    t->rows = ratings ? (int64_t)tv_ratings_count(ratings) : 0;
    if (status == TV_OK)
        status = tv_ratings_matrix(out, ratings, err);
    tv_ratings_free(ratings);
    if (status != TV_OK)
        return status;
    t->users = out->csr.n_rows;
    t->items = out->csr.n_cols;
    if (!t->learn.quiet) {
        tv_cuts_report(&too_large);
        report_rows(t);
    }
    return TV_OK;
}

/* Learns a model from the share; only learning itself is timed. */
static enum tv_status learn_share(struct tv_model **out, struct tv_trial *t, const struct tv_evidence *e,
                                  struct tv_error *err)
{
    struct tv_matrix matrix = {0};
    struct tv_learn_report report = {0};
    enum tv_status status = choose_rows(&matrix, t, e, err);
    if (status == TV_OK)
        status = tv_learn_fit_factors(&t->learn, &matrix, err);
    double started = tv_clock();
    if (status == TV_OK)
        status = tv_learn(out, &report, &matrix, &t->learn, err);
    t->seconds = tv_clock() - started;
    tv_learn_report_free(&report);
    tv_matrix_free(&matrix);
    return status;
}

/* The verdict's head; a fraction of 0 stands for all. */
static void begin(struct tv_verdict *out, const char *name, int is_model, double fraction, int quiet)
{
    *out = (struct tv_verdict){.is_model = is_model, .fraction = fraction == 0 ? 1 : fraction};
    snprintf(out->name, sizeof out->name, "%s", name);
    if (!quiet)
        tv_log_info("judging %s", name);
}

/* Learns from the share and judges on a portion. Users are folded in from the whole share, whatever the cuts left out,
 * as they would be served. */
static enum tv_status run(struct tv_verdict *out, struct tv_trial *t, const struct share *share,
                          const struct tv_trial_data *d, enum tv_portion portion, struct tv_error *err)
{
    struct tv_model *model = NULL;
    struct tv_judge *judge = NULL;
    const struct tv_evaluate_options options = judging(t->learn.threads);
    enum tv_status status = learn_share(&model, t, share->evidence, err);
    if (status == TV_OK)
        status =
            tv_judge_create(&judge, model, share->evidence, &d->training_matrix, tv_evaluate_threads(&options), err);
    if (status == TV_OK) {
        const struct tv_method method = tv_judge_method(judge);
        begin(out, model->algorithm, 1, t->fraction, t->learn.quiet);
        out->factors = t->factors = tv_model_rank(model);
        status = tv_verdict_measure(out, &method, &d->training_matrix.csr, &d->holdout[portion], &options, err);
    }
    tv_judge_free(judge);
    tv_model_free(model);
    return status;
}

/* The checks come first: they cost nothing, and a share may be a copy of nearly all ratings. */
enum tv_status tv_trial_run(struct tv_verdict *out, struct tv_trial *trial, const struct tv_trial_data *d,
                            enum tv_portion portion, struct tv_error *err)
{
    struct share share = {0};
    enum tv_status status = check_filter(trial, d, err);
    if (status == TV_OK)
        status = check_portion(d, portion, err);
    if (status == TV_OK)
        status = take_share(&share, d, trial->fraction, err);
    if (status == TV_OK)
        status = run(out, trial, &share, d, portion, err);
    free_share(&share);
    return status;
}

/* --- a baseline -------------------------------------------------------------------------------------------------- */

/* A baseline learns from the whole share: the trial's filter is the model's alone. */
enum tv_status tv_trial_baseline(struct tv_verdict *out, enum tv_baseline_kind kind, double fraction,
                                 const struct tv_learn_settings *how, const struct tv_trial_data *d,
                                 enum tv_portion portion, struct tv_error *err)
{
    struct share share;
    struct tv_baseline baseline = {0};
    struct tv_baseline_options options;
    const struct tv_evaluate_options evaluate = judging(how->threads);
    tv_baseline_defaults(&options);
    enum tv_status status = take_share(&share, d, fraction, err);
    if (status == TV_OK)
        status = tv_baseline_fit(&baseline, kind, share.matrix, &options, err);
    if (status == TV_OK) {
        const struct tv_method method = tv_baseline_method(&baseline);
        begin(out, tv_baseline_name(kind), 0, fraction, how->quiet);
        status = tv_verdict_measure(out, &method, &d->training_matrix.csr, &d->holdout[portion], &evaluate, err);
    }
    tv_baseline_free(&baseline);
    free_share(&share);
    return status;
}
