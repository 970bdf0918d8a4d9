/* normal: small dense normal equations (A + ridge 1) x = b, built from rows and solved by Cholesky, in float32 and in
 * float64.
 *
 * A row is [regressors (n_unknowns), target], padded with zeros to `width` numbers. The sum of outer products of such
 * rows holds A in its upper triangle and b in the column behind it, so one loop builds both, and the elimination
 * that factors A turns that column into the right-hand side of the triangular system. Only entries on and above the
 * diagonal mean something; those below are scratch.
 *
 * Every entry is a sum of its own, in an order that depends on the number of rows alone: rows are added up in the
 * groups they come in and groups one after the other, so wider vectors change no bit and float32 sums lose no more
 * than a group's length. Private to lib/core.
 */
#ifndef TRIVET_CORE_NORMAL_H
#define TRIVET_CORE_NORMAL_H

#include <stddef.h>

#include "trivet/base/status.h"

enum { TV_NORMAL_GROUP = 32 }; /* rows in a group: two groups of 60 float64 numbers a row fit the first cache */

/* Numbers in a padded row, and in the matrix of the equations. */
size_t tv_normal_width(int n_unknowns);
size_t tv_normal_size(int n_unknowns);

/* equations += left' right for a group of n rows; `left` and `right` may be the same. */
void tv_normal_add_f32(float *equations, int n_unknowns, const float *left, const float *right, int n);
void tv_normal_add_f64(double *equations, int n_unknowns, const double *left, const double *right, int n);

/* x (n_unknowns) = the solution; the equations are overwritten. Returns 0, or 1 where A + ridge 1 is not so
 * positive definite that rounding errors could not hide it. */
TV_MUST_USE int tv_normal_solve_f32(float *x, float *equations, int n_unknowns, float ridge);
TV_MUST_USE int tv_normal_solve_f64(double *x, double *equations, int n_unknowns, double ridge);

#endif
