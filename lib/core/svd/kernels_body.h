/* kernels_body: the loops of kernels.h, written once. kernels.c includes it for each REAL and
 * each kind of processor.
 *
 * A row of a panel is one value of type LANES, a vector type of the compiler: operators work on the eight
 * lanes one by one, so wider registers change no bit.
 */
#define LANES NAME(lanes)
#define FOUR  NAME(four)
typedef REAL LANES __attribute__((vector_size(TV_PANEL * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
typedef REAL NAME(half) __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
typedef double FOUR __attribute__((vector_size(4 * sizeof(double)), aligned(sizeof(double)), may_alias));

#define ROW(x, i) (((const LANES *)(const void *)(x))[i])

/* Small matrices in the kernels' own type. */
INLINE void NAME(narrow)(LANES *out, const double *in)
{
    for (int r = 0; r < TV_PANEL; r++)
        for (int l = 0; l < TV_PANEL; l++)
            out[r][l] = (REAL)in[r * TV_PANEL + l];
}

/* *sum += row * t, with t small and its eight rows at hand. */
#define ADD_ROW_TIMES(sum, row, t)                                                                           \
    (sum) += (((row)[0] * (t)[0] + (row)[1] * (t)[1]) + ((row)[2] * (t)[2] + (row)[3] * (t)[3])) +           \
             (((row)[4] * (t)[4] + (row)[5] * (t)[5]) + ((row)[6] * (t)[6] + (row)[7] * (t)[7]))

/* gram = y' y over n rows: the upper left, upper right and lower right quarter, as nobody reads the lower left one. In
 * float64, because a small pivot of the Cholesky factor is what is left of two large numbers. */
static void NAME(gram_rows)(double *gram, const REAL *y, size_t n)
{
    FOUR left[4] = {{0}}, right[4] = {{0}}, below[4] = {{0}};
    for (size_t i = 0; i < n; i++) {
        const NAME(half) *row = (const NAME(half) *)(const void *)(y + i * TV_PANEL);
        FOUR a = __builtin_convertvector(row[0], FOUR), b = __builtin_convertvector(row[1], FOUR);
        for (int l = 0; l < 4; l++) {
            left[l] += a[l] * a;
            right[l] += a[l] * b;
            below[l] += b[l] * b;
        }
    }
    for (int l = 0; l < 4; l++) {
        memcpy(gram + l * TV_PANEL, &left[l], sizeof(FOUR));
        memcpy(gram + l * TV_PANEL + 4, &right[l], sizeof(FOUR));
        memcpy(gram + (l + 4) * TV_PANEL + 4, &below[l], sizeof(FOUR));
    }
}

static void NAME(gram)(double *gram, const void *x, size_t n, double *partial, int threads)
{
    int n_blocks = count_blocks(n);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++) {
        const REAL *part = (const REAL *)x + (size_t)b * VECTOR_BLOCK * TV_PANEL;
        NAME(gram_rows)(partial + (size_t)b * TV_SQUARE, part, block_size(n, b));
    }
    sum_in_order(gram, partial, n_blocks, TV_SQUARE);
}

/* *out = one row of M x. Four sums, so that an addition need not wait for the one before. */
INLINE void NAME(row_times)(LANES *out, const struct tv_csr *m, int32_t row, const REAL *x)
{
    LANES s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    const int32_t *column = m->column;
    const float *value = m->value;
    int64_t p = m->start[row], end = m->start[row + 1];
    for (; p + 4 <= end; p += 4) {
        s0 += (REAL)value[p] * ROW(x, column[p]);
        s1 += (REAL)value[p + 1] * ROW(x, column[p + 1]);
        s2 += (REAL)value[p + 2] * ROW(x, column[p + 2]);
        s3 += (REAL)value[p + 3] * ROW(x, column[p + 3]);
    }
    for (; p < end; p++)
        s0 += (REAL)value[p] * ROW(x, column[p]);
    *out = (s0 + s1) + (s2 + s3);
}

static void NAME(multiply_rows)(REAL *y, const struct tv_csr *m, int32_t from, int32_t to, const REAL *x,
                                const REAL *z, const LANES *c)
{
    LANES *out = (LANES *)(void *)y;
    for (int32_t row = from; row < to; row++) {
        LANES sum, less = {0};
        NAME(row_times)(&sum, m, row, x);
        if (z)
            ADD_ROW_TIMES(less, ROW(z, row), c);
        out[row] = sum - less;
    }
}

/* The Gram matrix of the result is made while a block of it is still in cache; Cholesky needs it next. */
static void NAME(multiply)(void *y, double *gram, const struct tv_blocked *m, const void *x, const void *z,
                           const double *c, double *partial, int threads)
{
    LANES small[TV_PANEL];
    if (z)
        NAME(narrow)(small, c);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int b = 0; b < m->n_blocks; b++) {
        int32_t from = m->first[b], to = m->first[b + 1];
        NAME(multiply_rows)(y, m->matrix, from, to, x, z, small);
        const REAL *part = (const REAL *)y + (size_t)from * TV_PANEL;
        NAME(gram_rows)(partial + (size_t)b * TV_SQUARE, part, (size_t)(to - from));
    }
    sum_in_order(gram, partial, m->n_blocks, TV_SQUARE);
}

static void NAME(transform_rows)(REAL *x, const LANES *t, size_t n)
{
    LANES *rows = (LANES *)(void *)x;
    for (size_t i = 0; i < n; i++) {
        LANES sum = {0};
        ADD_ROW_TIMES(sum, rows[i], t);
        rows[i] = sum;
    }
}

static void NAME(transform)(void *x, const double *t, size_t n, int threads)
{
    LANES small[TV_PANEL];
    NAME(narrow)(small, t);
    int n_blocks = count_blocks(n);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++)
        NAME(transform_rows)((REAL *)x + (size_t)b * VECTOR_BLOCK * TV_PANEL, small, block_size(n, b));
}

/* coefficient = v' x over one block of at most VECTOR_BLOCK rows: short enough to be summed in REAL before it
 * goes into float64. */
static void NAME(project_block)(double *coefficient, const REAL *v, const REAL *x, size_t n)
{
    LANES s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    for (size_t i = 0; i < n; i++) {
        const REAL *a = v + i * TV_PANEL;
        s0 += a[0] * ROW(x, i), s1 += a[1] * ROW(x, i), s2 += a[2] * ROW(x, i), s3 += a[3] * ROW(x, i);
        s4 += a[4] * ROW(x, i), s5 += a[5] * ROW(x, i), s6 += a[6] * ROW(x, i), s7 += a[7] * ROW(x, i);
    }
    const LANES sums[TV_PANEL] = {s0, s1, s2, s3, s4, s5, s6, s7};
    for (int r = 0; r < TV_PANEL; r++)
        for (int l = 0; l < TV_PANEL; l++)
            coefficient[r * TV_PANEL + l] = (double)sums[r][l];
}

/* Blocks outside and panels inside, so a block of x stays in cache while all panels pass. */
static void NAME(project)(double *coefficient, const void *basis, int n_basis, const void *x, size_t n,
                          double *partial, int threads)
{
    int n_blocks = count_blocks(n);
    size_t size = (size_t)n_basis * TV_SQUARE;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++) {
        size_t from = (size_t)b * VECTOR_BLOCK * TV_PANEL;
        const REAL *v = (const REAL *)basis + from, *part = (const REAL *)x + from;
        double *sums = partial + (size_t)b * size;
        for (int p = 0; p < n_basis; p++, v += n * TV_PANEL, sums += TV_SQUARE)
            NAME(project_block)(sums, v, part, block_size(n, b));
    }
    sum_in_order(coefficient, partial, n_blocks, size);
}

/* x -= v c over n rows. */
static void NAME(subtract_block)(REAL *x, const REAL *v, const double *c, size_t n)
{
    LANES *rows = (LANES *)(void *)x, small[TV_PANEL];
    NAME(narrow)(small, c);
    for (size_t i = 0; i < n; i++) {
        LANES sum = {0};
        ADD_ROW_TIMES(sum, v + i * TV_PANEL, small);
        rows[i] -= sum;
    }
}

static void NAME(subtract)(void *x, double *gram, const void *basis, int n_basis, const double *coefficient,
                           size_t n, double *partial, int threads)
{
    int n_blocks = count_blocks(n);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int b = 0; b < n_blocks; b++) {
        size_t from = (size_t)b * VECTOR_BLOCK * TV_PANEL;
        const REAL *v = (const REAL *)basis + from;
        REAL *part = (REAL *)x + from;
        for (int p = 0; p < n_basis; p++, v += n * TV_PANEL)
            NAME(subtract_block)(part, v, coefficient + p * TV_SQUARE, block_size(n, b));
        NAME(gram_rows)(partial + (size_t)b * TV_SQUARE, part, block_size(n, b));
    }
    sum_in_order(gram, partial, n_blocks, TV_SQUARE);
}

/* Uniform in [-1, 1) times sqrt(3 / n): variance 1 / n a number, so about length 1. */
static void NAME(fill)(void *x, int c, uint64_t seed, size_t n)
{
    REAL *out = x;
    double scale = sqrt(3 / (double)n);
    for (size_t i = 0; i < n; i++)
        out[i * TV_PANEL + (size_t)c] = (REAL)(scale * ((double)(mix(seed + i) >> 11) * 0x1p-52 - 1));
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

#include "lib/core/svd/factors_body.h"

static const struct tv_svd_kernels NAME(kernels) = {
    .size = sizeof(REAL),
    .epsilon = EPSILON,
    .multiply = NAME(multiply),
    .gram = NAME(gram),
    .transform = NAME(transform),
    .project = NAME(project),
    .subtract = NAME(subtract),
    .fill = NAME(fill),
    .from_doubles = NAME(from_doubles),
    .combine = NAME(combine),
    .expand = NAME(expand),
    .to_floats = NAME(to_floats),
};

#undef LANES
#undef FOUR
#undef ROW
#undef ADD_ROW_TIMES
