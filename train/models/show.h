/* show: one run as the journal knows it, or the numbers of its model: a user's and an item's vectors and their product,
 * or rows of factors. */
#ifndef TRIVET_TRAIN_MODELS_SHOW_H
#define TRIVET_TRAIN_MODELS_SHOW_H

#include "train/command/stores.h"
#include "trivet/cli/options.h"
#include "trivet/cli/table.h"

extern const struct tv_option tv_show_options[];
enum tv_status tv_show_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

/* show_pair.c: what a score is made of, factor by factor, and the true rating where there is one. */
enum tv_status tv_show_pair(const struct tv_settings *settings, const struct tv_stores *stores,
                            const struct tv_model *model, struct tv_error *err);

/* show_factors.c: the first rows of user or item factors. */
enum tv_status tv_show_factors(const struct tv_settings *settings, const struct tv_stores *stores,
                               const struct tv_model *model, struct tv_error *err);

/* show_text.c: what a column of factors is called: its number from 1, or "item bias" and "user bias". `space` holds
 * TV_SHOW_FACTOR_NAME bytes, for a number. */
enum { TV_SHOW_FACTOR_NAME = 12 };
const char *tv_show_factor_name(const struct tv_model *model, int factor, char *space);

/* A factor, a product or a sum: eight decimals for people, every digit for programs. */
enum tv_status tv_show_number(struct tv_table *table, enum tv_table_format format, double value, struct tv_error *err);

#endif
