/* runs: the commands `runs` and `show`. */
#include "train/runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trivet/journal.h"
#include "trivet/table.h"
#include "trivet/text.h"

const struct tv_option runs_options[] = {
    {.name = "format", .kind = TV_OPTION_CHOICE, .value = "FORMAT", .preset = "table", .choices = TV_TABLE_FORMATS,
     .help = "how to print it"},
    {.name = NULL},
};

static enum tv_status open_journal(struct tv_pg **pg, const struct tv_settings *settings, struct tv_error *err)
{
    enum tv_status status = tv_pg_open(pg, tv_settings_text(settings, "postgres"), "trivet-train runs",
                                       (int)tv_settings_int(settings, "wait"), err);
    return status == TV_OK ? tv_journal_check_schema(*pg, err) : status;
}

enum tv_status runs_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_pg *pg = NULL;
    struct tv_pg_rows *rows = NULL;
    struct tv_table *table = NULL;
    enum tv_status status = open_journal(&pg, settings, err);
    if (status == TV_OK)
        status = tv_pg_query(pg, "SELECT * FROM trivet.run_list", 0, NULL, &rows, err);
    if (status == TV_OK)
        status = tv_table_from_rows(&table, rows, err);
    if (status == TV_OK)
        status = tv_table_print(table, tv_table_format_from(tv_settings_text(settings, "format")), stdout, err);
    tv_table_free(table);
    tv_pg_rows_free(rows);
    tv_pg_close(pg);
    return status;
}

enum tv_status show_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    int64_t number;
    struct tv_pg *pg = NULL;
    struct tv_pg_rows *rows = NULL;
    const char *value = arguments[0];
    if (!tv_text_int64(value, strlen(value), &number) || number < 1)
        return tv_fail(err, TV_ERR_USAGE, "\"%s\" is no run number", value);
    enum tv_status status = open_journal(&pg, settings, err);
    if (status == TV_OK)
        status = tv_pg_query(pg, "SELECT name, value FROM trivet.run_sheet($1)", 1, &value, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 0) {
        tv_fail(err, TV_ERR_NOT_FOUND, "the journal has no run %" PRId64, number);
        status = tv_hint(err, "trivet-train runs lists them");
    }
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++) {
        const char *text = tv_pg_cell(rows, i, 1);
        printf("%-24s %s\n", tv_pg_cell(rows, i, 0), text ? text : "");
    }
    tv_pg_rows_free(rows);
    tv_pg_close(pg);
    return status;
}
