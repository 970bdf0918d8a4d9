/* other_data: are two data sets of one name the same data? A load and an imported model ask it of their titles. */
#ifndef TRIVET_MODEL_OTHER_DATA_H
#define TRIVET_MODEL_OTHER_DATA_H

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

/* TV_ERR_INPUT where most titles of pg_temp.load_item, in this connection, are others than those that the data set `name` has for the
 * same items. `both` and `means` are the words of the message: "both have" and "this is other data". The hint is the caller's. */
enum tv_status tv_other_data_by_titles(struct tv_pg *pg, const char *name, const char *both, const char *means, struct tv_error *err);

#endif
