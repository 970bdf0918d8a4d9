/* reader: a connection for SQL that people write: it logged in as a role that can only read.
 *
 * Neither SET ROLE nor a READ ONLY transaction holds such SQL: a function can RESET ROLE and then COPY ... TO
 * PROGRAM. Only a login of its own without a right to anything but reading holds it, so the server is asked about
 * the login (trivet.too_much_for_a_reader) before the first statement.
 *
 * Such SQL may leave things in its session (SET, temporary tables, prepared statements, advisory locks, LISTEN),
 * which must not reach the next statement: a transaction is begun and ended here, and is never committed.
 */
#ifndef TRIVET_MODEL_READER_H
#define TRIVET_MODEL_READER_H

#include "trivet/base/status.h"
#include "trivet/store/pg.h"

/* Connects, with default_transaction_read_only = on. TV_ERR_USAGE, with the command that makes such a login in the
 * hint, where `uri` is NULL (none was given) or its login may do more than read; the message says what. *out is NULL
 * after a failure. */
enum tv_status tv_reader_open(struct tv_pg **out, const char *uri, const char *name, int wait_seconds,
                              struct tv_error *err);

/* Ahead of the first query of a REPEATABLE READ transaction: its snapshot is taken then, and no other data set can become the
 * current one before it ends. A table that is attached shows its rows to an older snapshot, too, so without this one that waited
 * for a load would see the ratings of one data set beside items, codes and trivet.current_dataset() of another. */
#define TV_HOLD_DATASET "LOCK TABLE ONLY trivet.rating IN ACCESS SHARE MODE"

/* One snapshot, REPEATABLE READ and READ ONLY, of one data set; a statement in it ends after that many seconds. */
enum tv_status tv_reader_begin(struct tv_pg *reader, int statement_seconds, struct tv_error *err);
/* Rolls back and discards all that the session was left with. After a failure the connection is to be closed. */
enum tv_status tv_reader_end(struct tv_pg *reader, struct tv_error *err);

/* Where this login looks for names without a schema: of two views of one name the first is meant. Malloc'ed. */
enum tv_status tv_reader_schemas(char **out, struct tv_pg *reader, struct tv_error *err);

#endif
