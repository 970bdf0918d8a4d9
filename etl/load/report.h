/* report: what a load says at its end, for people and as JSON for trivet.load.report. */
#ifndef TRIVET_ETL_LOAD_REPORT_H
#define TRIVET_ETL_LOAD_REPORT_H

#include <stdio.h>

#include "etl/detect/detect.h"
#include "etl/load/rejects.h"
#include "etl/load/tally.h"
#include "trivet/store/pg_rows.h"

enum { TV_REPORT_MAX_STEPS = 12, TV_REPORT_MAX_WARNINGS = 10 };

/* A load's numbers. The pointers are lent: they lead to what the load counted on its way. */
struct tv_report {
    int64_t load; /* 0: none, as files were read for inspect */
    const char *name; /* of the data */
    const struct tv_set *set;
    const struct tv_tally *tally;
    const struct tv_rejects *rejects;
    const struct tv_codes *codes;
    long long items, tags, duplicates;
    long long titles, rated_titles; /* items that have a title, and those of them that are rated; titles < 0: not known */
    int append;                     /* an item without a rating here may have one in an earlier load */
    const struct tv_pg_rows *to_do; /* what is out of date now, and what to type; or NULL, where that is not known */
    long long added_up; /* rows of plays that were added to another of their pair */
    long long added_to_loaded; /* pairs of plays that were appended to plays of the same pair */
    long long gave_way;        /* rows in whose place a single rating of the same pair stands */
    int n_steps;
    struct {
        const char *name; /* a constant */
        double seconds;
    } steps[TV_REPORT_MAX_STEPS];
};

/* Ends the step that began at *clock, and begins the next. */
void tv_report_step(struct tv_report *r, const char *name, double *clock);

void tv_report_print(const struct tv_report *r, FILE *out);
/* The part of it that the files alone tell. */
void tv_report_print_read(const struct tv_report *r, FILE *out);

/* A JSON object, malloc'ed, or NULL without memory. */
char *tv_report_json(const struct tv_report *r);

#endif
