/* commands: the commands of trivet-etl that move data or change the schema, one function each, in a file of its own:
 * load/load.c, inspect.c, synth/synth.c, schema_command.c, datasets.c, forget.c. explore.h has the commands that only read. */
#ifndef TRIVET_ETL_COMMANDS_H
#define TRIVET_ETL_COMMANDS_H

#include "trivet/cli/options.h"

enum tv_status tv_etl_load(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_inspect(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_synth(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_schema(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_datasets(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);
enum tv_status tv_etl_forget(const struct tv_settings *s, int n, char **arguments, struct tv_error *err);

#endif
