/* question_answers: rows of a question as a member of an answer, and its failure as a problem: the same for every
 * page that asks PostgreSQL.
 */
#ifndef TRIVET_SERVE_LAB_QUESTION_ANSWERS_H
#define TRIVET_SERVE_LAB_QUESTION_ANSWERS_H

#include "serve/stores/questions.h"
#include "serve/web/out.h"
#include "serve/web/problem.h"

/* Asks for rows of one JSON value each and writes them as one more member of an object:
 * ,"member":[value,value]. Statuses of tv_question_ask; after a failure nothing was written. */
enum tv_status tv_question_rows(struct tv_question *question, const char *sql, const char *member,
                                struct tv_out *out, struct tv_error *err);

/* Ends the object with the member elapsed_ms: since `began`, by tv_clock. */
void tv_question_elapsed(struct tv_out *out, double began);

/* Tells why there is no answer: 400 where a parameter is refused (err->parameter), 409 stopped, or
 * of another data set (err->parameter), 504 it took too
 * long, 503 anything else. */
void tv_question_problem(struct tv_problem *problem, enum tv_status status, const struct tv_error *err);

#endif
