/* lanczos: a banded matrix B with A V = U B, grown panel by panel. Private to lib/core. */
#ifndef TRIVET_CORE_SVD_LANCZOS_H
#define TRIVET_CORE_SVD_LANCZOS_H

#include "lib/core/svd/banded.h"
#include "lib/core/svd/kernels.h"

/* The result of one step: a column of blocks of B, and how it goes on. */
struct tv_lanczos_step {
    double diagonal[TV_SQUARE]; /* D */
    double coupling[TV_SQUARE]; /* S, whose transpose stands right of D */
};

/* The state of one factorisation. V is kept whole, since each new panel is made orthogonal to all of it. */
struct tv_lanczos {
    const struct tv_svd_kernels *kernels;
    int threads;
    struct tv_blocked down; /* A, (long side, short side) */
    struct tv_blocked up;   /* its transpose */
    size_t n_short, n_long;

    int panels, capacity;         /* done, and room for */
    void *basis;                  /* V: (capacity) panels of n_short rows; the next one is in place already */
    struct tv_lanczos_step *step; /* (capacity) */
    void *u;                      /* (n_long) panel: the latest left vectors */
    int steps;                    /* vectors taken so far */
    int spanned, coming;          /* vectors in V, and in the next panel, that are not zeros */
    unsigned fresh;               /* which columns of the next panel begin a chain of their own */
    int exhausted;                /* A is zero beside V */
    double norm;                  /* a lower bound of the largest singular value */
    double *coefficient, *partial; /* scratch */
};

/* `down` has at least as many rows as columns; `up` is its transpose. Both stay lent. */
enum tv_status tv_lanczos_create(struct tv_lanczos *out, const struct tv_svd_kernels *kernels,
                                 const struct tv_csr *down, const struct tv_csr *up, int threads,
                                 struct tv_error *err);
void tv_lanczos_free(struct tv_lanczos *l);

/* Puts eight vectors of its own in place for the next step, orthogonal to all of V: a new chain. */
enum tv_status tv_lanczos_begin(struct tv_lanczos *l, struct tv_error *err);

/* Takes the panel that is in place into V, and puts the next one in place: what is left over of A' U, with
 * columns of their own where a chain has ended. There are none once V spans all: then l->coming is 0. */
enum tv_status tv_lanczos_step(struct tv_lanczos *l, struct tv_error *err);

/* Begins again: V shrinks to k known right singular vectors, x (n_short, width) with width a multiple of
 * TV_PANEL and zeros beyond k, and another chain starts that is orthogonal to them. */
enum tv_status tv_lanczos_restart(struct tv_lanczos *l, const void *x, const double *sigma, int k, int width,
                                  struct tv_error *err);

/* B, of l->panels * TV_PANEL rows; out->band is for the caller to free. */
enum tv_status tv_lanczos_matrix(struct tv_banded *out, const struct tv_lanczos *l, struct tv_error *err);

#endif
