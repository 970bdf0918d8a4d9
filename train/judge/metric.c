/* metric: one number of a verdict by its name, in memory or in the JSON of an earlier run. The guard compares a new
 * model with the live one by it, and a search orders its trials by it.
 */
#include "train/judge/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/text.h"

/* The measure of that name, whose n bytes do not end with a NUL; 0: there is none. */
static int find_measure(struct tv_metric *m, const char *name, size_t n)
{
    for (int i = 0; i < TV_MEASURES; i++) {
        const char *known = tv_measure_name((enum tv_measure)i);
        if (strlen(known) == n && strncmp(known, name, n) == 0) {
            m->measure = (enum tv_measure)i;
            return 1;
        }
    }
    return 0;
}

/* The place of "10" among the cuts that are always measured; 0: it is none of them. */
static int find_cut(struct tv_metric *m, const char *text)
{
    struct tv_evaluate_options options;
    int64_t k;
    tv_evaluate_defaults(&options);
    for (int cut = 0; tv_text_int64(text, strlen(text), &k) && cut < options.cuts.n; cut++)
        if (options.cuts.k[cut] == k) {
            m->cut = cut;
            return 1;
        }
    return 0;
}

enum tv_status tv_metric_parse(struct tv_metric *out, const char *name, struct tv_error *err)
{
    size_t word = strcspn(name, "@");
    *out = (struct tv_metric){.of_ratings = strcmp(name, "rmse") == 0 || strcmp(name, "mae") == 0};
    snprintf(out->name, sizeof out->name, "%s", name);
    if (out->of_ratings || (name[word] == '@' && find_measure(out, name, word) && find_cut(out, name + word + 1)))
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "\"%s\" is no metric", name);
    return tv_hint(err, "rmse, mae; or precision, recall, map, ndcg, hit_rate, mrr at 5, 10, 15 or 100, as in ndcg@10");
}

/* NaN where the method has no such number: an SVD has no RMSE, and the baseline that predicts the mean of all ratings
 * has no lists. */
double tv_metric_of(const struct tv_metric *m, const struct tv_verdict *v)
{
    if (m->of_ratings)
        return !v->predicts ? NAN : strcmp(m->name, "mae") == 0 ? v->mae : v->rmse.value;
    return v->ranks ? v->at[m->cut].of[m->measure] : NAN;
}

/* Only RMSE and NDCG are measured with an interval (verdict.c). */
struct tv_interval tv_metric_interval(const struct tv_metric *m, const struct tv_verdict *v)
{
    if (strcmp(m->name, "rmse") == 0 && v->predicts)
        return v->rmse;
    if (!m->of_ratings && m->measure == TV_NDCG && v->ranks)
        return v->ndcg[m->cut];
    return (struct tv_interval){tv_metric_of(m, v), NAN, NAN};
}

int tv_metric_higher_is_better(const struct tv_metric *m)
{
    return !m->of_ratings;
}

/* A number, or an interval's value. */
static double number_in(const json_t *value)
{
    if (json_is_object(value))
        value = json_object_get(value, "value");
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Takes the model that was learned from the whole training portion: an evaluation may also have judged models of
 * fractions, and baselines. */
double tv_metric_in_json(const struct tv_metric *m, const json_t *metrics)
{
    size_t i, word = strcspn(m->name, "@");
    char name[24];
    json_t *method;
    snprintf(name, sizeof name, "%.*s", (int)word, m->name);
    json_array_foreach(json_object_get(metrics, "methods"), i, method)
    {
        if (!json_is_true(json_object_get(method, "model")) || number_in(json_object_get(method, "train_fraction")) != 1)
            continue;
        const json_t *from = m->of_ratings ? method : json_object_get(json_object_get(method, "at"), m->name + word + 1);
        return number_in(json_object_get(from, name));
    }
    return NAN;
}
