/* recommend: which items a user gets. */
#include "serve/model/recommend.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/formats/half.h"

const char *tv_reason_name(enum tv_reason reason)
{
    static const char *const names[] = {"personal", "folded_in", "popular"};
    return names[reason];
}

void tv_workspace_free(struct tv_workspace *w)
{
    free(w->scores);
    free(w->skip);
    free(w->best);
    free(w->user);
    *w = (struct tv_workspace){0};
}

static pthread_key_t workspace_key;
static pthread_once_t workspace_once = PTHREAD_ONCE_INIT;

static void end_of_thread(void *workspace)
{
    tv_workspace_free(workspace);
    free(workspace);
}

static void make_key(void)
{
    if (pthread_key_create(&workspace_key, end_of_thread) != 0)
        abort(); /* POSIX promises 128 keys and we take one, before anything else runs */
}

struct tv_workspace *tv_workspace_of_thread(void)
{
    pthread_once(&workspace_once, make_key);
    struct tv_workspace *w = pthread_getspecific(workspace_key);
    if (w)
        return w;
    w = calloc(1, sizeof *w);
    if (w && pthread_setspecific(workspace_key, w) != 0) {
        free(w);
        w = NULL;
    }
    return w;
}

enum tv_status tv_workspace_prepare(struct tv_workspace *w, const struct tv_snapshot *s, size_t top,
                                    struct tv_error *err)
{
    size_t items = (size_t)s->n_items, factors = (size_t)s->factors;
    if (items <= w->items && top <= w->top && factors <= w->factors)
        return TV_OK;
    struct tv_workspace new = {.items = items > w->items ? items : w->items,
                               .top = top > w->top ? top : w->top,
                               .factors = factors > w->factors ? factors : w->factors};
    tv_workspace_free(w);
    new.scores = calloc(new.items, sizeof *new.scores);
    new.skip = calloc(new.items, sizeof *new.skip);
    new.best = calloc(new.top, sizeof *new.best);
    new.user = calloc(new.factors, sizeof *new.user);
    *w = new;
    if (w->scores && w->skip && w->best && w->user)
        return TV_OK;
    tv_workspace_free(w);
    return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the scores of %zu items", items);
}

/* The seen items were checked to lie in the model when the document was read. */
static void mark_seen(struct tv_workspace *w, const struct tv_user_document *user, uint8_t mark)
{
    for (size_t i = 0; user && i < user->n_seen; i++)
        w->skip[user->seen[i]] = mark;
}

enum tv_reason tv_reason_for(const struct tv_user_document *user)
{
    if (user == NULL || !tv_user_document_is_placed(user))
        return TV_REASON_POPULAR;
    return user->row >= 0 ? TV_REASON_PERSONAL : TV_REASON_FOLDED_IN;
}

static const char *score_kind(const struct tv_snapshot *s, enum tv_reason reason)
{
    return reason == TV_REASON_POPULAR ? "count" : s->score_kind;
}

static size_t rank_popular(struct tv_workspace *w, const struct tv_snapshot *s, size_t top)
{
    size_t n = 0;
    for (int32_t i = 0; i < s->n_items && n < top; i++) {
        int32_t item = s->popular[i];
        if (!w->skip[item])
            w->best[n++] = (struct tv_scored){item, s->item[item] ? (double)s->item[item]->n_ratings : 0};
    }
    return n;
}

static size_t rank_scores(struct tv_workspace *w, const struct tv_snapshot *s,
                          const struct tv_user_document *user, size_t top)
{
    tv_half_to_floats(w->user, user->value, (size_t)s->factors);
    tv_scores(w->scores, s->item_factors, (size_t)s->n_items, s->factors, w->user);
    return tv_top_n(w->best, top, w->scores, w->skip, (size_t)s->n_items);
}

enum tv_status tv_recommend(struct tv_ranking *out, struct tv_workspace *w, const struct tv_snapshot *s,
                            const struct tv_user_document *user, const struct tv_item_filter *filter,
                            size_t top, struct tv_error *err)
{
    enum tv_status status = tv_workspace_prepare(w, s, top, err);
    if (status != TV_OK)
        return status;
    out->reason = tv_reason_for(user);
    out->score_kind = score_kind(s, out->reason);
    if (filter)
        tv_item_filter_mark(filter, s, user, w->skip, out->counts);
    else
        mark_seen(w, user, 1);
    out->n = out->reason == TV_REASON_POPULAR ? rank_popular(w, s, top) : rank_scores(w, s, user, top);
    if (filter)
        memset(w->skip, TV_KEPT, (size_t)s->n_items * sizeof *w->skip);
    else
        mark_seen(w, user, 0);
    out->best = w->best;
    return TV_OK;
}

/* It is all there is when it has every item that is not seen. */
static int is_long_enough(const struct tv_snapshot *s, const struct tv_user_document *user, size_t top)
{
    return user->n_top >= top || user->n_top == (size_t)s->n_items - user->n_seen;
}

int tv_recommend_stored(struct tv_ranking *out, struct tv_workspace *w, const struct tv_snapshot *s,
                        const struct tv_user_document *user, size_t top)
{
    if (user == NULL || user->top == NULL || !is_long_enough(s, user, top) ||
        tv_workspace_prepare(w, s, top, NULL) != TV_OK)
        return 0;
    out->reason = tv_reason_for(user);
    out->score_kind = score_kind(s, out->reason);
    out->n = user->n_top < top ? user->n_top : top;
    for (size_t i = 0; i < out->n; i++) {
        w->best[i] = (struct tv_scored){tv_snapshot_dense(s, user->top[i].integer), user->top[i].real};
        if (w->best[i].item < 0)
            return 0;
    }
    out->best = w->best;
    return out->reason != TV_REASON_POPULAR;
}

double tv_score_one(struct tv_workspace *w, const struct tv_snapshot *s, const struct tv_user_document *user, int32_t item)
{
    size_t k = (size_t)s->factors;
    double score;
    tv_half_to_floats(w->user, user->value, k);
    tv_scores(&score, s->item_factors + (size_t)item * k, 1, s->factors, w->user);
    return score;
}

struct tv_kept_ranking *tv_ranking_keep(const struct tv_ranking *ranking)
{
    struct tv_kept_ranking *kept = malloc(sizeof *kept);
    if (kept == NULL)
        return NULL;
    kept->reason = ranking->reason;
    kept->n = ranking->n < TV_KEPT_ITEMS ? ranking->n : TV_KEPT_ITEMS;
    memcpy(kept->best, ranking->best, kept->n * sizeof *kept->best);
    return kept;
}

int tv_ranking_from_kept(struct tv_ranking *out, const struct tv_kept_ranking *kept,
                         const struct tv_snapshot *s, size_t top)
{
    if (top > kept->n && kept->n == TV_KEPT_ITEMS)
        return 0; /* there may be more */
    *out = (struct tv_ranking){.reason = kept->reason,
                               .score_kind = score_kind(s, kept->reason),
                               .n = top < kept->n ? top : kept->n,
                               .best = kept->best};
    return 1;
}
