/* pg_client: what the pg*.c files share. Nobody else includes it: it names libpq. */
#ifndef TRIVET_STORE_PG_CLIENT_H
#define TRIVET_STORE_PG_CLIENT_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "trivet/store/pg.h"
#include "trivet/store/pg_rows.h"

/* An address as libpq reads it: the text that may be shown of it, and its secrets. */
struct tv_pg_address {
    char where[512]; /* host, port, database and user, as libpq reads them */
    void *options;   /* what libpq reads in it, for its secrets */
};

/* One connection. It belongs to one thread at a time, except for `asked`, which any thread may set. */
struct tv_pg {
    PGconn *conn;
    long long affected;
    int lock_refused; /* the last statement failed because of a lock */
    double patience;   /* seconds; 0: without end */
    atomic_int asked;  /* another thread wants the statement under way to be cancelled */
    tv_pg_go_on go_on; /* asked whether the statement is still wanted (tv_pg_query_while); NULL: it is */
    void *go_on_context;
    double answer_until; /* tv_clock(): when the answer to a cancel is to be here; 0: none was sent */
    int late;            /* an answer was given up, and may still come: the connection is good for closing alone */
    const char *why;     /* why it was given up */
    PQnoticeReceiver take_notice; /* what the server says beside its answers; without it libpq writes on the terminal */
    tv_pg_notice told;
    void *told_context;
    struct tv_pg_address address;
};

/* The result of a statement; owned by the caller, freed by tv_pg_rows_free. */
struct tv_pg_rows {
    PGresult *result;
};

/* --- pg_wait.c: the only file that waits ------------------------------------------------------------------- */

/* Connects within `patience` seconds (0: what the URI says, or ten). pg->conn is open, failed, or NULL without memory.
 */
void tv_pg_dial(struct tv_pg *pg, const char *uri, const char *name, double patience);

/* Sends a statement, or with n < 0 a script of several. */
TV_MUST_USE int tv_pg_send(struct tv_pg *pg, const char *sql, int n, const char *const *values);

/* 1: PQgetResult has something to say and does not block. 0: it is given up (pg->late), or the connection broke. */
TV_MUST_USE int tv_pg_wait_result(struct tv_pg *pg);
/* 1: all that libpq held is sent. */
TV_MUST_USE int tv_pg_wait_sent(struct tv_pg *pg);
/* As PQgetCopyData: the next row's size, -1 at the end, -2 after an error or when it is given up. */
TV_MUST_USE int tv_pg_wait_row(struct tv_pg *pg, char **bytes);

/* The last result of what was sent, or the first that failed; NULL: given up, or lost. Of a COPY, that it began. */
PGresult *tv_pg_take_answer(struct tv_pg *pg);

/* A COPY is under way, in one direction or the other. */
int tv_pg_is_copy(const PGresult *result);
TV_MUST_USE int tv_pg_succeeded(const PGresult *result);

/* --- pg_address.c ------------------------------------------------------------------------------------------ */

/* Reads a URI, a string of keywords, or the name of a database; TV_ERR_USAGE if it is none. */
enum tv_status tv_pg_address_read(struct tv_pg_address *out, const char *uri, struct tv_error *err);
void tv_pg_address_free(struct tv_pg_address *address);

/* Takes every secret of the address out of a text of libpq's. */
void tv_pg_address_mask(const struct tv_pg_address *address, char *text);

/* --- pg.c -------------------------------------------------------------------------------------------------- */

/* Sends and takes the answer. */
PGresult *tv_pg_run(struct tv_pg *pg, const char *sql, int n, const char *const *values);
enum tv_status tv_pg_lost(struct tv_pg *pg, struct tv_error *err);
/* Turns a failed result into an error: a lost connection, or what the server said. */
enum tv_status tv_pg_refused(struct tv_pg *pg, const PGresult *result, struct tv_error *err);

#endif
