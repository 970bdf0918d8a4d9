/* columns: which field of a record means what, by the names in a header line or by a fixed order. etl's formats ask for
 * columns by meaning, so the sets that people load may name and order theirs as they like. */
#ifndef TRIVET_READ_COLUMNS_H
#define TRIVET_READ_COLUMNS_H

#include "trivet/read/record.h"

enum tv_column {
    TV_COLUMN_NONE, /* no meaning here: a field that is passed over */
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
    int at[TV_COLUMN_COUNT];    /* field index, or -1 */
    int rival[TV_COLUMN_COUNT]; /* another field that could as well be it, or -1 */
    int n;                      /* fields a record must have; 0: as many as the first that has `least` */
    int least;                  /* fields without which a record is none */
};

/* Reads a header: names in any case, with or without "_", "-" and blanks, RecBole's ":type" left out. Unknown names are
 * no mistake. Of several columns for one meaning the one with the plainer name is taken ("user_id" before "user",
 * "rating" before "score"); where neither is, or where they name different kinds of thing ("artist_id", "track_id"),
 * the first is, and `rival` has another, for the caller to refuse. */
void tv_columns_from_header(struct tv_columns *c, const struct tv_record *header);
/* Of a file without a header: what its n fields mean, in this order. A record has at least the first `least` of them;
 * with fewer than n the first such record sets how many all have. A meaning that stands twice is the first's. */
void tv_columns_in_order(struct tv_columns *c, const enum tv_column *order, int n, int least);
/* 1 if the file has all three columns; a caller that needs fewer gives TV_COLUMN_NONE. */
int tv_columns_have(const struct tv_columns *c, enum tv_column a, enum tv_column b, enum tv_column d);

/* The field of a column, or an empty field where the file or the record has no such column. */
struct tv_field tv_columns_field(const struct tv_columns *c, const struct tv_record *record,
                                 enum tv_column column);

/* The meaning that a field has among these columns, TV_COLUMN_NONE for none. */
enum tv_column tv_columns_meaning(const struct tv_columns *c, int field);

/* The index of a header's field with exactly this name (case ignored), or -1. */
int tv_columns_find(const struct tv_record *header, const char *name);

/* What a name in a header says, whatever stands beside it. *beside is 1 for names of what often stands beside ratings
 * and never is one, such as "age" or a row's number; a name that is not known is neither. */
enum tv_column tv_columns_of_name(const struct tv_field *name, int *beside);

/* Whether a name in a header is one of what tells events apart: "event", "action". */
int tv_columns_names_kind(const struct tv_field *name);

/* What two writings of one name have in common: "userId", " user_id" and "\"USER_ID\"", perhaps behind a byte order mark. *letter is the first
 * letter of it, 0 for none. */
uint64_t tv_columns_name_hash(const struct tv_field *name, char *letter);

/* 0 if two names of a column of items are of two different things, books and films: numbers that are equal there are no same items. */
int tv_columns_may_be_one(const struct tv_field *a, const struct tv_field *b);

/* "user", "item", ...: the words of --columns. */
const char *tv_columns_word(enum tv_column column);

/* The names that are known for a meaning, "userid, user, ...", as many as fit. Returns `out`. */
char *tv_columns_names(enum tv_column column, char *out, size_t size);

#endif
