/* lanczos: block Golub-Kahan bidiagonalisation of A, eight vectors (a panel) at a time, with A V = U B and
 * A' U = V B' + R E' after each step:
 *
 *   U_j D_j     = A V_j - U_(j-1) S_(j-1)'                                       (QR; D, S upper triangular)
 *   V_(j+1) S_j = A' U_j - V_j D_j',  made orthogonal to all of V                (QR)
 *
 * Eight vectors need about half as many again as one vector would until the k largest have converged, but an
 * eighth of the passes over A, and in each pass a value of A meets eight neighbouring numbers instead of one.
 *
 * Following Simon and Zha we orthogonalise on one side, the shorter, and keep U orthogonal through it; then U
 * need not be kept at all, since the left singular vectors of A come from A times the right ones in the end.
 *
 * Where A has an invariant subspace a chain ends: a column of the next panel depends on those before. Another
 * vector orthogonal to V takes its place, as long as V spans less than the whole short side; after that,
 * zeros do.
 */
#include "lib/core/svd/lanczos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/svd/panel.h"
#include "trivet/base/buffer.h"

/* A column of which less is left goes through once more: rounding errors stand out in so short a rest. */
#define SHORT_REST 0.1

enum { MAX_PASSES = 5, N = TV_PANEL }; /* of orthogonalisation */

/* Panels lie one after the other: the whole panel j is (n_short, 8) row-major. */
static void *panel(const struct tv_lanczos *l, int j)
{
    return (char *)l->basis + (size_t)j * l->n_short * N * l->kernels->size;
}

/* The most that rounding leaves where a zero should be. */
static double noise(const struct tv_lanczos *l)
{
    return 16 * l->kernels->epsilon * l->norm;
}

static struct tv_panel_work work(const struct tv_lanczos *l)
{
    return (struct tv_panel_work){l->kernels, l->partial, l->threads};
}

/* `array` is the address of a pointer of any type; it keeps its old value on failure. */
static int grow_array(void *array, size_t n, size_t size)
{
    void **place = array, *grown = n > SIZE_MAX / size ? NULL : realloc(*place, n * size);
    if (grown)
        *place = grown;
    return grown != NULL;
}

/* Makes room for panel number j. */
static enum tv_status reserve(struct tv_lanczos *l, int j, struct tv_error *err)
{
    enum { MORE = 8 };
    if (j < l->capacity)
        return TV_OK;
    size_t n = (size_t)l->capacity + (size_t)l->capacity / 4 + MORE;
    size_t scratch = tv_svd_scratch(l->n_short, &l->down, n), other = tv_svd_scratch(l->n_long, &l->up, 1);
    if (!grow_array(&l->basis, n, l->n_short * N * l->kernels->size) ||
        !grow_array(&l->step, n, sizeof *l->step) ||
        !grow_array(&l->coefficient, n, TV_SQUARE * sizeof *l->coefficient) ||
        !grow_array(&l->partial, scratch > other ? scratch : other, sizeof *l->partial))
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: %zu Lanczos vectors of %zu numbers", n * N,
                       l->n_short);
    l->capacity = (int)n;
    return TV_OK;
}

/* U needs a single panel (see above), which is what makes the long side cheap: 8 numbers a row. */
enum tv_status tv_lanczos_create(struct tv_lanczos *out, const struct tv_svd_kernels *kernels,
                                 const struct tv_csr *down, const struct tv_csr *up, int threads,
                                 struct tv_error *err)
{
    *out = (struct tv_lanczos){.kernels = kernels, .threads = threads};
    out->n_short = (size_t)down->n_cols;
    out->n_long = (size_t)down->n_rows;
    enum tv_status status = tv_blocked_create(&out->down, down, err);
    if (status == TV_OK)
        status = tv_blocked_create(&out->up, up, err);
    if (status == TV_OK &&
        (out->u = tv_alloc(out->n_long, N * kernels->size, "Lanczos vectors", err)) == NULL)
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
    free(l->step);
    free(l->u);
    free(l->coefficient);
    free(l->partial);
    memset(l, 0, sizeof *l);
}

/* Fills the columns of panel j that are zeros with vectors of their own, as many as V leaves room for, and
 * counts all that are not zeros. Returns which were filled. */
static unsigned fill_columns(struct tv_lanczos *l, int j, unsigned zeros)
{
    unsigned filled = 0;
    l->coming = N;
    for (int c = 0; c < N; c++)
        l->coming -= zeros >> c & 1;
    for (int c = 0; c < N; c++) {
        if (!(zeros >> c & 1) || (size_t)(l->spanned + l->coming) >= l->n_short)
            continue;
        l->kernels->fill(panel(l, j), c, (uint64_t)(j * N + c) * l->n_short, l->n_short);
        filled |= 1u << c;
        l->coming++;
    }
    return filled;
}

/* Makes panel j orthonormal, and orthogonal to all before, by classical Gram-Schmidt: the panel that came in is V_j s +
 * a combination of the panels before. gram is that of the panel; columns no longer than `floor` are nothing.
 */
static void orthonormalise(struct tv_lanczos *l, int j, double *gram, double floor, double *s)
{
    const struct tv_svd_kernels *kernels = l->kernels;
    struct tv_panel_work w = work(l);
    void *x = panel(l, j);
    int again = 1;
    for (int pass = 0; again && pass < MAX_PASSES; pass++) {
        double before[N], part[TV_SQUARE];
        unsigned zeros = 0;
        for (int c = 0; c < N; c++)
            before[c] = sqrt(gram[c * N + c]);
        if (j > 0) {
            kernels->project(l->coefficient, l->basis, j, x, l->n_short, l->partial, l->threads);
            kernels->subtract(x, gram, l->basis, j, l->coefficient, l->n_short, l->partial, l->threads);
        }
        tv_panel_orthonormalise(&w, x, l->n_short, gram, floor, part);
        if (pass == 0)
            memcpy(s, part, sizeof part);
        else
            tv_square_multiply(s, part, s);
        again = 0;
        for (int c = 0; c < N; c++) {
            double rest = part[c * N + c];
            zeros |= (unsigned)(rest == 0) << c;
            again |= rest > 0 && rest < SHORT_REST * before[c];
        }
        unsigned filled = fill_columns(l, j, zeros);
        l->fresh |= filled;
        again |= filled != 0;
        floor = 16 * kernels->epsilon; /* of vectors about as long as 1 */
        if (again)
            kernels->gram(gram, x, l->n_short, l->partial, l->threads);
    }
}

enum tv_status tv_lanczos_begin(struct tv_lanczos *l, struct tv_error *err)
{
    int j = l->panels;
    double gram[TV_SQUARE] = {0}, s[TV_SQUARE];
    enum tv_status status = reserve(l, j, err);
    if (status != TV_OK)
        return status;
    memset(panel(l, j), 0, l->n_short * N * l->kernels->size);
    l->fresh = 0;
    orthonormalise(l, j, gram, 0, s); /* finds nothing, and fills every column */
    return TV_OK;
}

/* U_j D_j = A V_j - U_(j-1) S_(j-1)' */
static void step_down(struct tv_lanczos *l, int j, double *gram)
{
    const struct tv_lanczos_step *last = j > 0 ? &l->step[j - 1] : NULL;
    struct tv_panel_work w = work(l);
    double coupling[TV_SQUARE];
    if (last)
        tv_square_transpose(coupling, last->coupling);
    l->kernels->multiply(l->u, gram, &l->down, panel(l, j), last ? l->u : NULL, coupling, l->partial,
                         l->threads);
    for (int c = 0; c < N; c++)
        l->norm = fmax(l->norm, sqrt(gram[c * N + c]));
    for (int c = 0; c < N; c++)
        if (l->fresh >> c & 1 && sqrt(gram[c * N + c]) <= noise(l))
            l->exhausted = 1;
    tv_panel_orthonormalise(&w, l->u, l->n_long, gram, noise(l), l->step[j].diagonal);
}

/* V_(j+1) S_j = A' U_j - V_j D_j' */
static void step_up(struct tv_lanczos *l, int j, double *gram)
{
    double diagonal[TV_SQUARE];
    tv_square_transpose(diagonal, l->step[j].diagonal);
    l->kernels->multiply(panel(l, j + 1), gram, &l->up, l->u, panel(l, j), diagonal, l->partial, l->threads);
    for (int c = 0; c < N; c++)
        l->norm = fmax(l->norm, sqrt(gram[c * N + c]));
    l->fresh = 0;
    orthonormalise(l, j + 1, gram, noise(l), l->step[j].coupling);
}

enum tv_status tv_lanczos_step(struct tv_lanczos *l, struct tv_error *err)
{
    int j = l->panels;
    double gram[TV_SQUARE];
    enum tv_status status = reserve(l, j + 1, err);
    if (status != TV_OK)
        return status;
    l->panels++;
    l->steps += l->coming;
    l->spanned += l->coming;
    step_down(l, j, gram);
    step_up(l, j, gram);
    return TV_OK;
}

enum tv_status tv_lanczos_restart(struct tv_lanczos *l, const void *x, const double *sigma, int k, int width,
                                  struct tv_error *err)
{
    size_t row = N * l->kernels->size;
    const char *from = x;
    enum tv_status status = reserve(l, width / N, err);
    if (status != TV_OK)
        return status;
    l->panels = width / N;
    l->spanned = k;
    for (size_t i = 0; i < l->n_short; i++)
        for (int p = 0; p < l->panels; p++, from += row)
            memcpy((char *)panel(l, p) + i * row, from, row);
    memset(l->step, 0, (size_t)l->panels * sizeof *l->step); /* no triplet leads to another */
    for (int f = 0; f < k; f++)
        l->step[f / N].diagonal[f % N * (N + 1)] = sigma[f];
    return tv_lanczos_begin(l, err);
}

enum tv_status tv_lanczos_matrix(struct tv_banded *out, const struct tv_lanczos *l, struct tv_error *err)
{
    enum { HEIGHT = N + 1 };
    int n = l->panels * N;
    double *band = tv_alloc((size_t)n * HEIGHT, sizeof *band, "a banded matrix", err);
    *out = (struct tv_banded){.n = n, .width = N, .band = band};
    if (band == NULL)
        return TV_ERR_NO_MEMORY;
    for (int p = 0; p < l->panels; p++)
        for (int c = 0; c < N; c++) {
            double *column = band + (size_t)(p * N + c) * HEIGHT + N; /* where the diagonal is */
            for (int i = 0; i <= c; i++)
                column[i - c] = l->step[p].diagonal[i * N + c];
            for (int i = c; p > 0 && i < N; i++)
                column[i - N - c] = l->step[p - 1].coupling[c * N + i];
        }
    return TV_OK;
}
