/* columns: which field of a record means what, by the names in a header line or by a fixed order. etl's formats ask for
 * columns by meaning, so the sets that people load may name and order theirs as they like. */
#ifndef TRIVET_READ_COLUMNS_H
#define TRIVET_READ_COLUMNS_H

#include "trivet/read/record.h"

enum tv_column {
    TV_COLUMN_USER,
    TV_COLUMN_ITEM,
    TV_COLUMN_RATING,
    TV_COLUMN_PLAYS,
    TV_COLUMN_TIME,
    TV_COLUMN_TITLE,
    TV_COLUMN_YEAR,
    TV_COLUMN_GENRES,
    TV_COLUMN_TAG,
    TV_COLUMN_IMDB,
    TV_COLUMN_TMDB,
    TV_COLUMN_COUNT
};

/* The columns of one file, by meaning. */
struct tv_columns {
    int at[TV_COLUMN_COUNT]; /* field index, or -1 */
    int n;                   /* fields a record must have; 0: as many as the first that has `least` */
    int least;               /* fields without which a record is none */
};

/* Reads a header: names in any case, with or without "_", RecBole's ":type" left out. The same name twice
 * counts once, the first; unknown names are no mistake. */
void tv_columns_from_header(struct tv_columns *c, const struct tv_record *header);
/* Of a file without a header: what its n fields mean, in this order. A record has at least the first `least` of them;
 * with fewer than n the first such record sets how many all have. A meaning that stands twice is the first's. */
void tv_columns_in_order(struct tv_columns *c, const enum tv_column *order, int n, int least);
/* 1 if the file has all three columns; a caller that needs fewer gives one of them again. */
int tv_columns_have(const struct tv_columns *c, enum tv_column a, enum tv_column b, enum tv_column d);

/* The field of a column, or an empty field where the file or the record has no such column. */
struct tv_field tv_columns_field(const struct tv_columns *c, const struct tv_record *record,
                                 enum tv_column column);

/* The index of a header's field with exactly this name (case ignored), or -1. */
int tv_columns_find(const struct tv_record *header, const char *name);

#endif
