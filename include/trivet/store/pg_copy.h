/* pg_copy: COPY into PostgreSQL and out of it, and the rows of its binary format. */
#ifndef TRIVET_STORE_PG_COPY_H
#define TRIVET_STORE_PG_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/store/pg.h"

/* COPY ... FROM STDIN: begin, any number of puts (any cut of the stream), then end or abort. */
enum tv_status tv_pg_copy_in(struct tv_pg *pg, const char *sql, struct tv_error *err);
enum tv_status tv_pg_copy_put(struct tv_pg *pg, const void *bytes, size_t n, struct tv_error *err);
enum tv_status tv_pg_copy_end(struct tv_pg *pg, long long *rows, struct tv_error *err);
void tv_pg_copy_abort(struct tv_pg *pg, const char *reason);

/* COPY ... TO STDOUT: `take` is called with one CopyData message at a time (one row; in binary format the first
 * also holds the 19-byte header, the last is the 2-byte trailer). If it fails the copy is cancelled. */
typedef enum tv_status (*tv_pg_take)(void *context, const char *bytes, size_t n, struct tv_error *err);
enum tv_status tv_pg_copy_out(struct tv_pg *pg, const char *sql, tv_pg_take take, void *context,
                              struct tv_error *err);

/* One row of (bigint, bigint, real), or with a double precision after it, out of a binary COPY message. */
struct tv_pg_triple {
    int64_t a, b;
    float c;
    double d;  /* NaN: null, or there is no fourth column */
    int nulls; /* TV_PG_NULL_A, _B, _C: that one is null, and here 0 */
};
enum { TV_PG_NULL_A = 1, TV_PG_NULL_B = 2, TV_PG_NULL_C = 4 };
/* Returns 1 and fills *row, 0 for header-only and trailer messages, -1 if the bytes are something else.
 * *first must be 1 before the first message. */
TV_MUST_USE int tv_pg_triple(const char *bytes, size_t n, int *first, struct tv_pg_triple *row);

#endif
