/* metrics: rating errors, and the quality of one user's list (metrics.h has the formulas, docs/metrics.md works each
 * through). */
#include "trivet/core/eval/metrics.h"

#include <math.h>

/* --- rating error --- */

void tv_rating_error_add(struct tv_rating_error *e, double predicted, double rating)
{
    double d = predicted - rating;
    tv_rating_error_merge(e, &(struct tv_rating_error){1, d * d, fabs(d), rating, 0});
}

/* Chan, Golub and LeVeque's update: sum r^2 - n mean^2 would cancel where ratings lie far from 0 and close together. */
void tv_rating_error_merge(struct tv_rating_error *to, const struct tv_rating_error *from)
{
    if (from->n == 0)
        return;
    double n = (double)to->n, m = (double)from->n, apart = from->mean - to->mean;
    to->spread += from->spread + apart * apart * (n * m / (n + m));
    to->mean += apart * (m / (n + m));
    to->n += from->n;
    to->squared += from->squared;
    to->absolute += from->absolute;
}

double tv_rmse(const struct tv_rating_error *e)
{
    return e->n > 0 ? sqrt(e->squared / (double)e->n) : NAN;
}

double tv_mae(const struct tv_rating_error *e)
{
    return e->n > 0 ? e->absolute / (double)e->n : NAN;
}

/* Equal ratings leave nothing to explain: NaN, not minus infinity. */
double tv_r2(const struct tv_rating_error *e)
{
    return e->spread > 0 ? 1 - e->squared / e->spread : NAN;
}

/* --- one user's list --- */

enum tv_status tv_cuts_check(const struct tv_cuts *cuts, struct tv_error *err)
{
    if (cuts->n < 1 || cuts->n > TV_MAX_CUTS)
        return tv_fail(err, TV_ERR_USAGE, "lists are measured at 1 to %d lengths, not %d", TV_MAX_CUTS, cuts->n);
    for (int c = 0; c < cuts->n; c++)
        if (cuts->k[c] < 1 || (c > 0 && cuts->k[c] <= cuts->k[c - 1]))
            return tv_fail(err, TV_ERR_USAGE, "lists are measured at ascending lengths from 1 on; %d does not fit",
                           cuts->k[c]);
    return TV_OK;
}

int32_t tv_cuts_depth(const struct tv_cuts *cuts)
{
    return cuts->k[cuts->n - 1];
}

const char *tv_measure_name(enum tv_measure m)
{
    static const char *const names[TV_MEASURES] = {"precision", "recall", "map", "ndcg", "hit_rate", "mrr"};
    return names[m];
}

/* A user's relevant items are few and ascending, so a binary search does without a mark for each item. */
static int contains(const int32_t *sorted, size_t n, int32_t item)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && sorted[low] == item;
}

/* One walk down the list serves all cuts: sums run on, and each cut takes down what they are when the walk reaches it.
 * O(k log R), with R relevant items. */
void tv_list_quality(struct tv_list_quality *out, const struct tv_cuts *cuts, const int32_t *list, size_t n_list,
                     const int32_t *relevant, size_t n_relevant, size_t unreachable)
{
    size_t total = n_relevant + unreachable, hits = 0;
    double precisions = 0, gain = 0, ideal = 0, first = 0;
    int cut = 0;
    for (size_t j = 1; cut < cuts->n; j++) {
        if (j <= total)
            ideal += 1 / log2((double)j + 1);
        if (j <= n_list && contains(relevant, n_relevant, list[j - 1])) {
            hits++;
            precisions += (double)hits / (double)j;
            gain += 1 / log2((double)j + 1);
            first = hits == 1 ? 1 / (double)j : first;
        }
        if (j < (size_t)cuts->k[cut])
            continue;
        struct tv_list_quality *q = &out[cut++];
        *q = (struct tv_list_quality){{0}};
        if (total == 0)
            continue;
        q->of[TV_PRECISION] = (double)hits / (double)j;
        q->of[TV_RECALL] = (double)hits / (double)total;
        q->of[TV_MAP] = precisions / (double)(total < j ? total : j);
        q->of[TV_NDCG] = gain / ideal;
        q->of[TV_HIT_RATE] = hits > 0;
        q->of[TV_MRR] = first;
    }
}
