/* pg: one PostgreSQL connection. Moves rows and bytes; knows no table of ours.
 *
 * A connection belongs to one thread at a time. Every wait ends when the process has to (pg_wait.c says how), and
 * sooner where the caller sets a patience.
 * libpq's errors are translated here: TV_ERR_UNAVAILABLE when the server cannot be reached or went away, TV_ERR_STORE
 * when it answered with an error (the message is the server's own, its detail and hint become the hint), and where one of
 * trivet's own functions refuses something (sql/001_schema.sql) TV_ERR_USAGE with the parameter, or TV_ERR_INPUT.
 */
#ifndef TRIVET_STORE_PG_H
#define TRIVET_STORE_PG_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

struct tv_pg;

/* TV_ERR_USAGE, and not a word of the address, if it is none that libpq understands, or if it is in doubt what of it is
 * the password. tv_pg_open refuses the same; this one asks no server. */
enum tv_status tv_pg_check_address(const char *uri, struct tv_error *err);

/* Connects; `name` becomes application_name. Tries again for up to wait_seconds while nobody answers. Messages
 * never hold the password. TV_ERR_STORE behind a pooler that gives the session to others between two transactions: then no
 * lock and no setting of a session would hold. */
enum tv_status tv_pg_open(struct tv_pg **out, const char *uri, const char *name, int wait_seconds,
                          struct tv_error *err);
/* One attempt, of at most `patience` seconds, which is then the connection's patience, too. */
enum tv_status tv_pg_open_within(struct tv_pg **out, const char *uri, const char *name, double patience,
                                 struct tv_error *err);
void tv_pg_close(struct tv_pg *pg);

/* From now on no statement is waited for longer than that, nor any part of a COPY: one that is late fails with
 * TV_ERR_UNAVAILABLE, the server is told to cancel it, and the connection is then good for nothing but closing. 0: wait
 * for as long as it takes, as at first. Once the process has to end (trivet/base/stop.h) nothing is waited for. */
void tv_pg_set_patience(struct tv_pg *pg, double seconds);

/* Seconds that a server which works takes at most to say that it is there. */
enum { TV_PG_ANSWERS = 2 };

/* 1 while the connection is known to work: asks the server with SELECT 1. */
int tv_pg_alive(struct tv_pg *pg);

/* Runs one statement whose result does not matter. `values` are the n text parameters $1.. (NULL: SQL null). */
enum tv_status tv_pg_exec(struct tv_pg *pg, const char *sql, int n, const char *const *values, struct tv_error *err);

/* 1 if the last statement failed because of a lock: after lock_timeout, or in a deadlock. */
int tv_pg_lock_refused(const struct tv_pg *pg);

/* The rows of the last tv_pg_exec or tv_pg_copy_end: "INSERT 0 3" -> 3. */
long long tv_pg_affected(const struct tv_pg *pg);

/* From now on `told` is called with each NOTICE of the connection's statements, in the thread that runs them, while
 * they run. NULL: only the debug log has them. */
typedef void (*tv_pg_notice)(void *context, const char *text);
void tv_pg_on_notice(struct tv_pg *pg, tv_pg_notice told, void *context);
/* Reads from a notice 'name: 3 of 12' how far its statement is. Returns 0 for any other text. */
int tv_pg_steps(const char *notice, int *done, int *of);

/* Runs a script of several statements in one implicit transaction (simple protocol): for our own sql/ files. */
enum tv_status tv_pg_script(struct tv_pg *pg, const char *text, struct tv_error *err);

/* A text quoted as an SQL literal, with its quotes: malloc'ed, or NULL without memory. */
char *tv_pg_literal(struct tv_pg *pg, const char *text);

/* Has the statement that the connection's thread is waiting for cancelled, within a tenth of a second; any thread may
 * call it. Without one under way nothing happens. */
void tv_pg_cancel(struct tv_pg *pg);

const char *tv_pg_library(void); /* "libpq 15.10" */

#endif
