/* rejects: refused input lines on their way into trivet.reject, and their count by reason. They travel in batches on
 * the journal's connection and not on the data's, so that they outlive the rollback of the load that refused them. */
#ifndef TRIVET_ETL_LOAD_REJECTS_H
#define TRIVET_ETL_LOAD_REJECTS_H

#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/read/record.h"
#include "trivet/store/pg.h"

enum { TV_REJECTS_MAX_REASONS = 64, TV_REJECTS_RAW_BYTES = 1000 };

/* The refused lines of one load. */
struct tv_rejects {
    struct tv_pg *pg; /* autocommit; not owned. NULL: lines are counted, and not kept */
    int64_t load;
    long long n, max;
    struct tv_buffer batch; /* rows of COPY text */
    int n_reasons;
    struct {
        char reason[64]; /* readers give few, always in the same words */
        long long n;
        char example[256]; /* the first: "ratings.csv line 3: 1,2,x" */
    } reasons[TV_REJECTS_MAX_REASONS];
    char first[256]; /* "ratings.csv line 3: not a number" */
};

void tv_rejects_init(struct tv_rejects *r, struct tv_pg *pg, int64_t load, long long max);
void tv_rejects_free(struct tv_rejects *r);

/* A record that `why` refuses. TV_ERR_INPUT once more than `max` lines were refused; that line is kept as
 * well. */
enum tv_status tv_rejects_add(struct tv_rejects *r, const char *file, const struct tv_record *record,
                              const struct tv_error *why, struct tv_error *err);
/* TV_ERR_INPUT where the file of ratings had none of `rows`: with the reasons of the lines that were refused. */
enum tv_status tv_rejects_check_rows(const struct tv_rejects *r, long long rows, const char *file, struct tv_error *err);

/* Sends the lines that have gathered; called once more when all files are read, and when a load is given up. */
enum tv_status tv_rejects_flush(struct tv_rejects *r, struct tv_error *err);

#endif
