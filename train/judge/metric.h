/* metric: one number of a verdict by its name, for the guard, which decides by it. */
#ifndef TRIVET_TRAIN_JUDGE_METRIC_H
#define TRIVET_TRAIN_JUDGE_METRIC_H

#include <jansson.h>

#include "train/judge/verdict.h"
#include "trivet/base/status.h"

struct metric {
    char name[24];       /* "rmse", "mae", or a measure of lists: "ndcg@10", "recall@100" */
    int of_ratings;      /* rmse and mae: lower is better; of the others, higher */
    int cut;             /* of lists: an index of the cuts */
    enum tv_measure measure;
};

/* TV_ERR_USAGE for a name that is none of these. */
enum tv_status metric_parse(struct metric *out, const char *name, struct tv_error *err);
double metric_of(const struct metric *m, const struct verdict *v); /* NaN: the method has none */
/* The same with its interval, which rmse and ndcg have: NaN for the bounds of others. */
struct tv_interval metric_interval(const struct metric *m, const struct verdict *v);
int metric_higher_is_better(const struct metric *m);
/* Of the model, learned from all of the training part, in what metrics_json wrote; NaN: it is not there. */
double metric_in_json(const struct metric *m, const json_t *metrics);

#endif
