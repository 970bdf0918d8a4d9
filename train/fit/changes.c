/* changes: the revs of users with single ratings, as the snapshot sees them (trivet.user_change). A document
 * carries the rev of the ratings it was made from, so that an activation can tell which documents lack a change.
 */
#include <stdlib.h>

#include "train/fit/fit.h"
#include "trivet/store/pg_rows.h"

/* Read in the snapshot in which the ratings are read, so that a document's rev and its ratings agree. Ascending,
 * because tv_fit_rev_of searches. */
enum tv_status tv_fit_read_changes(struct tv_fit *f, struct tv_error *err)
{
    struct tv_fit_changes *c = &f->changes;
    struct tv_pg_rows *rows = NULL;
    enum tv_status status =
        tv_pg_query(f->reading.snapshot, "SELECT user_id, rev FROM trivet.user_change ORDER BY 1", 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    size_t n = (size_t)tv_pg_rows_count(rows);
    c->users = tv_alloc(n + 1, sizeof *c->users, "changed users", err);
    c->revs = tv_alloc(n + 1, sizeof *c->revs, "changed users", err);
    if (c->users == NULL || c->revs == NULL)
        status = TV_ERR_NO_MEMORY;
    for (; status == TV_OK && c->n < n; c->n++) {
        c->users[c->n] = atoll(tv_pg_cell(rows, (int)c->n, 0));
        c->revs[c->n] = atoll(tv_pg_cell(rows, (int)c->n, 1));
    }
    tv_pg_rows_free(rows);
    return status;
}

/* A user without single ratings has rev 0, so any later change is newer. */
int64_t tv_fit_rev_of(const struct tv_fit *f, int64_t user)
{
    int64_t place = tv_dense_find(f->changes.users, f->changes.n, user);
    return place < 0 ? 0 : f->changes.revs[place];
}

void tv_fit_free_changes(struct tv_fit_changes *c)
{
    free(c->users);
    free(c->revs);
    *c = (struct tv_fit_changes){.n = 0};
}
