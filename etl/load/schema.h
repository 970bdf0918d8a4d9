/* schema: the files of sql/, which travel inside trivet-etl, and their way into a database. */
#ifndef TRIVET_ETL_LOAD_SCHEMA_H
#define TRIVET_ETL_LOAD_SCHEMA_H

#include "trivet/store/pg.h"

/* Applies all files in order if the database has no schema or an older one, or in any case with `always`.
 * A newer schema is refused. Others are waited for lock_wait seconds (patient.h). *applied tells whether anything was
 * done. */
enum tv_status tv_schema_apply(struct tv_pg *pg, int always, int lock_wait, int *applied, struct tv_error *err);

#endif
