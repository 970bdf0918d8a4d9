/* scorer: the lists of users from a model in memory. Scores are tv_scores's, computed as a server computes them, so
 * a list made here is the one that a server would make.
 */
#include "train/lists/scorer.h"

#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/core/formats/half.h"

float *tv_scorer_widen(const struct tv_model *model, struct tv_error *err)
{
    size_t n = (size_t)model->n_items * (size_t)model->factors;
    float *wide = tv_alloc(n, sizeof *wide, "item factors", err);
    if (wide)
        tv_half_to_floats(wide, model->item_factors, n);
    return wide;
}

enum tv_status tv_scorer_init(struct tv_scorer *s, const struct tv_model *model, const float *item_factors,
                              struct tv_error *err)
{
    size_t n = (size_t)model->n_items;
    *s = (struct tv_scorer){.model = model, .item_factors = item_factors};
    s->scores = tv_alloc(TV_SCORER_USERS * n, sizeof *s->scores, "scores", err);
    s->skip = tv_alloc(n, sizeof *s->skip, "scores", err);
    s->factors = tv_alloc(TV_SCORER_USERS * (size_t)model->factors, sizeof *s->factors, "scores", err);
    return s->scores && s->skip && s->factors ? TV_OK : TV_ERR_NO_MEMORY;
}

void tv_scorer_free(struct tv_scorer *s)
{
    free(s->scores);
    free(s->skip);
    free(s->factors);
    *s = (struct tv_scorer){0};
}

/* The best of scores that are there. Only the marks of the user's own items are taken back, which is cheaper than
 * clearing the whole array for each user. */
static size_t choose(struct tv_scorer *s, const struct tv_user_document *user, const double *scores,
                     struct tv_scored *out, size_t top)
{
    for (size_t i = 0; i < user->n_seen; i++)
        s->skip[user->seen[i]] = 1;
    size_t n = tv_top_n(out, top, scores, s->skip, (size_t)s->model->n_items);
    for (size_t i = 0; i < user->n_seen; i++)
        s->skip[user->seen[i]] = 0;
    return n;
}

/* Users without factors are skipped, and the others moved together, so that the scores of a block are one matrix. */
void tv_scorer_lists(struct tv_scorer *s, struct tv_list *lists, size_t n, size_t top)
{
    size_t k = (size_t)s->model->factors, n_items = (size_t)s->model->n_items, place[TV_SCORER_USERS], scored = 0;
    for (size_t i = 0; i < n; i++) {
        lists[i].n_best = 0;
        if (!tv_user_document_is_placed(lists[i].user))
            continue;
        tv_half_to_floats(s->factors + scored * k, lists[i].user->value, k);
        place[scored++] = i;
    }
    tv_scores_of_users(s->scores, s->item_factors, n_items, (int)k, s->factors, scored);
    for (size_t j = 0; j < scored; j++) {
        struct tv_list *l = &lists[place[j]];
        l->n_best = choose(s, l->user, s->scores + j * n_items, l->best, top);
    }
}

/* For a caller with one user at a time (compare.c). */
size_t tv_scorer_list(struct tv_scorer *s, const struct tv_user_document *user, struct tv_scored *out, size_t top)
{
    if (!tv_user_document_is_placed(user))
        return 0;
    tv_half_to_floats(s->factors, user->value, (size_t)user->factors);
    tv_scores(s->scores, s->item_factors, (size_t)s->model->n_items, s->model->factors, s->factors);
    return choose(s, user, s->scores, out, top);
}
