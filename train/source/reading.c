/* reading: opens what a command reads, and closes it. tv_reading_begin is enough where ratings come from files;
 * tv_reading_look goes on to a snapshot of Postgres, in which row_source.c and evidence.c then work.
 */
#include "train/source/reading.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/cli/interrupt.h"
#include "trivet/model/reader.h"
#include "trivet/store/pg_rows.h"

const struct tv_option tv_reading_options[] = {
    {.name = "set",
     .kind = TV_OPTION_LIST,
     .value = "NAME=VALUE",
     .help = "a parameter of the filter, e.g. max_items_for_user=200; may be given several times",
     .values = tv_filter_help},
    {.name = "preset",
     .kind = TV_OPTION_TEXT,
     .value = "NAME",
     .help = "the values of a saved preset (trivet.save_preset); --set changes single ones"},
    {.name = "source",
     .kind = TV_OPTION_TEXT,
     .value = "SQL",
     .help = "learn from these rows instead of trivet.user_item: any function call or view with the columns "
             "(userid, movieid, rating); users are folded in from the same rows"},
    {.name = "fold-in-source",
     .kind = TV_OPTION_TEXT,
     .value = "SQL",
     .help = "fold users in from these rows instead of those of --source"},
    {.name = "statement-timeout",
     .kind = TV_OPTION_INT,
     .value = "SECONDS",
     .default_text = "600",
     .min = 1,
     .max = 86400,
     .help = "how long one statement of --source may take"},
    {.name = NULL},
};

/* The filter's values are written down here already: where ratings come from files, nothing else is opened. */
enum tv_status tv_reading_begin(struct tv_reading *r, struct tv_error *err)
{
    const char *const *assignments;
    size_t n = tv_settings_list(r->settings, "set", &assignments);
    tv_buffer_init(&r->source, 1 << 16);
    tv_buffer_init(&r->evidence_rows, 1 << 17);
    tv_buffer_init(&r->values, 1 << 16);
    enum tv_status status = tv_interrupt_watch(NULL, err); /* before MongoDB's client starts its threads */
    if (status == TV_OK)
        status = tv_filter_create(&r->filter, err);
    if (status == TV_OK)
        status = tv_filter_set_all(r->filter, assignments, n, err);
    return status == TV_OK ? tv_filter_json(r->filter, &r->values, err) : status;
}

/* A preset's values come before those of --set; the journal keeps the values that result, and users are folded in with them
 * for as long as the model lives. */
static enum tv_status settle_filter(struct tv_reading *r, struct tv_error *err)
{
    const char *const *assignments;
    const char *preset = tv_settings_text(r->settings, "preset");
    size_t n = tv_settings_list(r->settings, "set", &assignments);
    enum tv_status status = preset ? tv_filter_load_preset(r->filter, r->snapshot, preset, err) : TV_OK;
    if (status == TV_OK && preset)
        status = tv_filter_set_all(r->filter, assignments, n, err);
    if (status == TV_OK)
        status = tv_filter_settle(r->filter, r->snapshot, err);
    tv_buffer_clear(&r->values);
    return status == TV_OK ? tv_filter_json(r->filter, &r->values, err) : status;
}

/* Tables whose changes leave no note are a doubt of every source. */
static enum tv_status doubt(struct tv_reading *r, const char *unwatched, struct tv_error *err)
{
    if (unwatched == NULL)
        return TV_OK;
    free(r->doubt);
    r->doubt = strdup(unwatched);
    return r->doubt ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for what a snapshot holds");
}

/* Reads what the snapshot sees: its moment, by which single ratings that come later are told, and its fingerprint. */
static enum tv_status take_fingerprint(struct tv_reading *r, const char *source_state, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    char *schemas = NULL;
    enum tv_status status = r->reader ? tv_reader_schemas(&schemas, r->reader, err) : TV_OK; /* trivet's own rows have no names */
    const char *const values[] = {source_state, schemas};
    if (status == TV_OK)
        status = tv_pg_query(r->snapshot,
                             "SELECT pg_current_snapshot(), trivet.data_fingerprint() || $1 || coalesce(md5(nullif($2, '')), ''), "
                             "coalesce(trivet.current_dataset(), 0), trivet.unwatched()",
                             2, values, &rows, err);
    free(schemas);
    if (status != TV_OK)
        return status;
    r->moment = strdup(tv_pg_cell(rows, 0, 0));
    r->fingerprint = strdup(tv_pg_cell(rows, 0, 1));
    r->dataset = atoll(tv_pg_cell(rows, 0, 2));
    status = doubt(r, tv_pg_cell(rows, 0, 3), err);
    tv_pg_rows_free(rows);
    if (status != TV_OK)
        return status;
    return r->moment && r->fingerprint ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for what a snapshot holds");
}

/* A preset is a row of the database, so the filter is only complete here, and the row source follows from it. */
enum tv_status tv_reading_look(struct tv_reading *r, struct tv_error *err)
{
    char *source_state = NULL;
    enum tv_status status = tv_reading_open_snapshot(r, &source_state, err);
    if (status == TV_OK)
        status = settle_filter(r, err);
    if (status == TV_OK)
        status = tv_reading_choose_row_source(r, err);
    if (status == TV_OK)
        status = take_fingerprint(r, source_state, err);
    free(source_state);
    return status == TV_OK ? tv_interrupt_watch(tv_reading_connection(r), err) : status;
}

enum tv_status tv_reading_describe_data(struct tv_reading *r, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    enum tv_status status = tv_pg_query(r->snapshot, "SELECT description FROM trivet.data_state()", 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    r->data = strdup(tv_pg_cell(rows, 0, 0));
    tv_pg_rows_free(rows);
    return r->data ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for what a snapshot holds");
}

/* A signal must not cancel what a connection does that is closed, so it is forgotten first. */
void tv_reading_close(struct tv_reading *r)
{
    tv_interrupt_forget(tv_reading_connection(r));
    tv_pg_close(r->reader);
    tv_pg_close(r->snapshot);
    tv_filter_free(r->filter);
    tv_buffer_free(&r->source);
    tv_buffer_free(&r->evidence_rows);
    tv_buffer_free(&r->values);
    tv_reading_drop(r);
    free(r->moment);
    free(r->data);
    free(r->fingerprint);
    free(r->doubt);
    *r = (struct tv_reading){.settings = r->settings};
}
