/* factorise: the model's item side, learned from the matrix. The solver's user factors are not kept: everybody,
 * learned from or not, is folded in with the item factors as they were rounded (users.c).
 */
#include <stdlib.h>

#include "train/fit/fit.h"

enum tv_status fit_choose_factors(struct fit *f, struct tv_error *err)
{
    return learn_fit_factors(&f->learning.settings, &f->dense, err);
}

/* The matrix is given back before users are folded in: from here on only its ids are needed. */
enum tv_status fit_factorise(struct fit *f, struct tv_error *err)
{
    enum tv_status status = learn(&f->model.item_side, &f->model.report, &f->dense, &f->learning.settings, err);
    if (status != TV_OK)
        return status;
    f->model.item_side->number = f->number;
    tv_csr_free(&f->dense.matrix); /* the ids stay: they tell who was learned from */
    status = tv_model_fold_in(&f->model.fold_in, f->model.item_side, err);
    if (status == TV_OK)
        tv_folding_init(&f->model.folding, &f->model.fold_in, f->model.item_side->item_ids);
    return status;
}
