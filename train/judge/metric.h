/* metric: one number of a verdict by its name, for the guard and the search, which decide by it. */
#ifndef TRIVET_TRAIN_JUDGE_METRIC_H
#define TRIVET_TRAIN_JUDGE_METRIC_H

#include <jansson.h>

#include "train/judge/verdict.h"
#include "trivet/base/status.h"

/* A metric that somebody named. */
struct tv_metric {
    char name[24];  /* "rmse", "mae", or a measure of lists: "ndcg@10", "recall@100" */
    int of_ratings; /* rmse and mae: lower is better; of the others, higher */
    int cut;        /* of lists: an index of the cuts */
    enum tv_measure measure;
};

/* TV_ERR_USAGE for a name that is none of these. */
enum tv_status tv_metric_parse(struct tv_metric *out, const char *name, struct tv_error *err);
double tv_metric_of(const struct tv_metric *m, const struct tv_verdict *v); /* NaN: the method has none */
/* The same with its interval, which rmse and ndcg have: NaN for the bounds of others. */
struct tv_interval tv_metric_interval(const struct tv_metric *m, const struct tv_verdict *v);
int tv_metric_higher_is_better(const struct tv_metric *m);
/* Of the model, learned from all of the training portion, in what tv_metrics_json wrote; NaN: it is not there. */
double tv_metric_in_json(const struct tv_metric *m, const json_t *metrics);

#endif
