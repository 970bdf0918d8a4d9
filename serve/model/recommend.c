/* recommend: a user's list of items. tv_recommend computes one from the factors; tv_recommend_stored takes the one
 * that `trivet-train precompute` put into the document; tv_ranking_keep and tv_ranking_from_kept hold the beginning
 * of a list with a cached user. serve/api/recs.c chooses between the three.
 */
#include "serve/model/recommend.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/formats/half.h"
#include "trivet/core/scan/row_scores.h"

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
    free(w->judged.marks);
    *w = (struct tv_workspace){0};
}

static pthread_key_t workspace_key;
static pthread_once_t workspace_once = PTHREAD_ONCE_INIT;

/* POSIX calls it with the thread's value, and only where that is not NULL. */
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

/* Scoring takes memory in the size of the model, which is not to be allocated and cleared for every request. A thread
 * answers one request at a time, so one workspace for each thread is enough. */
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

/* Room is never given back before the thread ends, and a workspace that is large enough is left as it is, with the
 * ranking in it. One that grows is made anew: rankings in it are gone. `skip` must be all zero, which calloc sees
 * to. On failure the workspace is empty. */
enum tv_status tv_workspace_prepare(struct tv_workspace *w, const struct tv_resident *s, size_t top,
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
    new.judged.marks = calloc(new.items, sizeof *new.judged.marks);
    *w = new;
    if (w->scores && w->skip && w->best && w->user && w->judged.marks)
        return TV_OK;
    tv_workspace_free(w);
    return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the scores of %zu items", items);
}

/* No bounds are checked: tv_user_document_read refuses a document whose seen items do not lie in the model. */
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

/* A popular item's score is its number of ratings, whatever the model's scores are. */
static const char *score_kind(const struct tv_resident *s, enum tv_reason reason)
{
    return reason == TV_REASON_POPULAR ? "count" : s->score_kind;
}

/* The model's popular list is sorted already, so this ends after `top` items and those that were skipped on the
 * way. */
static size_t rank_popular(struct tv_workspace *w, const struct tv_resident *s, size_t top)
{
    size_t n = 0;
    for (int32_t i = 0; i < s->n_items && n < top; i++) {
        int32_t item = s->popular[i];
        if (!w->skip[item])
            w->best[n++] = (struct tv_scored){item, (double)tv_resident_count(s, item)};
    }
    return n;
}

/* n_kept is how many items are not skipped, or more. */
static size_t rank_scores(struct tv_workspace *w, const struct tv_resident *s, const struct tv_user_document *user,
                          size_t top, size_t n_kept)
{
    tv_half_to_floats(w->user, user->value, (size_t)s->factors);
    return tv_scan_top(w->best, top, &s->side->scan, w->user, w->skip, n_kept, NULL);
}

/* `skip` is zero again in the end, as the next list relies on it. Without a filter only the user's own marks are
 * undone, which are few; a filter may have marked any item. */
enum tv_status tv_recommend(struct tv_ranking *out, struct tv_workspace *w, const struct tv_resident *s,
                            const struct tv_user_document *user, const struct tv_item_filter *filter, size_t top,
                            struct tv_error *err)
{
    enum tv_status status = tv_workspace_prepare(w, s, top, err);
    if (status != TV_OK)
        return status;
    out->reason = tv_reason_for(user);
    out->score_kind = score_kind(s, out->reason);
    if (filter)
        tv_item_filter_mark(filter, s, user, &w->judged, w->skip, out->counts);
    else
        mark_seen(w, user, 1);
    out->n = out->reason == TV_REASON_POPULAR ? rank_popular(w, s, top)
                                                  : rank_scores(w, s, user, top, filter ? out->counts[TV_KEPT] : (size_t)s->n_items);
    if (filter)
        memset(w->skip, TV_KEPT, (size_t)s->n_items * sizeof *w->skip);
    else
        mark_seen(w, user, 0);
    out->best = w->best;
    return TV_OK;
}

/* A stored list that is shorter than was asked for is the whole answer only if it has every item that is not seen. */
static int is_long_enough(const struct tv_resident *s, const struct tv_user_document *user, size_t top)
{
    return user->n_top >= top || user->n_top == (size_t)s->n_items - user->n_seen;
}

/* Every reason not to use the stored list is answered with 0, and never with an error: the caller can compute the
 * list instead. A user without a place in the model gets the popular items, so a list of theirs does not count. */
int tv_recommend_stored(struct tv_ranking *out, struct tv_workspace *w, const struct tv_resident *s,
                        const struct tv_user_document *user, size_t top)
{
    if (user == NULL || user->top == NULL || !is_long_enough(s, user, top) ||
        tv_workspace_prepare(w, s, top, NULL) != TV_OK)
        return 0;
    out->reason = tv_reason_for(user);
    out->score_kind = score_kind(s, out->reason);
    out->n = user->n_top < top ? user->n_top : top;
    for (size_t i = 0; i < out->n; i++) {
        w->best[i] = (struct tv_scored){tv_resident_dense(s, user->top[i].integer), user->top[i].real};
        if (w->best[i].item < 0)
            return 0;
    }
    out->best = w->best;
    return out->reason != TV_REASON_POPULAR;
}

/* The number that a list shows, bit for bit: a scan scores by the same function. */
double tv_score_one(struct tv_workspace *w, const struct tv_resident *s, const struct tv_user_document *user,
                    int32_t item)
{
    double score;
    tv_half_to_floats(w->user, user->value, (size_t)s->factors);
    tv_scores_of_rows(&score, s->item_factors, &item, 1, s->factors, w->user);
    return score;
}

/* The counts of a filter are not kept, as filtered rankings never are (serve/api/recs.c). */
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

int tv_ranking_from_kept(struct tv_ranking *out, const struct tv_kept_ranking *kept, const struct tv_resident *s,
                         size_t top)
{
    if (top > kept->n && kept->n == TV_KEPT_ITEMS)
        return 0; /* the list was cut when it was kept, so there may be more */
    *out = (struct tv_ranking){.reason = kept->reason,
                               .score_kind = score_kind(s, kept->reason),
                               .n = top < kept->n ? top : kept->n,
                               .best = kept->best};
    return 1;
}
