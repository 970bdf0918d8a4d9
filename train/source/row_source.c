/* row_source: where the rows come from: the filter, or SQL of an analyst's own (--source, --fold-in-source).
 *
 * SQL of one's own is run on a connection of its own, whose login can only read (trivet/model/reader.h), in a READ ONLY
 * transaction with a statement timeout, one statement a call. It is tried in a plain SELECT first, where an unbalanced
 * bracket or a second statement is an error, before it is put into COPY, which could do more than read.
 */
#include <stdio.h>
#include <string.h>

#include "train/source/reading.h"
#include "trivet/base/text.h"
#include "trivet/store/pg_rows.h"

/* A row source has the names and kinds of trivet.user_item's columns; the hint says what to write if it has not. */
static enum tv_status check_column(const struct tv_pg_rows *rows, const char *source, const char *name, int integer,
                                   struct tv_error *err)
{
    for (int c = 0; c < tv_pg_columns_count(rows); c++) {
        enum tv_pg_type type = tv_pg_column_type(rows, c);
        if (strcmp(tv_pg_column_name(rows, c), name) != 0)
            continue;
        if (type == TV_PG_INTEGER || (!integer && type == TV_PG_REAL))
            return TV_OK;
        tv_fail(err, TV_ERR_USAGE, "column %s of %s is no %s", name, source, integer ? "integer" : "number");
        return tv_hint(err, "cast it: %s::%s AS %s", name, integer ? "bigint" : "real", name);
    }
    tv_fail(err, TV_ERR_USAGE, "%s has no column %s", source, name);
    return tv_hint(err, "a source has the columns (userid, movieid, rating); rename yours with AS");
}

/* An analyst's SQL is shown beside the server's words about it, or those of a function of ours that it calls, as wrong usage and
 * not as a store's failure. */
static enum tv_status explain(const char *source, enum tv_status status, struct tv_error *err)
{
    char hint[sizeof err->hint];
    if (status != TV_ERR_STORE && status != TV_ERR_INPUT && status != TV_ERR_USAGE)
        return status;
    memcpy(hint, err->hint, sizeof hint);
    tv_fail(err, TV_ERR_USAGE, "the source %s cannot be read: %s", source, err->message);
    return tv_hint(err, "%s", hint[0] ? hint : "it runs as a reader: GRANT USAGE ON SCHEMA ..., SELECT or EXECUTE to trivet_reader");
}

/* LIMIT 0: the columns are told without a row. */
static enum tv_status check_source(struct tv_reading *r, const char *source, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer sql = TV_BUFFER_INIT(1 << 17);
    enum tv_status status = tv_buffer_format(&sql, err, "SELECT * FROM %s LIMIT 0", source);
    if (status == TV_OK)
        status = explain(source, tv_pg_query(r->reader, tv_buffer_string(&sql), 0, NULL, &rows, err), err);
    static const char *const names[] = {"userid", "movieid", "rating"};
    for (int i = 0; i < 3 && status == TV_OK; i++)
        status = check_column(rows, source, names[i], i < 2, err);
    tv_pg_rows_free(rows);
    tv_buffer_free(&sql);
    return status;
}

/* The timeout is the session's, so it holds for each statement of the row source. */
static enum tv_status open_reader(struct tv_reading *r, struct tv_error *err)
{
    char timeout[64];
    snprintf(timeout, sizeof timeout, "SET statement_timeout = %lld",
             1000 * tv_settings_int(r->settings, "statement-timeout"));
    enum tv_status status = tv_reading_join_as_reader(r, &r->reader, err);
    return status == TV_OK ? tv_pg_exec(r->reader, timeout, 0, NULL, err) : status;
}

enum tv_status tv_reading_open_row_source(struct tv_reading *r, const char *source, struct tv_error *err)
{
    enum tv_status status = open_reader(r, err);
    return status == TV_OK ? check_source(r, source, err) : status;
}

/* The filter takes no part: its values are refused where they are given, and {} where they are kept. */
static enum tv_status own_source(struct tv_reading *r, const char *source, const char *fold_in, struct tv_error *err)
{
    const char *const *assignments;
    if (tv_settings_list(r->settings, "set", &assignments) > 0 || tv_settings_text(r->settings, "preset")) {
        tv_fail(err, TV_ERR_USAGE, "--set and --preset change trivet.user_item, but --source reads %s instead", source);
        return tv_hint(err, "give the values inside: --source 'trivet.user_item(max_items_for_user => 200)'");
    }
    if (r->with_times)
        return tv_fail(err, TV_ERR_USAGE, "the rows of --source have no time to be divided by");
    r->own_source = 1;
    r->same_rows = strcmp(source, fold_in) == 0;
    enum tv_status status = tv_reading_open_row_source(r, source, err);
    if (status == TV_OK && !r->same_rows)
        status = check_source(r, fold_in, err);
    if (status == TV_OK)
        status = tv_buffer_text(&r->source, source, err);
    if (status == TV_OK)
        status = tv_buffer_format(&r->evidence_rows, err, "SELECT userid::bigint, movieid::bigint, rating::real FROM %s",
                                  fold_in);
    tv_buffer_clear(&r->values); /* the filter's values did not take part */
    return status == TV_OK ? tv_buffer_text(&r->values, "{}", err) : status;
}

/* A fourth column, the time, is read only where ratings are divided by it. */
static enum tv_status filter_source(struct tv_reading *r, struct tv_error *err)
{
    const char *columns = r->with_times ? "user_id, item_id, value, date_part('epoch', rated_at)" : "user_id, item_id, value";
    const char *rows = r->with_times ? "trivet.chosen_ratings" : "trivet.chosen_rows";
    tv_buffer_clear(&r->source);
    tv_buffer_clear(&r->evidence_rows);
    enum tv_status status = tv_filter_call(r->filter, r->snapshot, TV_FILTER_ALL, "trivet.user_item", &r->source, err);
    if (status == TV_OK)
        status = tv_buffer_format(&r->evidence_rows, err, "SELECT %s FROM ", columns);
    return status == TV_OK ? tv_filter_call(r->filter, r->snapshot, TV_FILTER_EVIDENCE, rows, &r->evidence_rows, err)
                           : status;
}

enum tv_status tv_reading_choose_row_source(struct tv_reading *r, struct tv_error *err)
{
    const char *source = tv_settings_text(r->settings, "source");
    const char *fold_in = tv_settings_text(r->settings, "fold-in-source");
    if (source)
        return own_source(r, source, fold_in ? fold_in : source, err);
    if (fold_in)
        return tv_fail(err, TV_ERR_USAGE, "--fold-in-source goes with --source");
    return filter_source(r, err);
}

void tv_reading_describe(const struct tv_reading *r, char *out, size_t size)
{
    if (r->own_source)
        tv_text_mark_cut(out, size, snprintf(out, size, "the rows of %s", tv_buffer_string(&r->source)));
    else
        tv_filter_describe(r->filter, out, size);
}
