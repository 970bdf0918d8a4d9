/* step: half an iteration of ALS. Rows are dealt out to threads as they come; the result for a row does not depend on
 * the thread that gets it. Explicit rows go to explicit.c, implicit ones to conjugate.c. */
#include "lib/core/als/step.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/als/conjugate.h"
#include "lib/core/als/explicit.h"
#include "lib/core/normal.h"
#include "trivet/base/buffer.h"

/* Few rows at a time, because rows differ by orders of magnitude in how many ratings they have. */
enum {
    ROWS_AT_A_TIME = 8,
    GRAM_BLOCKS = 32 /* of rows; their sums are added in order */
};

size_t tv_als_stride(const struct tv_als_options *o)
{
    /* Explicit rows are copied into rows of normal.h, which end in a target. */
    size_t columns = (size_t)tv_als_columns(o) + !o->implicit;
    return (columns + TV_CONJUGATE_PAD - 1) / TV_CONJUGATE_PAD * TV_CONJUGATE_PAD;
}

/* The memory that one thread works in, and the first row it failed at. */
struct worker {
    struct tv_als_explicit work;
    float *scratch; /* implicit */
    enum tv_status status;
    int32_t row;
};

/* The row is improved in place. A row without values is zeros: all its pairs are wanted to be 0. */
static void solve_implicit(const struct tv_als_step *s, const float *gram, float *scratch, int32_t r)
{
    float *x = s->solved->factors + (size_t)r * s->stride;
    int64_t from = s->ratings->start[r];
    struct tv_conjugate c = {.stride = s->stride,
                             .gram = gram,
                             .fixed = s->fixed->factors,
                             .row = s->ratings->column + from,
                             .value = s->ratings->value + from,
                             .n = s->ratings->start[r + 1] - from,
                             .alpha = (float)s->options->alpha,
                             .scratch = scratch};
    if (c.n > 0)
        tv_conjugate_gradients(x, &c, s->cg_steps);
    else
        memset(x, 0, s->stride * sizeof *x);
    s->penalty[r] = 0;
    for (int f = 0; f < s->options->factors; f++)
        s->penalty[r] += (double)x[f] * (double)x[f];
    if (s->error)
        s->error[r] = tv_conjugate_error(x, &c);
}

static void solve_rows(const struct tv_als_step *s, const float *gram, struct worker *workers)
{
#pragma omp parallel for schedule(dynamic, ROWS_AT_A_TIME) num_threads(s->options->threads)
    for (int32_t r = 0; r < s->solved->n; r++) {
        struct worker *w = &workers[omp_get_thread_num()];
        if (w->status != TV_OK)
            continue;
        if (gram)
            solve_implicit(s, gram, w->scratch, r);
        else
            w->status = tv_als_explicit_row(s, &w->work, r);
        w->row = r;
    }
}

/* The failure at the lowest row, which is the same at any number of threads: OpenMP's runtime deals rows out ascending,
 * and a thread stops at its first failure, so the thread that gets the lowest row that fails has met none before. */
static enum tv_status first_failure(const struct worker *workers, int n, struct tv_error *err)
{
    const struct worker *first = NULL;
    for (int t = 0; t < n; t++)
        if (workers[t].status != TV_OK && (first == NULL || workers[t].row < first->row))
            first = &workers[t];
    if (first == NULL)
        return TV_OK;
    if (first->status == TV_ERR_NO_MEMORY)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: normal equations");
    tv_fail(err, TV_ERR_NUMERIC, "the normal equations of row %d cannot be solved", first->row);
    tv_hint(err, "use a larger lambda or fewer factors");
    return TV_ERR_NUMERIC;
}

/* `gram` in float32 as conjugate.h wants it: padded to whole vectors, with lambda on the diagonal, so that the loops
 * add it in passing. */
static enum tv_status pad_gram(float **out, const struct tv_als_step *s, struct tv_error *err)
{
    size_t k = (size_t)s->options->factors;
    *out = tv_alloc(s->stride * s->stride, sizeof **out, "a Gram matrix", err);
    if (*out == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            (*out)[i * s->stride + j] = (float)(s->gram[i * k + j] + (i == j ? s->options->lambda : 0));
    return TV_OK;
}

/* Scratch is allocated before the threads start, since an allocation that fails in a parallel loop has no way out of
 * it. */
enum tv_status tv_als_step(const struct tv_als_step *s, struct tv_error *err)
{
    int threads = s->options->threads, implicit = s->options->implicit;
    float *gram = NULL;
    struct worker *workers = tv_alloc((size_t)threads, sizeof *workers, "threads", err);
    enum tv_status status = workers == NULL ? TV_ERR_NO_MEMORY : implicit ? pad_gram(&gram, s, err) : TV_OK;
    for (int t = 0; status == TV_OK && t < threads; t++) {
        if (!implicit)
            status = tv_als_explicit_create(&workers[t].work, s, err);
        else if (!(workers[t].scratch = tv_alloc(3 * s->stride, sizeof(float), "conjugate gradients", err)))
            status = TV_ERR_NO_MEMORY;
    }
    if (status == TV_OK) {
        solve_rows(s, gram, workers);
        status = first_failure(workers, threads, err);
    }
    for (int t = 0; workers && t < threads; t++) {
        tv_als_explicit_free(&workers[t].work);
        free(workers[t].scratch);
    }
    free(workers);
    free(gram);
    return status;
}

/* sum += F' F for rows from .. to - 1, in the layout of normal.h. Float64, as there are as many terms as the side has
 * rows. */
static void add_rows(double *sum, double *group, const struct tv_als_side *side, size_t stride, int k,
                     int32_t from, int32_t to)
{
    size_t width = tv_normal_width(k);
    for (int32_t r = from; r < to; r += TV_NORMAL_GROUP) {
        int n = to - r < TV_NORMAL_GROUP ? to - r : TV_NORMAL_GROUP;
        for (size_t t = 0; t < (size_t)n; t++)
            for (size_t f = 0; f < (size_t)k; f++)
                group[t * width + f] = (double)side->factors[((size_t)r + t) * stride + f];
        tv_normal_add_f64(sum, k, group, group, n);
    }
}

/* The number of blocks is fixed and not that of the threads, so neither the sums nor their order depend on it. */
enum tv_status tv_als_gram(double *gram, const struct tv_als_side *side, size_t stride, int k, int threads,
                           struct tv_error *err)
{
    size_t width = tv_normal_width(k), size = tv_normal_size(k), group = TV_NORMAL_GROUP * width;
    double *sums = tv_alloc(GRAM_BLOCKS * (size + group), sizeof *sums, "a Gram matrix", err);
    if (sums == NULL)
        return TV_ERR_NO_MEMORY;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int b = 0; b < GRAM_BLOCKS; b++) {
        double *sum = sums + (size_t)b * (size + group);
        int32_t from = (int32_t)((int64_t)side->n * b / GRAM_BLOCKS);
        add_rows(sum, sum + size, side, stride, k, from, (int32_t)((int64_t)side->n * (b + 1) / GRAM_BLOCKS));
    }
    for (size_t i = 0; i < (size_t)k; i++)
        for (size_t j = i; j < (size_t)k; j++) {
            double sum = 0;
            for (size_t b = 0; b < GRAM_BLOCKS; b++)
                sum += sums[b * (size + group) + i * width + j];
            gram[i * (size_t)k + j] = gram[j * (size_t)k + i] = sum;
        }
    free(sums);
    return TV_OK;
}
