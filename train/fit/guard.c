/* guard: --guard METRIC:MARGIN: a training whose settings are worse on today's ratings than the live model's were
 * makes a model, but does not make it live.
 *
 * A fifth of the ratings, at random and always with the same seed, is kept apart, the settings learn from the rest, and
 * what is measured stays with the run. (The model itself is learned from everything, as without a guard.) It is compared with
 * what the live model's run has measured the same way; so a guard notices bad settings and bad ratings alike. Where the
 * live model was trained without a guard, its settings are judged on the same division instead. A live model of another data
 * set says nothing about this one's ratings: then there is nothing to compare with.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/fit/fit.h"
#include "train/fit/guard.h"
#include "train/judge/metrics_json.h"
#include "train/judge/trial.h"
#include "train/learn/algorithm.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/lock.h"

/* A metric of ratings is refused here where the algorithm predicts none, before anything is read. */
enum tv_status tv_fit_guard_read(struct tv_fit *f, const char *text, struct tv_error *err)
{
    struct tv_fit_guard *g = &f->guard;
    char name[64];
    size_t n = text ? strcspn(text, ":") : 0;
    if (text == NULL)
        return TV_OK;
    if (text[n] == '\0' || !tv_text_double(text + n + 1, strlen(text + n + 1), &g->margin) || !(g->margin >= 0)) {
        tv_fail(err, TV_ERR_USAGE, "--guard is \"%s\", but must be a metric and how much worse it may be", text);
        return tv_hint(err, "for example --guard ndcg@10:0.02, or --guard rmse:0.01");
    }
    snprintf(name, sizeof name, "%.*s", (int)n, text);
    enum tv_status status = tv_metric_parse(&g->metric, name, err);
    if (status == TV_OK && g->metric.of_ratings && !f->learning.settings.algorithm->predicts_ratings) {
        tv_fail(err, TV_ERR_USAGE, "--guard %s: %s predicts no ratings", name,
                tv_learn_algorithm_name(&f->learning.settings));
        status = tv_hint(err, "guard its lists, for example with ndcg@10");
    }
    g->on = status == TV_OK;
    return status;
}

/* --- the live model ---------------------------------------------------------------------------------------------- */

/* The rows must be chosen alike, up to the cuts, or the two models would be asked different questions. */
static enum tv_status check_comparable(const struct tv_fit *f, const struct tv_run *live, struct tv_filter *filter,
                                       struct tv_error *err)
{
    const char *other = NULL;
    int filtered = strcmp(live->filter, "{}") != 0;
    enum tv_status status = filtered ? tv_filter_set_json(filter, live->filter, err) : TV_OK;
    if (status != TV_OK)
        return status;
    if (f->reading.own_source || !filtered)
        other = strcmp(live->source, tv_buffer_string(&f->reading.source)) != 0 ? "other rows (--source)" : NULL;
    else
        other = tv_filter_other_rows(f->reading.filter, filter);
    if (other == NULL)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "--guard cannot compare with live model %" PRId64 ": it was learned with another value of %s",
            live->id, other);
    return tv_hint(err, "train once without --guard, and look at the lists");
}

/* Judges the live model's settings on the same division. *value is NAN where they cannot be judged, or have no such
 * number. */
static enum tv_status judge_live(double *value, const struct tv_fit *f, const struct tv_run *live,
                                 struct tv_filter *filter, const struct tv_trial_data *d, struct tv_error *err)
{
    struct tv_trial trial = {.filter = d->filter ? filter : NULL};
    struct tv_verdict verdict;
    *value = NAN;
    enum tv_status status = tv_learn_from_json(&trial.learn, live->algorithm, live->parameters, err);
    if (status != TV_OK)
        return status;
    trial.learn.threads = f->learning.settings.threads;
    trial.learn.quiet = 1;
    status = tv_trial_run(&verdict, &trial, d, TV_TEST, err);
    if (status == TV_OK)
        *value = tv_metric_of(&f->guard.metric, &verdict);
    return status == TV_ERR_INPUT || status == TV_ERR_USAGE || status == TV_ERR_NUMERIC ? TV_OK : status;
}

/* --- the new one ------------------------------------------------------------------------------------------------- */

/* Judges the new settings, and beside them the plain baselines, so that the journal has the same table as after an
 * evaluation. */
static enum tv_status judge_new(json_t **metrics, struct tv_fit *f, const struct tv_trial_data *d, struct tv_error *err)
{
    struct tv_verdict verdicts[1 + TV_BASELINES];
    int n = 0;
    struct tv_trial trial = {.learn = f->learning.settings, .filter = d->filter};
    trial.learn.quiet = 1;
    enum tv_status status = tv_trial_run(&verdicts[n++], &trial, d, TV_TEST, err);
    for (int kind = 0; kind < TV_BASELINES && status == TV_OK; kind++)
        status = tv_trial_baseline(&verdicts[n++], (enum tv_baseline_kind)kind, 0, &trial.learn, d, TV_TEST, err);
    if (status != TV_OK)
        return tv_context(err, "--guard cannot judge the settings");
    f->guard.value = tv_metric_of(&f->guard.metric, &verdicts[0]);
    *metrics = tv_metrics_json(d, TV_TEST, verdicts, n);
    return *metrics ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the numbers of a guard");
}

/* Errors are better when low, metrics of lists when high. Settings without a number are worse than any; without a
 * reference nothing is worse, because no comparison with NAN holds. */
static void decide(struct tv_fit_guard *g)
{
    double loss = g->metric.of_ratings ? g->value - g->reference : g->reference - g->value;
    g->worse = isnan(g->value) || loss > g->margin;
    if (isnan(g->reference))
        tv_log_info("guard: %s %.6f; nothing to compare it with", g->metric.name, g->value);
    else
        tv_log_info("guard: %s %.6f, of live model %" PRId64 " %.6f (%s); at most %g worse is allowed", g->metric.name,
                    g->value, g->live, g->reference, g->recorded ? "recorded by its run" : "its settings, judged now",
                    g->margin);
}

/* JSON has no NAN: such a number is null. */
static json_t *guard_json(const struct tv_fit_guard *g)
{
    return json_pack("{s:s, s:f, s:o, s:o, s:o, s:b, s:b}", "metric", g->metric.name, "margin", g->margin, "value",
                     isfinite(g->value) ? json_real(g->value) : json_null(), "live",
                     g->live ? json_integer(g->live) : json_null(), "reference",
                     isfinite(g->reference) ? json_real(g->reference) : json_null(), "recorded", g->recorded, "worse",
                     g->worse);
}

/* Keeps the numbers with the run, whether its model goes live or not: the next guard may compare with them. */
static enum tv_status keep(struct tv_fit *f, json_t *metrics, struct tv_error *err)
{
    json_object_set_new(metrics, "guard", guard_json(&f->guard));
    char *text = json_dumps(metrics, 0);
    enum tv_status status = text ? tv_run_set_metrics(tv_lock_connection(f->stores.lock), f->run_number, text, err)
                                 : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the numbers of a guard");
    free(text);
    return status;
}

/* --- the step ---------------------------------------------------------------------------------------------------- */

/* The number that the live model's run has kept is taken if it answers the same question; otherwise its settings
 * are judged now. */
static enum tv_status compare(struct tv_fit *f, const struct tv_run *live, struct tv_filter *filter,
                              struct tv_error *err)
{
    struct tv_fit_guard *g = &f->guard;
    struct tv_trial_data data = {0};
    json_t *metrics = NULL;
    struct tv_split_options split;
    tv_split_defaults(&split);
    enum tv_status status = live ? check_comparable(f, live, filter, err) : TV_OK;
    if (status == TV_OK)
        status = tv_trial_divide(&data, &f->reading.evidence, &split, &f->reading, err);
    if (status == TV_OK)
        status = judge_new(&metrics, f, &data, err);
    json_t *past = status == TV_OK && live ? json_loads(live->metrics, 0, NULL) : NULL;
    if (past && tv_metrics_same_question(past, metrics))
        g->reference = tv_metric_in_json(&g->metric, past);
    g->recorded = isfinite(g->reference);
    if (status == TV_OK && live && !g->recorded)
        status = judge_live(&g->reference, f, live, filter, &data, err);
    if (status == TV_OK) {
        decide(g);
        status = keep(f, metrics, err);
    }
    json_decref(past);
    json_decref(metrics);
    tv_trial_data_free(&data);
    return status;
}

/* A dry run has no number, and is not judged. */
enum tv_status tv_fit_guard_judge(struct tv_fit *f, struct tv_error *err)
{
    struct tv_run *runs = NULL;
    struct tv_filter *filter = NULL;
    size_t n = 0;
    if (!f->guard.on || f->run_number == 0)
        return TV_OK;
    f->guard.reference = NAN;
    enum tv_status status = tv_filter_create(&filter, err);
    if (status == TV_OK)
        status = tv_run_list(tv_lock_connection(f->stores.lock), 1u << TV_RUN_LIVE, &runs, &n, err);
    int comparable = status == TV_OK && n > 0 && runs[0].dataset == f->reading.dataset;
    if (status == TV_OK && n > 0 && !comparable)
        tv_log_info("guard: live model %" PRId64 " was learned from another data set", runs[0].id);
    if (comparable)
        f->guard.live = runs[0].id;
    if (status == TV_OK)
        status = compare(f, comparable ? &runs[0] : NULL, filter, err);
    tv_run_list_free(runs, n);
    tv_filter_free(filter);
    return status;
}

/* The journal keeps the reason, too, so that it is there long after the log is gone. */
enum tv_status tv_fit_guard_refuse(struct tv_fit *f, struct tv_error *err)
{
    const struct tv_fit_guard *g = &f->guard;
    char message[256];
    snprintf(message, sizeof message, "%s is %.6f, and that of live model %" PRId64 " %.6f: more than %g worse", g->metric.name,
             g->value, g->live, g->reference, g->margin);
    enum tv_status status = tv_run_set_message(tv_lock_connection(f->stores.lock), f->run_number, message, err);
    if (status != TV_OK)
        return status;
    tv_fail(err, TV_ERR_WORSE, "model %" PRId64 " is kept, not live: its %s", f->run_number, message);
    return tv_hint(
        err, "trivet-train activate %" PRId64 " shows it all the same; compare %" PRId64 " %" PRId64 " tells more",
        f->run_number, g->live, f->run_number);
}
