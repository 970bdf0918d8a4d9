/* understand: how the columns of a set's files are written (units of time, commas in numbers, ids that are text, values that
 * are no ratings), decided from a sample of each file, or refused. */
#ifndef TRIVET_ETL_DETECT_UNDERSTAND_H
#define TRIVET_ETL_DETECT_UNDERSTAND_H

#include "etl/detect/detect.h"
#include "etl/detect/given.h"

/* The files of the set are chosen. Fills their forms, and what the set's ids are. TV_ERR_INPUT names a column that is not
 * understood, with its values and what to type. */
enum tv_status tv_understand(struct tv_set *set, const struct tv_choices *choices, const struct tv_given *given,
                             struct tv_error *err);

#endif
