/* als: the iterations, their objective, and what goes in and out (als.h has the mathematics). The work on rows is in
 * step.c. Memory is that of the matrix twice, by user and by item, and of the factors in padded rows; the padding goes
 * when they leave. */
#include "trivet/core/als/als.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/als/step.h"
#include "lib/core/splitmix.h"
#include "trivet/base/buffer.h"

/* Steps of conjugate gradients a row; als.h names the paper. */
enum { CG_STEPS = 3 };

void tv_als_free(struct tv_als *a)
{
    if (a == NULL)
        return;
    free(a->user_factors);
    free(a->item_factors);
    free(a->objective);
    memset(a, 0, sizeof *a);
}

double tv_als_memory(int64_t users, int64_t items, int64_t n_values, const struct tv_als_options *options)
{
    /* gram: GRAM_BLOCKS partial sums of tv_als_gram and the two Gram matrices. */
    double transpose = 8.0 * (double)n_values + 8.0 * (double)items, rows = (double)(users + items);
    double factors = 4.0 * rows * ((double)tv_als_stride(options) + tv_als_columns(options));
    double k = options->factors + 8.0, gram = options->implicit ? 8.0 * 34 * k * (k + 64) : 0;
    return transpose + factors + 16.0 * rows + gram;
}

static enum tv_status check_options(const struct tv_als_options *o, const struct tv_csr *m, struct tv_error *err)
{
    if (o->factors < 1)
        return tv_fail(err, TV_ERR_USAGE, "%d factors: there must be at least 1", o->factors);
    if (o->iterations < 1)
        return tv_fail(err, TV_ERR_USAGE, "%d iterations: there must be at least 1", o->iterations);
    if (!(o->lambda > 0) || !isfinite(o->lambda))
        return tv_fail(err, TV_ERR_USAGE, "a lambda of %g: it must be above 0", o->lambda);
    if (o->implicit && (!(o->alpha >= 0) || !isfinite(o->alpha)))
        return tv_fail(err, TV_ERR_USAGE, "an alpha of %g: it must not be below 0", o->alpha);
    if (!(o->tolerance >= 0))
        return tv_fail(err, TV_ERR_USAGE, "a tolerance of %g: it must not be below 0", o->tolerance);
    if (m->n_rows < 1 || m->n_cols < 1 || m->n_values < 1)
        return tv_fail(err, TV_ERR_USAGE, "a matrix of %d x %d with %lld values has nothing to learn from", m->n_rows,
                       m->n_cols, (long long)m->n_values);
    return TV_OK;
}

/* Refused here, where a value can be named: in the equations it would only show as a row that cannot be solved. */
static enum tv_status check_values(const struct tv_csr *m, int implicit, struct tv_error *err)
{
    for (int64_t p = 0; p < m->n_values; p++) {
        if (!isfinite(m->value[p])) {
            tv_fail(err, TV_ERR_NUMERIC, "value %lld of the matrix is %g", (long long)p + 1, (double)m->value[p]);
            tv_hint(err, "take out ratings that are no finite numbers");
            return TV_ERR_NUMERIC;
        }
        if (implicit && m->value[p] < 0) {
            tv_fail(err, TV_ERR_INPUT, "value %lld of the matrix is %g: a count cannot be below 0", (long long)p + 1,
                    (double)m->value[p]);
            tv_hint(err, "implicit ALS reads counts; explicit ALS takes ratings of any sign");
            return TV_ERR_INPUT;
        }
    }
    return TV_OK;
}

/* Everything that a training holds. Penalties and errors are kept a row, so that they can be summed in the order of
 * rows whatever thread solved which. */
struct run {
    const struct tv_als_options *options;
    const struct tv_csr *by_user;
    struct tv_csr by_item;
    size_t stride;
    struct tv_als_side users, items;
    double *user_penalty, *item_penalty, *error;
    double *user_gram, *item_gram; /* implicit */
};

static void free_run(struct run *r)
{
    tv_csr_free(&r->by_item);
    free(r->users.factors);
    free(r->items.factors);
    free(r->user_penalty);
    free(r->item_penalty);
    free(r->error);
    free(r->user_gram);
    free(r->item_gram);
}

/* On failure the caller frees what there is. */
static enum tv_status allocate(struct run *r, struct tv_error *err)
{
    size_t users = (size_t)r->users.n, items = (size_t)r->items.n, k = (size_t)r->options->factors;
    enum tv_status status = tv_csr_transpose(&r->by_item, r->by_user, err);
    if (status != TV_OK)
        return status;
    r->users.factors = tv_alloc(users * r->stride, sizeof(float), "user factors", err);
    r->items.factors = tv_alloc(items * r->stride, sizeof(float), "item factors", err);
    r->user_penalty = tv_alloc(users, sizeof(double), "penalties", err);
    r->item_penalty = tv_alloc(items, sizeof(double), "penalties", err);
    r->error = tv_alloc(items, sizeof(double), "errors", err);
    if (!r->users.factors || !r->items.factors || !r->user_penalty || !r->item_penalty || !r->error)
        return TV_ERR_NO_MEMORY;
    if (r->options->implicit) {
        r->user_gram = tv_alloc(k * k, sizeof(double), "a Gram matrix", err);
        r->item_gram = tv_alloc(k * k, sizeof(double), "a Gram matrix", err);
        if (!r->user_gram || !r->item_gram)
            return TV_ERR_NO_MEMORY;
    }
    return TV_OK;
}

/* Numbers in [-size, size) from the seed, the side and the place. */
static void draw(struct tv_als_side *side, const struct run *r, uint64_t seed, double size)
{
    size_t k = (size_t)r->options->factors;
    for (size_t row = 0; row < (size_t)side->n; row++)
        for (size_t f = 0; f < k; f++)
            side->factors[row * r->stride + f] =
                (float)((2 * tv_splitmix_real(tv_splitmix_at(seed, row * k + f)) - 1) * size);
}

static double mean_of(const struct tv_csr *m)
{
    double sum = 0;
    for (int64_t p = 0; p < m->n_values; p++)
        sum += (double)m->value[p];
    return sum / (double)m->n_values;
}

/* Explicit: items of about length 1 (k numbers of variance 1 / k); users are solved from them exactly and need no
 * start. Implicit: both small, since conjugate gradients only improve what they find. */
static void start(struct run *r)
{
    const struct tv_als_options *o = r->options;
    uint64_t item_seed = tv_splitmix_at(o->seed, 0), user_seed = tv_splitmix_at(o->seed, 1);
    r->users.bias = r->items.bias = -1;
    draw(&r->items, r, item_seed, o->implicit ? 0.01 : sqrt(3.0 / o->factors));
    if (o->implicit)
        draw(&r->users, r, user_seed, 0.01);
    if (tv_als_columns(o) == o->factors)
        return;
    r->items.bias = o->factors;
    r->items.mean = mean_of(r->by_user);
    r->users.bias = o->factors + 1;
    for (size_t i = 0; i < (size_t)r->items.n; i++) {
        r->items.factors[i * r->stride + (size_t)r->items.bias] = (float)r->items.mean;
        r->items.factors[i * r->stride + (size_t)r->users.bias] = 1;
    }
}

/* Nothing to do for explicit ALS, whose equations sum over the rated items alone. */
static enum tv_status gram(double *out, const struct run *r, const struct tv_als_side *side, struct tv_error *err)
{
    if (!r->options->implicit)
        return TV_OK;
    return tv_als_gram(out, side, r->stride, r->options->factors, r->options->threads, err);
}

/* The Gram matrix of a side is computed as soon as the side is solved: the other side's next half-step needs it. */
static enum tv_status solve_users(struct run *r, struct tv_error *err)
{
    struct tv_als_step s = {.options = r->options,
                            .stride = r->stride,
                            .ratings = r->by_user,
                            .solved = &r->users,
                            .fixed = &r->items,
                            .gram = r->item_gram,
                            .cg_steps = CG_STEPS,
                            .penalty = r->user_penalty};
    enum tv_status status = tv_als_step(&s, err);
    if (status == TV_OK)
        return gram(r->user_gram, r, &r->users, err);
    tv_context(err, "users");
    return status;
}

/* Asks for errors, which the half-step of users does not: only after this one are both sides those of the objective. */
static enum tv_status solve_items(struct run *r, struct tv_error *err)
{
    struct tv_als_step s = {.options = r->options,
                            .stride = r->stride,
                            .ratings = &r->by_item,
                            .solved = &r->items,
                            .fixed = &r->users,
                            .gram = r->user_gram,
                            .cg_steps = CG_STEPS,
                            .penalty = r->item_penalty,
                            .error = r->error};
    enum tv_status status = tv_als_step(&s, err);
    if (status == TV_OK)
        return gram(r->item_gram, r, &r->items, err);
    tv_context(err, "items");
    return status;
}

static double sum_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* After solve_items. Implicit ALS sums over all pairs, n_users * n_items of them: the squares of all scores are the
 * product of the two Gram matrices, entry by entry, and the errors of step.c put the stored pairs right. */
static double objective(const struct run *r)
{
    size_t users = (size_t)r->users.n, items = (size_t)r->items.n, k = (size_t)r->options->factors;
    double total = sum_of(r->error, items) +
                   r->options->lambda * (sum_of(r->user_penalty, users) + sum_of(r->item_penalty, items));
    for (size_t i = 0; r->options->implicit && i < k * k; i++)
        total += r->user_gram[i] * r->item_gram[i];
    return total;
}

/* Users first, because explicit ALS starts with items alone. Items are solved last each time, so their factors are the
 * best for the user factors beside them. */
static enum tv_status iterate(struct tv_als *out, struct run *r, struct tv_error *err)
{
    const struct tv_als_options *o = r->options;
    enum tv_status status = gram(r->item_gram, r, &r->items, err);
    for (int i = 0; status == TV_OK && i < o->iterations; i++) {
        if ((status = solve_users(r, err)) != TV_OK || (status = solve_items(r, err)) != TV_OK)
            return status;
        double now = out->objective[i] = objective(r), before = i ? out->objective[i - 1] : INFINITY;
        out->iterations = i + 1;
        if (!isfinite(now)) {
            tv_fail(err, TV_ERR_NUMERIC, "the objective is %g after %d iterations", now, i + 1);
            tv_hint(err, "use a larger lambda, a smaller alpha, or ratings of a smaller range");
            return TV_ERR_NUMERIC;
        }
        if (o->progress && o->progress(o->context, i + 1, now) != 0)
            return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted after %d iterations", i + 1);
        /* A rise counts as no improvement, too. */
        if (o->tolerance > 0 && before - now < o->tolerance * before)
            break;
    }
    return status;
}

/* Copies rows without their padding. */
static float *without_padding(const struct tv_als_side *side, size_t stride, int columns, struct tv_error *err)
{
    float *out = tv_alloc((size_t)side->n * (size_t)columns, sizeof *out, "factors", err);
    for (size_t r = 0; out && r < (size_t)side->n; r++)
        memcpy(out + r * (size_t)columns, side->factors + r * stride, (size_t)columns * sizeof *out);
    return out;
}

/* A copy, so both forms of the factors are in memory for a moment; tv_als_memory counts both. */
static enum tv_status fill_result(struct tv_als *out, const struct run *r, struct tv_error *err)
{
    out->columns = tv_als_columns(r->options);
    out->users = r->users.n;
    out->items = r->items.n;
    out->mean = r->items.mean;
    out->user_factors = without_padding(&r->users, r->stride, out->columns, err);
    out->item_factors = without_padding(&r->items, r->stride, out->columns, err);
    return out->user_factors && out->item_factors ? TV_OK : TV_ERR_NO_MEMORY;
}

enum tv_status tv_als(struct tv_als *out, const struct tv_csr *matrix, const struct tv_als_options *options,
                      struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    enum tv_status status = check_options(options, matrix, err);
    if (status == TV_OK)
        status = check_values(matrix, options->implicit, err);
    if (status != TV_OK)
        return status;
    struct tv_als_options o = *options;
    if (o.threads < 1)
        o.threads = omp_get_max_threads();
    struct run r = {.options = &o, .by_user = matrix, .stride = tv_als_stride(&o)};
    r.users.n = matrix->n_rows;
    r.items.n = matrix->n_cols;
    out->objective = tv_alloc((size_t)o.iterations, sizeof *out->objective, "objectives", err);
    status = out->objective ? allocate(&r, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        start(&r);
        status = iterate(out, &r, err);
    }
    if (status == TV_OK)
        status = fill_result(out, &r, err);
    if (status != TV_OK)
        tv_als_free(out);
    free_run(&r);
    return status;
}
