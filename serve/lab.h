/* lab: questions that the page /lab asks PostgreSQL.
 *
 * A question takes seconds, so it runs on a worker, never on a thread that serves connections. Each worker
 * has a connection of its own, opened when it is first needed and kept. Three things end a question early:
 * somebody asks for that by the id the page gave it, whoever asked has gone, or the statement_timeout of the
 * login. Each of them cancels it in PostgreSQL, too. All connections are read only, whatever the login may
 * do.
 */
#ifndef TRIVET_SERVE_LAB_H
#define TRIVET_SERVE_LAB_H

#include "request.h"
#include "trivet/pg.h"
#include "trivet/status.h"

enum { TV_LAB_QUESTIONS = 3, TV_LAB_WAITING = 16, TV_LAB_ID = 64 };

struct tv_lab;
struct tv_lab_question; /* one that is under way */

/* Connects to nothing yet. */
enum tv_status tv_lab_create(struct tv_lab **out, const char *uri, struct tv_error *err);
void tv_lab_free(struct tv_lab *lab); /* when no question is under way; NULL is fine */

/* Begins a question of the caller's; `id` ("": none) is what tv_lab_stop knows it by, at most TV_LAB_ID
 * bytes. Waits for a connection. On success tv_lab_end must follow. */
enum tv_status tv_lab_begin(struct tv_lab *lab, const char *id, const struct tv_caller *caller,
                            struct tv_lab_question **out, struct tv_error *err);
/* The question's own connection, to quote values with. */
struct tv_pg *tv_lab_pg(struct tv_lab_question *question);
/* Runs one statement. TV_ERR_BUSY: it was stopped; TV_ERR_INTERRUPTED: it took longer than the database lets
 * it. */
enum tv_status tv_lab_ask(struct tv_lab_question *question, const char *sql, struct tv_pg_rows **rows,
                          struct tv_error *err);
void tv_lab_end(struct tv_lab_question *question); /* NULL is fine */

/* Stops the questions of that id; returns how many there were. */
int tv_lab_stop(struct tv_lab *lab, const char *id);
/* Stops all questions, and those to come: the server ends. */
void tv_lab_close(struct tv_lab *lab);

struct tv_lab_state {
    enum { TV_LAB_UNASKED, TV_LAB_UP, TV_LAB_DOWN } database; /* as the last question found it */
    double seconds;                                           /* since it became so */
    char message[1024];                                       /* why it is down, or "" */
};
void tv_lab_look(struct tv_lab *lab, struct tv_lab_state *state);

#endif
