/* snapshot: connections that see the data as they were at one moment. The first one's transaction makes the database's
 * snapshot and exports it; the others (the catalogue's thread, the analyst's login) take it over.
 */
#include <stdlib.h>
#include <string.h>

#include "train/source/reading.h"
#include "trivet/model/reader.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_rows.h"

/* The planner cannot know how many pairs there are, and would hash and then sort a million rows; walking the
 * (user_id, item_id) index of each partition gives them in order: 0.6 s instead of 2.2 s on 1.0 M rows. */
static const char *const session[] = {
    "SET jit = off",
    "SET enable_sort = off",
    "SET work_mem = '64MB'",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    TV_HOLD_DATASET, /* evaluate and search hold no lock that keeps loads away */
};

/* --wait: how long Postgres is waited for at the start. */
static int wait_seconds(const struct tv_reading *r)
{
    return (int)tv_settings_int(r->settings, "wait");
}

/* Nothing may be asked between this and import_snapshot: Postgres takes a snapshot over only ahead of a
 * transaction's first query. */
static enum tv_status begin(struct tv_pg *pg, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < sizeof session / sizeof *session && status == TV_OK; i++)
        status = tv_pg_exec(pg, session[i], 0, NULL, err);
    return status;
}

/* A connection of trivet's own login. */
static enum tv_status connect_as_self(const struct tv_reading *r, struct tv_pg **pg, struct tv_error *err)
{
    return tv_pg_open(pg, tv_settings_text(r->settings, "postgres"), "trivet-train snapshot", wait_seconds(r), err);
}

/* What the source stands for, as PostgreSQL has it now. Of the filter that is what its functions do. */
static enum tv_status read_source_state(struct tv_reading *r, char **state, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    const char *source = tv_settings_text(r->settings, "source"), *fold_in = tv_settings_text(r->settings, "fold-in-source");
    const char *const values[] = {source ? source : "trivet.user_item trivet.chosen_rows", source && fold_in ? fold_in : "",
                                  source ? "true" : "false"};
    enum tv_status status = tv_pg_query(r->snapshot, "SELECT state, sure::int FROM trivet.source_state($1 || ' ' || $2, $3)", 3,
                                        values, &rows, err);
    if (status != TV_OK)
        return status;
    *state = strdup(tv_pg_cell(rows, 0, 0));
    int sure = tv_pg_cell(rows, 0, 1)[0] == '1';
    tv_pg_rows_free(rows);
    if (!sure)
        r->doubt = strdup("it cannot be told yet whether tables that the source reads have changed: others were at work a moment ago, or the "
                          "tables are another server's");
    return *state && (sure || r->doubt) ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for what a source stands for");
}

/* Definitions and counters know no snapshot, so they are read ahead of it: what changes in between is then no part of the
 * fingerprint, whether it is read or not, and the next command sees a change. */
enum tv_status tv_reading_open_snapshot(struct tv_reading *r, char **source_state, struct tv_error *err)
{
    enum tv_status status = tv_schema_open(&r->snapshot, r->settings, "trivet-train snapshot", err);
    if (status == TV_OK && source_state)
        status = read_source_state(r, source_state, err);
    return status == TV_OK ? begin(r->snapshot, err) : status;
}

/* The exporting transaction stays open for as long as the reading, so its snapshot can be taken over at any time. */
static enum tv_status import_snapshot(struct tv_pg *from, struct tv_pg *to, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    struct tv_buffer sql = TV_BUFFER_INIT(256);
    enum tv_status status = tv_pg_query(from, "SELECT pg_export_snapshot()", 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    char *name = tv_pg_literal(to, tv_pg_cell(rows, 0, 0));
    status = name ? tv_buffer_format(&sql, err, "SET TRANSACTION SNAPSHOT %s", name)
                  : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a snapshot");
    if (status == TV_OK)
        status = tv_pg_exec(to, tv_buffer_string(&sql), 0, NULL, err);
    if (status == TV_ERR_STORE)
        tv_hint(err, "do --postgres and --reader name the same database?");
    free(name);
    tv_buffer_free(&sql);
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_reading_join(struct tv_reading *r, struct tv_pg **out, struct tv_error *err)
{
    enum tv_status status = connect_as_self(r, out, err);
    if (status == TV_OK)
        status = begin(*out, err);
    return status == TV_OK ? import_snapshot(r->snapshot, *out, err) : status;
}

enum tv_status tv_reading_join_as_reader(struct tv_reading *r, struct tv_pg **out, struct tv_error *err)
{
    enum tv_status status =
        tv_reader_open(out, tv_settings_text(r->settings, "reader"), "trivet-train reader", wait_seconds(r), err);
    if (status == TV_OK)
        status = begin(*out, err);
    return status == TV_OK ? import_snapshot(r->snapshot, *out, err) : status;
}

struct tv_pg *tv_reading_connection(const struct tv_reading *r)
{
    return r->reader ? r->reader : r->snapshot;
}
