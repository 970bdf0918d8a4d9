/* factorise: the model's item side, learned from the matrix. The solver's user factors are not kept: everybody,
 * learned from or not, is folded in with the item factors as they were rounded (users.c).
 */
#include <stdlib.h>

#include "train/fit/fit.h"

enum tv_status tv_fit_choose_factors(struct tv_fit *f, struct tv_error *err)
{
    return tv_learn_fit_factors(&f->learning.settings, &f->training_matrix, err);
}

/* The matrix is given back before users are folded in: from here on only its ids are needed. */
enum tv_status tv_fit_factorise(struct tv_fit *f, struct tv_error *err)
{
    enum tv_status status =
        tv_learn(&f->model.item_side, &f->model.report, &f->training_matrix, &f->learning.settings, err);
    if (status != TV_OK)
        return status;
    f->model.item_side->run_number = f->run_number;
    f->model.item_side->dataset = f->reading.dataset;
    tv_csr_free(&f->training_matrix.csr); /* the ids stay: they tell who was learned from */
    status = tv_model_fold_in(&f->model.fold_in, f->model.item_side, err);
    if (status == TV_OK)
        tv_fold_in_model_init(&f->model.fold_in_model, &f->model.fold_in, f->model.item_side->item_ids);
    return status;
}
