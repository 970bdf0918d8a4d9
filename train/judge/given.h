/* given: a division of ratings that others have published: a file to learn from, and one to judge on. */
#ifndef TRIVET_TRAIN_JUDGE_GIVEN_H
#define TRIVET_TRAIN_JUDGE_GIVEN_H

#include "trivet/base/status.h"
#include "trivet/core/eval/split.h"
#include "trivet/core/evidence.h"

/* Reads both files, in any format of ratings that trivet-etl knows (docs/formats.md), whatever their names: fields
 * divided by tab, "::", comma or semicolon; user, item, rating in this order, or a header with their names. *all gets
 * the pairs of both, rows of a pair averaged, and *split says which file each came from. TV_ERR_INPUT names the line
 * that is no rating, and a pair that stands in both files: a model would be judged on what it has learned. On failure
 * both are empty. */
enum tv_status tv_given_read(struct tv_evidence *all, struct tv_split *split, const char *training, const char *test,
                             struct tv_error *err);

#endif
