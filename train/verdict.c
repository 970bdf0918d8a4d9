/* verdict: all numbers of one method on ratings that were kept apart, and tables of several. */
#include "train/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/buffer.h"

/* --- measuring ------------------------------------------------------------------------------------------------ */

static enum tv_status measure_ratings(struct verdict *v, const struct tv_method *method, const struct tv_holdout *holdout,
                                      const struct tv_evaluate_options *options, struct tv_error *err)
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

static enum tv_status take_lists(struct verdict *v, const struct tv_ranking_result *r, const struct tv_csr *seen,
                                 const struct tv_evaluate_options *options, struct tv_error *err)
{
    enum { PAIRS = 10000 };
    struct tv_bootstrap_options bootstrap;
    const struct tv_lists lists = tv_ranking_lists(r);
    int64_t *counts = count_items(seen, err);
    enum tv_status status = counts ? TV_OK : TV_ERR_NO_MEMORY;
    tv_bootstrap_defaults(&bootstrap);
    bootstrap.threads = options->threads;
    for (int cut = 0; cut < VERDICT_CUTS && status == TV_OK; cut++) {
        v->at[cut] = tv_ranking_mean(r, cut);
        status = tv_ranking_interval(&v->ndcg[cut], r, cut, TV_NDCG, &bootstrap, err);
    }
    if (status == TV_OK)
        status = tv_diversity(v->diversity, &options->cuts, &lists, counts, PAIRS, 1, err);
    free(counts);
    return status;
}

static enum tv_status measure_lists(struct verdict *v, const struct tv_method *method, const struct tv_csr *seen,
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

enum tv_status verdict_measure(struct verdict *out, const struct tv_method *method, const struct tv_csr *seen,
                               const struct tv_holdout *holdout, const struct tv_evaluate_options *options,
                               struct tv_error *err)
{
    struct verdict v = {.is_model = out->is_model, .fraction = out->fraction};
    memcpy(v.name, out->name, sizeof v.name);
    *out = v;
    enum tv_status status = measure_ratings(out, method, holdout, options, err);
    return status == TV_OK ? measure_lists(out, method, seen, holdout, options, err) : status;
}

/* --- the table ------------------------------------------------------------------------------------------------- */

/* What a row of the table takes from a verdict. */
enum kind { RMSE, RMSE_LOW, RMSE_HIGH, MAE, R2, UNPREDICTED, NDCG_LOW, NDCG_HIGH, MEASURE, COVERAGE, POPULARITY, OVERLAP, USERS };

static const struct number {
    const char *name;
    enum kind kind;
    int cut;                 /* an index of the cuts */
    enum tv_measure measure; /* of MEASURE */
} numbers[] = {
    {"rmse", RMSE, 0, 0},
    {"rmse low", RMSE_LOW, 0, 0},
    {"rmse high", RMSE_HIGH, 0, 0},
    {"mae", MAE, 0, 0},
    {"r2", R2, 0, 0},
    {"pairs without prediction", UNPREDICTED, 0, 0},
    {"ndcg@10", MEASURE, 1, TV_NDCG},
    {"ndcg@10 low", NDCG_LOW, 1, 0},
    {"ndcg@10 high", NDCG_HIGH, 1, 0},
    {"precision@10", MEASURE, 1, TV_PRECISION},
    {"recall@10", MEASURE, 1, TV_RECALL},
    {"map@10", MEASURE, 1, TV_MAP},
    {"hit rate@10", MEASURE, 1, TV_HIT_RATE},
    {"mrr@10", MEASURE, 1, TV_MRR},
    {"ndcg@5", MEASURE, 0, TV_NDCG},
    {"ndcg@15", MEASURE, 2, TV_NDCG},
    {"ndcg@100", MEASURE, 3, TV_NDCG},
    {"recall@100", MEASURE, 3, TV_RECALL},
    {"coverage@10", COVERAGE, 1, 0},
    {"popularity@10", POPULARITY, 1, 0},
    {"overlap@10", OVERLAP, 1, 0},
    {"users judged", USERS, 0, 0},
};

/* NaN where the method has none. */
static double value_of(const struct verdict *v, const struct number *n)
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
    case NDCG_LOW: return v->ndcg[n->cut].low;
    case NDCG_HIGH: return v->ndcg[n->cut].high;
    case MEASURE: return v->at[n->cut].of[n->measure];
    case COVERAGE: return v->diversity[n->cut].coverage;
    case POPULARITY: return v->diversity[n->cut].popularity;
    case OVERLAP: return v->diversity[n->cut].overlap;
    case USERS: return v->n_users;
    }
    return NAN;
}

static enum tv_status add_cell(struct tv_table *t, const struct verdict *v, const struct number *n, struct tv_error *err)
{
    double value = value_of(v, n);
    if (!isfinite(value))
        return tv_table_cell(t, NULL, err);
    if (n->kind == USERS || n->kind == UNPREDICTED)
        return tv_table_int(t, (long long)value, err);
    return tv_table_real(t, value, 6, err);
}

static enum tv_status fill(struct tv_table *t, const struct verdict *verdicts, int n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == TV_OK; i++) {
        status = tv_table_cell(t, numbers[i].name, err);
        for (int m = 0; m < n && status == TV_OK; m++)
            status = add_cell(t, &verdicts[m], &numbers[i], err);
    }
    return status;
}

typedef char column_text[48];

/* "svd", or "svd of 0.1": of that fraction of the training part. */
static const char *column_name(column_text out, const struct verdict *v)
{
    if (v->fraction < 1)
        snprintf(out, sizeof(column_text), "%s of %g", v->name, v->fraction);
    else
        snprintf(out, sizeof(column_text), "%s", v->name);
    return out;
}

enum tv_status verdict_print(const struct verdict *verdicts, int n, enum tv_table_format format, struct tv_error *err)
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
        status = fill(table, verdicts, n, err);
    if (status == TV_OK)
        status = tv_table_print(table, format, stdout, err);
    tv_table_free(table);
    free(columns);
    free(kinds);
    free(names);
    return status;
}
