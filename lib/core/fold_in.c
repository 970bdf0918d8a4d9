/* fold_in: projects a user's ratings on the item factors (fold_in.h has the formula). */
#include "trivet/fold_in.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/buffer.h"
#include "trivet/half.h"

#include "clones.h"

/* Factors are worked on in strips of this many, so that sums and widened factors stay on the stack. */
enum { STRIP = 64 };

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
    *out = (struct tv_fold_in){factors, n_items, item_factors, scale};
    return TV_OK;
}

void tv_fold_in_free(struct tv_fold_in *f)
{
    if (f == NULL)
        return;
    free(f->scale);
    memset(f, 0, sizeof *f);
}

/* Each factor has a sum of its own, so wider vectors change no bit. */
TV_CLONES static void add_rated(double *sum, double rating, const float *item, int n)
{
    for (int f = 0; f < n; f++)
        sum[f] += rating * (double)item[f];
}

static enum tv_status fold_strip(const struct tv_fold_in *f, uint16_t *user, int from, int width,
                                 const int32_t *items, const float *ratings, size_t n, struct tv_error *err)
{
    double sum[STRIP] = {0};
    float item[STRIP];
    for (size_t i = 0; i < n; i++) {
        tv_half_to_floats(item, f->item_factors + (size_t)items[i] * (size_t)f->factors + from,
                          (size_t)width);
        add_rated(sum, (double)ratings[i], item, width);
    }
    for (int c = 0; c < width; c++) {
        double p = sum[c] * f->scale[from + c];
        user[from + c] = tv_half_from_double(p);
        if (!tv_half_is_finite(user[from + c]))
            return tv_fail(err, TV_ERR_NUMERIC, "factor %d of a user is %g, beyond float16's %g",
                           from + c + 1, p, (double)TV_HALF_MAX);
    }
    return TV_OK;
}

enum tv_status tv_fold_in(const struct tv_fold_in *f, uint16_t *user, const int32_t *items,
                          const float *ratings, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int from = 0; status == TV_OK && from < f->factors; from += STRIP) {
        int width = f->factors - from < STRIP ? f->factors - from : STRIP;
        status = fold_strip(f, user, from, width, items, ratings, n, err);
    }
    return status;
}
