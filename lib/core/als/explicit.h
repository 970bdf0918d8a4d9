/* explicit: one row of explicit ALS, solved exactly: in float32 or, where that does not suffice, in float64.
 * Private to lib/core. */
#ifndef TRIVET_CORE_ALS_EXPLICIT_H
#define TRIVET_CORE_ALS_EXPLICIT_H

#include "lib/core/als/step.h"

/* The memory that one thread works in. */
struct tv_als_explicit {
    int n;                             /* unknowns */
    float *group, *equations, *x;      /* one allocation */
    double *group64, *equations64, *x64; /* another, made when first needed */
};

enum tv_status tv_als_explicit_create(struct tv_als_explicit *w, const struct tv_als_step *s, struct tv_error *err);
void tv_als_explicit_free(struct tv_als_explicit *w);

/* Solves row r, and fills its penalty and error. TV_ERR_NUMERIC: its equations cannot be solved. */
enum tv_status tv_als_explicit_row(const struct tv_als_step *s, struct tv_als_explicit *w, int32_t r);

#endif
