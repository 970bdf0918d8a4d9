/* packing: a model whose item side is filled row by row, rounded to float16. An item with a factor too large for that is left out
 * of the model, as one that nobody rated: its error is its own. */
#ifndef TRIVET_TRAIN_LEARN_PACKING_H
#define TRIVET_TRAIN_LEARN_PACKING_H

#include "train/learn/learn.h"

/* A model with ids and zeros for its factors, `columns` a row. */
TV_MUST_USE struct tv_model *learn_new_model(const struct tv_dense *d, const struct learn_settings *s, int columns,
                                             struct tv_error *err);

/* Begin with zeros, and with `beyond`. */
struct learn_packing {
    size_t kept, lost; /* items so far, and factors that were too large */
    struct tv_named *beyond;
};
void learn_pack_row(struct learn_packing *p, struct tv_model *m, size_t item, const float *row);
/* What is left is the model. TV_ERR_NUMERIC where that is less than half: then the settings are wrong, as `hint` says. */
enum tv_status learn_end_packing(const struct learn_packing *p, struct tv_model *m, int quiet, const char *hint,
                                 struct tv_error *err);

#endif
