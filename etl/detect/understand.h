/* understand: how the columns of a set's files are written (units of time, commas in numbers, ids that are text, values that
 * are no ratings), decided from a sample of each file, or refused. */
#ifndef TRIVET_ETL_DETECT_UNDERSTAND_H
#define TRIVET_ETL_DETECT_UNDERSTAND_H

#include "etl/detect/detect.h"
#include "etl/detect/given.h"
#include "etl/detect/sample.h"

/* The files of the set are chosen. Fills their forms, and what the set's ids are. TV_ERR_INPUT names a column that is not
 * understood, with its values and what to type. */
enum tv_status tv_understand(struct tv_set *set, const struct tv_choices *choices, const struct tv_given *given,
                             struct tv_error *err);

/* --- its questions ----------------------------------------------------------------------------------------------- */

/* A file while it is looked at: what the answers are drawn from; `found` and `set` take them. */
struct tv_looking {
    struct tv_set *set;
    const struct tv_choices *choices;
    const struct tv_given *given;
    struct tv_found *found;
    struct tv_sample *sample;
    int comma, point; /* 1: the ratings have decimal commas, or decimal points */
};

/* Each fills a part of l->found->forms, or names the column and says what to type: TV_ERR_INPUT. */

/* values.c: the rating, or the count of plays: most of its values must be numbers. */
enum tv_status tv_understand_value(struct tv_looking *l, enum tv_column meaning, struct tv_error *err);
/* A table without a rating is one of plays only if nothing in it could be the rating. */
enum tv_status tv_understand_rest(struct tv_looking *l, struct tv_error *err);
/* Values that say that there is no rating: what becomes of their lines has to be said. */
enum tv_status tv_understand_unrated(struct tv_looking *l, struct tv_error *err);
/* times.c */
enum tv_status tv_understand_time(struct tv_looking *l, struct tv_error *err);
/* ids.c: after the values, whose signs say something about those of ids. Fills set->codes, too. */
enum tv_status tv_understand_ids(struct tv_looking *l, enum tv_code_kind kind, struct tv_error *err);
/* Of a file beside the ratings: how its own numbers are written, or as theirs, where it does not show. */
void tv_understand_ids_beside(struct tv_looking *l, enum tv_code_kind kind);

#endif
