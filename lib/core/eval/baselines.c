/* baselines: means, biases, popularity and chance (baselines.h has the formulas). Evaluation puts them beside a model,
 * to show what the model adds. Sums run in the order of the matrix, on one thread. */
#include "trivet/core/eval/baselines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

#include "lib/core/splitmix.h"

const char *tv_baseline_name(enum tv_baseline_kind kind)
{
    static const char *const names[TV_BASELINES] = {"mean", "item_mean", "bias", "popular", "random"};
    return names[kind];
}

void tv_baseline_defaults(struct tv_baseline_options *o)
{
    *o = (struct tv_baseline_options){.item_weight = 25, .user_weight = 10, .seed = 1};
}

void tv_baseline_free(struct tv_baseline *b)
{
    if (b == NULL)
        return;
    free(b->item);
    free(b->user);
    memset(b, 0, sizeof *b);
}

/* --- learning --- */

static double mean_of(const struct tv_csr *m)
{
    double sum = 0;
    for (int64_t p = 0; p < m->n_values; p++)
        sum += (double)m->value[p];
    return sum / (double)m->n_values;
}

/* Turns `count` ratings that add up to `sum` into the number that the kind keeps of an item. The sum of whole or half
 * stars is exact, so items with equal ratings come out equal to the bit, and tie. */
static double item_value(const struct tv_baseline *b, double count, double sum, double weight)
{
    if (b->kind == TV_POPULAR)
        return count;
    if (count == 0)
        return b->kind == TV_ITEM_MEAN ? b->mean : 0;
    return b->kind == TV_ITEM_MEAN ? sum / count : (sum - count * b->mean) / (weight + count);
}

static enum tv_status learn_items(struct tv_baseline *b, const struct tv_csr *m, double weight, struct tv_error *err)
{
    size_t n = (size_t)m->n_cols;
    double *sums = tv_alloc(n, sizeof *sums, "a baseline", err);
    b->item = tv_alloc(n, sizeof *b->item, "a baseline", err);
    int ok = sums && b->item;
    for (int64_t p = 0; ok && p < m->n_values; p++) {
        b->item[m->column[p]]++; /* a count yet */
        sums[m->column[p]] += (double)m->value[p];
    }
    for (size_t i = 0; ok && i < n; i++)
        b->item[i] = item_value(b, b->item[i], sums[i], weight);
    free(sums);
    return ok ? TV_OK : TV_ERR_NO_MEMORY;
}

/* After the items, whose biases it needs: a user with a taste for good items is not a generous one. */
static enum tv_status learn_users(struct tv_baseline *b, const struct tv_csr *m, double weight, struct tv_error *err)
{
    if ((b->user = tv_alloc((size_t)m->n_rows, sizeof *b->user, "a baseline", err)) == NULL)
        return TV_ERR_NO_MEMORY;
    for (int32_t u = 0; u < m->n_rows; u++) {
        double sum = 0, n = (double)(m->start[u + 1] - m->start[u]);
        for (int64_t p = m->start[u]; p < m->start[u + 1]; p++)
            sum += (double)m->value[p] - b->mean - b->item[m->column[p]];
        b->user[u] = n > 0 ? sum / (weight + n) : 0;
    }
    return TV_OK;
}

enum tv_status tv_baseline_fit(struct tv_baseline *out, enum tv_baseline_kind kind, const struct tv_csr *training,
                               const struct tv_baseline_options *options, struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    if (!(options->item_weight >= 0) || !(options->user_weight >= 0))
        return tv_fail(err, TV_ERR_USAGE, "weights of %g and %g: a weight pulls towards the mean, and is 0 or more",
                       options->item_weight, options->user_weight);
    if (training->n_values == 0)
        return tv_fail(err, TV_ERR_INPUT, "there are no ratings to learn a baseline from");
    *out = (struct tv_baseline){.kind = kind, .n_users = training->n_rows, .n_items = training->n_cols,
                                .mean = mean_of(training), .seed = options->seed};
    enum tv_status status = TV_OK;
    if (kind == TV_ITEM_MEAN || kind == TV_BIAS || kind == TV_POPULAR)
        status = learn_items(out, training, options->item_weight, err);
    if (status == TV_OK && kind == TV_BIAS)
        status = learn_users(out, training, options->user_weight, err);
    if (status != TV_OK)
        tv_baseline_free(out);
    return status;
}

/* --- answering --- */

double tv_baseline_predict(const struct tv_baseline *b, int32_t user, int32_t item)
{
    switch (b->kind) {
    case TV_MEAN:
        return b->mean;
    case TV_ITEM_MEAN:
        return item >= 0 ? b->item[item] : b->mean;
    case TV_BIAS:
        return b->mean + (user >= 0 ? b->user[user] : 0) + (item >= 0 ? b->item[item] : 0);
    default:
        return NAN;
    }
}

void tv_baseline_scores(const struct tv_baseline *b, int32_t user, double *scores)
{
    /* Every user has a generator of their own, so that a random list is the same whichever thread asks, and in whatever
     * order. */
    uint64_t list = tv_splitmix_at(b->seed, (uint64_t)(int64_t)user);
    for (int32_t i = 0; i < b->n_items; i++)
        scores[i] = b->kind == TV_MEAN      ? NAN
                    : b->kind == TV_POPULAR ? b->item[i]
                    : b->kind == TV_RANDOM  ? tv_splitmix_real(tv_splitmix_at(list, (uint64_t)i))
                                            : tv_baseline_predict(b, user, i);
}

static enum tv_status method_scores(void *context, int thread, int32_t user, double *scores, struct tv_error *err)
{
    (void)thread;
    (void)err;
    tv_baseline_scores(context, user, scores);
    return TV_OK;
}

static enum tv_status method_predict(void *context, int thread, int32_t user, const int32_t *items, size_t n,
                                     double *predicted, struct tv_error *err)
{
    (void)thread;
    (void)err;
    for (size_t i = 0; i < n; i++)
        predicted[i] = tv_baseline_predict(context, user, items[i]);
    return TV_OK;
}

/* The mean is no order of items, and counts and chance are no ratings: these functions are NULL, and evaluation leaves
 * out what they would have told. */
struct tv_method tv_baseline_method(struct tv_baseline *b)
{
    int predicts = b->kind == TV_MEAN || b->kind == TV_ITEM_MEAN || b->kind == TV_BIAS;
    return (struct tv_method){
        .context = b, .scores = b->kind == TV_MEAN ? NULL : method_scores, .predict = predicts ? method_predict : NULL};
}
