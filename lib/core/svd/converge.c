/* converge: runs the Lanczos process until the k largest triplets of B are those of A.
 *
 * Of a singular value that comes more than eight times, a chain that began with eight vectors sees eight copies. So
 * where eight of the k values lie close together, another chain is begun that is orthogonal to the k vectors found, a
 * probe. Only when it brings nothing new among the k largest does the process stop.
 */
#include "lib/core/svd/converge.h"

#include <math.h>
#include <stdlib.h>

#include "lib/core/svd/banded.h"
#include "lib/core/svd/ritz.h"
#include "trivet/base/buffer.h"

#define CLOSE 1e-3 /* relative to each other, values that one chain might not tell apart in time */

enum { PROBE_PANELS = 12 }; /* as many powers see a value 5 % above sigma_k among some 100,000 dimensions */

/* The state of convergence when B was last factored. */
struct look {
    int converged;
    double total;    /* sum of the k largest singular values */
    double residual; /* the largest of the k, relative to sigma_1 */
    int crowded;     /* some might have come more often than was seen */
};

/* The residual of triplet i: the part that the last entries of its left vector (row as of tv_banded_values) carry over
 * to the panel that is to come. It comes from B alone, without a pass over A. */
static double residual_of(const struct tv_lanczos *l, const double *row, int i)
{
    int n = l->panels * TV_PANEL;
    const double *s = l->step[l->panels - 1].coupling;
    double square = 0;
    for (int c = 0; c < TV_PANEL; c++) {
        double sum = 0;
        for (int j = c; j < TV_PANEL; j++)
            sum += s[c * TV_PANEL + j] * row[j * n + i];
        square += sum * sum;
    }
    return sqrt(square);
}

/* Eight in a row that are close. A crowd at the very end of the k does not count: more copies of sigma_k would leave
 * the k largest values as they are. */
static int is_crowded(const double *sigma, int k)
{
    for (int i = 0; i + TV_PANEL <= k; i++)
        if (sigma[i] - sigma[i + TV_PANEL - 1] <= CLOSE * sigma[i] && sigma[i] > sigma[k - 1] * (1 + 1e-6))
            return 1;
    return 0;
}

/* Factors B and counts which of the k largest have converged. O(n^2) for n Lanczos vectors, so not after each step. */
static enum tv_status look_at(struct look *out, const struct tv_lanczos *l,
                              const struct tv_svd_options *options, struct tv_error *err)
{
    struct tv_banded b;
    enum tv_status status = tv_lanczos_matrix(&b, l, err);
    if (status != TV_OK)
        return status;
    size_t n = (size_t)b.n;
    int k = options->factors;
    double *sigma = tv_alloc(n + TV_PANEL * n, sizeof *sigma, "singular values", err);
    status = sigma ? tv_banded_values(sigma, sigma + n, TV_PANEL, &b, err) : TV_ERR_NO_MEMORY;
    *out = (struct look){0};
    for (int i = 0; status == TV_OK && i < k; i++) {
        double residual = sigma[0] > 0 ? residual_of(l, sigma + n, i) / sigma[0] : 0;
        out->converged += residual <= options->tolerance;
        out->total += sigma[i];
        out->residual = fmax(out->residual, residual);
    }
    out->crowded = status == TV_OK && is_crowded(sigma, k);
    free((void *)b.band);
    free(sigma);
    return status;
}

static enum tv_status report(const struct tv_lanczos *l, const struct look *look, int spent,
                             const struct tv_svd_options *o, struct tv_error *err)
{
    if (o->progress && o->progress(o->context, l->steps, look->converged) != 0)
        return tv_fail(err, TV_ERR_INTERRUPTED, "the factorisation was interrupted after %d steps", l->steps);
    if (spent && look->converged < o->factors) {
        tv_fail(err, TV_ERR_NUMERIC,
                "%d of %d singular values converged in %d steps (residual %.1e, wanted %.1e)",
                look->converged, o->factors, l->steps, look->residual, o->tolerance);
        return tv_hint(err, "allow more steps or a larger tolerance, or ask for fewer factors");
    }
    return TV_OK;
}

/* The panels to wait for until a look may pay: at best, near the end, residuals fall to a quarter a panel. */
static int wait_for(const struct look *look, double tolerance)
{
    return look->residual > tolerance ? (int)ceil(log(look->residual / tolerance) / log(4)) : 1;
}

/* The chain begins anew with the k vectors found, so memory does not grow with the number of probes. */
static enum tv_status begin_probe(struct tv_lanczos *l, int k, struct tv_error *err)
{
    struct tv_ritz found;
    enum tv_status status = tv_ritz_create(&found, l, k, err);
    if (status == TV_OK)
        status = tv_lanczos_restart(l, found.x, found.sigma, k, found.width, err);
    tv_ritz_free(&found);
    return status;
}

/* B ends where V spans the whole short side (`coming` is 0) or where a fresh vector meets nothing of A (`exhausted`);
 * then its values are those of A, be they fewer than k. *residual is the worst of the looks that a probe went out from
 * and the last. */
enum tv_status tv_converge(struct tv_lanczos *l, double *residual, const struct tv_svd_options *options,
                           struct tv_error *err)
{
    double total_before = 0; /* when the latest probe began */
    int k = options->factors, next_look = (k + TV_PANEL - 1) / TV_PANEL + 1;
    struct look look = {0};
    *residual = 0;
    enum tv_status status = tv_lanczos_begin(l, err);
    while (status == TV_OK && (status = tv_lanczos_step(l, err)) == TV_OK) {
        int all = l->coming == 0 || l->exhausted; /* B says all there is to say about A */
        int spent = (size_t)options->max_steps < l->n_short && l->steps + l->coming > options->max_steps;
        int looking = l->panels * TV_PANEL >= k && (all || spent || l->panels >= next_look);
        if (looking && (status = look_at(&look, l, options, err)) != TV_OK)
            break;
        if ((status = report(l, &look, spent && !all, options, err)) != TV_OK || all)
            break;
        if (!looking)
            continue;
        next_look = l->panels + wait_for(&look, options->tolerance);
        if (look.converged < k)
            continue;
        if (!look.crowded || spent || look.total <= total_before * (1 + 1e-6))
            break;
        total_before = look.total;
        *residual = fmax(*residual, look.residual);
        status = begin_probe(l, k, err);
        next_look = l->panels + PROBE_PANELS;
    }
    *residual = fmax(*residual, look.residual);
    return status;
}
