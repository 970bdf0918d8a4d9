/* schema_command: the command `trivet-etl schema`. A load applies the schema by itself; this command is for a database
 * that needs the tables before any ratings (an import of a model), and for an update of trivet whose new functions are
 * wanted at once. It applies all files even if nothing in them has changed. */
#include <stdio.h>

#include "etl/commands.h"
#include "trivet/schema/schema.h"
#include "trivet/schema/version.h"

enum tv_status tv_etl_schema(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_pg_open(&pg, tv_settings_text(s, "postgres"), "trivet-etl schema",
                                       (int)tv_settings_int(s, "wait"), err);
    if (status == TV_OK)
        status = tv_schema_apply(pg, 1, (int)tv_settings_int(s, "lock-wait"), err);
    if (status == TV_OK)
        printf("schema trivet is at version %d\n", TV_SCHEMA_VERSION);
    tv_pg_close(pg);
    return status;
}
