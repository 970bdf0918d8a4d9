/* explain: a score taken apart into what each rating contributed (explain.h has the formulas). The server accounts for
 * a score with it.
 *
 * The idea: a score is i' A^(-1) (sum of w_j i_j), and A is symmetric, so A^(-1) i is solved for once and its product
 * with each w_j i_j is that rating's term. Solving for each rating would cost n times as much.
 */
#include "trivet/core/explain.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"

#include "lib/core/fold_in_als.h"

/* An item's row in float64 as the equations see it: with biases the column of mean + b is put aside, and the column
 * behind it, 1, takes its place, where the user's bias is the unknown. Returns mean + b, or 0. */
static double widen(const struct tv_fold_in *f, double *row, int32_t item)
{
    const uint16_t *factors = f->item_factors + (size_t)item * (size_t)f->factors;
    for (int c = 0; c < f->factors; c++)
        row[c] = (double)tv_half_to_float(factors[c]);
    if (!f->biases)
        return 0;
    double bias = row[f->factors - 2];
    row[f->factors - 2] = 1;
    return bias;
}

/* The vector whose product with a rated item's row is what a rating of weight 1 adds to the score. */
static enum tv_status make_direction(const struct tv_fold_in *f, double *direction, int32_t item,
                                     const struct tv_user_ratings *rated, struct tv_error *err)
{
    widen(f, direction, item);
    if (f->kind == TV_FOLD_IN_SVD) {
        for (int c = 0; c < f->factors; c++)
            direction[c] *= f->scale[c];
        return TV_OK;
    }
    if (f->biases)
        direction[f->factors - 2] = 0; /* the user's bias is a term of its own */
    return tv_fold_in_direction(f, direction, rated, err);
}

/* The number that a rated item's row stands with on the right-hand side of the user's equations. */
static double weight(const struct tv_fold_in *f, float rating, double bias)
{
    return f->kind == TV_FOLD_IN_ALS_IMPLICIT ? 1 + f->alpha * (double)rating : (double)rating - bias;
}

/* `row` is room for an item's. */
static void add_contributions(const struct tv_fold_in *f, double *contributions, struct tv_explained *out,
                              const double *direction, double *row, const struct tv_user_ratings *rated)
{
    int unknowns = f->factors - (f->biases ? 1 : 0);
    for (size_t j = 0; j < rated->n; j++) {
        double bias = widen(f, row, rated->items[j]), product = 0;
        for (int c = 0; c < unknowns; c++)
            product += row[c] * direction[c];
        contributions[j] = weight(f, rated->ratings[j], bias) * product;
        out->sum += contributions[j];
    }
}

/* With biases the user's own b_u is needed, so the user's equations are solved once more as they are; `row` holds that
 * solution first and serves as scratch afterwards. */
enum tv_status tv_explain(const struct tv_fold_in *f, double *contributions, struct tv_explained *out, int32_t item,
                          const struct tv_user_ratings *rated, struct tv_error *err)
{
    size_t k = (size_t)f->factors;
    *out = (struct tv_explained){0};
    if (rated->n == 0)
        return TV_OK;
    double *direction = tv_alloc(2 * k, sizeof *direction, "an explanation", err);
    if (direction == NULL)
        return TV_ERR_NO_MEMORY;
    double *row = direction + k;
    enum tv_status status = TV_OK;
    if (f->biases) {
        out->item = widen(f, row, item);
        status = tv_fold_in_equations(f, row, rated, err);
        out->user = row[k - 1];
        out->sum = out->item + out->user;
    }
    if (status == TV_OK)
        status = make_direction(f, direction, item, rated, err);
    if (status == TV_OK)
        add_contributions(f, contributions, out, direction, row, rated);
    free(direction);
    return status;
}
