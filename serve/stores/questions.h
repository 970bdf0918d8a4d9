/* questions: statements of pages to PostgreSQL.
 *
 * A question may take seconds, so it runs on a worker, never on a thread that serves connections. Each worker has a
 * connection of its own, opened when it is first needed and kept. Three things end a question early: somebody asks
 * for that by the id the page gave it, the client that asked has gone, or the statement_timeout of the login. Each
 * of them cancels it in PostgreSQL, too. All connections are read only, whatever the login may do.
 */
#ifndef TRIVET_SERVE_STORES_QUESTIONS_H
#define TRIVET_SERVE_STORES_QUESTIONS_H

#include "serve/web/request.h"
#include "trivet/base/status.h"
#include "trivet/store/pg.h"
#include "trivet/store/pg_rows.h"

enum { TV_QUESTIONS_AT_ONCE = 3, TV_QUESTIONS_WAITING = 16, TV_QUESTION_ID = 64 }; /* the last: bytes of an id */

struct tv_questions;
struct tv_question; /* one that is under way */

/* Connects to nothing yet. */
enum tv_status tv_questions_create(struct tv_questions **out, const char *uri, struct tv_error *err);
void tv_questions_free(struct tv_questions *questions); /* when no question is under way; NULL is fine */

/* Begins a question of the caller's; `id` ("": none) is what tv_questions_stop knows it by, at most
 * TV_QUESTION_ID bytes. Waits for a connection. On success tv_question_end must follow. */
enum tv_status tv_question_begin(struct tv_questions *questions, const char *id,
                                 const struct tv_caller *caller, struct tv_question **out,
                                 struct tv_error *err);
/* The number and the name of the data set that is loaded, which no other takes the place of until the question ends: a switch waits
 * for it. `wanted` (0: any) is the one that is asked about: TV_ERR_INPUT, about the parameter "dataset", where another is loaded. */
struct tv_question_data {
    int64_t dataset; /* 0: none */
    char name[256];  /* "": nobody named it */
};
enum tv_status tv_question_hold(struct tv_question *question, int64_t wanted, struct tv_question_data *out, struct tv_error *err);
/* The question's own connection, to quote values with. */
struct tv_pg *tv_question_pg(struct tv_question *question);
/* Runs one statement. TV_ERR_BUSY: it was stopped; TV_ERR_INTERRUPTED: it took longer than the database lets
 * it. */
enum tv_status tv_question_ask(struct tv_question *question, const char *sql, struct tv_pg_rows **rows,
                               struct tv_error *err);
void tv_question_end(struct tv_question *question); /* NULL is fine */

/* Stops the questions of that id; returns how many there were. */
int tv_questions_stop(struct tv_questions *questions, const char *id);
/* Tells how far the question of that id is, as PostgreSQL says; 0 of 0: it does not say, or there is no such
 * question. */
void tv_questions_steps(struct tv_questions *questions, const char *id, int *done, int *of);
/* Stops all questions, and those to come: the server ends. */
void tv_questions_close(struct tv_questions *questions);

/* The state of PostgreSQL, as questions found it; nothing else asks it. */
struct tv_questions_state {
    enum { TV_DATABASE_UNASKED, TV_DATABASE_UP, TV_DATABASE_DOWN } database; /* as last found */
    double seconds;     /* since it became so */
    char message[1024]; /* why it is down, or "" */
};
void tv_questions_look(struct tv_questions *questions, struct tv_questions_state *state);

#endif
