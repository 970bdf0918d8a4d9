/* fold_in_als: the part of tv_fold_in_factors that solves the normal equations of ALS. Private to lib/core. */
#ifndef TRIVET_CORE_FOLD_IN_ALS_H
#define TRIVET_CORE_FOLD_IN_ALS_H

#include "trivet/core/fold_in.h"

/* The factors of a user with ratings in float64, f->factors of them. */
enum tv_status tv_fold_in_equations(const struct tv_fold_in *f, double *user, const struct tv_user_ratings *rated,
                                    struct tv_error *err);

/* The same equations with another right-hand side: `vector` holds it, one number an unknown (f->factors, one less with
 * biases), and gets the solution. */
enum tv_status tv_fold_in_direction(const struct tv_fold_in *f, double *vector, const struct tv_user_ratings *rated,
                                    struct tv_error *err);

#endif
