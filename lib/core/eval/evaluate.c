/* evaluate: the lists of a method beside what was held out, and what follows from both (evaluate.h). The trainer's
 * evaluate, search and the guard of fit all come to their numbers through here, so that they can be compared. */
#include "trivet/core/eval/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/core/top_n.h"

#include "lib/core/eval/each_user.h"

void tv_evaluate_defaults(struct tv_evaluate_options *o)
{
    *o = (struct tv_evaluate_options){.cuts = {4, {5, 10, 15, 100}}};
}

void tv_ranking_result_free(struct tv_ranking_result *r)
{
    if (r == NULL)
        return;
    free(r->user);
    free(r->list);
    free(r->quality);
    memset(r, 0, sizeof *r);
}

/* The memory that one thread writes to. */
struct scratch {
    double *scores;         /* (n_items) */
    uint8_t *skip;          /* (n_items), all zero between users */
    struct tv_scored *best; /* (depth) */
    int32_t *relevant;      /* (longest held-out row) */
};

/* One evaluation: its input, its result and the threads' scratch. */
struct ranking {
    struct tv_ranking_result *out;
    const struct tv_method *method;
    const struct tv_csr *training;
    const struct tv_holdout *holdout;
    int32_t depth;
    int threads;
    struct scratch *scratch; /* (threads) */
};

/* --- who is judged ----------------------------------------------------------------------------------------- */

/* The user's relevant held-out items, into `items` unless it is NULL; returns how many. */
static size_t relevant_items(const struct tv_holdout *h, int32_t user, int32_t *items)
{
    size_t n = 0;
    for (int64_t p = h->test.start[user]; p < h->test.start[user + 1]; p++)
        if (h->test.value[p] >= h->min_relevant) {
            if (items)
                items[n] = h->test.column[p];
            n++;
        }
    return n;
}

/* Relevant items of the user that are cold, hence in no list. */
static size_t unreachable(const struct tv_holdout *h, int32_t user)
{
    return h->unreachable ? (size_t)h->unreachable[user] : 0;
}

/* A user with nothing relevant has no recall to speak of. One whose relevant items are all cold is judged all the same,
 * with zeros: leaving such users out would raise the figures of every method on data where much is cold. */
static enum tv_status choose_users(struct ranking *r, struct tv_error *err)
{
    struct tv_ranking_result *out = r->out;
    int32_t n = r->holdout->test.n_rows;
    if ((out->user = tv_alloc((size_t)n, sizeof *out->user, "an evaluation", err)) == NULL)
        return TV_ERR_NO_MEMORY;
    for (int32_t u = 0; u < n; u++)
        if (relevant_items(r->holdout, u, NULL) + unreachable(r->holdout, u) > 0)
            out->user[out->n_users++] = u;
    out->n_without_relevant = n - out->n_users;
    return TV_OK;
}

/* --- one user ---------------------------------------------------------------------------------------------- */

/* `skip` is set for one user and cleared again by the same list: clearing all n_items for each user would cost more. */
static void mark_seen(const struct ranking *r, uint8_t *skip, int32_t user, uint8_t mark)
{
    for (int64_t p = r->training->start[user]; p < r->training->start[user + 1]; p++)
        skip[r->training->column[p]] = mark;
}

/* The work on one user, in a thread of its own scratch; writes to that user's places of the result alone. */
static enum tv_status judge(void *context, int thread, int32_t number, struct tv_error *err)
{
    struct ranking *r = context;
    struct scratch *s = &r->scratch[thread];
    struct tv_ranking_result *out = r->out;
    int32_t user = out->user[number], *list = out->list + (size_t)number * (size_t)r->depth;
    enum tv_status status = r->method->scores(r->method->context, thread, user, s->scores, err);
    if (status != TV_OK)
        return status;
    mark_seen(r, s->skip, user, 1);
    size_t n_list = tv_top_n(s->best, (size_t)r->depth, s->scores, s->skip, (size_t)out->n_items);
    mark_seen(r, s->skip, user, 0);
    for (size_t j = 0; j < (size_t)r->depth; j++)
        list[j] = j < n_list ? s->best[j].item : -1;
    size_t n_relevant = relevant_items(r->holdout, user, s->relevant);
    tv_list_quality(out->quality + (size_t)number * (size_t)out->cuts.n, &out->cuts, list, n_list, s->relevant,
                    n_relevant, unreachable(r->holdout, user));
    return TV_OK;
}

/* --- all users --------------------------------------------------------------------------------------------- */

static enum tv_status check(const struct tv_method *method, const struct tv_csr *training, const struct tv_csr *test,
                            const struct tv_cuts *cuts, struct tv_error *err)
{
    if (method->scores == NULL)
        return tv_fail(err, TV_ERR_USAGE, "this method does not rank items");
    if (training->n_rows != test->n_rows || training->n_cols != test->n_cols)
        return tv_fail(err, TV_ERR_USAGE, "the training matrix is %d x %d, the held-out one %d x %d", training->n_rows,
                       training->n_cols, test->n_rows, test->n_cols);
    return tv_cuts_check(cuts, err);
}

/* Bounds the scratch for relevant items. */
static size_t longest_row(const struct tv_csr *m)
{
    int64_t most = 0;
    for (int32_t row = 0; row < m->n_rows; row++)
        if (m->start[row + 1] - m->start[row] > most)
            most = m->start[row + 1] - m->start[row];
    return (size_t)most;
}

static enum tv_status make_room(struct ranking *r, struct tv_error *err)
{
    struct tv_ranking_result *out = r->out;
    size_t n_users = (size_t)out->n_users, n_items = (size_t)out->n_items, depth = (size_t)r->depth;
    out->list = tv_alloc(n_users * depth, sizeof *out->list, "the lists of an evaluation", err);
    out->quality = tv_alloc(n_users * (size_t)out->cuts.n, sizeof *out->quality, "the values of an evaluation", err);
    r->scratch = tv_alloc((size_t)r->threads, sizeof *r->scratch, "an evaluation", err);
    if (out->list == NULL || out->quality == NULL || r->scratch == NULL)
        return TV_ERR_NO_MEMORY;
    size_t most = longest_row(&r->holdout->test);
    for (int t = 0; t < r->threads; t++) {
        struct scratch *s = &r->scratch[t];
        s->scores = tv_alloc(n_items, sizeof *s->scores, "scores", err);
        s->skip = tv_alloc(n_items, sizeof *s->skip, "scores", err);
        s->best = tv_alloc(depth, sizeof *s->best, "scores", err);
        s->relevant = tv_alloc(most, sizeof *s->relevant, "scores", err);
        if (!s->scores || !s->skip || !s->best || !s->relevant)
            return TV_ERR_NO_MEMORY;
    }
    return TV_OK;
}

static void free_scratch(struct ranking *r)
{
    for (int t = 0; r->scratch && t < r->threads; t++) {
        free(r->scratch[t].scores);
        free(r->scratch[t].skip);
        free(r->scratch[t].best);
        free(r->scratch[t].relevant);
    }
    free(r->scratch);
}

enum tv_status tv_evaluate_ranking(struct tv_ranking_result *out, const struct tv_method *method,
                                   const struct tv_csr *training, const struct tv_holdout *holdout,
                                   const struct tv_evaluate_options *options, struct tv_error *err)
{
    *out = (struct tv_ranking_result){.cuts = options->cuts, .n_items = holdout->test.n_cols};
    enum tv_status status = check(method, training, &holdout->test, &options->cuts, err);
    if (status != TV_OK)
        return status;
    struct ranking r = {.out = out, .method = method, .training = training, .holdout = holdout,
                        .depth = tv_cuts_depth(&options->cuts), .threads = tv_evaluate_threads(options)};
    status = choose_users(&r, err);
    if (status == TV_OK)
        status = make_room(&r, err);
    if (status == TV_OK)
        status = tv_each_user(out->n_users, options, judge, &r, err);
    free_scratch(&r);
    /* A list without a first item is a list without any. */
    for (int32_t u = 0; status == TV_OK && u < out->n_users; u++)
        out->n_without_list += out->list[(size_t)u * (size_t)r.depth] < 0;
    if (status != TV_OK)
        tv_ranking_result_free(out);
    return status;
}

/* --- what follows ------------------------------------------------------------------------------------------ */

static const struct tv_list_quality *quality_of(const struct tv_ranking_result *r, int32_t user, int cut)
{
    return &r->quality[(size_t)user * (size_t)r->cuts.n + (size_t)cut];
}

/* Summed in the order of users, on one thread. */
struct tv_list_quality tv_ranking_mean(const struct tv_ranking_result *r, int cut)
{
    struct tv_list_quality mean = {{0}};
    for (int32_t u = 0; u < r->n_users; u++)
        for (int m = 0; m < TV_MEASURES; m++)
            mean.of[m] += quality_of(r, u, cut)->of[m];
    for (int m = 0; m < TV_MEASURES; m++)
        mean.of[m] /= r->n_users > 0 ? r->n_users : NAN;
    return mean;
}

enum tv_status tv_ranking_interval(struct tv_interval *out, const struct tv_ranking_result *r, int cut,
                                   enum tv_measure measure, const struct tv_bootstrap_options *options,
                                   struct tv_error *err)
{
    double *values = tv_alloc((size_t)r->n_users, sizeof *values, "an interval", err);
    if (values == NULL)
        return TV_ERR_NO_MEMORY;
    for (int32_t u = 0; u < r->n_users; u++)
        values[u] = quality_of(r, u, cut)->of[measure];
    enum tv_status status = tv_bootstrap_ratio(out, values, NULL, (size_t)r->n_users, options, err);
    free(values);
    return status;
}

struct tv_lists tv_ranking_lists(const struct tv_ranking_result *r)
{
    return (struct tv_lists){r->n_users, tv_cuts_depth(&r->cuts), r->n_items, r->list};
}
