/* fold_in_als: normal equations in float64 from float16 item factors (fold_in.h has the formulas). It is apart from
 * training's half-step (als/explicit.c) because it reads what is stored: float16 factors, whose products are exact in
 * float64. */
#include "lib/core/fold_in_als.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/clones.h"
#include "lib/core/normal.h"
#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"

static int n_unknowns(const struct tv_fold_in *f)
{
    return f->factors - (f->biases ? 1 : 0); /* the column that is always 1 is none */
}

/* A lambda above 0 is what makes A positive definite for a user with fewer ratings than factors. */
static enum tv_status prepare(struct tv_fold_in *out, enum tv_fold_in_kind kind, const uint16_t *item_factors,
                              int32_t n_items, int factors, double lambda, struct tv_error *err)
{
    *out = (struct tv_fold_in){
        .kind = kind, .factors = factors, .n_items = n_items, .item_factors = item_factors, .lambda = lambda};
    if (!(lambda > 0) || !isfinite(lambda))
        return tv_fail(err, TV_ERR_USAGE, "cannot fold in with a lambda of %g", lambda);
    return TV_OK;
}

enum tv_status tv_fold_in_als(struct tv_fold_in *out, const uint16_t *item_factors, int32_t n_items, int factors,
                              int biases, double lambda, struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    if (factors < (biases ? 3 : 1))
        return tv_fail(err, TV_ERR_USAGE, "cannot fold in with %d factors", factors);
    enum tv_status status = prepare(out, TV_FOLD_IN_ALS, item_factors, n_items, factors, lambda, err);
    out->biases = biases != 0;
    return status;
}

/* Rows of `factors` numbers become rows of `width`; the target and the padding of each stay 0, as they were
 * allocated. */
TV_CLONES static void widen(double *out, size_t width, const float *in, int factors, int n)
{
    for (int t = 0; t < n; t++)
        for (int f = 0; f < factors; f++)
            out[(size_t)t * width + (size_t)f] = (double)in[(size_t)t * (size_t)factors + (size_t)f];
}

enum tv_status tv_fold_in_als_implicit(struct tv_fold_in *out, const uint16_t *item_factors, int32_t n_items,
                                       int factors, double lambda, double alpha, struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    if (factors < 1)
        return tv_fail(err, TV_ERR_USAGE, "cannot fold in with %d factors", factors);
    if (!(alpha >= 0) || !isfinite(alpha))
        return tv_fail(err, TV_ERR_USAGE, "cannot fold in with an alpha of %g", alpha);
    enum tv_status status =
        prepare(out, TV_FOLD_IN_ALS_IMPLICIT, item_factors, n_items, factors, lambda, err);
    if (status != TV_OK)
        return status;
    out->alpha = alpha;
    /* The Gram matrix is laid out like a user's equations, so that each user starts from a copy of it. */
    size_t k = (size_t)factors, width = tv_normal_width(factors);
    double *gram = tv_alloc(tv_normal_size(factors), sizeof *gram, "a Gram matrix", err);
    double *group = tv_alloc(TV_NORMAL_GROUP * width, sizeof *group, "a Gram matrix", err);
    float *narrow = tv_alloc(TV_NORMAL_GROUP * k, sizeof *narrow, "a Gram matrix", err);
    for (int32_t i = 0; gram && group && narrow && i < n_items; i += TV_NORMAL_GROUP) {
        int n = n_items - i < TV_NORMAL_GROUP ? n_items - i : TV_NORMAL_GROUP;
        tv_half_to_floats(narrow, item_factors + (size_t)i * k, (size_t)n * k);
        widen(group, width, narrow, factors, n);
        tv_normal_add_f64(gram, factors, group, group, n);
    }
    status = gram && group && narrow ? TV_OK : TV_ERR_NO_MEMORY;
    free(group);
    free(narrow);
    if (status == TV_OK) {
        out->gram = gram;
        return TV_OK;
    }
    free(gram);
    memset(out, 0, sizeof *out);
    return status;
}

/* Scratch of one call, in one allocation. */
struct scratch {
    double *equations, *left, *right; /* left and right are the same unless implicit */
    float *narrow;                    /* (TV_NORMAL_GROUP, factors) */
};

/* Explicit equations are symmetric in their two sides, and one group of rows is both; implicit ones weigh the right
 * side. `narrow` comes last: floats need no stricter alignment than the doubles ahead of them. */
static enum tv_status make_scratch(struct scratch *s, const struct tv_fold_in *f, struct tv_error *err)
{
    size_t size = tv_normal_size(n_unknowns(f)), group = TV_NORMAL_GROUP * tv_normal_width(n_unknowns(f));
    size_t narrow = TV_NORMAL_GROUP / 2 * (size_t)f->factors; /* in doubles */
    int sides = f->gram ? 2 : 1;
    double *all = tv_alloc(size + (size_t)sides * group + narrow, sizeof *all, "a user's equations", err);
    if (all == NULL)
        return TV_ERR_NO_MEMORY;
    *s = (struct scratch){.equations = all, .left = all + size, .right = all + size + (size_t)(sides - 1) * group};
    s->narrow = (float *)(void *)(s->right + group);
    return TV_OK;
}

/* Rows of n ratings: [factors, rating], with biases [q, 1, rating - mean - b_i]. */
TV_CLONES static void explicit_rows(const struct scratch *s, const struct tv_fold_in *f, const float *ratings, int n)
{
    int unknowns = n_unknowns(f);
    size_t width = tv_normal_width(unknowns);
    for (int t = 0; t < n; t++) {
        double *row = s->left + (size_t)t * width;
        const float *item = s->narrow + (size_t)t * (size_t)f->factors;
        for (int c = 0; c < unknowns; c++)
            row[c] = (double)item[c];
        row[unknowns] = (double)ratings[t];
        if (f->biases) {
            row[unknowns - 1] = 1;
            row[unknowns] -= (double)item[unknowns - 1];
        }
    }
}

/* Left rows [factors, 0], right rows [alpha r factors, 1 + alpha r]. Nonzero: a rating is below 0. */
TV_CLONES static int implicit_rows(const struct scratch *s, const struct tv_fold_in *f, const float *ratings, int n)
{
    int k = f->factors, below = 0;
    size_t width = tv_normal_width(k);
    for (int t = 0; t < n; t++) {
        double *left = s->left + (size_t)t * width, *right = s->right + (size_t)t * width;
        double weight = f->alpha * (double)ratings[t];
        const float *item = s->narrow + (size_t)t * (size_t)k;
        for (int c = 0; c < k; c++) {
            left[c] = (double)item[c];
            right[c] = weight * (double)item[c];
        }
        right[k] = 1 + weight;
        below |= ratings[t] < 0;
    }
    return below;
}

/* Widens TV_NORMAL_GROUP items at a time, so scratch has a fixed size whatever the number of ratings. */
static enum tv_status add_ratings(const struct scratch *s, const struct tv_fold_in *f,
                                  const struct tv_user_ratings *rated, struct tv_error *err)
{
    size_t k = (size_t)f->factors;
    for (size_t from = 0; from < rated->n; from += TV_NORMAL_GROUP) {
        const int32_t *items = rated->items + from;
        int count = rated->n - from < TV_NORMAL_GROUP ? (int)(rated->n - from) : TV_NORMAL_GROUP;
        for (int t = 0; t < count; t++)
            tv_half_to_floats(s->narrow + (size_t)t * k, f->item_factors + (size_t)items[t] * k, k);
        if (f->kind == TV_FOLD_IN_ALS)
            explicit_rows(s, f, rated->ratings + from, count);
        else if (implicit_rows(s, f, rated->ratings + from, count)) {
            tv_fail(err, TV_ERR_INPUT, "a user has a rating below 0, which cannot be a count");
            tv_hint(err, "implicit ALS reads counts; explicit ALS takes ratings of any sign");
            return TV_ERR_INPUT;
        }
        tv_normal_add_f64(s->equations, n_unknowns(f), s->left, s->right, count);
    }
    return TV_OK;
}

/* Builds the equations of a user, puts `right` (NULL: the ratings' own) on their right-hand side, and solves. */
static enum tv_status solve(const struct tv_fold_in *f, double *solution, const double *right,
                            const struct tv_user_ratings *rated, struct tv_error *err)
{
    struct scratch s;
    int unknowns = n_unknowns(f);
    size_t width = tv_normal_width(unknowns);
    enum tv_status status = make_scratch(&s, f, err);
    if (status != TV_OK)
        return status;
    if (f->gram)
        memcpy(s.equations, f->gram, tv_normal_size(unknowns) * sizeof *f->gram);
    status = add_ratings(&s, f, rated, err);
    for (int c = 0; right && c < unknowns; c++)
        s.equations[(size_t)c * width + (size_t)unknowns] = right[c];
    /* Explicit ALS weighs lambda by the number of ratings, implicit ALS does not (als.h). */
    double ridge = f->kind == TV_FOLD_IN_ALS ? f->lambda * (double)rated->n : f->lambda;
    if (status == TV_OK && tv_normal_solve_f64(solution, s.equations, unknowns, ridge)) {
        status = tv_fail(err, TV_ERR_NUMERIC, "the equations of a user with %zu ratings cannot be solved", rated->n);
        tv_hint(err, "train with a larger lambda than %g, or with fewer factors", f->lambda);
    }
    free(s.equations);
    return status;
}

/* With biases the last unknown is b_u; the stored row has a 1 between p and b_u, against which the item's mean + b_i
 * stands. */
enum tv_status tv_fold_in_equations(const struct tv_fold_in *f, double *user, const struct tv_user_ratings *rated,
                                    struct tv_error *err)
{
    int unknowns = n_unknowns(f);
    enum tv_status status = solve(f, user, NULL, rated, err);
    if (status == TV_OK && f->biases) {
        user[unknowns] = user[unknowns - 1];
        user[unknowns - 1] = 1;
    }
    return status;
}

enum tv_status tv_fold_in_direction(const struct tv_fold_in *f, double *vector, const struct tv_user_ratings *rated,
                                    struct tv_error *err)
{
    return solve(f, vector, vector, rated, err);
}
