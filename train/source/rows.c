/* rows: rows of (user, item, rating) out of Postgres by a binary COPY, one function call a row, and none of them
 * kept here.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "train/source/reading.h"
#include "trivet/base/log.h"
#include "trivet/base/named.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/store/pg_copy.h"

/* A COPY under way, and the rows that were left out. */
struct copying {
    tv_take_row take;
    void *context;
    int first, any_value;
    struct tv_named no_ratings;
};

/* A row without a user or an item is no rating; nor is one without a finite number, where numbers matter. It is left
 * out, for learning and folding in alike, and so do servers when they read the same rows
 * (lib/model/life/fold_in_row.c). */
static int is_rating(const struct copying *c, const struct tv_pg_triple *row)
{
    return row->nulls == 0 ? c->any_value || isfinite(row->c) : c->any_value && row->nulls == TV_PG_NULL_C;
}

/* Counts a row that is no rating, and names it if it is among the first. */
static void leave_out(struct copying *c, const struct tv_pg_triple *row)
{
    char user[24] = "null", item[24] = "null", value[TV_TEXT_FLOAT] = "null", name[96];
    if (!(row->nulls & TV_PG_NULL_A))
        snprintf(user, sizeof user, "%" PRId64, row->a);
    if (!(row->nulls & TV_PG_NULL_B))
        snprintf(item, sizeof item, "%" PRId64, row->b);
    if (!(row->nulls & TV_PG_NULL_C))
        tv_text_float(value, row->c);
    snprintf(name, sizeof name, "user %s item %s: %s", user, item, value);
    tv_named_add(&c->no_ratings, name, NULL);
}

static void report(const struct copying *c)
{
    char rows[64];
    if (c->no_ratings.n > 0)
        tv_log_info("%s left out, because a rating is a user, an item and a finite number (%s)",
                    tv_text_are(rows, c->no_ratings.n, "row"), c->no_ratings.names);
}

/* A signal is looked for at each row, because a COPY may take long and no caller has to think of it. */
static enum tv_status take_message(void *context, const char *bytes, size_t n, struct tv_error *err)
{
    struct copying *c = context;
    struct tv_pg_triple row;
    int kind = tv_pg_triple(bytes, n, &c->first, &row);
    if (kind < 0)
        return tv_fail(err, TV_ERR_STORE, "PostgreSQL sent a row that is not (bigint, bigint, real)");
    if (tv_interrupted())
        return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while reading ratings");
    if (kind == 0)
        return TV_OK;
    if (is_rating(c, &row))
        return c->take(c->context, &row, err);
    leave_out(c, &row);
    return TV_OK;
}

/* Rows left out are told after a failure, too. */
enum tv_status tv_reading_rows(const struct tv_reading *r, const char *select, int any_value, tv_take_row take, void *context,
                               struct tv_error *err)
{
    struct copying c = {.take = take, .context = context, .first = 1, .any_value = any_value};
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(&sql, err, "COPY (%s) TO STDOUT (FORMAT binary)", select);
    if (status == TV_OK)
        status = tv_pg_copy_out(tv_reading_connection(r), tv_buffer_string(&sql), take_message, &c, err);
    tv_buffer_free(&sql);
    report(&c);
    return status;
}
