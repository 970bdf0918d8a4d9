/* panel: QR of a tall, thin matrix by Cholesky factors of X' X, which passes over X fewer times than
 * Gram-Schmidt and in a fixed order of additions.
 *
 * One pass loses as many digits as the columns are dependent. So a column of which little is left is divided
 * by no less than WEAKEST of its length, and the panel goes through another pass, until all pivots are fair.
 */
#include "lib/core/svd/panel.h"

#include <math.h>
#include <string.h>

#define FAIR    1e-2 /* a pivot above this share of its diagonal loses one digit */
#define WEAKEST 1e-4
#define KNOWN   1e-10 /* a pivot below this share is made of rounding errors of float64 */

enum { MAX_PASSES = 8, N = TV_PANEL };

void tv_square_multiply(double *c, const double *a, const double *b)
{
    double sum[TV_SQUARE] = {0};
    for (int i = 0; i < N; i++)
        for (int l = 0; l < N; l++)
            for (int j = 0; j < N; j++)
                sum[i * N + j] += a[i * N + l] * b[l * N + j];
    memcpy(c, sum, sizeof sum);
}

void tv_square_transpose(double *out, const double *a)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            out[i * N + j] = a[j * N + i];
}

/* gram = R' R, up to columns that are cut off and pivots that are raised. Returns whether a pivot was not
 * fair. `s` is what was divided by before: with it, lengths are those of the panel that came in. A column
 * must be cut off before later ones are told in terms of it, so it is judged by its pivot, wherever that is
 * known. */
static int cholesky(double *r, const double *gram, const double *s, double floor)
{
    int unfair = 0;
    memset(r, 0, TV_SQUARE * sizeof *r);
    for (int i = 0; i < N; i++) {
        double length = gram[i * N + i], pivot = length;
        for (int l = 0; l < i; l++)
            pivot -= r[l * N + i] * r[l * N + i];
        if (s[i * N + i] * sqrt(pivot > KNOWN * length ? pivot : length) <= floor)
            continue;
        unfair |= pivot < FAIR * length;
        r[i * N + i] = sqrt(fmax(pivot, WEAKEST * length));
        for (int j = i + 1; j < N; j++) {
            double sum = gram[i * N + j];
            for (int l = 0; l < i; l++)
                sum -= r[l * N + i] * r[l * N + j];
            r[i * N + j] = sum / r[i * N + i];
        }
    }
    return unfair;
}

/* The inverse of an upper triangular matrix; where a row is zeros, so are row and column of the inverse. */
static void invert(double *t, const double *r)
{
    memset(t, 0, TV_SQUARE * sizeof *t);
    for (int j = 0; j < N; j++) {
        if (r[j * N + j] == 0)
            continue;
        t[j * N + j] = 1 / r[j * N + j];
        for (int i = j - 1; i >= 0; i--) {
            double sum = 0;
            for (int l = i + 1; l <= j; l++)
                sum += r[i * N + l] * t[l * N + j];
            if (r[i * N + i] != 0)
                t[i * N + j] = -sum / r[i * N + i];
        }
    }
}

void tv_panel_orthonormalise(const struct tv_panel_work *w, void *x, size_t n, double *gram, double floor,
                             double *s)
{
    double r[TV_SQUARE], t[TV_SQUARE];
    for (int i = 0; i < TV_SQUARE; i++)
        s[i] = i % (N + 1) == 0;
    for (int pass = 0; pass < MAX_PASSES; pass++) {
        int again = cholesky(r, gram, s, floor);
        invert(t, r);
        w->kernels->transform(x, t, n, w->threads);
        tv_square_multiply(s, r, s);
        if (!again)
            return;
        w->kernels->gram(gram, x, n, w->partial, w->threads);
    }
}
