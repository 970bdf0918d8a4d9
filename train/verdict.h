/* verdict: the numbers of several methods on the same held-out ratings. */
#ifndef TRAIN_VERDICT_H
#define TRAIN_VERDICT_H

#include "trivet/baselines.h"
#include "trivet/evaluate.h"
#include "trivet/table.h"

enum { VERDICT_METHODS = 1 + TV_BASELINES, VERDICT_NUMBERS = 32 };

struct verdict {
    const struct tv_csr *training; /* what users have seen; lent, like the rest */
    const struct tv_holdout *holdout;
    const struct tv_evaluate_options *options; /* with the default cuts */
    const char *methods[VERDICT_METHODS];
    double numbers[VERDICT_METHODS][VERDICT_NUMBERS]; /* NaN where a method has none */
    int n_methods;
};

/* Judges one more method; `name` is lent. */
enum tv_status verdict_add(struct verdict *v, const char *name, const struct tv_method *method, struct tv_error *err);
enum tv_status verdict_print(const struct verdict *v, enum tv_table_format format, struct tv_error *err);

#endif
