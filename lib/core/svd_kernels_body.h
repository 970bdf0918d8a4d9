/* svd_kernels_body: what svd_kernels.h promises, written once. svd_kernels.c includes it for each REAL.
 *
 * Sums are kept in eight lanes that are written out in the source, so that the compiler may use vectors of
 * any width without changing the order of additions.
 */

INLINE REAL NAME(sum_lanes)(const REAL *s)
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* The eight lanes of a row's inner product with x. Kept in scalars as long as whole groups of eight last: of
 * an array of lanes the compiler makes a worse gather than none. */
static void NAME(lanes_plain)(REAL *s, const int32_t *column, const float *value, int64_t n, const REAL *x)
{
    REAL s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    int64_t p = 0;
    for (; p + 8 <= n; p += 8) {
        s0 += (REAL)value[p] * x[column[p]];
        s1 += (REAL)value[p + 1] * x[column[p + 1]];
        s2 += (REAL)value[p + 2] * x[column[p + 2]];
        s3 += (REAL)value[p + 3] * x[column[p + 3]];
        s4 += (REAL)value[p + 4] * x[column[p + 4]];
        s5 += (REAL)value[p + 5] * x[column[p + 5]];
        s6 += (REAL)value[p + 6] * x[column[p + 6]];
        s7 += (REAL)value[p + 7] * x[column[p + 7]];
    }
    s[0] = s0, s[1] = s1, s[2] = s2, s[3] = s3, s[4] = s4, s[5] = s5, s[6] = s6, s[7] = s7;
    for (int l = 0; p < n; p++, l++)
        s[l] += (REAL)value[p] * x[column[p]];
}

INLINE double NAME(multiply_rows)(REAL *y, const struct tv_csr *m, int32_t from, int32_t to, REAL s,
                                  const REAL *x, REAL c, const REAL *z,
                                  void (*lanes)(REAL *, const int32_t *, const float *, int64_t,
                                                const REAL *))
{
    double sum = 0;
    for (int32_t row = from; row < to; row++) {
        int64_t start = m->start[row];
        REAL sum_of[8];
        lanes(sum_of, m->column + start, m->value + start, m->start[row + 1] - start, x);
        y[row] = s * NAME(sum_lanes)(sum_of) - c * z[row];
        sum += (double)y[row] * (double)y[row];
    }
    return sum;
}

static double NAME(multiply_plain)(REAL *y, const struct tv_csr *m, int32_t from, int32_t to, REAL s,
                                   const REAL *x, REAL c, const REAL *z)
{
    return NAME(multiply_rows)(y, m, from, to, s, x, c, z, NAME(lanes_plain));
}

static AVX2 double NAME(multiply_avx2)(REAL *y, const struct tv_csr *m, int32_t from, int32_t to, REAL s,
                                       const REAL *x, REAL c, const REAL *z)
{
    return NAME(multiply_rows)(y, m, from, to, s, x, c, z, NAME(lanes_avx2));
}

static double NAME(multiply)(void *y, const struct tv_blocked *m, double s, const void *x, double c,
                             const void *z, double *partial, int threads)
{
    double (*rows)(REAL *, const struct tv_csr *, int32_t, int32_t, REAL, const REAL *, REAL, const REAL *) =
        tv_svd_use_avx2 && has_avx2() ? NAME(multiply_avx2) : NAME(multiply_plain);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int b = 0; b < m->n_blocks; b++)
        partial[b] = rows(y, m->matrix, m->first[b], m->first[b + 1], (REAL)s, x, (REAL)c, z);
    return sum_in_order(partial, (size_t)m->n_blocks);
}

/* The inner products of n_basis vectors with r over one block of at most TV_VECTOR_BLOCK entries: short
 * enough to be summed in REAL before it goes into float64. */
TV_CLONES static void NAME(project_block)(double *partial, const REAL *basis, size_t stride, int n_basis,
                                          const REAL *r, size_t n)
{
    size_t whole = n & ~(size_t)7;
    for (int b = 0; b < n_basis; b++) {
        const REAL *v = basis + (size_t)b * stride;
        REAL s[8] = {0};
        for (size_t i = 0; i < whole; i += 8)
            for (int l = 0; l < 8; l++)
                s[l] += v[i + l] * r[i + l];
        for (size_t i = whole; i < n; i++)
            s[i - whole] += v[i] * r[i];
        partial[b] = (double)NAME(sum_lanes)(s);
    }
}

static void NAME(project)(double *coefficient, const void *basis, int n_basis, const void *r, size_t n,
                          double *partial, int threads)
{
    int n_blocks = count_blocks(n);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++) {
        size_t from = (size_t)b * TV_VECTOR_BLOCK;
        double *sums = partial + (size_t)b * (size_t)n_basis;
        const REAL *part = (const REAL *)r + from;
        NAME(project_block)(sums, (const REAL *)basis + from, n, n_basis, part, block_size(n, b));
    }
    for (int j = 0; j < n_basis; j++) {
        coefficient[j] = 0;
        for (int b = 0; b < n_blocks; b++)
            coefficient[j] += partial[(size_t)b * (size_t)n_basis + (size_t)j];
    }
}

/* Four basis vectors at a time, so that r is loaded and stored once for the four. */
TV_CLONES static double NAME(subtract_block)(REAL *restrict r, const REAL *restrict basis, size_t stride,
                                             int n_basis, const double *coefficient, size_t n)
{
    int b = 0;
    for (; b + 4 <= n_basis; b += 4) {
        const REAL *v0 = basis + (size_t)b * stride, *v1 = v0 + stride, *v2 = v1 + stride, *v3 = v2 + stride;
        REAL c0 = (REAL)coefficient[b], c1 = (REAL)coefficient[b + 1];
        REAL c2 = (REAL)coefficient[b + 2], c3 = (REAL)coefficient[b + 3];
        for (size_t i = 0; i < n; i++)
            r[i] -= (c0 * v0[i] + c1 * v1[i]) + (c2 * v2[i] + c3 * v3[i]);
    }
    for (; b < n_basis; b++) {
        const REAL *v = basis + (size_t)b * stride;
        REAL c = (REAL)coefficient[b];
        for (size_t i = 0; i < n; i++)
            r[i] -= c * v[i];
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)r[i] * (double)r[i];
    return sum;
}

static double NAME(subtract)(void *r, const void *basis, int n_basis, const double *coefficient, size_t n,
                             double *partial, int threads)
{
    int n_blocks = count_blocks(n);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++) {
        size_t from = (size_t)b * TV_VECTOR_BLOCK;
        partial[b] = NAME(subtract_block)((REAL *)r + from, (const REAL *)basis + from, n, n_basis,
                                          coefficient, block_size(n, b));
    }
    return sum_in_order(partial, (size_t)n_blocks);
}

static void NAME(scale)(void *out, const void *r, double s, size_t n)
{
    REAL *to = out;
    const REAL *from = r;
    for (size_t i = 0; i < n; i++)
        to[i] = (REAL)s * from[i];
}

static void NAME(fill)(void *r, uint64_t seed, size_t n)
{
    REAL *out = r;
    for (size_t i = 0; i < n; i++)
        out[i] = (REAL)((double)(mix(seed + i) >> 11) * 0x1p-52 - 1);
}

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

TV_CLONES static void NAME(combine_rows)(REAL *out, const REAL *basis, size_t stride, int n_basis,
                                         const REAL *q, int width, size_t n)
{
    memset(out, 0, n * (size_t)width * sizeof *out);
    for (int b = 0; b < n_basis; b += 4) {
        int n_rows = n_basis - b < 4 ? n_basis - b : 4;
        const REAL *rows[4];
        for (int r = 0; r < n_rows; r++)
            rows[r] = q + (size_t)(b + r) * (size_t)width;
        for (size_t i = 0; i < n; i++) {
            REAL a[4];
            for (int r = 0; r < n_rows; r++)
                a[r] = basis[(size_t)(b + r) * stride + i];
            NAME(add_rows)(out + i * (size_t)width, a, rows, n_rows, width);
        }
    }
}

static void NAME(combine)(void *out, const void *basis, int n_basis, const void *q, int width, size_t n,
                          int threads)
{
    int n_blocks = (int)((n + COMBINE_ROWS - 1) / COMBINE_ROWS);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++) {
        size_t from = (size_t)b * COMBINE_ROWS, left = n - from;
        size_t rows = left < COMBINE_ROWS ? left : COMBINE_ROWS;
        REAL *to = (REAL *)out + from * (size_t)width;
        NAME(combine_rows)(to, (const REAL *)basis + from, n, n_basis, q, width, rows);
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
TV_CLONES static void NAME(expand_rows)(float *out, const struct tv_csr *m, int32_t first, int32_t end,
                                        const REAL *x, const REAL *s, int k, int width)
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

static void NAME(from_doubles)(void *out, const double *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((REAL *)out)[i] = (REAL)in[i];
}

static void NAME(to_floats)(float *out, int k, const void *in, int width, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < (size_t)k; f++)
            out[i * (size_t)k + f] = (float)((const REAL *)in)[i * (size_t)width + f];
}

const struct tv_svd_kernels NAME(tv_svd_kernels) = {
    .size = sizeof(REAL),
    .epsilon = EPSILON,
    .multiply = NAME(multiply),
    .project = NAME(project),
    .subtract = NAME(subtract),
    .scale = NAME(scale),
    .fill = NAME(fill),
    .from_doubles = NAME(from_doubles),
    .combine = NAME(combine),
    .expand = NAME(expand),
    .to_floats = NAME(to_floats),
};
