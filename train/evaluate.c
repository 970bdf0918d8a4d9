/* evaluate: the command. Reads what fit would read, keeps a share of the pairs apart, applies the filter to the rest
 * alone, learns from that, and judges the lists and predictions on what was kept apart, beside the baselines. Nothing is
 * written. */
#include "train/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/fit.h"
#include "train/judge.h"
#include "train/verdict.h"
#include "trivet/baselines.h"
#include "trivet/holdout.h"
#include "trivet/interrupt.h"
#include "trivet/log.h"
#include "trivet/split.h"
#include "trivet/table.h"
#include "trivet/text.h"

const struct tv_option evaluate_options[] = {
    {.name = "test", .kind = TV_OPTION_REAL, .value = "SHARE", .preset = "0.2", .min = 0.001, .max = 0.9,
     .help = "share of the pairs of user and item that is kept apart, at random"},
    {.name = "split-seed", .kind = TV_OPTION_INT, .value = "S", .preset = "1", .min = 0, .max = 9e18,
     .help = "which pairs these are"},
    {.name = "relevant", .kind = TV_OPTION_REAL, .value = "RATING", .min = -1e30, .max = 1e30,
     .help = "a rating kept apart counts as a hit from here on (default: every one does)"},
    {.name = "format", .kind = TV_OPTION_CHOICE, .value = "FORMAT", .preset = "table", .choices = TV_TABLE_FORMATS,
     .help = "how to print it"},
    {.name = NULL},
};

struct evaluation {
    struct fit fit; /* reads and learns; its evidence is the training part */
    struct tv_evidence all;
    struct tv_dense training;
    struct tv_holdout holdout;
    struct tv_evaluate_options options;
    struct judge *judge;
    struct verdict verdict;
};

/* --- what is kept apart --------------------------------------------------------------------------------------- */

/* These change who is learned from in ways only Postgres knows, and it would count the ratings kept apart, too. */
static enum tv_status refuse_what_leaks(const struct fit *f, struct tv_error *err)
{
    const char *leak = f->own_source && !f->same_rows                           ? "--fold-in-source"
                       : !tv_filter_is_default(f->filter, "rated_until")  ? "rated_until"
                       : !tv_filter_is_default(f->filter, "sample_users") ? "sample_users"
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

static enum tv_status split(struct evaluation *v, const struct tv_settings *s, struct tv_error *err)
{
    struct tv_split parts = {0};
    struct tv_split_options options;
    float relevant = tv_settings_given(s, "relevant") ? (float)tv_settings_real(s, "relevant") : -INFINITY;
    v->all = v->fit.evidence;
    v->fit.evidence = (struct tv_evidence)TV_EVIDENCE_INIT;
    int64_t *users = users_of_pairs(&v->all, err);
    const struct tv_pairs pairs = {.n = v->all.n_pairs, .user = users, .item = v->all.items, .value = v->all.ratings};
    tv_split_defaults(&options);
    options.test = tv_settings_real(s, "test");
    options.seed = (uint64_t)tv_settings_int(s, "split-seed");
    enum tv_status status = users ? tv_split(&parts, &pairs, &options, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = gather_training(&v->fit.evidence, &v->all, users, parts.part, err);
    if (status == TV_OK)
        status = tv_split_dense(&v->training, &pairs, &parts, TV_TRAINING, err);
    if (status == TV_OK)
        status = tv_holdout_create(&v->holdout, &pairs, &parts, TV_TEST, &v->training, relevant, err);
    tv_split_free(&parts);
    tv_evidence_free(&v->all);
    free(users);
    return status;
}

static void report_holdout(const struct tv_holdout_counts *c)
{
    char rows[32], users[32], cold_users[32], cold_items[32], user_rows[32], item_rows[32];
    tv_log_info("kept apart: %s pairs of %s users; %s users without a training rating (%s pairs, in no mean), %s items "
                "without one (%s pairs of known users: missed by every list, in no rating error)",
                tv_text_number(rows, c->rows), tv_text_number(users, c->users), tv_text_number(cold_users, c->cold_users),
                tv_text_number(user_rows, c->cold_user_rows), tv_text_number(cold_items, c->cold_items),
                tv_text_number(item_rows, c->cold_item_rows));
}

/* --- judging ---------------------------------------------------------------------------------------------------- */

static enum tv_status judge_baselines(struct evaluation *v, struct tv_error *err)
{
    struct tv_baseline_options options;
    enum tv_status status = TV_OK;
    tv_baseline_defaults(&options);
    for (int kind = 0; kind < TV_BASELINES && status == TV_OK; kind++) {
        struct tv_baseline baseline;
        status = tv_baseline_fit(&baseline, (enum tv_baseline_kind)kind, &v->training.matrix, &options, err);
        if (status != TV_OK)
            break;
        const struct tv_method method = tv_baseline_method(&baseline);
        status = verdict_add(&v->verdict, tv_baseline_name((enum tv_baseline_kind)kind), &method, err);
        tv_baseline_free(&baseline);
    }
    return status;
}

/* --- the command ------------------------------------------------------------------------------------------------ */

static int stop_when_interrupted(void *context, int32_t done, int32_t n)
{
    (void)context, (void)done, (void)n;
    return tv_interrupted();
}

static enum tv_status learn_training(struct evaluation *v, struct tv_error *err)
{
    struct fit *f = &v->fit;
    enum tv_status status = fit_choose_rows(f, err);
    if (status == TV_OK)
        status = fit_choose_factors(f, err);
    if (status == TV_OK)
        status = learn(&f->model, &f->report, &f->dense, &f->learn, err);
    return status == TV_OK ? judge_create(&v->judge, f->model, &f->evidence, &v->training,
                                          tv_evaluate_threads(&v->options), err)
                           : status;
}

static enum tv_status evaluate(struct evaluation *v, const struct tv_settings *s, struct tv_error *err)
{
    tv_evaluate_defaults(&v->options);
    v->options.threads = (int)tv_settings_int(s, "threads");
    v->options.progress = stop_when_interrupted;
    enum tv_status status = fit_open_reading(&v->fit, err);
    if (status == TV_OK)
        status = refuse_what_leaks(&v->fit, err);
    if (status == TV_OK)
        status = fit_read(&v->fit, err);
    if (status == TV_OK)
        status = split(v, s, err);
    if (status != TV_OK)
        return status;
    report_holdout(&v->holdout.counts);
    status = learn_training(v, err);
    if (status != TV_OK)
        return status;
    const struct tv_method method = judge_method(v->judge);
    v->verdict.training = &v->training.matrix;
    v->verdict.holdout = &v->holdout;
    v->verdict.options = &v->options;
    status = verdict_add(&v->verdict, v->fit.model->algorithm, &method, err);
    if (status == TV_OK)
        status = judge_baselines(v, err);
    return status == TV_OK ? verdict_print(&v->verdict, tv_table_format_from(tv_settings_text(s, "format")), err) : status;
}

enum tv_status evaluate_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct evaluation v = {.fit = {.settings = settings}};
    enum tv_status status = evaluate(&v, settings, err);
    judge_free(v.judge);
    tv_holdout_free(&v.holdout);
    tv_dense_free(&v.training);
    fit_free(&v.fit);
    return status;
}
