/* choose: which of the ratings are learned from, as the training matrix; and why there are none, or fewer.
 *
 * The rows are those of trivet.user_item. Where nothing but the two cuts and the row limit divides them from the
 * evidence already read, they are counted and picked there, and Postgres is not asked a second time. read_source is
 * the plain way, which is right for any row source; a test holds the two against each other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/fit/fit.h"
#include "train/judge/cuts.h"
#include "trivet/base/code.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/store/pg_copy.h"
#include "trivet/store/pg_rows.h"

/* --- the plain way: the row source's own rows ----------------------------------------------------------------- */

/* Rows to learn from, and those that are left out because their value is beyond what can be learned (cuts.h). */
struct chosen {
    struct tv_ratings *ratings;
    struct tv_named too_large;
};

static enum tv_status take_row(void *context, const struct tv_pg_triple *row, struct tv_error *err)
{
    struct chosen *c = context;
    return tv_cuts_add(c->ratings, row->a, row->b, row->c, &c->too_large, err);
}

/* The rows may come in any order, but a pair that comes twice is an error (trivet/core/ratings.h). */
static enum tv_status read_source(struct tv_fit *f, struct chosen *chosen, struct tv_error *err)
{
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(&sql, err, "SELECT userid::bigint, movieid::bigint, rating::real FROM %s",
                                             tv_buffer_string(&f->reading.source));
    if (status == TV_OK)
        status = tv_reading_rows(&f->reading, tv_buffer_string(&sql), 0, take_row, chosen, err);
    tv_buffer_free(&sql);
    return status;
}

/* --- none, or fewer ---------------------------------------------------------------------------------------- */

/* Fails with the step of the filter that emptied the result and a setting that would not (trivet.why_empty). SQL of an
 * analyst's own has no steps to tell of. */
static enum tv_status explain_empty(struct tv_fit *f, struct tv_error *err)
{
    if (f->reading.own_source)
        return tv_fail(err, TV_ERR_INPUT, "the source %s gives no rows", tv_buffer_string(&f->reading.source));
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_buffer_text(&sql, "SELECT step, suggestion FROM ", err);
    if (status == TV_OK)
        status = tv_filter_call(f->reading.filter, f->reading.snapshot, TV_FILTER_ALL, "trivet.why_empty", &sql, err);
    if (status == TV_OK)
        status = tv_pg_query(f->reading.snapshot, tv_buffer_string(&sql), 0, NULL, &rows, err);
    if (status == TV_OK) {
        const char *step = tv_pg_cell(rows, 0, 0), *suggestion = tv_pg_cell(rows, 0, 1);
        status = tv_fail(err, TV_ERR_INPUT, "the filter keeps no ratings; what emptied it: %s", step ? step : "unknown");
        tv_hint(err, "this would keep some: %s", suggestion ? suggestion : "a wider filter");
    }
    tv_pg_rows_free(rows);
    tv_buffer_free(&sql);
    return status;
}

/* Warns if the row limit cut something off. It cuts in the order of users, so the users with the highest ids are
 * missing; the warning names those that are left, and the limit that would keep all. To count them, the filter has
 * another limit for the length of one statement. */
static enum tv_status warn_if_cut(struct tv_fit *f, struct tv_error *err)
{
    int64_t limit = tv_filter_int(f->reading.filter, "max_row_number"), all = 0;
    if (f->reading.own_source || f->counts.rows < limit)
        return TV_OK;
    char assignment[64], kept[32], total[32];
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    snprintf(assignment, sizeof assignment, "max_row_number=%" PRId64, limit);
    enum tv_status status = tv_filter_set(f->reading.filter, "max_row_number=9000000000000000000", err);
    if (status == TV_OK)
        status = tv_buffer_text(&sql, "SELECT count(*) FROM ", err);
    if (status == TV_OK)
        status = tv_filter_call(f->reading.filter, f->reading.snapshot, TV_FILTER_ALL, "trivet.user_item", &sql, err);
    if (status == TV_OK)
        status = tv_pg_int(f->reading.snapshot, tv_buffer_string(&sql), 0, NULL, &all, err);
    if (status == TV_OK)
        status = tv_filter_set(f->reading.filter, assignment, err);
    if (status == TV_OK && all > limit)
        tv_log_info("warning: kept %s of %s rows: only users %" PRId64 "..%" PRId64 " are learned; "
                    "--set max_row_number=%" PRId64 " keeps all",
                    tv_text_number(kept, limit), tv_text_number(total, all), f->training_matrix.users[0],
                    f->training_matrix.users[f->training_matrix.csr.n_rows - 1], all);
    tv_buffer_free(&sql);
    return status;
}

/* Logs the size and the density of the training matrix, and how empty a matrix over raw ids would be: the shares of its
 * rows and columns without a rating, as the workshop's program tells it. */
static void report_sparsity(const struct tv_fit *f)
{
    char rows[32], users[32], items[32];
    const struct tv_matrix *d = &f->training_matrix;
    double m = d->csr.n_rows, n = d->csr.n_cols;
    double user_ids = (double)d->users[d->csr.n_rows - 1] + 1, item_ids = (double)d->items[d->csr.n_cols - 1] + 1;
    tv_log_info("learning from %s ratings of %s users and %s items, density %.3f %%", tv_text_number(rows, f->counts.rows),
                tv_text_number(users, (long long)m), tv_text_number(items, (long long)n),
                100.0 * (double)f->counts.rows / m / n);
    if (user_ids > (double)TV_CODE_FIRST || item_ids > (double)TV_CODE_FIRST)
        return; /* numbers of codes begin high: a matrix over them says nothing about the data */
    tv_log_info("over raw ids (%.0f x %.0f): users without activity %.7f, items without views %.7f", user_ids, item_ids,
                1 - m / user_ids, 1 - n / item_ids);
}

/* Gathers the rows to learn from, in the cheapest way that is right. Some parameters limit what is learned and not the
 * evidence (tv_filter_only_learning): with one of them the rows cannot be picked from the evidence, and Postgres is
 * asked. SQL of an analyst's own has no cuts: its rows are the evidence, unless --fold-in-source names others. */
static enum tv_status gather(struct tv_fit *f, struct chosen *chosen, struct tv_error *err)
{
    if (f->reading.own_source)
        return f->reading.same_rows ? tv_cuts_none(chosen->ratings, &f->reading.evidence, &chosen->too_large, err)
                                    : read_source(f, chosen, err);
    int only_cuts = tv_filter_only_learning(f->reading.filter) == NULL;
    return only_cuts ? tv_cuts_apply(chosen->ratings, &f->reading.evidence, f->reading.filter, &chosen->too_large, err)
                     : read_source(f, chosen, err);
}

/* The rows are counted before they become a matrix, which empties the collection they stand in. */
enum tv_status tv_fit_choose_rows(struct tv_fit *f, struct tv_error *err)
{
    char text[512];
    struct chosen chosen = {.ratings = NULL};
    tv_reading_describe(&f->reading, text, sizeof text);
    tv_log_info("filter: %s", text);
    enum tv_status status = tv_ratings_create(&chosen.ratings, err);
    if (status == TV_OK)
        status = gather(f, &chosen, err);
    f->counts.rows = chosen.ratings ? (int64_t)tv_ratings_count(chosen.ratings) : 0;
    tv_cuts_report(&chosen.too_large);
    if (status == TV_OK && f->counts.rows == 0)
        status = explain_empty(f, err);
    if (status == TV_OK)
        status = tv_ratings_matrix(&f->training_matrix, chosen.ratings, err);
    tv_ratings_free(chosen.ratings);
    if (status != TV_OK)
        return status;
    f->counts.users = f->training_matrix.csr.n_rows;
    f->counts.items = f->training_matrix.csr.n_cols;
    report_sparsity(f);
    return warn_if_cut(f, err);
}
