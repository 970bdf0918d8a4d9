/* schema: the files of sql/, which travel inside the programs, and their way into a database.
 *
 * Any number of programs may call these at the same time: they take turns. What was stopped half-way is gone on with by the
 * next call. A schema of a newer version is refused by all of them. */
#ifndef TRIVET_SCHEMA_SCHEMA_H
#define TRIVET_SCHEMA_SCHEMA_H

#include "trivet/cli/options.h"
#include "trivet/store/pg.h"

/* For a load: applies all files in order if the database has no schema, an older one, or other files of this version; or in
 * any case with `always`. Others are waited for lock_wait seconds (patient.h). */
enum tv_status tv_schema_apply(struct tv_pg *pg, int always, int lock_wait, struct tv_error *err);
/* For all other commands, on a connection that is in no transaction: the same for a schema of an older version or one that is
 * half-way, where this login may change it; else the refusals of tv_schema_judge. Files of this version are left as they are. */
enum tv_status tv_schema_ready(struct tv_pg *pg, int lock_wait, struct tv_error *err);
/* Connects as --postgres says, under `name`, and makes the schema ready. */
enum tv_status tv_schema_open(struct tv_pg **out, const struct tv_settings *settings, const char *name, struct tv_error *err);

#endif
