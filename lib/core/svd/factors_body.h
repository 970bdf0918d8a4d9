/* factors_body: the loops that make the factors in the end, a part of kernels_body.h. Both are sums of rows with
 * weights: X = V Q from the basis, and A X / sigma from the sparse matrix. */

/* sum[0 .. n) += a[0] * x[0] + a[1] * x[1] + ..., for n_rows (1 .. 4) numbers a and rows x of n. Four at a
 * time, so that the sums are loaded and stored once for the four. */
INLINE void NAME(add_rows)(REAL *restrict sum, const REAL *a, const REAL *const *x, int n_rows, int n)
{
    if (n_rows == 4) {
        const REAL *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
        REAL a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
        for (int f = 0; f < n; f++)
            sum[f] += (a0 * x0[f] + a1 * x1[f]) + (a2 * x2[f] + a3 * x3[f]);
        return;
    }
    for (int r = 0; r < n_rows; r++)
        for (int f = 0; f < n; f++)
            sum[f] += a[r] * x[r][f];
}

/* `stride` numbers lie between two panels of the basis. TV_PANEL is a multiple of four, so four vectors are always
 * there. */
static void NAME(combine_rows)(REAL *out, const REAL *basis, size_t stride, int n_basis, const REAL *q,
                               int width, size_t n)
{
    memset(out, 0, n * (size_t)width * sizeof *out);
    for (int b = 0; b < n_basis * TV_PANEL; b += 4) {
        const REAL *v = basis + (size_t)(b / TV_PANEL) * stride + b % TV_PANEL, *rows[4];
        for (int r = 0; r < 4; r++)
            rows[r] = q + (size_t)(b + r) * (size_t)width;
        for (size_t i = 0; i < n; i++)
            NAME(add_rows)(out + i * (size_t)width, v + i * TV_PANEL, rows, 4, width);
    }
}

/* Rows of the result are dealt out in blocks small enough to stay in the first cache while the whole basis passes
 * by. */
static void NAME(combine)(void *out, const void *basis, int n_basis, const void *q, int width, size_t n,
                          int threads)
{
    int n_blocks = (int)((n + COMBINE_ROWS - 1) / COMBINE_ROWS);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++) {
        size_t from = (size_t)b * COMBINE_ROWS, left = n - from;
        size_t rows = left < COMBINE_ROWS ? left : COMBINE_ROWS;
        const REAL *v = (const REAL *)basis + from * TV_PANEL;
        REAL *to = (REAL *)out + from * (size_t)width;
        NAME(combine_rows)(to, v, n * TV_PANEL, n_basis, q, width, rows);
    }
}

/* sum[0 .. n) = factors from .. from + n of one row of M x. */
INLINE void NAME(expand_row)(REAL *restrict sum, const struct tv_csr *m, int32_t row, const REAL *x,
                             int width, int from, int n)
{
    for (int f = 0; f < n; f++)
        sum[f] = 0;
    for (int64_t p = m->start[row], end = m->start[row + 1]; p < end; p += 4) {
        int n_rows = end - p < 4 ? (int)(end - p) : 4;
        const REAL *rows[4];
        REAL a[4];
        for (int r = 0; r < n_rows; r++) {
            a[r] = (REAL)m->value[p + r];
            rows[r] = x + (size_t)m->column[p + r] * (size_t)width + from;
        }
        NAME(add_rows)(sum, a, rows, n_rows, n);
    }
}

/* In strips of factors whose sums fit the stack. */
static void NAME(expand_rows)(float *out, const struct tv_csr *m, int32_t first, int32_t end, const REAL *x,
                              const REAL *s, int k, int width)
{
    REAL sum[STRIP];
    for (int32_t row = first; row < end; row++)
        for (int from = 0; from < k; from += STRIP) {
            NAME(expand_row)(sum, m, row, x, width, from, width - from < STRIP ? width - from : STRIP);
            for (int f = from; f < k && f < from + STRIP; f++)
                out[(size_t)row * (size_t)k + (size_t)f] = (float)(sum[f - from] * s[f]);
        }
}

static void NAME(expand)(float *out, const struct tv_blocked *m, const void *x, const void *s, int k,
                         int width, int threads)
{
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int b = 0; b < m->n_blocks; b++)
        NAME(expand_rows)(out, m->matrix, m->first[b], m->first[b + 1], x, s, k, width);
}
