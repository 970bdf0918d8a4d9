/* evaluate_ratings: predictions of a method beside the held-out ratings (tv_evaluate_ratings in evaluate.h). Errors are
 * kept a user, so that tv_rmse_interval can draw users. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/core/eval/evaluate.h"

#include "lib/core/eval/each_user.h"

/* Threads write to places of `predicted` and of out->error that belong to their user alone. */
struct predicting {
    struct tv_rating_result *out;
    const struct tv_method *method;
    const struct tv_csr *test;
    double *predicted; /* (test->n_values), each user's where their ratings are */
};

void tv_rating_result_free(struct tv_rating_result *r)
{
    if (r == NULL)
        return;
    free(r->user);
    free(r->error);
    memset(r, 0, sizeof *r);
}

/* A prediction of NaN (the method cannot tell) is left out here and counted by gather(). */
static enum tv_status predict(void *context, int thread, int32_t user, struct tv_error *err)
{
    struct predicting *p = context;
    int64_t from = p->test->start[user], to = p->test->start[user + 1];
    if (from == to)
        return TV_OK;
    enum tv_status status = p->method->predict(p->method->context, thread, user, p->test->column + from,
                                               (size_t)(to - from), p->predicted + from, err);
    for (int64_t i = from; i < to && status == TV_OK; i++)
        if (!isnan(p->predicted[i]))
            tv_rating_error_add(&p->out->error[user], p->predicted[i], (double)p->test->value[i]);
    return status;
}

/* Moves the users that have a prediction together, and adds them up in their order: the total has the same bits at any
 * number of threads. */
static void gather(struct tv_rating_result *out, const struct tv_csr *test)
{
    for (int32_t u = 0; u < test->n_rows; u++) {
        struct tv_rating_error error = out->error[u];
        out->n_unpredicted += test->start[u + 1] - test->start[u] - error.n;
        if (error.n == 0)
            continue;
        tv_rating_error_merge(&out->total, &error);
        out->user[out->n_users] = u;
        out->error[out->n_users++] = error;
    }
}

enum tv_status tv_evaluate_ratings(struct tv_rating_result *out, const struct tv_method *method,
                                   const struct tv_holdout *holdout, const struct tv_evaluate_options *options,
                                   struct tv_error *err)
{
    const struct tv_csr *test = &holdout->test;
    memset(out, 0, sizeof *out);
    if (method->predict == NULL)
        return tv_fail(err, TV_ERR_USAGE, "this method does not predict ratings");
    struct predicting p = {.out = out, .method = method, .test = test};
    p.predicted = tv_alloc((size_t)test->n_values, sizeof *p.predicted, "predictions", err);
    out->user = tv_alloc((size_t)test->n_rows, sizeof *out->user, "predictions", err);
    out->error = tv_alloc((size_t)test->n_rows, sizeof *out->error, "predictions", err);
    enum tv_status status = p.predicted && out->user && out->error ? TV_OK : TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = tv_each_user(test->n_rows, options, predict, &p, err);
    free(p.predicted);
    if (status == TV_OK)
        gather(out, test);
    else
        tv_rating_result_free(out);
    return status;
}

/* The interval is drawn for the mean squared error, a ratio of sums, and its root taken at the end. */
enum tv_status tv_rmse_interval(struct tv_interval *out, const struct tv_rating_result *r,
                                const struct tv_bootstrap_options *options, struct tv_error *err)
{
    double *squared = tv_alloc((size_t)r->n_users, sizeof *squared, "an interval", err);
    double *rows = tv_alloc((size_t)r->n_users, sizeof *rows, "an interval", err);
    enum tv_status status = squared && rows ? TV_OK : TV_ERR_NO_MEMORY;
    for (int32_t u = 0; status == TV_OK && u < r->n_users; u++) {
        squared[u] = r->error[u].squared;
        rows[u] = (double)r->error[u].n;
    }
    if (status == TV_OK)
        status = tv_bootstrap_ratio(out, squared, rows, (size_t)r->n_users, options, err);
    if (status == TV_OK)
        *out = tv_interval_root(*out);
    free(squared);
    free(rows);
    return status;
}
