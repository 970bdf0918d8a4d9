/* kinds: the files that are known, by name and first records. */
#ifndef TRIVET_ETL_DETECT_KINDS_H
#define TRIVET_ETL_DETECT_KINDS_H

#include "etl/detect/detect.h"

enum { TV_KIND_NEEDS = 3 };

/* A known file: how its name looks, how its first records must look, and the function that reads it. */
struct tv_kind {
    enum tv_role role;
    const char *pattern, *format;
    const char *separators; /* those tried, one character each; "::" is a separator of its own */
    int quotes;
    int header; /* 1: has one, 0: has none, -1: either */
    int min_fields, max_fields;
    enum tv_column needs[TV_KIND_NEEDS]; /* what a header must name, in any order; fewer than three are repeated. Without a
                                  * header: what the first fields are, in this order */
    const char *also;            /* a column name a header must have, too */
    int counts;                  /* 1: ratings are counts of plays; sql/005_publish.sql names these formats, too */
    enum tv_status (*read)(const struct tv_file_reading *reading, struct tv_error *err); /* NULL: not read by itself */
};

/* In order of preference: of two files for one role, that of the earlier row is used. */
extern const struct tv_kind tv_kinds[];
extern const int tv_n_kinds;

#endif
