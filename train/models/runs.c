/* runs: the command `runs`: the view trivet.run_list as a table. Its columns are decided in SQL, so that psql shows
 * the same.
 */
#include "train/models/runs.h"

#include <stdio.h>

#include "trivet/cli/table.h"
#include "trivet/model/journal.h"
#include "trivet/store/pg_rows.h"

/* Only Postgres is asked, and nothing is locked, so it works while a training is under way. */
enum tv_status tv_runs_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_pg *pg = NULL;
    struct tv_pg_rows *rows = NULL;
    struct tv_table *table = NULL;
    enum tv_status status = tv_pg_open(&pg, tv_settings_text(settings, "postgres"), "trivet-train runs",
                                       (int)tv_settings_int(settings, "wait"), err);
    if (status == TV_OK)
        status = tv_journal_check_schema(pg, err);
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
