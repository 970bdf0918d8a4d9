/* metrics_json: verdicts as trivet.run.metrics keeps them. A number that a method has not is null, so that every
 * method has the same fields; docs/formats.md lists them.
 */
#include "train/judge/metrics_json.h"

#include <math.h>
#include <stdio.h>

/* JSON has no NaN and no infinity. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *interval(const struct tv_interval *i)
{
    return json_pack("{s:o, s:o, s:o}", "value", number(i->value), "low", number(i->low), "high", number(i->high));
}

/* --- what was kept apart ----------------------------------------------------------------------------------------- */

/* How the ratings were divided; an option that played no part is null. With the fingerprint it says which ratings
 * were judged on. */
static json_t *split_json(const struct tv_trial_data *d, enum tv_portion portion)
{
    static const char *const kinds[] = {"random", "time", "last"};
    const struct tv_split_options *s = &d->split;
    int files = d->train_file != NULL, shares = !files && s->kind != TV_SPLIT_LAST;
    json_t *out =
        json_pack("{s:s, s:s, s:o, s:o, s:I, s:o, s:s}", "kind", files ? "files" : kinds[s->kind], "judged_on",
                  portion == TV_VALIDATION ? "validation" : "test", "test", shares ? json_real(s->test) : json_null(),
                  "validation", shares ? json_real(s->validation) : json_null(), "seed", (json_int_t)s->seed, "k",
                  files || shares ? json_null() : json_integer(s->last), "fingerprint", d->fingerprint);
    if (files) {
        json_object_set_new(out, "train_file", json_string(d->train_file));
        json_object_set_new(out, "test_file", json_string(d->test_file));
    }
    return out;
}

static json_t *holdout_json(const struct tv_holdout_counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rows", (json_int_t)c->rows, "users", (json_int_t)c->users,
                     "items", (json_int_t)c->items, "cold_users", (json_int_t)c->cold_users, "cold_user_rows",
                     (json_int_t)c->cold_user_rows, "cold_items", (json_int_t)c->cold_items, "cold_item_rows",
                     (json_int_t)c->cold_item_rows);
}

/* The ratings that may be learned from; their items are the catalogue, however few of them a model keeps. */
static json_t *training_json(const struct tv_csr *m)
{
    return json_pack("{s:I, s:i, s:i}", "rows", (json_int_t)m->n_values, "users", (int)m->n_rows, "items", (int)m->n_cols);
}

/* --- the methods ------------------------------------------------------------------------------------------------- */

/* All measures at one cut; ndcg has an interval. */
static json_t *cut_json(const struct tv_verdict *v, int cut)
{
    const struct tv_diversity *d = &v->diversity[cut];
    json_t *out = json_pack("{s:o, s:o, s:o, s:o}", "coverage", number(d->coverage), "popularity", number(d->popularity),
                            "overlap", number(d->overlap), "jaccard", number(d->jaccard));
    for (int m = 0; m < TV_MEASURES; m++)
        json_object_set_new(out, tv_measure_name((enum tv_measure)m),
                            m == TV_NDCG ? interval(&v->ndcg[cut]) : number(v->at[cut].of[m]));
    return out;
}

/* An object with the lengths of lists as its keys: "5", "10", ... */
static json_t *cuts_json(const struct tv_verdict *v)
{
    struct tv_evaluate_options options;
    char name[16];
    json_t *out = json_object();
    tv_evaluate_defaults(&options);
    for (int cut = 0; cut < TV_VERDICT_CUTS; cut++) {
        snprintf(name, sizeof name, "%d", (int)options.cuts.k[cut]);
        json_object_set_new(out, name, cut_json(v, cut));
    }
    return out;
}

static json_t *method_json(const struct tv_verdict *v)
{
    json_t *out = json_pack("{s:s, s:b, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", v->name, "model", v->is_model,
                     "train_fraction", v->fraction, "rmse", v->predicts ? interval(&v->rmse) : json_null(), "mae",
                     v->predicts ? number(v->mae) : json_null(), "r2", v->predicts ? number(v->r2) : json_null(),
                     "unpredicted", v->predicts ? json_integer((json_int_t)v->n_unpredicted) : json_null(), "users",
                     v->ranks ? json_integer(v->n_users) : json_null(), "without_list",
                     v->ranks ? json_integer(v->n_without_list) : json_null(), "at",
                     v->ranks ? cuts_json(v) : json_null());
    if (v->factors)
        json_object_set_new(out, "factors", json_integer(v->factors));
    return out;
}

json_t *tv_metrics_json(const struct tv_trial_data *d, enum tv_portion portion, const struct tv_verdict *verdicts,
                        int n)
{
    const struct tv_holdout *h = &d->holdout[portion];
    json_t *methods = json_array();
    for (int m = 0; m < n; m++)
        json_array_append_new(methods, method_json(&verdicts[m]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "split", split_json(d, portion), "training",
                     training_json(&d->training_matrix.csr), "holdout", holdout_json(&h->counts), "relevant",
                     number((double)d->relevant), "methods", methods);
}

/* All that describes the split has to agree, and from where on a rating is relevant. The fingerprint may differ,
 * because ratings have come since. */
int tv_metrics_same_question(const json_t *a, const json_t *b)
{
    json_t *of_a = json_copy(json_object_get(a, "split")), *of_b = json_copy(json_object_get(b, "split"));
    json_object_del(of_a, "fingerprint");
    json_object_del(of_b, "fingerprint");
    int same = of_a && of_b && json_equal(of_a, of_b) &&
               json_equal(json_object_get(a, "relevant"), json_object_get(b, "relevant"));
    json_decref(of_a);
    json_decref(of_b);
    return same;
}
