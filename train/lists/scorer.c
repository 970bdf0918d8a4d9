/* scorer: the lists of users from a model in memory. They are tv_scan_top's, which a server calls, so a list made here is
 * the one that a server would make.
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

enum tv_status tv_scorer_scan(struct tv_scan *out, const struct tv_model *model, struct tv_error *err)
{
    return tv_scan_create(out, model->item_factors, model->n_items, model->factors, model->factors - tv_model_rank(model),
                          err);
}

enum tv_status tv_scorer_init(struct tv_scorer *s, const struct tv_scan *scan, struct tv_error *err)
{
    *s = (struct tv_scorer){.scan = scan};
    s->skip = tv_alloc((size_t)scan->n_items, sizeof *s->skip, "scores", err);
    s->factors = tv_alloc((size_t)scan->factors, sizeof *s->factors, "scores", err);
    return s->skip && s->factors ? TV_OK : TV_ERR_NO_MEMORY;
}

void tv_scorer_free(struct tv_scorer *s)
{
    free(s->skip);
    free(s->factors);
    *s = (struct tv_scorer){0};
}

/* Only the marks of the user's own items are taken back, which is cheaper than clearing the whole array for each
 * user. */
size_t tv_scorer_list(struct tv_scorer *s, const struct tv_user_document *user, struct tv_scored *out, size_t top)
{
    if (!tv_user_document_is_placed(user))
        return 0;
    for (size_t i = 0; i < user->n_seen; i++)
        s->skip[user->seen[i]] = 1;
    tv_half_to_floats(s->factors, user->value, (size_t)user->factors);
    size_t n = tv_scan_top(out, top, s->scan, s->factors, s->skip, (size_t)s->scan->n_items, NULL);
    for (size_t i = 0; i < user->n_seen; i++)
        s->skip[user->seen[i]] = 0;
    return n;
}
