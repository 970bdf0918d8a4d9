/* runs: the command `runs`: the view trivet.run_list as a table. Its columns are decided in SQL, so that psql shows
 * the same.
 */
#include "train/models/runs.h"

#include "trivet/cli/table.h"
#include "trivet/schema/schema.h"

/* Only Postgres is asked, and nothing is locked, so it works while a training is under way. */
enum tv_status tv_runs_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_schema_open(&pg, settings, "trivet-train runs", err);
    if (status == TV_OK)
        status = tv_table_print_query(pg, settings, "SELECT * FROM trivet.run_list", 0, NULL, err);
    tv_pg_close(pg);
    return status;
}
