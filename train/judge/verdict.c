/* verdict: all numbers of one method on ratings that were kept apart, and tables of several. Intervals are by
 * bootstrap over users (trivet/core/eval). Nothing is measured that the method cannot: one without predictions has
 * no rating errors.
 */
#include "train/judge/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

/* --- measuring ------------------------------------------------------------------------------------------------ */

/* Errors of predicted ratings, the RMSE with its interval. */
static enum tv_status measure_ratings(struct tv_verdict *v, const struct tv_method *method,
                                      const struct tv_holdout *holdout, const struct tv_evaluate_options *options,
                                      struct tv_error *err)
{
    struct tv_rating_result result;
    struct tv_bootstrap_options bootstrap;
    if (method->predict == NULL)
        return TV_OK;
    enum tv_status status = tv_evaluate_ratings(&result, method, holdout, options, err);
    if (status != TV_OK)
        return status;
    tv_bootstrap_defaults(&bootstrap);
    bootstrap.threads = options->threads;
    status = tv_rmse_interval(&v->rmse, &result, &bootstrap, err);
    v->predicts = 1;
    v->mae = tv_mae(&result.total);
    v->r2 = tv_r2(&result.total);
    v->n_unpredicted = result.n_unpredicted;
    tv_rating_result_free(&result);
    return status;
}

/* How many training ratings each item has. */
static int64_t *count_items(const struct tv_csr *m, struct tv_error *err)
{
    int64_t *counts = tv_alloc((size_t)m->n_cols, sizeof *counts, "counts of items", err);
    for (int64_t i = 0; counts && i < m->n_values; i++)
        counts[m->column[i]]++;
    return counts;
}

/* Means, intervals and diversity at each cut. Popularity is that in the training portion, and how much lists overlap
 * is estimated from 10,000 pairs of users, drawn with a fixed seed. */
static enum tv_status take_lists(struct tv_verdict *v, const struct tv_ranking_result *r, const struct tv_csr *seen,
                                 const struct tv_evaluate_options *options, struct tv_error *err)
{
    enum { PAIRS = 10000 };
    struct tv_bootstrap_options bootstrap;
    const struct tv_lists lists = tv_ranking_lists(r);
    int64_t *counts = count_items(seen, err);
    enum tv_status status = counts ? TV_OK : TV_ERR_NO_MEMORY;
    tv_bootstrap_defaults(&bootstrap);
    bootstrap.threads = options->threads;
    for (int cut = 0; cut < TV_VERDICT_CUTS && status == TV_OK; cut++) {
        v->at[cut] = tv_ranking_mean(r, cut);
        status = tv_ranking_interval(&v->ndcg[cut], r, cut, TV_NDCG, &bootstrap, err);
    }
    if (status == TV_OK)
        status = tv_diversity(v->diversity, &options->cuts, &lists, counts, PAIRS, 1, err);
    free(counts);
    return status;
}

/* Lists of all users judged, and what they are worth. */
static enum tv_status measure_lists(struct tv_verdict *v, const struct tv_method *method, const struct tv_csr *seen,
                                    const struct tv_holdout *holdout, const struct tv_evaluate_options *options,
                                    struct tv_error *err)
{
    struct tv_ranking_result result;
    if (method->scores == NULL)
        return TV_OK;
    enum tv_status status = tv_evaluate_ranking(&result, method, seen, holdout, options, err);
    if (status != TV_OK)
        return status;
    v->ranks = 1;
    v->n_users = result.n_users;
    v->n_without_list = result.n_without_list;
    status = take_lists(v, &result, seen, options, err);
    tv_ranking_result_free(&result);
    return status;
}

/* Everything but the head is zeroed first, so that a method that cannot rank has no numbers of an earlier one. */
enum tv_status tv_verdict_measure(struct tv_verdict *out, const struct tv_method *method, const struct tv_csr *seen,
                                  const struct tv_holdout *holdout, const struct tv_evaluate_options *options,
                                  struct tv_error *err)
{
    struct tv_verdict v = {.is_model = out->is_model, .fraction = out->fraction, .factors = out->factors};
    memcpy(v.name, out->name, sizeof v.name);
    *out = v;
    enum tv_status status = measure_ratings(out, method, holdout, options, err);
    return status == TV_OK ? measure_lists(out, method, seen, holdout, options, err) : status;
}

/* --- the table ------------------------------------------------------------------------------------------------- */

/* The number that a row of the table takes from a verdict. */
enum kind {
    RMSE, RMSE_LOW, RMSE_HIGH, MAE, R2, UNPREDICTED, /* of ratings; what follows is of lists */
    NDCG_LOW, NDCG_HIGH, MEASURE, COVERAGE, POPULARITY, OVERLAP, JACCARD, USERS
};
enum { AT_5 = 1, AT_10 = 2, AT_15 = 4, AT_100 = 8, ONCE = 16 };

/* The rows of the table: each once for each cut, or once. People are shown some of the cuts, programs all. */
static const struct number {
    const char *name;
    enum kind kind;
    enum tv_measure measure; /* of MEASURE */
    unsigned shown;          /* AT_... for people, ONCE */
} numbers[] = {
    {"rmse", RMSE, 0, ONCE},
    {"rmse low", RMSE_LOW, 0, ONCE},
    {"rmse high", RMSE_HIGH, 0, ONCE},
    {"mae", MAE, 0, ONCE},
    {"r2", R2, 0, ONCE},
    {"pairs without prediction", UNPREDICTED, 0, ONCE},
    {"users judged", USERS, 0, ONCE},
    {"ndcg", MEASURE, TV_NDCG, AT_5 | AT_10 | AT_15 | AT_100},
    {"ndcg low", NDCG_LOW, 0, AT_10},
    {"ndcg high", NDCG_HIGH, 0, AT_10},
    {"precision", MEASURE, TV_PRECISION, AT_10},
    {"recall", MEASURE, TV_RECALL, AT_10 | AT_100},
    {"map", MEASURE, TV_MAP, AT_10},
    {"hit rate", MEASURE, TV_HIT_RATE, AT_10},
    {"mrr", MEASURE, TV_MRR, AT_10},
    {"coverage", COVERAGE, 0, AT_10},
    {"popularity", POPULARITY, 0, AT_10},
    {"overlap", OVERLAP, 0, AT_10},
    {"jaccard", JACCARD, 0, 0},
};

/* The number of a row of the table; NaN where the method has none. */
static double value_of(const struct tv_verdict *v, const struct number *n, int cut)
{
    int has = n->kind <= UNPREDICTED ? v->predicts : v->ranks;
    if (!has)
        return NAN;
    switch (n->kind) {
    case RMSE: return v->rmse.value;
    case RMSE_LOW: return v->rmse.low;
    case RMSE_HIGH: return v->rmse.high;
    case MAE: return v->mae;
    case R2: return v->r2;
    case UNPREDICTED: return (double)v->n_unpredicted;
    case NDCG_LOW: return v->ndcg[cut].low;
    case NDCG_HIGH: return v->ndcg[cut].high;
    case MEASURE: return v->at[cut].of[n->measure];
    case COVERAGE: return v->diversity[cut].coverage;
    case POPULARITY: return v->diversity[cut].popularity;
    case OVERLAP: return v->diversity[cut].overlap;
    case JACCARD: return v->diversity[cut].jaccard;
    case USERS: return v->n_users;
    }
    return NAN;
}

/* Counts are whole; an empty cell says that the method has no such number. */
static enum tv_status add_cell(struct tv_table *t, const struct tv_verdict *v, const struct number *n, int cut,
                               struct tv_error *err)
{
    double value = value_of(v, n, cut);
    if (!isfinite(value))
        return tv_table_cell(t, NULL, err);
    if (n->kind == USERS || n->kind == UNPREDICTED)
        return tv_table_int(t, (long long)value, err);
    return tv_table_real(t, value, 6, err);
}

/* "ndcg low" at 10 is "ndcg@10 low". */
static enum tv_status add_name(struct tv_table *t, const struct number *n, int k, struct tv_error *err)
{
    char name[48];
    size_t word = n->measure == TV_HIT_RATE ? strlen(n->name) : strcspn(n->name, " ");
    if (n->shown & ONCE)
        return tv_table_cell(t, n->name, err);
    snprintf(name, sizeof name, "%.*s@%d%s", (int)word, n->name, k, n->name + word);
    return tv_table_cell(t, name, err);
}

/* The rows that come once (cut -1), or those of a cut. */
static enum tv_status add_rows(struct tv_table *t, const struct tv_verdict *verdicts, int n, int cut, int all,
                               struct tv_error *err)
{
    struct tv_evaluate_options options;
    enum tv_status status = TV_OK;
    tv_evaluate_defaults(&options);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == TV_OK; i++) {
        const struct number *number = &numbers[i];
        int once = (number->shown & ONCE) != 0;
        if (once != (cut < 0) || (cut >= 0 && !all && !(number->shown & 1u << cut)))
            continue;
        status = add_name(t, number, cut < 0 ? 0 : (int)options.cuts.k[cut], err);
        for (int m = 0; m < n && status == TV_OK; m++)
            status = add_cell(t, &verdicts[m], number, cut, err);
    }
    return status;
}

/* Fills the table: the numbers that come once, and then those of each cut. */
static enum tv_status fill(struct tv_table *t, const struct tv_verdict *verdicts, int n, int all, struct tv_error *err)
{
    static const int order[] = {-1, 1, 0, 2, 3}; /* lists of 10 first: they are what a page shows */
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < sizeof order / sizeof *order && status == TV_OK; i++)
        status = add_rows(t, verdicts, n, order[i], all, err);
    return status;
}

typedef char column_text[48];

/* "svd", or "svd of 0.1": of that fraction of the training portion. */
static const char *column_name(column_text out, const struct tv_verdict *v)
{
    if (v->fraction < 1)
        snprintf(out, sizeof(column_text), "%s of %g", v->name, v->fraction);
    else
        snprintf(out, sizeof(column_text), "%s", v->name);
    return out;
}

/* The first column names the numbers. Programs (csv, json) get all of them, people those that they look at first. */
enum tv_status tv_verdict_print(const struct tv_verdict *verdicts, int n, enum tv_table_format format,
                                struct tv_error *err)
{
    struct tv_table *table = NULL;
    const char **columns = tv_alloc((size_t)n + 1, sizeof *columns, "a table", err);
    enum tv_table_kind *kinds = tv_alloc((size_t)n + 1, sizeof *kinds, "a table", err);
    column_text *names = tv_alloc((size_t)n, sizeof *names, "a table", err);
    enum tv_status status = columns && kinds && names ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        columns[0] = "measure";
        kinds[0] = TV_TABLE_TEXT;
    }
    for (int m = 0; m < n && status == TV_OK; m++) {
        columns[1 + m] = column_name(names[m], &verdicts[m]);
        kinds[1 + m] = TV_TABLE_NUMBER;
    }
    if (status == TV_OK)
        status = tv_table_create(&table, 1 + n, columns, kinds, err);
    if (status == TV_OK)
        status = fill(table, verdicts, n, format == TV_TABLE_CSV || format == TV_TABLE_JSON, err);
    if (status == TV_OK)
        status = tv_table_print(table, format, stdout, err);
    tv_table_free(table);
    free(columns);
    free(kinds);
    free(names);
    return status;
}
