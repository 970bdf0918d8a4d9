/* explicit: the normal equations of one row, from the rows of the other side that it has ratings with. They are tried
 * in float32 first; where that cannot solve them, they are summed up and solved again in float64. */
#include "lib/core/als/explicit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/clones.h"
#include "lib/core/normal.h"
#include "trivet/base/buffer.h"

/* The float64 half is made when a row first needs it (make_wide). */
enum tv_status tv_als_explicit_create(struct tv_als_explicit *w, const struct tv_als_step *s, struct tv_error *err)
{
    *w = (struct tv_als_explicit){.n = s->options->factors + (s->solved->bias >= 0)};
    size_t group = TV_NORMAL_GROUP * tv_normal_width(w->n), size = tv_normal_size(w->n);
    w->group = tv_alloc(group + size + (size_t)w->n, sizeof *w->group, "normal equations", err);
    if (w->group == NULL)
        return TV_ERR_NO_MEMORY;
    w->equations = w->group + group;
    w->x = w->equations + size;
    return TV_OK;
}

void tv_als_explicit_free(struct tv_als_explicit *w)
{
    free(w->group);
    free(w->group64);
    *w = (struct tv_als_explicit){0};
}

/* Called within the parallel loop, and without an error to fill: the step tells of the failure once for all threads. */
static enum tv_status make_wide(struct tv_als_explicit *w)
{
    size_t group = TV_NORMAL_GROUP * tv_normal_width(w->n), size = tv_normal_size(w->n);
    if (w->group64 == NULL)
        w->group64 = tv_alloc(group + size + (size_t)w->n, sizeof *w->group64, "normal equations", NULL);
    if (w->group64 == NULL)
        return TV_ERR_NO_MEMORY;
    w->equations64 = w->group64 + group;
    w->x64 = w->equations64 + size;
    return TV_OK;
}

/* Copies the other side's rows of n ratings from place p on: [factors, 1 with biases, target, zeros]. The target
 * is the rating less what the other side says by itself: its bias, and the mean, which stands with the items'. */
TV_CLONES static void gather(float *group, const struct tv_als_step *s, int unknowns, int64_t p, int n)
{
    size_t width = tv_normal_width(unknowns);
    for (int t = 0; t < n; t++, group += width) {
        const float *row = s->fixed->factors + (size_t)s->ratings->column[p + t] * s->stride;
        float rating = s->ratings->value[p + t];
        for (size_t f = 0; f < width; f++)
            group[f] = row[f];
        group[unknowns] = rating;
        if (s->solved->bias >= 0) {
            group[unknowns - 1] = 1;
            group[unknowns] = (float)((double)rating - (double)row[s->fixed->bias] - s->solved->mean);
            if ((size_t)unknowns + 1 < width)
                group[unknowns + 1] = 0; /* only what lies behind the columns of a row is padding */
        }
    }
}

static int group_size(int64_t left)
{
    return left < TV_NORMAL_GROUP ? (int)left : TV_NORMAL_GROUP;
}

/* Returns nonzero where float32 does not suffice. */
static int solve_f32(const struct tv_als_step *s, struct tv_als_explicit *w, int64_t from, int64_t end)
{
    memset(w->equations, 0, tv_normal_size(w->n) * sizeof *w->equations);
    for (int64_t p = from; p < end; p += TV_NORMAL_GROUP) {
        int n = group_size(end - p);
        gather(w->group, s, w->n, p, n);
        tv_normal_add_f32(w->equations, w->n, w->group, w->group, n);
    }
    return tv_normal_solve_f32(w->x, w->equations, w->n, (float)(s->options->lambda * (double)(end - from)));
}

/* Sums the equations up in float64; returns the sum of their diagonal, the scale that a ridge is measured by. */
static double sum_f64(const struct tv_als_step *s, struct tv_als_explicit *w, int64_t from, int64_t end)
{
    double trace = 0;
    size_t width = tv_normal_width(w->n);
    memset(w->equations64, 0, tv_normal_size(w->n) * sizeof *w->equations64);
    for (int64_t p = from; p < end; p += TV_NORMAL_GROUP) {
        int n = group_size(end - p);
        gather(w->group, s, w->n, p, n);
        for (size_t i = 0; i < (size_t)n * width; i++)
            w->group64[i] = (double)w->group[i];
        for (size_t i = 0; i < (size_t)n * width; i++)
            trace += i % width < (size_t)w->n ? w->group64[i] * w->group64[i] : 0;
        tv_normal_add_f64(w->equations64, w->n, w->group64, w->group64, n);
    }
    return trace;
}

/* Returns nonzero where float64 does not suffice either. One user with a rating of a billion among those of one to five
 * has factors so large that lambda is lost beside their squares; then the diagonal gets the least ridge that is not
 * lost, or that user would end the training. */
static int solve_f64(const struct tv_als_step *s, struct tv_als_explicit *w, int64_t from, int64_t end)
{
    const double least = 1e-13;
    double lambda = s->options->lambda * (double)(end - from);
    sum_f64(s, w, from, end);
    int failed = tv_normal_solve_f64(w->x64, w->equations64, w->n, lambda);
    if (failed) {
        double trace = sum_f64(s, w, from, end);
        failed = tv_normal_solve_f64(w->x64, w->equations64, w->n, lambda + least * trace);
    }
    for (int f = 0; f < w->n; f++)
        w->x[f] = (float)w->x64[f];
    return failed;
}

/* Puts the solution into the columns of row r. The bias column holds mean + b on the items' side and b on the users',
 * whose mean is 0; the column that meets the other side's bias is 1. */
static void store(const struct tv_als_step *s, int32_t r, const float *x)
{
    float *row = s->solved->factors + (size_t)r * s->stride;
    int k = s->options->factors, bias = s->solved->bias;
    memcpy(row, x, (size_t)k * sizeof *row);
    if (bias >= 0) {
        row[bias] = (float)((double)x[k] + s->solved->mean);
        row[s->fixed->bias] = 1;
    }
}

/* The squared errors of a row's ratings. A score is one product over the padded row, biases included, in eight lanes
 * that are added in a fixed order. */
TV_CLONES static double squared_errors(const struct tv_als_step *s, int32_t r)
{
    enum { LANES = 8 };
    const float *row = s->solved->factors + (size_t)r * s->stride;
    double total = 0;
    for (int64_t p = s->ratings->start[r]; p < s->ratings->start[r + 1]; p++) {
        const float *other = s->fixed->factors + (size_t)s->ratings->column[p] * s->stride;
        float sum[LANES] = {0};
        for (size_t f = 0; f < s->stride; f += LANES)
            for (size_t l = 0; l < LANES; l++)
                sum[l] += row[f + l] * other[f + l];
        float score = ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
        double e = (double)s->ratings->value[p] - (double)score;
        total += e * e;
    }
    return total;
}

/* Penalties are weighed by the number of ratings, as lambda is in the equations. A row without ratings gets zeros (and
 * b = 0). */
enum tv_status tv_als_explicit_row(const struct tv_als_step *s, struct tv_als_explicit *w, int32_t r)
{
    int64_t from = s->ratings->start[r], end = s->ratings->start[r + 1];
    memset(w->x, 0, (size_t)w->n * sizeof *w->x);
    if (end > from && solve_f32(s, w, from, end)) {
        if (make_wide(w) != TV_OK)
            return TV_ERR_NO_MEMORY;
        if (solve_f64(s, w, from, end))
            return TV_ERR_NUMERIC;
    }
    store(s, r, w->x);
    double square = 0;
    for (int f = 0; f < w->n; f++)
        square += (double)w->x[f] * (double)w->x[f];
    s->penalty[r] = (double)(end - from) * square;
    if (s->error)
        s->error[r] = squared_errors(s, r);
    return TV_OK;
}
