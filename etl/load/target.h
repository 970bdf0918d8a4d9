/* target: the data set that a load brings, or adds to. Its name is the load's; the same name again is the same data in a
 * newer state (sql/025_datasets.sql). */
#ifndef TRIVET_ETL_LOAD_TARGET_H
#define TRIVET_ETL_LOAD_TARGET_H

#include <stdio.h>

#include "trivet/store/pg_rows.h"

struct tv_target {
    char number[24]; /* as text, for statements; "" of a data set that is not there yet */
    int away;        /* 1: it is there, and another one is the current one */
};

/* Asks which data set a load of this name is of. Holds until somebody else loads. */
enum tv_status tv_target_find(struct tv_target *out, struct tv_pg *pg, const char *name, int append,
                              struct tv_error *err);

/* Refuses to append plays to ratings, or ratings to plays: nobody could tell afterwards what a value is. */
enum tv_status tv_target_check_kind(struct tv_pg *pg, int counts, struct tv_error *err);

/* Tells the log where the data came from that a load of the same name is about to replace, if that is another place. */
enum tv_status tv_target_tell(const struct tv_target *t, struct tv_pg *pg, const char *name, const char *source,
                              struct tv_error *err);

/* Refuses a load of plays, or of ratings, under the name of a data set that has single values of the other kind: they stay, and would
 * be read as what they are not. */
enum tv_status tv_target_check_singles(const struct tv_target *t, struct tv_pg *pg, const char *name, int counts, struct tv_error *err);

/* Sets *same to 1 if the newest load of the data set had this fingerprint and these options (JSON), and has rows. With `append` that may
 * be any of its loads: what is added twice counts twice. Its rows may have been added to those of a later load. */
enum tv_status tv_target_same(const struct tv_target *t, struct tv_pg *pg, const char *fingerprint,
                              const char *options, int append, int *same, struct tv_error *err);

/* What is loaded from elsewhere than `source`, or from there under another name than `name` (NULL: any will do) where no data set has that, sets that are made up
 * aside, for people: malloc'ed; NULL if nothing is. */
enum tv_status tv_target_others(char **out, struct tv_pg *pg, const char *source, const char *name, struct tv_error *err);

/* Refuses a load whose name is that of other data: most items that both have are called otherwise there, or hardly any pair of user
 * and item is in both and single ratings would be taken over. The rows of the load stand in the table of its number, its items in
 * load_item (sql/006_load.sql). */
enum tv_status tv_target_check(struct tv_pg *pg, const char *load, const char *name, struct tv_error *err);
/* Refuses a name that is given with --append and is not the current data set's, to which it adds. NULL is none. */
enum tv_status tv_target_check_name(struct tv_pg *pg, const char *given, struct tv_error *err);
/* The same of a load that is to be added to the current data set: by its titles. */
enum tv_status tv_target_check_added(struct tv_pg *pg, struct tv_error *err);
/* What this load has made out of date, and what to type: rows of two texts, the caller's to free. */
enum tv_status tv_target_out_of_date(struct tv_pg_rows **out, struct tv_pg *pg, struct tv_error *err);
/* Lines for people of these rows; NULL are none. */
void tv_target_print_to_do(const struct tv_pg_rows *rows, FILE *out);

/* Makes a data set that is away the current one, waiting `seconds` at most for those who read. The caller holds the lock
 * of loads and trainings. */
enum tv_status tv_target_use(const struct tv_target *t, struct tv_pg *pg, int seconds, struct tv_error *err);

#endif
