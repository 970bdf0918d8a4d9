/* dry_run: all files of a set, read as a load reads them, and nothing kept. So inspect counts what a load would take, and refuses
 * what it would refuse, wherever in a file that stands. */
#ifndef TRIVET_ETL_DRY_RUN_H
#define TRIVET_ETL_DRY_RUN_H

#include <stdio.h>

#include "etl/detect/detect.h"

/* Reads the set, and prints what a load would report of it. TV_ERR_INPUT where a load would end so, in the same words: more than
 * `max_rejects` lines are refused, no rating is left, or a table does not go on as it began. What only Postgres knows, such as
 * whether these are other data than those of the name, is not asked. */
enum tv_status tv_dry_run(struct tv_set *set, long long max_rejects, FILE *out, struct tv_error *err);

#endif
