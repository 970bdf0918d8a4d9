/* given: what --columns says about the ratings: user=uid,item=2,rating=none. */
#ifndef TRIVET_ETL_DETECT_GIVEN_H
#define TRIVET_ETL_DETECT_GIVEN_H

#include "trivet/read/columns.h"

/* One meaning and its column: a name from the header, or a place from 1 on in a file without one. */
struct tv_given_column {
    enum tv_column meaning;
    char name[64];
    int place; /* 0: a name */
    int none;  /* the file has no such column */
};

struct tv_given {
    int n; /* 0: nothing was given */
    int by_place;
    int no_rating; /* each line is one play */
    struct tv_given_column columns[8];
};

/* Reads the text of --columns; NULL gives nothing. TV_ERR_USAGE names what is wrong with it. */
enum tv_status tv_given_parse(struct tv_given *given, const char *text, struct tv_error *err);

/* Puts what was given in the place of what the header says, or, by places, fills the columns alone. TV_ERR_INPUT where
 * the record has no such column, or twice; its hint is about that column alone. */
enum tv_status tv_given_apply(const struct tv_given *given, const struct tv_record *first, struct tv_columns *columns,
                              struct tv_error *err);

/* The value for --columns that says what was given, and `name` for one more meaning, in a shell's quotes where it needs them, for hints.
 * A value is a rating or a count of plays, so the one takes the other's place. Returns `out`. */
char *tv_given_with(const struct tv_given *given, enum tv_column meaning, const char *name, char *out, size_t size);

/* The name that was given for a meaning; NULL for none, or a place. */
const char *tv_given_name(const struct tv_given *given, enum tv_column meaning);

#endif
