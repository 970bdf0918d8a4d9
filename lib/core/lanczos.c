/* lanczos: Golub-Kahan bidiagonalisation of A, with A V = U B and A' U = V B' + r e' after each step:
 *
 *   u_j = A v_j - beta_(j-1) u_(j-1),  alpha_j = |u_j|
 *   r   = A' u_j - alpha_j v_j,        r made orthogonal to all of V,  beta_j = |r|,  v_(j+1) = r / beta_j
 *
 * Following Simon and Zha we orthogonalise on one side, the shorter, and keep U orthogonal through it; then U
 * need not be kept at all, since the left singular vectors of A come from A times the right ones in the end.
 *
 * A single start vector has two blind spots. Where A has an invariant subspace the process ends early, with
 * beta = 0, and of a repeated singular value it sees one copy only. Both are met by starting a new chain with
 * another vector orthogonal to V: when a chain ends by itself, and once more when all k triplets have
 * converged. Only when that last chain, a probe, brings nothing new among the k largest do we stop. B stays
 * bidiagonal, with a zero between chains.
 */
#include "lanczos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bidiagonal.h"
#include "trivet/buffer.h"

enum {
    PROBE_STEPS = 12, /* sees a forgotten value 5 % above sigma_k among some 100,000 dimensions */
    CHECK_EVERY = 8,  /* steps between two looks at B; half as many once the end is near; */
    CHECK_SHARE = 40, /* but at least this part of all steps, since a look costs their square */
    MAX_PASSES = 4    /* of orthogonalisation */
};

static void *vector(const struct tv_lanczos *l, int j)
{
    return (char *)l->basis + (size_t)j * l->n_short * l->kernels->size;
}

/* What rounding leaves of a zero. */
static double noise(const struct tv_lanczos *l)
{
    return 16 * l->kernels->epsilon * l->norm;
}

static int grow_array(void *array, size_t n, size_t size)
{
    void **place = array, *grown = n > SIZE_MAX / size ? NULL : realloc(*place, n * size);
    if (grown)
        *place = grown;
    return grown != NULL;
}

/* Makes room for one more step. */
static enum tv_status reserve(struct tv_lanczos *l, struct tv_error *err)
{
    if (l->steps < l->capacity)
        return TV_OK;
    size_t n = (size_t)l->capacity + (size_t)l->capacity / 2 + 2 * (size_t)l->options->factors + 16;
    if (n > l->n_short)
        n = l->n_short;
    size_t scratch = tv_svd_scratch(l->n_short, &l->down, n), other = tv_svd_scratch(l->n_short, &l->up, n);
    if (!grow_array(&l->basis, n, l->n_short * l->kernels->size) ||
        !grow_array(&l->alpha, n, sizeof *l->alpha) || !grow_array(&l->beta, n, sizeof *l->beta) ||
        !grow_array(&l->left, n, sizeof *l->left) ||
        !grow_array(&l->coefficient, n, sizeof *l->coefficient) ||
        !grow_array(&l->partial, scratch > other ? scratch : other, sizeof *l->partial))
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: %zu Lanczos vectors of %zu numbers", n,
                       l->n_short);
    l->capacity = (int)n;
    return TV_OK;
}

enum tv_status tv_lanczos_create(struct tv_lanczos *out, const struct tv_svd_kernels *kernels,
                                 const struct tv_csr *down, const struct tv_csr *up,
                                 const struct tv_svd_options *options, struct tv_error *err)
{
    *out = (struct tv_lanczos){.kernels = kernels, .options = options};
    out->n_short = (size_t)down->n_cols;
    out->n_long = (size_t)down->n_rows;
    enum tv_status status = tv_blocked_create(&out->down, down, err);
    if (status == TV_OK)
        status = tv_blocked_create(&out->up, up, err);
    if (status == TV_OK &&
        ((out->u = tv_alloc(out->n_long, kernels->size, "a Lanczos vector", err)) == NULL ||
         (out->r = tv_alloc(out->n_short, kernels->size, "a Lanczos vector", err)) == NULL))
        status = TV_ERR_NO_MEMORY;
    if (status != TV_OK)
        tv_lanczos_free(out);
    return status;
}

void tv_lanczos_free(struct tv_lanczos *l)
{
    if (l == NULL)
        return;
    tv_blocked_free(&l->down);
    tv_blocked_free(&l->up);
    free(l->basis);
    free(l->alpha);
    free(l->beta);
    free(l->left);
    free(l->u);
    free(l->r);
    free(l->coefficient);
    free(l->partial);
    memset(l, 0, sizeof *l);
}

/* Takes from r its components along the first n_basis vectors and returns what is left of its norm. A pass
 * that halves the norm is followed by another: rounding errors of the first stand out in so short a rest. */
static double orthogonalise(struct tv_lanczos *l, int n_basis, double before)
{
    const struct tv_svd_kernels *kernels = l->kernels;
    double after = before;
    for (int pass = 0; pass < MAX_PASSES; pass++) {
        before = after;
        kernels->project(l->coefficient, l->basis, n_basis, l->r, l->n_short, l->partial,
                         l->options->threads);
        after = sqrt(kernels->subtract(l->r, l->basis, n_basis, l->coefficient, l->n_short, l->partial,
                                       l->options->threads));
        if (after > 0.5 * before || after <= noise(l))
            break;
    }
    return after;
}

/* Begins a chain with a vector of its own. V spans less than the whole short side, so there is one. */
static enum tv_status begin_chain(struct tv_lanczos *l, struct tv_error *err)
{
    enum tv_status status = reserve(l, err);
    if (status != TV_OK)
        return status;
    l->kernels->fill(l->r, (uint64_t)l->steps * l->n_short, l->n_short);
    double all =
        sqrt(l->kernels->subtract(l->r, l->basis, 0, NULL, l->n_short, l->partial, l->options->threads));
    l->kernels->scale(l->r, l->r, 1 / all, l->n_short); /* so that its size is told from that of A */
    double norm = orthogonalise(l, l->steps, 1);
    l->kernels->scale(vector(l, l->steps), l->r, 1 / norm, l->n_short);
    l->u_norm = 0;
    return TV_OK;
}

/* One step: takes basis vector number `steps`, which is in place. */
static void take_step(struct tv_lanczos *l)
{
    const struct tv_svd_kernels *kernels = l->kernels;
    int j = l->steps++, threads = l->options->threads;
    double coupling = l->u_norm > 0 ? l->beta[j - 1] / l->u_norm : 0;
    double alpha =
        sqrt(kernels->multiply(l->u, &l->down, 1, vector(l, j), coupling, l->u, l->partial, threads));
    l->alpha[j] = l->beta[j] = l->left[j] = l->u_norm = 0;
    if (alpha <= noise(l)) /* then u_j = 0 keeps A V = U B, and the chain ends */
        return;
    double rest =
        sqrt(kernels->multiply(l->r, &l->up, 1 / alpha, l->u, alpha, vector(l, j), l->partial, threads));
    double beta = orthogonalise(l, l->steps, rest);
    l->alpha[j] = l->u_norm = alpha;
    l->norm = fmax(l->norm, alpha);
    if (beta > noise(l))
        l->beta[j] = beta;
    l->norm = fmax(l->norm, hypot(alpha, l->beta[j]));
}

/* Makes what the latest step left over the next basis vector. */
static enum tv_status continue_chain(struct tv_lanczos *l, struct tv_error *err)
{
    enum tv_status status = reserve(l, err);
    if (status == TV_OK)
        l->kernels->scale(vector(l, l->steps), l->r, 1 / l->beta[l->steps - 1], l->n_short);
    return status;
}

/* Ends a chain that could go on. Its next vector stays in V as a column of zeros in B: so later chains are
 * orthogonal to it, and their left vectors to those of this chain. */
static enum tv_status end_chain(struct tv_lanczos *l, struct tv_error *err)
{
    int last = l->steps - 1;
    if (l->beta[last] == 0)
        return TV_OK;
    enum tv_status status = continue_chain(l, err);
    if (status != TV_OK)
        return status;
    l->left[last] = l->beta[last];
    l->beta[last] = 0;
    l->alpha[l->steps] = l->beta[l->steps] = l->left[l->steps] = 0;
    l->steps++;
    return TV_OK;
}

/* Counts how many of the k largest triplets of B have a small residual: that of triplet i is made of entry j
 * of its left vector times what was cut off behind step j, over all places where chains were cut. *total gets
 * the sum of the k singular values. */
static enum tv_status count_converged(struct tv_lanczos *l, int *converged, double *total,
                                      struct tv_error *err)
{
    int n = l->steps, k = l->options->factors, n_cuts = 0;
    l->left[n - 1] = l->beta[n - 1];
    for (int j = 0; j < n; j++)
        n_cuts += l->left[j] != 0;
    double *sigma = tv_alloc((size_t)n, sizeof *sigma, "singular values", err);
    double *row = tv_alloc((size_t)n_cuts * (size_t)n, sizeof *row, "residuals", err);
    int *at = tv_alloc((size_t)n_cuts, sizeof *at, "residuals", err);
    enum tv_status status = sigma && row && at ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK) {
        for (int j = 0, c = 0; j < n; j++)
            if (l->left[j] != 0)
                at[c++] = j;
        status = tv_bidiagonal_values(sigma, row, at, n_cuts, l->alpha, l->beta, n, err);
    }
    *converged = 0;
    *total = l->residual = 0;
    for (int i = 0; status == TV_OK && i < k; i++) {
        double square = 0;
        for (int c = 0; c < n_cuts; c++)
            square += row[c * n + i] * row[c * n + i] * l->left[at[c]] * l->left[at[c]];
        double residual = sigma[0] > 0 ? sqrt(square) / sigma[0] : 0;
        *converged += residual <= l->options->tolerance;
        *total += sigma[i];
        l->residual = fmax(l->residual, residual);
    }
    l->left[n - 1] = 0;
    free(sigma);
    free(row);
    free(at);
    return status;
}

static enum tv_status report(const struct tv_lanczos *l, int converged, struct tv_error *err)
{
    const struct tv_svd_options *o = l->options;
    if (o->progress && o->progress(o->context, l->steps, converged) != 0)
        return tv_fail(err, TV_ERR_INTERRUPTED, "the factorisation was interrupted after %d steps", l->steps);
    if (converged < o->factors && l->steps >= o->max_steps && (size_t)l->steps < l->n_short) {
        tv_fail(err, TV_ERR_NUMERIC,
                "%d of %d singular values converged in %d steps (residual %.1e, wanted %.1e)", converged,
                o->factors, l->steps, l->residual, o->tolerance);
        return tv_hint(err, "allow more steps or a larger tolerance, or ask for fewer factors");
    }
    return TV_OK;
}

/* Residuals fall by half or more a step near the end, so a factor of 1,000 is a few steps away. */
static int next_look(const struct tv_lanczos *l)
{
    int wait = l->residual > 1000 * l->options->tolerance ? CHECK_EVERY : CHECK_EVERY / 2;
    return l->steps + (l->steps / CHECK_SHARE > wait ? l->steps / CHECK_SHARE : wait);
}

enum tv_status tv_lanczos_run(struct tv_lanczos *l, struct tv_error *err)
{
    int k = l->options->factors, converged = 0, chain = 0, probing = 0;
    int next_check = k + (k / 4 > CHECK_EVERY ? k / 4 : CHECK_EVERY);
    double total, total_before = 0;
    enum tv_status status = begin_chain(l, err);
    while (status == TV_OK) {
        take_step(l);
        int last = l->steps - 1, ended = l->beta[last] == 0;
        int all = (size_t)l->steps == l->n_short || (ended && l->alpha[last] == 0 && last == chain);
        if (l->steps >= k && (ended || all || l->steps >= next_check || l->steps == l->options->max_steps)) {
            status = count_converged(l, &converged, &total, err);
            next_check = next_look(l);
            if (status == TV_OK)
                status = report(l, converged, err);
            if (status != TV_OK || (probing && converged == k && total <= total_before * (1 + 1e-6)))
                return status;
            probing = converged == k && (size_t)l->steps + 1 + PROBE_STEPS <= l->n_short;
            if (probing) {
                total_before = total;
                status = end_chain(l, err);
                ended = 1;
                next_check = l->steps + PROBE_STEPS;
            }
        }
        if (all || status != TV_OK)
            return status; /* nothing is left over: B says all there is to say about A */
        if (ended)
            chain = l->steps;
        status = ended ? begin_chain(l, err) : continue_chain(l, err);
    }
    return status;
}
