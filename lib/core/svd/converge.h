/* converge: how long the Lanczos process goes on. Private to lib/core. */
#ifndef TRIVET_CORE_SVD_CONVERGE_H
#define TRIVET_CORE_SVD_CONVERGE_H

#include "lib/core/svd/lanczos.h"
#include "trivet/core/svd/svd.h"

/* Takes steps until the k = options->factors largest triplets have converged, or until the matrix has no more
 * to give: then B may have fewer than k singular values. threads and max_steps of the options are filled in.
 * *residual gets that of the worst triplet, relative to the largest singular value. */
enum tv_status tv_converge(struct tv_lanczos *l, double *residual, const struct tv_svd_options *options,
                           struct tv_error *err);

#endif
