/* fold_in_row: what fold_in_anew.c and fold_in_compare.c share. Private to lib/model. */
#ifndef TRIVET_MODEL_LIFE_FOLD_IN_ROW_H
#define TRIVET_MODEL_LIFE_FOLD_IN_ROW_H

#include "trivet/core/evidence.h"
#include "trivet/model/life/fold_in_anew.h"
#include "trivet/store/pg_rows.h"

/* Are these rows of tv_fold_in_anew.query, of some of n users? SQL of one's own is put into it as text, and could end
 * our statement with its brackets; then the rows are whatever it likes, and TV_ERR_STORE. */
enum tv_status tv_fold_in_check_rows(const struct tv_pg_rows *rows, const int64_t *ids, size_t n, struct tv_error *err);
/* Folds in the user of a row that was checked: `s` has the document with rev and code, `e` its ratings, which it borrows. */
enum tv_status tv_fold_in_row(struct tv_fold_in_space *s, struct tv_evidence *e,
                              const struct tv_fold_in_model *fold_in_model, const struct tv_pg_rows *rows, int row,
                              struct tv_error *err);

#endif
