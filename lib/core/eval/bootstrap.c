/* bootstrap: percentile intervals of a ratio of sums over users that are drawn again and again (bootstrap.h says why
 * users). O(resamples * n); the draws come from splitmix64 by place, so a resample needs no memory and no order. */
#include "trivet/core/eval/bootstrap.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"

#include "lib/core/splitmix.h"

void tv_bootstrap_defaults(struct tv_bootstrap_options *o)
{
    *o = (struct tv_bootstrap_options){.resamples = 1000, .level = 0.95, .seed = 1};
}

/* The value of the users as they are; NaN where there are none, and then there is no interval either. */
static double plain_ratio(const double *above, const double *below, size_t n)
{
    double a = 0, b = 0;
    for (size_t i = 0; i < n; i++) {
        a += above[i];
        b += below ? below[i] : 1;
    }
    return b > 0 ? a / b : NAN;
}

/* One resample: n of the n users with repetition, summed in the order of the draws. */
static double drawn_ratio(const double *above, const double *below, size_t n, uint64_t seed)
{
    double a = 0, b = 0;
    for (size_t j = 0; j < n; j++) {
        size_t i = (size_t)tv_splitmix_below(tv_splitmix_at(seed, j), n);
        a += above[i];
        b += below ? below[i] : 1;
    }
    return a / b;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The ceil(n share)-th of n ascending values. A share such as 0.025 of 1,000 is a whole number but for rounding, which
 * must not lift it to the next. */
static double quantile(const double *sorted, int n, double share)
{
    double rank = ceil(n * share - 1e-9);
    return sorted[rank < 1 ? 0 : rank > n ? n - 1 : (int)rank - 1];
}

/* Memory: one number a resample. */
enum tv_status tv_bootstrap_ratio(struct tv_interval *out, const double *above, const double *below, size_t n,
                                  const struct tv_bootstrap_options *options, struct tv_error *err)
{
    int resamples = options->resamples, threads = options->threads > 0 ? options->threads : omp_get_max_threads();
    *out = (struct tv_interval){NAN, NAN, NAN};
    if (resamples < 1 || !(options->level > 0 && options->level < 1))
        return tv_fail(err, TV_ERR_USAGE, "an interval of %g with %d resamples makes no sense", options->level,
                       resamples);
    out->value = plain_ratio(above, below, n);
    if (isnan(out->value))
        return TV_OK;
    double *ratios = tv_alloc((size_t)resamples, sizeof *ratios, "an interval", err);
    if (ratios == NULL)
        return TV_ERR_NO_MEMORY;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < resamples; b++)
        ratios[b] = drawn_ratio(above, below, n, tv_splitmix_at(options->seed, (uint64_t)b));
    qsort(ratios, (size_t)resamples, sizeof *ratios, ascending);
    out->low = quantile(ratios, resamples, (1 - options->level) / 2);
    out->high = quantile(ratios, resamples, (1 + options->level) / 2);
    free(ratios);
    return TV_OK;
}

struct tv_interval tv_interval_root(struct tv_interval i)
{
    return (struct tv_interval){sqrt(i.value), sqrt(i.low), sqrt(i.high)};
}
