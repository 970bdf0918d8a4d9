/* trial: settings judged on ratings that are kept apart from learning. */
#include "train/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cuts.h"
#include "train/judge.h"
#include "trivet/clock.h"
#include "trivet/interrupt.h"
#include "trivet/log.h"
#include "trivet/text.h"

const struct tv_option trial_options[] = {
    {.name = "test", .kind = TV_OPTION_REAL, .value = "SHARE", .preset = "0.2", .min = 0.001, .max = 0.9,
     .help = "share of the pairs of user and item that is kept apart, at random"},
    {.name = "split-seed", .kind = TV_OPTION_INT, .value = "S", .preset = "1", .min = 0, .max = 9e18,
     .help = "which pairs these are"},
    {.name = "relevant", .kind = TV_OPTION_REAL, .value = "RATING", .min = -1e30, .max = 1e30,
     .help = "a rating kept apart counts as a hit from here on (default: every one does)"},
    {.name = NULL},
};

/* --- what is kept apart --------------------------------------------------------------------------------------- */

/* These change who is learned from in ways only Postgres knows, and it would count the ratings kept apart, too. */
static enum tv_status refuse_what_leaks(const struct tv_filter *filter, int other_fold_in, struct tv_error *err)
{
    const char *leak = other_fold_in                                         ? "--fold-in-source"
                       : filter && !tv_filter_is_default(filter, "rated_until")  ? "rated_until"
                       : filter && !tv_filter_is_default(filter, "sample_users") ? "sample_users"
                                                                             : NULL;
    if (leak == NULL)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "%s cannot be evaluated: the rows it gives would hold ratings that are kept apart", leak);
    return tv_hint(err, "leave it out; the other settings are applied to the training part alone");
}

/* The user of each pair, written out. */
static int64_t *users_of_pairs(const struct tv_evidence *e, struct tv_error *err)
{
    int64_t *users = tv_alloc(e->n_pairs, sizeof *users, "users", err);
    for (size_t u = 0; users && u < e->n_users; u++)
        for (size_t i = e->start[u]; i < e->start[u + 1]; i++)
            users[i] = e->users[u];
    return users;
}

/* The training pairs as evidence, each with as many rows as it has. */
static enum tv_status gather_training(struct tv_evidence *out, const struct tv_evidence *all, const int64_t *users,
                                      const uint8_t *part, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    size_t repeat = 0;
    for (size_t i = 0; i < all->n_pairs && status == TV_OK; i++) {
        int64_t rows = 1;
        if (repeat < all->n_repeats && all->repeats[repeat].pair == i)
            rows += all->repeats[repeat++].more;
        for (int64_t r = 0; r < rows && part[i] == TV_TRAINING && status == TV_OK; r++)
            status = tv_evidence_add(out, users[i], all->items[i], all->ratings[i], err);
    }
    return status;
}

static enum tv_status divide(struct trial_data *d, const struct tv_evidence *all, float relevant, struct tv_error *err)
{
    struct tv_split split = {0};
    int64_t *users = users_of_pairs(all, err);
    const struct tv_pairs pairs = {.n = all->n_pairs, .user = users, .item = all->items, .value = all->ratings};
    enum tv_status status = users ? tv_split(&split, &pairs, &d->split, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = gather_training(&d->training, all, users, split.part, err);
    if (status == TV_OK)
        status = tv_split_dense(&d->dense, &pairs, &split, TV_TRAINING, err);
    for (int part = TV_TRAINING + 1; part < TV_PARTS && status == TV_OK; part++)
        if (split.n[part] > 0)
            status = tv_holdout_create(&d->holdout[part], &pairs, &split, (enum tv_part)part, &d->dense, relevant, err);
    tv_split_free(&split);
    free(users);
    return status;
}

static void report_holdout(const char *what, const struct tv_holdout_counts *c)
{
    char rows[32], users[32], cold_users[32], cold_items[32], user_rows[32], item_rows[32];
    if (c->rows == 0)
        return;
    tv_log_info("%s: %s pairs of %s users; %s users without a training rating (%s pairs, in no mean), %s items "
                "without one (%s pairs of known users: missed by every list, in no rating error)",
                what, tv_text_number(rows, c->rows), tv_text_number(users, c->users),
                tv_text_number(cold_users, c->cold_users), tv_text_number(user_rows, c->cold_user_rows),
                tv_text_number(cold_items, c->cold_items), tv_text_number(item_rows, c->cold_item_rows));
}

enum tv_status trial_prepare(struct trial_data *out, struct fit *f, const struct tv_settings *settings,
                             struct tv_error *err)
{
    float relevant = tv_settings_given(settings, "relevant") ? (float)tv_settings_real(settings, "relevant") : -INFINITY;
    *out = (struct trial_data){.training = TV_EVIDENCE_INIT, .filter = f->own_source ? NULL : f->filter};
    tv_split_defaults(&out->split);
    out->split.test = tv_settings_real(settings, "test");
    out->split.validation = tv_settings_real(settings, "validation");
    out->split.seed = (uint64_t)tv_settings_int(settings, "split-seed");
    enum tv_status status = refuse_what_leaks(out->filter, f->own_source && !f->same_rows, err);
    if (status == TV_OK)
        status = fit_read(f, err);
    if (status == TV_OK)
        status = divide(out, &f->evidence, relevant, err);
    tv_evidence_free(&f->evidence);
    if (status != TV_OK) {
        trial_data_free(out);
        return status;
    }
    report_holdout("kept apart", &out->holdout[TV_TEST].counts);
    report_holdout("for validation", &out->holdout[TV_VALIDATION].counts);
    return TV_OK;
}

void trial_data_free(struct trial_data *d)
{
    tv_evidence_free(&d->training);
    tv_dense_free(&d->dense);
    for (int part = 0; part < TV_PARTS; part++)
        tv_holdout_free(&d->holdout[part]);
    *d = (struct trial_data){.training = TV_EVIDENCE_INIT};
}

/* --- one trial -------------------------------------------------------------------------------------------------- */

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

static enum tv_status check_filter(const struct trial *t, const struct trial_data *d, struct tv_error *err)
{
    const char *other = t->filter && d->filter ? tv_filter_other_rows(d->filter, t->filter) : NULL;
    if (other == NULL)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "trials on the same ratings cannot have different values of %s", other);
    return tv_hint(err, "it decides which ratings there are to be kept apart; evaluate each value by itself");
}

static enum tv_status nothing_left(const struct trial *t, const struct trial_data *d, struct tv_error *err)
{
    char text[512];
    tv_filter_describe(t->filter, text, sizeof text);
    tv_fail(err, TV_ERR_INPUT, "the filter (%s) keeps none of the %zu ratings that may be learned from", text,
            d->training.n_pairs);
    return tv_hint(err, "its numbers count what is left when the test is kept apart; use a wider one");
}

static enum tv_status choose_rows(struct tv_dense *out, struct trial *t, const struct trial_data *d, struct tv_error *err)
{
    char rows[32], users[32], items[32];
    struct tv_ratings *ratings = NULL;
    enum tv_status status = tv_ratings_create(&ratings, err);
    if (status == TV_OK)
        status = t->filter ? cuts_apply(ratings, &d->training, t->filter, err) : cuts_none(ratings, &d->training, err);
    if (status == TV_OK && tv_ratings_count(ratings) == 0)
        status = nothing_left(t, d, err);
    t->rows = ratings ? (int64_t)tv_ratings_count(ratings) : 0;
    if (status == TV_OK)
        status = tv_ratings_densify(out, ratings, err);
    tv_ratings_free(ratings);
    if (status != TV_OK)
        return status;
    t->users = out->matrix.n_rows;
    t->items = out->matrix.n_cols;
    if (!t->learn.quiet)
        tv_log_info("learning from %s ratings of %s users and %s items", tv_text_number(rows, t->rows),
                    tv_text_number(users, t->users), tv_text_number(items, t->items));
    return TV_OK;
}

static enum tv_status learn_training(struct tv_model **out, struct trial *t, const struct trial_data *d,
                                     struct tv_error *err)
{
    struct tv_dense dense = {0};
    struct learn_report report = {0};
    enum tv_status status = choose_rows(&dense, t, d, err);
    if (status == TV_OK)
        status = learn_fit_factors(&t->learn, &dense, err);
    double started = tv_clock();
    if (status == TV_OK)
        status = learn(out, &report, &dense, &t->learn, err);
    t->seconds = tv_clock() - started;
    learn_report_free(&report);
    tv_dense_free(&dense);
    return status;
}

static void begin(struct verdict *out, const char *name, int is_model, int quiet)
{
    *out = (struct verdict){.is_model = is_model, .fraction = 1};
    snprintf(out->name, sizeof out->name, "%s", name);
    if (!quiet)
        tv_log_info("judging %s", name);
}

enum tv_status trial_run(struct verdict *out, struct trial *trial, const struct trial_data *d, enum tv_part part,
                         struct tv_error *err)
{
    struct tv_model *model = NULL;
    struct judge *judge = NULL;
    const struct tv_evaluate_options options = judging(trial->learn.threads);
    enum tv_status status = check_filter(trial, d, err);
    if (status == TV_OK)
        status = learn_training(&model, trial, d, err);
    if (status == TV_OK)
        status = judge_create(&judge, model, &d->training, &d->dense, tv_evaluate_threads(&options), err);
    if (status == TV_OK) {
        const struct tv_method method = judge_method(judge);
        begin(out, model->algorithm, 1, trial->learn.quiet);
        status = verdict_measure(out, &method, &d->dense.matrix, &d->holdout[part], &options, err);
    }
    judge_free(judge);
    tv_model_free(model);
    return status;
}

enum tv_status trial_baseline(struct verdict *out, enum tv_baseline_kind kind, int threads, const struct trial_data *d,
                              enum tv_part part, struct tv_error *err)
{
    struct tv_baseline baseline;
    struct tv_baseline_options options;
    const struct tv_evaluate_options evaluate = judging(threads);
    tv_baseline_defaults(&options);
    enum tv_status status = tv_baseline_fit(&baseline, kind, &d->dense.matrix, &options, err);
    if (status != TV_OK)
        return status;
    const struct tv_method method = tv_baseline_method(&baseline);
    begin(out, tv_baseline_name(kind), 0, 0);
    status = verdict_measure(out, &method, &d->dense.matrix, &d->holdout[part], &evaluate, err);
    tv_baseline_free(&baseline);
    return status;
}
