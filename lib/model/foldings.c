/* foldings: how users are folded into models of each algorithm. The rows have a file of their own, so that a test can
 * link others in their place. */
#include "trivet/model/model.h"

#include <stddef.h>

static enum tv_status prepare_svd(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err)
{
    return tv_fold_in_svd(out, m->item_factors, m->n_items, m->factors, m->sigma, m->sigma_power, err);
}

static enum tv_status prepare_als(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err)
{
    return tv_fold_in_als(out, m->item_factors, m->n_items, m->factors, m->biases, m->lambda, err);
}

static enum tv_status prepare_als_implicit(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err)
{
    return tv_fold_in_als_implicit(out, m->item_factors, m->n_items, m->factors, m->lambda, m->alpha, err);
}

const struct tv_model_folding tv_model_foldings[] = {
    {.algorithm = "svd", .takes_sigma = 1, .prepare = prepare_svd},
    {.algorithm = "als", .prepare = prepare_als},
    {.algorithm = "als-implicit", .prepare = prepare_als_implicit},
    {.algorithm = NULL},
};
