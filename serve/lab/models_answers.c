/* models_answers: the answers to the scripts of the page /models about quality: the journal's models, evaluations
 * and searches, and all that one run measured.
 *
 * Every answer is made of rows of the views and functions of sql/020_quality_of_models.sql, each row as the JSON
 * that PostgreSQL makes of it. Which models MongoDB keeps is told by /api/v1/models, which needs no PostgreSQL.
 */
#include <inttypes.h>
#include <stdio.h>

#include "serve/app.h"
#include "serve/html/problem_page.h"
#include "serve/lab/handlers.h"
#include "serve/lab/question_answers.h"
#include "serve/web/parameters.h"
#include "serve/web/problem.h"
#include "trivet/base/clock.h"

enum { MAX_SQL = 1024 };

/* A member of an answer, and the view or function that its rows come from. */
struct part {
    const char *member, *from;
    enum { WHOLE, OF_RUN, CALLED_WITH_RUN } which; /* all rows, those of a run, or a function's of that run */
};

/* Of all data sets, since the page lets one be chosen; each row says its own. The newest are taken of each, so that many models of one
 * leave those of another there. What a model's row tells besides costs more than its place, which is found first. */
static const char newest_models[] = "(SELECT m.* FROM trivet.model m WHERE m.model IN (SELECT n.id FROM (SELECT r.id, row_number() OVER "
                                    "(PARTITION BY r.dataset ORDER BY r.id DESC) AS place FROM trivet.run r WHERE r.kind IN ('fit', 'import')) n "
                                    "WHERE n.place <= 200))";
static const struct part of_journal[] = {{"models", newest_models, WHOLE},
                                         {"evaluations", "trivet.evaluations(dataset => null)", WHOLE},
                                         {"searches", "trivet.searches(dataset => null)", WHOLE},
                                         {.member = NULL}};
static const struct part of_run[] = {{"methods", "trivet.evaluation", OF_RUN},
                                     {"lists", "trivet.evaluation_at", OF_RUN},
                                     {"learning", "trivet.learning_curve", CALLED_WITH_RUN},
                                     {"popularity", "trivet.popularity_curve", CALLED_WITH_RUN},
                                     {"trials", "trivet.search_trial", OF_RUN},
                                     {"factors", "trivet.factor_curve", CALLED_WITH_RUN},
                                     {.member = NULL}};

/* The run is a number and the rest is the program's own text, so nothing needs quoting. */
static enum tv_status write_sql(struct tv_buffer *sql, const struct part *part, int64_t run,
                                struct tv_error *err)
{
    enum tv_status status = tv_buffer_format(sql, err, "SELECT row_to_json(t) FROM %s", part->from);
    if (status == TV_OK && part->which == CALLED_WITH_RUN)
        status = tv_buffer_format(sql, err, "(%" PRId64 ")", run);
    if (status == TV_OK)
        status = tv_buffer_text(sql, " t", err);
    if (status == TV_OK && part->which == OF_RUN)
        status = tv_buffer_format(sql, err, " WHERE t.run = %" PRId64, run);
    return status;
}

static enum tv_status ask_part(struct tv_question *question, const struct part *part, int64_t run,
                               struct tv_out *out, struct tv_error *err)
{
    struct tv_buffer sql = TV_BUFFER_INIT(MAX_SQL);
    enum tv_status status = write_sql(&sql, part, run, err);
    if (status == TV_OK)
        status = tv_question_rows(question, tv_buffer_string(&sql), part->member, out, err);
    tv_buffer_free(&sql);
    return status;
}

static void write_parameters(struct tv_out *out, int64_t run)
{
    tv_out_text(out, "{");
    tv_out_key(out, "parameters");
    tv_out_text(out, "{");
    if (run) {
        tv_out_key(out, "run");
        tv_out_int(out, run);
    }
    tv_out_text(out, "}");
}

/* Answers on a worker; run 0: none was asked for. A failure leaves half an answer behind, which tv_problem_answer
 * drops. */
static enum tv_outcome answer(struct tv_app *app, const struct tv_request *request,
                              struct tv_response *response, const struct part *parts, int64_t run)
{
    struct tv_question *question = NULL;
    struct tv_error err = {0};
    double began = tv_clock();
    if (!request->may_wait) {
        response->need.postgres = 1;
        return TV_LATER;
    }
    write_parameters(&response->out, run);
    enum tv_status status = tv_question_begin(app->questions, "", &request->caller, &question, &err);
    for (; parts->member && status == TV_OK; parts++)
        status = ask_part(question, parts, run, &response->out, &err);
    tv_question_end(question);
    tv_question_elapsed(&response->out, began);
    if (status != TV_OK) {
        struct tv_problem problem;
        tv_question_problem(&problem, status, &err);
        tv_problem_answer(&app->models, request, response, &problem);
    }
    return TV_ANSWERED;
}

enum tv_outcome tv_handle_models_journal(struct tv_app *app, const struct tv_request *request,
                                         struct tv_response *response)
{
    return answer(app, request, response, of_journal, 0);
}

/* Runs count from 1, so 0 says that the parameter is absent. */
enum tv_outcome tv_handle_models_metrics(struct tv_app *app, const struct tv_request *request,
                                         struct tv_response *response)
{
    static const struct tv_integer rule = {"run", 1, INT64_MAX};
    struct tv_problem problem = {0};
    int64_t run = 0;
    if (tv_parameter_integer(request, &rule, &run, &problem) && run == 0) {
        tv_problem_at(&problem, 400, "run", "run is missing: which evaluation or search?");
    }
    if (problem.status == 0)
        return answer(app, request, response, of_run, run);
    tv_problem_answer(&app->models, request, response, &problem);
    return TV_ANSWERED;
}
