/* cuts: the two cuts and the row limit of the filter, applied to rows in memory, because a trial must count only
 * what it may learn from: Postgres would count the ratings kept apart, too. fit uses them as well, on all rows,
 * instead of asking Postgres a second time.
 */
#include "train/judge/cuts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "trivet/base/log.h"
#include "trivet/base/text.h"

/* A NaN compares with nothing, and counts as too large as well. */
enum tv_status tv_cuts_add(struct tv_ratings *out, int64_t user, int64_t item, float rating, struct tv_named *too_large,
                           struct tv_error *err)
{
    char name[96], value[TV_TEXT_FLOAT];
    if (fabsf(rating) <= TV_CUTS_LARGEST)
        return tv_ratings_add(out, user, item, rating, err);
    snprintf(name, sizeof name, "user %" PRId64 " item %" PRId64 ": %s", user, item, tv_text_float(value, rating));
    tv_named_add(too_large, name, NULL);
    return TV_OK;
}

void tv_cuts_report(const struct tv_named *too_large)
{
    char ratings[64];
    if (too_large->n > 0)
        tv_log_info("%s not learned from, being beyond %g, the largest that can be (%s)",
                    tv_text_are(ratings, too_large->n, "rating"), (double)TV_CUTS_LARGEST, too_large->names);
}

/* The ids of items whose rows are more than min_users_for_item, ascending. */
static enum tv_status keep_items(const struct tv_evidence *e, const struct tv_filter *filter, int64_t **kept,
                                 size_t *n_kept, struct tv_error *err)
{
    int64_t *rows, more_than = tv_filter_int(filter, "min_users_for_item");
    int32_t n;
    enum tv_status status = tv_evidence_item_rows(e, kept, &rows, &n, err);
    *n_kept = 0;
    for (int32_t i = 0; status == TV_OK && i < n; i++)
        if (rows[i] > more_than)
            (*kept)[(*n_kept)++] = (*kept)[i];
    if (status == TV_OK)
        free(rows);
    return status;
}

/* The order is that of trivet.user_item, user by user, so that the row limit keeps the same users. Both bounds of a
 * user's rows are inclusive. */
static enum tv_status pick(struct tv_ratings *out, const struct tv_evidence *e, const struct tv_filter *filter,
                           const struct tv_dense_map *kept_items, struct tv_named *too_large, struct tv_error *err)
{
    size_t limit = (size_t)tv_filter_int(filter, "max_row_number");
    int64_t low = tv_filter_int(filter, "min_items_for_user"), high = tv_filter_int(filter, "max_items_for_user");
    enum tv_status status = TV_OK;
    for (size_t u = 0; u < e->n_users; u++) {
        if (e->user_rows[u] < low || e->user_rows[u] > high)
            continue;
        for (size_t i = e->start[u]; i < e->start[u + 1] && status == TV_OK; i++) {
            if (tv_ratings_count(out) == limit)
                return TV_OK;
            if (tv_dense_map_find(kept_items, e->items[i]) >= 0)
                status = tv_cuts_add(out, e->users[u], e->items[i], e->ratings[i], too_large, err);
        }
    }
    return status;
}

/* Counts are taken before either cut is applied, as in SQL: an item that loses users to the cut on users stays. */
enum tv_status tv_cuts_apply(struct tv_ratings *out, const struct tv_evidence *evidence, const struct tv_filter *filter,
                             struct tv_named *too_large, struct tv_error *err)
{
    int64_t *items;
    size_t n;
    struct tv_dense_map kept;
    enum tv_status status = keep_items(evidence, filter, &items, &n, err);
    if (status != TV_OK)
        return status;
    tv_dense_map_create(&kept, items, n);
    status = pick(out, evidence, filter, &kept, too_large, err);
    tv_dense_map_free(&kept);
    free(items);
    return status;
}

enum tv_status tv_cuts_none(struct tv_ratings *out, const struct tv_evidence *evidence, struct tv_named *too_large,
                            struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t u = 0; u < evidence->n_users; u++)
        for (size_t i = evidence->start[u]; i < evidence->start[u + 1] && status == TV_OK; i++)
            status = tv_cuts_add(out, evidence->users[u], evidence->items[i], evidence->ratings[i], too_large, err);
    return status;
}
