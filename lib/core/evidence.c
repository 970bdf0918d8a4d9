/* evidence: all ratings of all users, user after user, repeated pairs averaged. */
#include "trivet/evidence.h"

#include <stdlib.h>

static enum tv_status no_memory(const struct tv_evidence *e, struct tv_error *err)
{
    return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the ratings of %zu users (%zu so far)", e->n_users, e->n_pairs);
}

static enum tv_status more_users(struct tv_evidence *e, struct tv_error *err)
{
    if (e->n_users < e->user_capacity)
        return TV_OK;
    size_t capacity = e->user_capacity ? e->user_capacity * 2 : 1024;
    int64_t *users = realloc(e->users, capacity * sizeof *users);
    e->users = users ? users : e->users;
    size_t *start = realloc(e->start, (capacity + 1) * sizeof *start);
    e->start = start ? start : e->start;
    if (users == NULL || start == NULL)
        return no_memory(e, err);
    e->user_capacity = capacity;
    return TV_OK;
}

static enum tv_status more_pairs(struct tv_evidence *e, struct tv_error *err)
{
    if (e->n_pairs < e->pair_capacity)
        return TV_OK;
    size_t capacity = e->pair_capacity ? e->pair_capacity + e->pair_capacity / 2 : 16384;
    int64_t *items = realloc(e->items, capacity * sizeof *items);
    e->items = items ? items : e->items;
    float *ratings = realloc(e->ratings, capacity * sizeof *ratings);
    e->ratings = ratings ? ratings : e->ratings;
    if (items == NULL || ratings == NULL)
        return no_memory(e, err);
    e->pair_capacity = capacity;
    return TV_OK;
}

enum tv_status tv_evidence_add(struct tv_evidence *e, int64_t user, int64_t item, float rating, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    int same_user = e->n_users > 0 && e->users[e->n_users - 1] == user;
    if (same_user && e->items[e->n_pairs - 1] == item) {
        e->sum += (double)rating;
        e->n_rows++;
        e->ratings[e->n_pairs - 1] = (float)(e->sum / (double)e->n_rows);
        return TV_OK;
    }
    if ((e->n_users > 0 && e->users[e->n_users - 1] > user) || (same_user && e->items[e->n_pairs - 1] > item))
        return tv_fail(err, TV_ERR_INPUT, "the rating of item %lld by user %lld comes out of order", (long long)item,
                       (long long)user);
    if (!same_user && (status = more_users(e, err)) == TV_OK) {
        e->start[e->n_users] = e->n_pairs;
        e->users[e->n_users++] = user;
    }
    if (status == TV_OK)
        status = more_pairs(e, err);
    if (status != TV_OK)
        return status;
    e->sum = (double)rating;
    e->n_rows = 1;
    e->items[e->n_pairs] = item;
    e->ratings[e->n_pairs++] = rating;
    e->start[e->n_users] = e->n_pairs;
    return TV_OK;
}

void tv_evidence_free(struct tv_evidence *e)
{
    free(e->users);
    free(e->start);
    free(e->items);
    free(e->ratings);
    *e = (struct tv_evidence)TV_EVIDENCE_INIT;
}
