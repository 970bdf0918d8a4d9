/* question_answers: rows of a question as a member of an answer, and its failure as a problem. */
#include "serve/lab/question_answers.h"

#include "trivet/base/clock.h"
#include "trivet/store/pg_rows.h"

#include <stdio.h>

enum { DOWN_RETRY_SECONDS = 5 };

/* Rows stand on lines of their own, so that people can read the answer, too. */
enum tv_status tv_question_rows(struct tv_question *question, const char *sql, const char *member,
                                struct tv_out *out, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_question_ask(question, sql, &rows, err);
    if (status != TV_OK)
        return status;
    tv_out_key(out, member);
    tv_out_text(out, "[");
    for (int i = 0; i < tv_pg_rows_count(rows); i++) {
        tv_out_text(out, i ? ",\n" : "\n");
        tv_out_text(out, tv_pg_cell(rows, i, 0));
    }
    tv_out_text(out, "]");
    tv_pg_rows_free(rows);
    return TV_OK;
}

/* On a line of its own, as the last row stands on one. */
void tv_question_elapsed(struct tv_out *out, double began)
{
    tv_out_text(out, ",\n\"elapsed_ms\":");
    tv_out_format(out, "%.1f", (tv_clock() - began) * 1000);
    tv_out_text(out, "}\n");
}

/* What an SQL function of ours refuses is TV_ERR_USAGE with the parameter, which is the client's to mend, or TV_ERR_INPUT, such as
 * another data set than the one asked about; TV_ERR_STORE is most likely a function that this database does not have yet. */
void tv_question_problem(struct tv_problem *problem, enum tv_status status, const struct tv_error *err)
{
    const char *hint = err->hint;
    int code = 503;
    if (status == TV_ERR_USAGE) {
        code = 400;
    } else if (status == TV_ERR_BUSY || status == TV_ERR_INPUT) {
        code = 409;
    } else if (status == TV_ERR_INTERRUPTED) {
        code = 504;
        hint = "a statement_timeout guards the database: ask for less, or let an administrator raise it for "
               "this login";
    } else if (status == TV_ERR_STORE && hint[0] == '\0') {
        hint = "if the schema in this database is older than this server: trivet-etl schema";
    }
    tv_problem_at(problem, code, code == 400 || code == 409 ? err->parameter : "", "%s", err->message);
    tv_problem_hint(problem, "%s", hint);
    if (status == TV_ERR_UNAVAILABLE)
        problem->retry_after = DOWN_RETRY_SECONDS;
}
