/* ritz: B = P S Q' by LAPACK, and X = V Q: the right singular vectors of A, at the end and where a probe begins. */
#include "lib/core/svd/ritz.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/svd/banded.h"
#include "trivet/base/buffer.h"

void tv_ritz_free(struct tv_ritz *r)
{
    if (r == NULL)
        return;
    free(r->sigma);
    free(r->x);
    memset(r, 0, sizeof *r);
}

/* x = V q, with q (rows of B, k) */
static enum tv_status make_x(struct tv_ritz *r, const struct tv_lanczos *l, const double *q,
                             struct tv_error *err)
{
    const struct tv_svd_kernels *kernels = l->kernels;
    size_t n = (size_t)l->panels * TV_PANEL, width = (size_t)r->width, k = (size_t)r->k;
    char *padded = tv_alloc(n * width, kernels->size, "singular vectors", err);
    r->x = padded ? tv_alloc(l->n_short * width, kernels->size, "singular vectors", err) : NULL;
    for (size_t j = 0; r->x && j < n; j++)
        kernels->from_doubles(padded + j * width * kernels->size, q + j * k, k);
    if (r->x)
        kernels->combine(r->x, l->basis, l->panels, padded, r->width, l->n_short, l->threads);
    free(padded);
    return r->x ? TV_OK : TV_ERR_NO_MEMORY;
}

enum tv_status tv_ritz_create(struct tv_ritz *out, const struct tv_lanczos *l, int k, struct tv_error *err)
{
    struct tv_banded b;
    *out = (struct tv_ritz){.k = k, .width = (k + TV_PANEL - 1) / TV_PANEL * TV_PANEL};
    enum tv_status status = tv_lanczos_matrix(&b, l, err);
    if (status != TV_OK)
        return status;
    /* B may have fewer values than k, where A's rank is below k; the rest of sigma and of q are zeros, and svd.c
     * refuses. */
    size_t n = (size_t)b.n, rows = n > (size_t)k ? n : (size_t)k;
    double *q = tv_alloc(rows * (size_t)k, sizeof *q, "singular vectors", err);
    out->sigma = q ? tv_alloc(rows, sizeof *out->sigma, "singular values", err) : NULL;
    status = out->sigma ? tv_banded_vectors(out->sigma, q, k, &b, err) : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = make_x(out, l, q, err);
    free((void *)b.band);
    free(q);
    if (status != TV_OK)
        tv_ritz_free(out);
    return status;
}
