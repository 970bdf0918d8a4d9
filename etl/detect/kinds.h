/* kinds: the files that are known, by name and first records. */
#ifndef TRIVET_ETL_DETECT_KINDS_H
#define TRIVET_ETL_DETECT_KINDS_H

#include "etl/detect/detect.h"
#include "etl/peek/layout.h"

enum { TV_KIND_NEEDS = 3, TV_KIND_ORDER = 5 };

/* A known file: how its name looks, how its first records must look, and the function that reads it. */
struct tv_kind {
    enum tv_role role;
    const char *pattern, *format; /* capitals make no difference */
    const char *separators;       /* those tried, one character each; "::" is a separator of its own */
    int quotes;
    int header;                            /* 1: its first record names its columns */
    int layouts;                           /* that it may have without a header, instead (layout.h) */
    int min_fields, max_fields;
    enum tv_column needs[TV_KIND_NEEDS];   /* what a header must name, in any order */
    enum tv_column order[TV_KIND_ORDER];   /* of a kind without a header: what its first fields are, in this order */
    const char *also;                      /* a column name a header must have, too */
    const char *item;                      /* the name of the item's column, where another one looks like it */
    int counts; /* 1: ratings are counts of plays; sql/005_publish.sql names these formats, too */
    enum tv_status (*read)(const struct tv_file_reading *reading, struct tv_error *err); /* NULL: not read by itself */
};

/* In order of preference: of two files for one role, that of the earlier row is used. */
extern const struct tv_kind tv_kinds[];
extern const int tv_n_kinds;

/* What --columns makes of any file. */
extern const struct tv_kind tv_kind_given, tv_kind_given_plays;

/* The first row that a file of ratings with this name could be; tv_n_kinds for none. */
int tv_kind_rank(const char *name);
/* 1 if the row's name says by itself what the file is, and is no mere ending like *.csv. */
int tv_kind_is_named(int rank);

#endif
