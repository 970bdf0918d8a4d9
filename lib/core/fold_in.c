/* fold_in: a user's factors, by projection for the SVD and by the equations of fold_in_als.c for ALS (fold_in.h has the
 * formulas). The struct says which; callers hold it beside the model and need not know the algorithm. */
#include "trivet/core/fold_in.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"

#include "lib/core/clones.h"
#include "lib/core/fold_in_als.h"

/* Factors are worked on in strips of this many, so that sums and widened factors stay on the stack. */
enum { STRIP = 64 };

/* The powers of sigma are taken once a model, not once a user. A sigma so small that its power overflows cannot be
 * divided by. */
enum tv_status tv_fold_in_svd(struct tv_fold_in *out, const uint16_t *item_factors, int32_t n_items,
                              int factors, const double *sigma, double a, struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    if (factors < 1)
        return tv_fail(err, TV_ERR_USAGE, "cannot fold in with %d factors", factors);
    double *scale = tv_alloc((size_t)factors, sizeof *scale, "fold-in", err);
    if (scale == NULL)
        return TV_ERR_NO_MEMORY;
    for (int f = 0; f < factors; f++) {
        scale[f] = pow(sigma[f], -2 * a);
        if (!(sigma[f] > 0) || !isfinite(scale[f])) {
            free(scale);
            return tv_fail(err, TV_ERR_NUMERIC, "singular value %d is %g, which cannot be divided by", f + 1,
                           sigma[f]);
        }
    }
    *out = (struct tv_fold_in){
        .factors = factors, .n_items = n_items, .item_factors = item_factors, .scale = scale};
    return TV_OK;
}

void tv_fold_in_free(struct tv_fold_in *f)
{
    if (f == NULL)
        return;
    free(f->scale);
    free(f->gram);
    memset(f, 0, sizeof *f);
}

/* Each factor has a sum of its own, so wider vectors change no bit. */
TV_CLONES static void add_rated(double *sum, double rating, const float *item, int n)
{
    for (int f = 0; f < n; f++)
        sum[f] += rating * (double)item[f];
}

/* Rounds factor `c` of a user. */
static enum tv_status round_factor(uint16_t *user, int c, double p, struct tv_error *err)
{
    user[c] = tv_half_from_double(p);
    if (tv_half_is_finite(user[c]))
        return TV_OK;
    return tv_fail(err, TV_ERR_NUMERIC, "factor %d of a user is %g, beyond float16's %g", c + 1, p,
                   (double)TV_HALF_MAX);
}

/* Factors from .. from + width - 1 of a user: a pass over the rated items that touches only those columns. */
static enum tv_status project_strip(const struct tv_fold_in *f, uint16_t *user, int from, int width,
                                    const struct tv_user_ratings *rated, struct tv_error *err)
{
    double sum[STRIP] = {0};
    float item[STRIP];
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < rated->n; i++) {
        tv_half_to_floats(item, f->item_factors + (size_t)rated->items[i] * (size_t)f->factors + from, (size_t)width);
        add_rated(sum, (double)rated->ratings[i], item, width);
    }
    for (int c = 0; status == TV_OK && c < width; c++)
        if ((status = round_factor(user, from + c, sum[c] * f->scale[from + c], err)) != TV_OK)
            tv_hint(err, "train with a larger sigma, which leaves less to the user's side, or with ratings of a smaller "
                         "range: of counts of plays their logarithm");
    return status;
}

static enum tv_status project(const struct tv_fold_in *f, uint16_t *user, const struct tv_user_ratings *rated,
                              struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int from = 0; status == TV_OK && from < f->factors; from += STRIP) {
        int width = f->factors - from < STRIP ? f->factors - from : STRIP;
        status = project_strip(f, user, from, width, rated, err);
    }
    return status;
}

static enum tv_status solve(const struct tv_fold_in *f, uint16_t *user, const struct tv_user_ratings *rated,
                            struct tv_error *err)
{
    double *p = tv_alloc((size_t)f->factors, sizeof *p, "a user's factors", err);
    enum tv_status status = p ? tv_fold_in_equations(f, p, rated, err) : TV_ERR_NO_MEMORY;
    for (int c = 0; status == TV_OK && c < f->factors; c++)
        if ((status = round_factor(user, c, p[c], err)) != TV_OK)
            tv_hint(err, "train with a larger lambda than %g, or with ratings of a smaller range", f->lambda);
    free(p);
    return status;
}

/* Without ratings explicit ALS has no equations (lambda n is 0), and the other kinds come to zeros; so all give
 * zeros. */
enum tv_status tv_fold_in_factors(const struct tv_fold_in *f, uint16_t *user, const struct tv_user_ratings *rated,
                                  struct tv_error *err)
{
    if (f->kind == TV_FOLD_IN_SVD)
        return project(f, user, rated, err);
    if (rated->n > 0)
        return solve(f, user, rated, err);
    memset(user, 0, (size_t)f->factors * sizeof *user);
    return TV_OK;
}

enum tv_status tv_fold_in_factors_or_zeros(const struct tv_fold_in *f, uint16_t *user,
                                           const struct tv_user_ratings *rated, char *why, size_t size,
                                           struct tv_error *err)
{
    struct tv_error own = {0};
    enum tv_status status = tv_fold_in_factors(f, user, rated, &own);
    why[0] = '\0';
    /* These two are the user's numbers; lack of memory concerns everybody and ends the work. */
    if (status == TV_ERR_NUMERIC || status == TV_ERR_INPUT) {
        snprintf(why, size, "%s", own.message);
        memset(user, 0, (size_t)f->factors * sizeof *user);
        return TV_OK;
    }
    if (status != TV_OK && err)
        *err = own;
    return status;
}
