/* show: the command. By itself it prints the journal's sheet of a run, which outlives the model; with flags it
 * shows numbers of the model, which must still be kept (show_pair.c, show_factors.c).
 */
#include "train/models/show.h"

#include "trivet/model/journal.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_rows.h"

#include <inttypes.h>
#include <stdio.h>

const struct tv_option tv_show_options[] = {
    {.name = "user",
     .kind = TV_OPTION_TEXT,
     .value = "U",
     .help = "with --item: the vectors of both, their product factor by factor, and the rating, to check by hand"},
    {.name = "item", .kind = TV_OPTION_TEXT, .value = "I", .help = "with --user"},
    {.name = "factors",
     .kind = TV_OPTION_CHOICE,
     .value = "SIDE",
     .choices = "users|items",
     .help = "rows of factors instead: one user or item a row"},
    {.name = "limit",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "10",
     .min = 1,
     .max = 1e9,
     .help = "rows of --factors"},
    {.name = NULL},
};

/* --- the journal's sheet ---------------------------------------------------------------------------------- */

/* For people a name and a value on each line, without the frame of a table; the other formats are a table as
 * everywhere. */
static enum tv_status print_sheet(const struct tv_pg_rows *rows, enum tv_table_format format, struct tv_error *err)
{
    struct tv_table *table = NULL;
    enum tv_status status = TV_OK;
    if (format != TV_TABLE_PLAIN) {
        status = tv_table_from_rows(&table, rows, err);
        if (status == TV_OK)
            status = tv_table_print(table, format, stdout, err);
        tv_table_free(table);
        return status;
    }
    for (int i = 0; i < tv_pg_rows_count(rows); i++) {
        const char *text = tv_pg_cell(rows, i, 1);
        printf("%-24s %s\n", tv_pg_cell(rows, i, 0), text ? text : "");
    }
    return TV_OK;
}

/* The number 0 stands for "live": makes it the run that the journal calls live. */
static enum tv_status live_run(struct tv_pg *pg, int64_t *run_number, struct tv_error *err)
{
    enum tv_status status = *run_number > 0 ? TV_OK : tv_run_live(pg, run_number, err);
    if (status != TV_OK || *run_number > 0)
        return status;
    tv_fail(err, TV_ERR_NOT_FOUND, "no model is live yet");
    tv_hint(err, "train one: trivet-train fit");
    return TV_ERR_NOT_FOUND;
}

/* Prints what the journal has on a run. Postgres alone is asked, so it works for runs whose models are long gone. */
static enum tv_status show_sheet(const struct tv_settings *settings, int64_t run_number, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    struct tv_pg_rows *rows = NULL;
    char text[24];
    const char *value = text;
    enum tv_status status = tv_schema_open(&pg, settings, "trivet-train show", err);
    if (status == TV_OK)
        status = live_run(pg, &run_number, err);
    snprintf(text, sizeof text, "%" PRId64, run_number);
    if (status == TV_OK)
        status = tv_pg_query(pg, "SELECT name, value FROM trivet.run_sheet($1)", 1, &value, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 0) {
        tv_fail(err, TV_ERR_NOT_FOUND, "the journal has no run %" PRId64, run_number);
        status = tv_hint(err, "trivet-train runs lists them");
    }
    if (status == TV_OK)
        status = print_sheet(rows, tv_table_format_from(tv_settings_text(settings, "format")), err);
    tv_pg_rows_free(rows);
    tv_pg_close(pg);
    return status;
}

/* --- the command ------------------------------------------------------------------------------------------ */

/* Flags that mean nothing together are refused before any store is opened. */
static enum tv_status check_flags(const struct tv_settings *settings, struct tv_error *err)
{
    int user = tv_settings_given(settings, "user"), item = tv_settings_given(settings, "item");
    int factors = tv_settings_given(settings, "factors");
    if (user != item)
        return tv_fail(err, TV_ERR_USAGE, "--%s needs --%s: a score is one user's and one item's",
                       user ? "user" : "item", user ? "item" : "user");
    if (factors && user)
        return tv_fail(err, TV_ERR_USAGE, "--factors and --user exclude each other");
    if (tv_settings_given(settings, "limit") && !factors)
        return tv_fail(err, TV_ERR_USAGE, "--limit counts the rows of --factors");
    return TV_OK;
}

/* A model is loaded only for the flags that look into one. */
enum tv_status tv_show_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    int64_t run_number;
    struct tv_stores stores;
    struct tv_model *model = NULL;
    enum tv_status status = tv_train_run_number(arguments[0], &run_number, err);
    if (status == TV_OK)
        status = check_flags(settings, err);
    if (status != TV_OK)
        return status;
    if (!tv_settings_given(settings, "user") && !tv_settings_given(settings, "factors"))
        return show_sheet(settings, run_number, err);
    status = tv_train_open_readonly(&stores, settings, err);
    if (status != TV_OK)
        return status;
    status = tv_train_load_model(&model, &stores, run_number, err);
    if (status == TV_OK)
        status = tv_settings_given(settings, "user") ? tv_show_pair(settings, &stores, model, err)
                                                     : tv_show_factors(settings, &stores, model, err);
    tv_model_free(model);
    tv_train_close(&stores);
    return status;
}
