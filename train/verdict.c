/* verdict: the numbers of several methods on the same held-out ratings, and the table of them: a row a number, a column a
 * method. */
#include "train/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "trivet/buffer.h"
#include "trivet/log.h"

enum { CUTS = 4, NDCG_CUT = 1 }; /* of tv_evaluate_defaults: at 5, 10, 15 and 100 */

/* What is measured, in the order of `names`. */
enum number {
    RMSE, RMSE_LOW, RMSE_HIGH, MAE, R2, UNPREDICTED,
    NDCG_10, NDCG_LOW, NDCG_HIGH, PRECISION_10, RECALL_10, MAP_10, HIT_RATE_10, MRR_10,
    NDCG_5, NDCG_15, NDCG_100, RECALL_100, COVERAGE_10, POPULARITY_10, OVERLAP_10, USERS, N_NUMBERS
};
_Static_assert((int)N_NUMBERS <= (int)VERDICT_NUMBERS, "a verdict has room for all numbers");
static const char *const names[N_NUMBERS] = {
    "rmse", "rmse low", "rmse high", "mae", "r2", "pairs without prediction",
    "ndcg@10", "ndcg@10 low", "ndcg@10 high", "precision@10", "recall@10", "map@10", "hit rate@10", "mrr@10",
    "ndcg@5", "ndcg@15", "ndcg@100", "recall@100", "coverage@10", "popularity@10", "overlap@10", "users judged"};

static enum tv_status judge_ratings(struct verdict *v, const struct tv_method *method, double *out, struct tv_error *err)
{
    struct tv_rating_result result;
    struct tv_bootstrap_options bootstrap;
    struct tv_interval rmse;
    if (method->predict == NULL)
        return TV_OK;
    enum tv_status status = tv_evaluate_ratings(&result, method, v->holdout, v->options, err);
    if (status != TV_OK)
        return status;
    tv_bootstrap_defaults(&bootstrap);
    bootstrap.threads = v->options->threads;
    status = tv_rmse_interval(&rmse, &result, &bootstrap, err);
    out[RMSE] = rmse.value;
    out[RMSE_LOW] = rmse.low;
    out[RMSE_HIGH] = rmse.high;
    out[MAE] = tv_mae(&result.total);
    out[R2] = tv_r2(&result.total);
    out[UNPREDICTED] = (double)result.n_unpredicted;
    tv_rating_result_free(&result);
    return status;
}

static void take_lists(double *out, const struct tv_ranking_result *r, const struct tv_interval *ndcg,
                       const struct tv_diversity *diversity)
{
    const struct tv_list_quality at[CUTS] = {tv_ranking_mean(r, 0), tv_ranking_mean(r, 1), tv_ranking_mean(r, 2),
                                             tv_ranking_mean(r, 3)};
    out[NDCG_10] = ndcg->value;
    out[NDCG_LOW] = ndcg->low;
    out[NDCG_HIGH] = ndcg->high;
    out[PRECISION_10] = at[NDCG_CUT].of[TV_PRECISION];
    out[RECALL_10] = at[NDCG_CUT].of[TV_RECALL];
    out[MAP_10] = at[NDCG_CUT].of[TV_MAP];
    out[HIT_RATE_10] = at[NDCG_CUT].of[TV_HIT_RATE];
    out[MRR_10] = at[NDCG_CUT].of[TV_MRR];
    out[NDCG_5] = at[0].of[TV_NDCG];
    out[NDCG_15] = at[2].of[TV_NDCG];
    out[NDCG_100] = at[3].of[TV_NDCG];
    out[RECALL_100] = at[3].of[TV_RECALL];
    out[COVERAGE_10] = diversity[NDCG_CUT].coverage;
    out[POPULARITY_10] = diversity[NDCG_CUT].popularity;
    out[OVERLAP_10] = diversity[NDCG_CUT].overlap;
    out[USERS] = r->n_users;
}

/* How many training ratings each item has. */
static int64_t *count_items(const struct tv_csr *m, struct tv_error *err)
{
    int64_t *counts = tv_alloc((size_t)m->n_cols, sizeof *counts, "counts of items", err);
    for (int64_t i = 0; counts && i < m->n_values; i++)
        counts[m->column[i]]++;
    return counts;
}

static enum tv_status judge_lists(struct verdict *v, const struct tv_method *method, double *out, struct tv_error *err)
{
    enum { PAIRS = 10000 };
    struct tv_ranking_result result;
    struct tv_bootstrap_options bootstrap;
    struct tv_interval ndcg;
    struct tv_diversity diversity[CUTS];
    if (method->scores == NULL)
        return TV_OK;
    enum tv_status status = tv_evaluate_ranking(&result, method, v->training, v->holdout, v->options, err);
    if (status != TV_OK)
        return status;
    tv_bootstrap_defaults(&bootstrap);
    bootstrap.threads = v->options->threads;
    const struct tv_lists lists = tv_ranking_lists(&result);
    int64_t *counts = count_items(v->training, err);
    status = counts ? tv_ranking_interval(&ndcg, &result, NDCG_CUT, TV_NDCG, &bootstrap, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = tv_diversity(diversity, &v->options->cuts, &lists, counts, PAIRS, 1, err);
    if (status == TV_OK)
        take_lists(out, &result, &ndcg, diversity);
    free(counts);
    tv_ranking_result_free(&result);
    return status;
}

enum tv_status verdict_add(struct verdict *v, const char *name, const struct tv_method *method, struct tv_error *err)
{
    double *out = v->numbers[v->n_methods];
    v->methods[v->n_methods++] = name;
    for (int i = 0; i < N_NUMBERS; i++)
        out[i] = NAN;
    tv_log_info("judging %s", name);
    enum tv_status status = judge_ratings(v, method, out, err);
    return status == TV_OK ? judge_lists(v, method, out, err) : status;
}

static enum tv_status add_row(const struct verdict *v, struct tv_table *t, int number, struct tv_error *err)
{
    int whole = number == USERS || number == UNPREDICTED;
    enum tv_status status = tv_table_cell(t, names[number], err);
    for (int m = 0; m < v->n_methods && status == TV_OK; m++) {
        double value = v->numbers[m][number];
        if (!isfinite(value))
            status = tv_table_cell(t, NULL, err);
        else
            status = whole ? tv_table_int(t, (long long)value, err) : tv_table_real(t, value, 6, err);
    }
    return status;
}

enum tv_status verdict_print(const struct verdict *v, enum tv_table_format format, struct tv_error *err)
{
    const char *columns[1 + VERDICT_METHODS] = {"measure"};
    enum tv_table_kind kinds[1 + VERDICT_METHODS] = {TV_TABLE_TEXT};
    struct tv_table *table;
    for (int m = 0; m < v->n_methods; m++) {
        columns[1 + m] = v->methods[m];
        kinds[1 + m] = TV_TABLE_NUMBER;
    }
    enum tv_status status = tv_table_create(&table, 1 + v->n_methods, columns, kinds, err);
    if (status != TV_OK)
        return status;
    for (int i = 0; i < N_NUMBERS && status == TV_OK; i++)
        status = add_row(v, table, i, err);
    if (status == TV_OK)
        status = tv_table_print(table, format, stdout, err);
    tv_table_free(table);
    return status;
}
