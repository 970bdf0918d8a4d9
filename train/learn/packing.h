/* packing: a model whose item side is filled row by row, rounded to float16. An item with a factor too large for that is left out
 * of the model, as one that nobody rated: its error is its own. */
#ifndef TRIVET_TRAIN_LEARN_PACKING_H
#define TRIVET_TRAIN_LEARN_PACKING_H

#include "train/learn/learn.h"

/* A model with ids and zeros for its factors, `columns` a row. */
TV_MUST_USE struct tv_model *tv_learn_new_model(const struct tv_matrix *d, const struct tv_learn_settings *s,
                                                int columns, struct tv_error *err);

/* How far the packing is. Begin with zeros, and with `beyond`, which gets the items that are left out. */
struct tv_learn_packing {
    size_t kept, lost; /* items so far, and factors that were too large */
    struct tv_named *beyond;
};
/* Rounds the factors of an item, all items in order, into the model; one with a factor beyond float16 is left out. */
void tv_learn_pack_row(struct tv_learn_packing *p, struct tv_model *m, size_t item, const float *row);
/* Makes the packed rows the model. TV_ERR_NUMERIC where they are less than half of the items: then the settings are
 * wrong, as `hint` says. */
enum tv_status tv_learn_end_packing(const struct tv_learn_packing *p, struct tv_model *m, int quiet, const char *hint,
                                    struct tv_error *err);

#endif
