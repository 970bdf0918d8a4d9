/* verdict: all numbers of one method on ratings that were kept apart, and tables of several. docs/metrics.md says what
 * each of them means. */
#ifndef TRIVET_TRAIN_JUDGE_VERDICT_H
#define TRIVET_TRAIN_JUDGE_VERDICT_H

#include "trivet/cli/table.h"
#include "trivet/core/eval/evaluate.h"

enum { TV_VERDICT_CUTS = 4 }; /* of tv_evaluate_defaults: at 5, 10, 15 and 100 */

/* Everything that was measured of one method on one portion. */
struct tv_verdict {
    char name[24];
    int is_model;    /* not a baseline */
    double fraction; /* of the training portion that was learned from; 1: all of it */
    int factors;     /* that the model has; 0: of a baseline */

    int predicts; /* ratings: what follows has values */
    struct tv_interval rmse;
    double mae, r2;
    int64_t n_unpredicted; /* pairs, nothing of them cold, for which it had no prediction */

    int ranks;                                  /* lists: what follows has values */
    int32_t n_users;                            /* judged */
    int32_t n_without_list;                     /* of them with an empty list */
    struct tv_list_quality at[TV_VERDICT_CUTS]; /* means over the users judged */
    struct tv_interval ndcg[TV_VERDICT_CUTS];
    struct tv_diversity diversity[TV_VERDICT_CUTS];
};

/* Judges a method on `holdout`; `seen` are the ratings whose items are in no list. *out keeps its name, is_model,
 * fraction and factors; the rest is written. Several may be judged at a time. */
enum tv_status tv_verdict_measure(struct tv_verdict *out, const struct tv_method *method, const struct tv_csr *seen,
                                  const struct tv_holdout *holdout, const struct tv_evaluate_options *options,
                                  struct tv_error *err);

/* A row a number, a column a method: all numbers as csv and json, what people look at first in the other formats. */
enum tv_status tv_verdict_print(const struct tv_verdict *verdicts, int n, enum tv_table_format format,
                                struct tv_error *err);

#endif
