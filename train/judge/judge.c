/* judge: a model in memory as a method to evaluate (trivet/core/eval/evaluate.h). Users are folded in from their
 * training ratings, as fit does it and as they would be served, rather than taken from the solver: so what is
 * measured is what would be recommended, float16 included.
 */
#include "train/judge/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/lists/scorer.h"
#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/top_n.h"

/* The workspace of one thread: threads share nothing that is written. */
struct bench {
    int32_t *seen;      /* (longest user) items of the model */
    float *ratings;     /* (longest user) */
    uint16_t *value;    /* (factors) */
    float *user;        /* (factors) */
    double *scores;     /* (model->n_items) */
};

/* A model between two numberings of items: its own, and that of the training matrix, which has all items of the
 * training portion and is what an evaluation counts in. */
struct tv_judge {
    const struct tv_model *model;
    const struct tv_evidence *evidence;
    const struct tv_matrix *training;
    struct tv_fold_in fold_in;
    struct tv_dense_map items; /* an item's id to its dense index in the model */
    float *item_factors;
    int32_t *place; /* (model->n_items) the item in the training matrix */
    int32_t *known; /* (training items) the item in the model, or -1 */
    size_t n_training_items;
    int threads;
    struct bench *benches; /* (threads) */
};

/* The most ratings of a user, at least 1. */
static size_t longest_user(const struct tv_evidence *e)
{
    size_t longest = 1;
    for (size_t u = 0; u < e->n_users; u++)
        if (e->start[u + 1] - e->start[u] > longest)
            longest = e->start[u + 1] - e->start[u];
    return longest;
}

static enum tv_status make_bench(struct bench *b, const struct tv_judge *j, size_t longest, struct tv_error *err)
{
    b->seen = tv_alloc(longest, sizeof *b->seen, "a user's ratings", err);
    b->ratings = tv_alloc(longest, sizeof *b->ratings, "a user's ratings", err);
    b->value = tv_alloc((size_t)j->model->factors, sizeof *b->value, "user factors", err);
    b->user = tv_alloc((size_t)j->model->factors, sizeof *b->user, "user factors", err);
    b->scores = tv_alloc((size_t)j->model->n_items, sizeof *b->scores, "scores", err);
    return b->seen && b->ratings && b->value && b->user && b->scores ? TV_OK : TV_ERR_NO_MEMORY;
}

/* Fills both maps between the numberings. Every item of a model has ratings in the portion that it was learned
 * from, so one without is a mistake of the caller. */
static enum tv_status place_items(struct tv_judge *j, const struct tv_matrix *training, struct tv_error *err)
{
    size_t n = (size_t)j->model->n_items;
    j->n_training_items = (size_t)training->csr.n_cols;
    j->place = tv_alloc(n, sizeof *j->place, "items", err);
    j->known = tv_alloc(j->n_training_items, sizeof *j->known, "items", err);
    if (j->place == NULL || j->known == NULL)
        return TV_ERR_NO_MEMORY;
    memset(j->known, 0xff, j->n_training_items * sizeof *j->known); /* -1 everywhere */
    for (size_t i = 0; i < n; i++) {
        int64_t at = tv_dense_find(training->items, j->n_training_items, j->model->item_ids[i]);
        if (at < 0)
            return tv_fail(err, TV_ERR_USAGE, "item %lld of the model has no training rating", (long long)j->model->item_ids[i]);
        j->place[i] = (int32_t)at;
        j->known[at] = (int32_t)i;
    }
    return TV_OK;
}

/* The benches of all threads are made here, with room for the user with the most ratings. */
enum tv_status tv_judge_create(struct tv_judge **out, const struct tv_model *model, const struct tv_evidence *evidence,
                               const struct tv_matrix *training, int threads, struct tv_error *err)
{
    struct tv_judge *j = tv_alloc(1, sizeof *j, "an evaluation", err);
    if (j == NULL)
        return TV_ERR_NO_MEMORY;
    *j = (struct tv_judge){.model = model, .evidence = evidence, .training = training, .threads = threads};
    tv_dense_map_create(&j->items, model->item_ids, (size_t)model->n_items);
    enum tv_status status = place_items(j, training, err);
    if (status == TV_OK)
        status = tv_model_fold_in(&j->fold_in, model, err);
    if (status == TV_OK && ((j->item_factors = tv_scorer_widen(model, err)) == NULL ||
                            (j->benches = tv_alloc((size_t)threads, sizeof *j->benches, "an evaluation", err)) == NULL))
        status = TV_ERR_NO_MEMORY;
    size_t longest = longest_user(evidence);
    for (int t = 0; t < threads && status == TV_OK; t++)
        status = make_bench(&j->benches[t], j, longest, err);
    if (status != TV_OK) {
        tv_judge_free(j);
        return status;
    }
    *out = j;
    return TV_OK;
}

void tv_judge_free(struct tv_judge *j)
{
    if (j == NULL)
        return;
    for (int t = 0; j->benches && t < j->threads; t++) {
        free(j->benches[t].seen);
        free(j->benches[t].ratings);
        free(j->benches[t].value);
        free(j->benches[t].user);
        free(j->benches[t].scores);
    }
    free(j->benches);
    free(j->item_factors);
    free(j->place);
    free(j->known);
    tv_dense_map_free(&j->items);
    tv_fold_in_free(&j->fold_in);
    free(j);
}

/* The user's factors into b->user. *known is how many of the ratings are of items of the model; 0, too, where they
 * lead to no factors, so that the user gets no list then, as on a server. */
static enum tv_status fold_in(const struct tv_judge *j, struct bench *b, int32_t user, size_t *known,
                              struct tv_error *err)
{
    const struct tv_evidence *e = j->evidence;
    size_t n = 0;
    int64_t at = tv_dense_find(e->users, e->n_users, j->training->users[user]);
    for (size_t i = at < 0 ? 0 : e->start[at]; at >= 0 && i < e->start[at + 1]; i++) {
        int64_t item = tv_dense_map_find(&j->items, e->items[i]);
        if (item >= 0) {
            b->seen[n] = (int32_t)item;
            b->ratings[n++] = e->ratings[i];
        }
    }
    char why[TV_USER_WHY];
    const struct tv_user_ratings rated = {.items = b->seen, .ratings = b->ratings, .n = n};
    enum tv_status status = tv_fold_in_factors_or_zeros(&j->fold_in, b->value, &rated, why, sizeof why, err);
    *known = why[0] ? 0 : n;
    if (status == TV_OK)
        tv_half_to_floats(b->user, b->value, (size_t)j->model->factors);
    return status;
}

/* The method's function for lists: scores all items of the training matrix; NaN for those that the model left out, and
 * for a user without factors. Runs on any thread, each with its own bench. */
static enum tv_status scores_of(void *context, int thread, int32_t user, double *scores, struct tv_error *err)
{
    const struct tv_judge *j = context;
    struct bench *b = &j->benches[thread];
    size_t known;
    for (size_t i = 0; i < j->n_training_items; i++)
        scores[i] = NAN;
    enum tv_status status = fold_in(j, b, user, &known, err);
    if (status != TV_OK || known == 0)
        return status;
    tv_scores(b->scores, j->item_factors, (size_t)j->model->n_items, j->model->factors, b->user);
    for (int32_t i = 0; i < j->model->n_items; i++)
        scores[j->place[i]] = b->scores[i];
    return TV_OK;
}

/* The same for a few items, which is all that rating errors need. */
static enum tv_status predict(void *context, int thread, int32_t user, const int32_t *items, size_t n, double *predicted,
                              struct tv_error *err)
{
    const struct tv_judge *j = context;
    struct bench *b = &j->benches[thread];
    size_t known, k = (size_t)j->model->factors;
    enum tv_status status = fold_in(j, b, user, &known, err);
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        int32_t item = j->known[items[i]];
        predicted[i] = NAN;
        if (item >= 0 && known > 0)
            tv_scores(&predicted[i], j->item_factors + (size_t)item * k, 1, (int)k, b->user);
    }
    return status;
}

struct tv_method tv_judge_method(struct tv_judge *j)
{
    int rates = strcmp(j->model->score_kind, "rating") == 0;
    return (struct tv_method){.context = j, .scores = scores_of, .predict = rates ? predict : NULL};
}
