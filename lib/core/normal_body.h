/* normal_body: the loops of normal.h, written once. normal.c includes it for each REAL.
 *
 * Both halves of the work are the same loop: a tile of the matrix, four rows by one or two vectors, stays in
 * registers while rows pass. Building adds what has been summed, elimination subtracts it.
 */

typedef REAL NAME(vector) __attribute__((vector_size(32), aligned(sizeof(REAL)), may_alias));
#define VECTOR NAME(vector)
#define LANES  (32 / sizeof(REAL))

INLINE void NAME(put)(REAL *to, const VECTOR *sum, int subtract)
{
    VECTOR *at = (VECTOR *)to;
    *at = subtract ? *at - *sum : *at + *sum;
}

/* to (4, 2 vectors) += or -= left' right over n rows. Eight sums have names of their own so that the compiler keeps
 * them in registers for all n rows; the tile is read and written once. */
INLINE void NAME(wide_tile)(REAL *to, size_t width, const REAL *left, const REAL *right, int n, int subtract)
{
    VECTOR a0 = {0}, b0 = {0}, a1 = {0}, b1 = {0}, a2 = {0}, b2 = {0}, a3 = {0}, b3 = {0};
    for (int t = 0; t < n; t++, left += width, right += width) {
        VECTOR a = *(const VECTOR *)right, b = *(const VECTOR *)(right + LANES);
        a0 += left[0] * a, b0 += left[0] * b;
        a1 += left[1] * a, b1 += left[1] * b;
        a2 += left[2] * a, b2 += left[2] * b;
        a3 += left[3] * a, b3 += left[3] * b;
    }
    NAME(put)(to, &a0, subtract), NAME(put)(to + LANES, &b0, subtract);
    NAME(put)(to + width, &a1, subtract), NAME(put)(to + width + LANES, &b1, subtract);
    NAME(put)(to + 2 * width, &a2, subtract), NAME(put)(to + 2 * width + LANES, &b2, subtract);
    NAME(put)(to + 3 * width, &a3, subtract), NAME(put)(to + 3 * width + LANES, &b3, subtract);
}

/* The same for one vector. */
INLINE void NAME(narrow_tile)(REAL *to, size_t width, const REAL *left, const REAL *right, int n, int subtract)
{
    VECTOR a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0};
    for (int t = 0; t < n; t++, left += width, right += width) {
        VECTOR a = *(const VECTOR *)right;
        a0 += left[0] * a;
        a1 += left[1] * a;
        a2 += left[2] * a;
        a3 += left[3] * a;
    }
    NAME(put)(to, &a0, subtract);
    NAME(put)(to + width, &a1, subtract);
    NAME(put)(to + 2 * width, &a2, subtract);
    NAME(put)(to + 3 * width, &a3, subtract);
}

/* Rows first .. first + 3 of the matrix, from the diagonal on. Columns begin at the vector that holds the diagonal, so
 * a few entries below it are computed as well: nobody reads them, and whole vectors are faster than single numbers. */
INLINE void NAME(band)(REAL *equations, size_t width, int first, const REAL *left, const REAL *right, int n,
                       int subtract)
{
    REAL *to = equations + (size_t)first * width;
    size_t c = (size_t)first / LANES * LANES;
    for (; c + 2 * LANES <= width; c += 2 * LANES)
        NAME(wide_tile)(to + c, width, left + first, right + c, n, subtract);
    if (c < width)
        NAME(narrow_tile)(to + c, width, left + first, right + c, n, subtract);
}

TV_CLONES void NAME(tv_normal_add)(REAL *equations, int n_unknowns, const REAL *left, const REAL *right, int n)
{
    size_t width = tv_normal_width(n_unknowns);
    for (int first = 0; first < n_unknowns; first += ROWS)
        NAME(band)(equations, width, first, left, right, n, 0);
}

/* Row r of U from row r of what is left of A. The diagonal gets 1 / U_rr, which is what later steps need; entries
 * left of it in its vector are emptied, so that they stay finite. */
INLINE int NAME(finish_row)(REAL *row, size_t width, size_t r, REAL least)
{
    if (!(row[r] > least))
        return 1;
    REAL inverse = 1 / SQUARE_ROOT(row[r]);
    for (size_t c = r / LANES * LANES; c < width; c += LANES)
        *(VECTOR *)(row + c) *= inverse;
    for (size_t c = r / LANES * LANES; c < r; c++)
        row[c] = 0;
    row[r] = inverse;
    return 0;
}

/* Takes row r of U, just finished, from rows r + 1 .. end - 1. */
INLINE void NAME(eliminate)(REAL *equations, size_t width, size_t r, size_t end)
{
    const REAL *row = equations + r * width;
    for (size_t below = r + 1; below < end; below++) {
        REAL *to = equations + below * width, factor = row[below];
        for (size_t c = below / LANES * LANES; c < width; c += LANES)
            *(VECTOR *)(to + c) -= factor * *(const VECTOR *)(row + c);
    }
}

/* x from U x = y, y being column n of the matrix: each x found is taken from all rows above. */
INLINE void NAME(substitute)(REAL *x, const REAL *equations, size_t width, size_t n)
{
    for (size_t r = 0; r < n; r++)
        x[r] = equations[r * width + n];
    for (size_t c = n; c-- > 0;) {
        x[c] *= equations[c * width + c];
        for (size_t r = 0; r < c; r++)
            x[r] -= equations[r * width + c] * x[c];
    }
}

/* A = U' U, four rows of U at a time from all rows above. */
TV_CLONES int NAME(tv_normal_solve)(REAL *x, REAL *equations, int n_unknowns, REAL ridge)
{
    size_t width = tv_normal_width(n_unknowns), n = (size_t)n_unknowns;
    for (size_t r = 0; r < n; r++)
        equations[r * width + r] += ridge;
    for (size_t first = 0; first < n; first += ROWS) {
        size_t end = first + ROWS < n ? first + ROWS : n;
        REAL least[ROWS];
        for (size_t r = first; r < end; r++)
            least[r - first] = 4 * (REAL)n * EPSILON * equations[r * width + r]; /* a pivot below is rounding error */
        NAME(band)(equations, width, (int)first, equations, equations, (int)first, 1);
        for (size_t r = first; r < end; r++) {
            if (NAME(finish_row)(equations + r * width, width, r, least[r - first]))
                return 1;
            NAME(eliminate)(equations, width, r, end);
        }
    }
    /* The column of right-hand sides went through the elimination with the rest and is y by now. */
    NAME(substitute)(x, equations, width, n);
    return 0;
}

#undef VECTOR
#undef LANES
