/* lab_answers: the answers to the scripts of the page /lab: funnel, sweep, activity, presets, and to stop one of
 * them.
 *
 * Every answer is made of the rows of one or two SQL functions, each row as the JSON that PostgreSQL makes of it,
 * so a column that a function gets is in the answer without a change here. Beside the rows stand the filter's
 * values they were computed with, and how long that took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/app.h"
#include "serve/html/problem_page.h"
#include "serve/lab/handlers.h"
#include "serve/lab/lab_parameters.h"
#include "serve/lab/question_answers.h"
#include "serve/web/parameters.h"
#include "serve/web/problem.h"
#include "trivet/base/clock.h"

enum { MAX_SQL = 1 << 16, MAX_PARTS = 2 };

/* A table or a function's rows, and the member of the answer they become. */
struct part {
    const char *member;
    const char *from;
    enum tv_filter_subset parameters; /* of the filter that the function takes; 0: no function */
};

/* One request: what is asked of PostgreSQL, and with which values. `filter` is owned, and freed by `handle`; `id`
 * is the request's, "" for none. */
struct question {
    const char *id;
    int64_t dataset; /* that a page is of; 0: it does not say */
    struct tv_filter *filter;
    int has_axes;               /* 1: a sweep, whose two axes go into the call, too */
    struct tv_lab_axis axes[2]; /* x, y */
    struct part parts[MAX_PARTS];
    int n_parts;
};

/* --- a question's SQL ----------------------------------------------------------------------------------- */

/* One value of an axis as SQL text: 20 -> '20', Drama -> '{"Drama"}', null -> null. The functions take the values
 * as text, and cast each to the type of its parameter; those of a list are an array, whose text form is written here,
 * as PostgreSQL reads it (a name may hold quotes). All of it is quoted once more by libpq. */
static enum tv_status write_value(struct tv_pg *pg, int is_list, const char *value, size_t n,
                                  struct tv_buffer *sql, struct tv_error *err)
{
    struct tv_buffer text = TV_BUFFER_INIT(2 * TV_LAB_VALUE + 8); /* each byte may need a backslash */
    if (n == 4 && strncmp(value, "null", n) == 0)
        return tv_buffer_text(sql, "null", err);
    enum tv_status status = is_list ? tv_buffer_text(&text, "{", err) : tv_buffer_append(&text, value, n, err);
    if (status == TV_OK && is_list)
        status = tv_buffer_quoted(&text, value, n, err);
    if (status == TV_OK && is_list)
        status = tv_buffer_text(&text, "}", err);
    char *quoted = status == TV_OK ? tv_pg_literal(pg, tv_buffer_string(&text)) : NULL;
    if (status == TV_OK)
        status = quoted ? tv_buffer_text(sql, quoted, err)
                        : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a value of a sweep");
    free(quoted);
    tv_buffer_free(&text);
    return status;
}

/* x => 'max_items_for_user', x_values => array['20', '50']. The name is one of lab_parameters.c's own, so it needs
 * no quoting; values are divided by commas, as they came. */
static enum tv_status write_axis(struct tv_pg *pg, const char *name, const struct tv_lab_axis *axis,
                                 struct tv_buffer *sql, struct tv_error *err)
{
    int is_list = tv_filter_parameters[tv_filter_find(axis->name, strlen(axis->name))].kind == TV_FILTER_NAMES;
    const char *at = axis->values;
    enum tv_status status =
        tv_buffer_format(sql, err, "%s => '%s', %s_values => array[", name, axis->name, name);
    for (size_t i = 0; i < axis->n && status == TV_OK; i++) {
        size_t n = strcspn(at, ",");
        status = i ? tv_buffer_text(sql, ", ", err) : TV_OK;
        if (status == TV_OK)
            status = write_value(pg, is_list, at, n, sql, err);
        at += n + 1;
    }
    return status == TV_OK ? tv_buffer_text(sql, "]::text[]", err) : status;
}

/* tv_filter_call has written a whole call, and the axes go into it: its closing bracket is taken away and written
 * again behind them. */
static enum tv_status add_axes(const struct question *q, struct tv_pg *pg, struct tv_buffer *sql,
                               struct tv_error *err)
{
    sql->size--;
    const char *comma = sql->data[sql->size - 1] == '(' ? "" : ", ";
    enum tv_status status = tv_buffer_text(sql, comma, err);
    if (status == TV_OK)
        status = write_axis(pg, "x", &q->axes[0], sql, err);
    if (status == TV_OK)
        status = tv_buffer_text(sql, ", ", err);
    if (status == TV_OK)
        status = write_axis(pg, "y", &q->axes[1], sql, err);
    return status == TV_OK ? tv_buffer_text(sql, ")", err) : status;
}

/* row_to_json makes a row one JSON value, so tv_question_rows copies a single column. */
static enum tv_status write_sql(const struct question *q, const struct part *part, struct tv_pg *pg,
                                struct tv_buffer *sql, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(sql, "SELECT row_to_json(t) FROM ", err);
    if (status != TV_OK)
        return status;
    status = part->parameters ? tv_filter_call(q->filter, pg, part->parameters, part->from, sql, err)
                              : tv_buffer_text(sql, part->from, err);
    if (status == TV_OK && q->has_axes)
        status = add_axes(q, pg, sql, err);
    return status == TV_OK ? tv_buffer_text(sql, " t", err) : status;
}

static enum tv_status ask_part(struct tv_question *asked, const struct question *q, const struct part *part,
                               struct tv_out *out, struct tv_error *err)
{
    struct tv_buffer sql = TV_BUFFER_INIT(MAX_SQL);
    enum tv_status status = write_sql(q, part, tv_question_pg(asked), &sql, err);
    if (status == TV_OK)
        status = tv_question_rows(asked, tv_buffer_string(&sql), part->member, out, err);
    tv_buffer_free(&sql);
    return status;
}

/* --- its answer ----------------------------------------------------------------------------------------- */

/* The filter as it was understood, defaults and all, so that a script labels a chart with the values that were
 * used. */
static void write_parameters(struct tv_out *out, const struct question *q)
{
    static const char *const members[][2] = {{"x", "x_values"}, {"y", "y_values"}};
    struct tv_buffer json = TV_BUFFER_INIT(MAX_SQL);
    out->failed |= tv_filter_json(q->filter, &json, NULL) != TV_OK;
    tv_out_text(out, "{");
    tv_out_key(out, "parameters");
    tv_out_text(out, tv_buffer_string(&json));
    for (int i = 0; i < 2 && q->has_axes; i++) {
        tv_out_key(out, members[i][0]);
        tv_out_json(out, q->axes[i].name);
        tv_out_key(out, members[i][1]);
        tv_out_json(out, q->axes[i].values);
    }
    tv_buffer_free(&json);
}

/* Of what data the rows are. Presets are of none. */
static enum tv_status write_data(struct tv_question *asked, const struct question *q, struct tv_out *out, struct tv_error *err)
{
    struct tv_question_data data;
    if (q->parts[0].parameters == 0)
        return TV_OK;
    enum tv_status status = tv_question_hold(asked, q->dataset, &data, err);
    tv_out_key(out, "dataset");
    if (data.dataset)
        tv_out_int(out, data.dataset);
    else
        tv_out_text(out, "null");
    tv_out_key(out, "data");
    tv_out_json(out, data.name);
    return status;
}

/* The members are written as rows come. A failure leaves half an answer behind, which tv_problem_answer drops. */
static enum tv_status answer(struct tv_questions *questions, const struct tv_request *request,
                             const struct question *q, struct tv_out *out, struct tv_error *err)
{
    struct tv_question *asked = NULL;
    double began = tv_clock();
    write_parameters(out, q);
    enum tv_status status = tv_question_begin(questions, q->id, &request->caller, &asked, err);
    if (status == TV_OK)
        status = write_data(asked, q, out, err);
    for (int i = 0; i < q->n_parts && status == TV_OK; i++)
        status = ask_part(asked, q, &q->parts[i], out, err);
    tv_question_end(asked);
    tv_question_elapsed(out, began);
    return status;
}

/* A request that is wrong in itself is answered at once; only a good one is left to a worker, so that the few of
 * them are kept for PostgreSQL. */
static enum tv_outcome handle(struct tv_app *app, const struct tv_request *request,
                              struct tv_response *response, struct question *q)
{
    static const struct tv_integer dataset = {"dataset", 1, INT64_MAX};
    struct tv_problem problem = {0};
    struct tv_error err = {0};
    enum tv_outcome outcome = TV_ANSWERED;
    int good = tv_parameter_integer(request, &dataset, &q->dataset, &problem) && tv_lab_filter(request, &q->filter, &problem) && tv_lab_id(request, &q->id, &problem) &&
               (!q->has_axes || tv_lab_axes(request, q->axes, &problem));
    if (good && !request->may_wait) {
        response->need.postgres = 1;
        outcome = TV_LATER;
    } else if (good) {
        enum tv_status status = answer(app->questions, request, q, &response->out, &err);
        if (status != TV_OK)
            tv_question_problem(&problem, status, &err);
    }
    if (problem.status)
        tv_problem_answer(&app->models, request, response, &problem);
    tv_filter_free(q->filter);
    return outcome;
}

enum tv_outcome tv_handle_lab_funnel(struct tv_app *app, const struct tv_request *request,
                                     struct tv_response *response)
{
    struct question q = {.parts = {{"rows", "trivet.funnel", TV_FILTER_ALL}}, .n_parts = 1};
    return handle(app, request, response, &q);
}

enum tv_outcome tv_handle_lab_sweep(struct tv_app *app, const struct tv_request *request,
                                    struct tv_response *response)
{
    struct question q = {.has_axes = 1, .parts = {{"rows", "trivet.sweep", TV_FILTER_ALL}}, .n_parts = 1};
    return handle(app, request, response, &q);
}

enum tv_outcome tv_handle_lab_activity(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response)
{
    struct question q = {.parts = {{"users", "trivet.activity_of_users", TV_FILTER_ALL},
                                   {"items", "trivet.activity_of_items", TV_FILTER_ALL}},
                         .n_parts = 2};
    return handle(app, request, response, &q);
}

enum tv_outcome tv_handle_lab_presets(struct tv_app *app, const struct tv_request *request,
                                      struct tv_response *response)
{
    struct question q = {.parts = {{"rows", "trivet.preset", 0}}, .n_parts = 1};
    return handle(app, request, response, &q);
}

/* The id of a question that is under way, or NULL, and then the problem is answered. */
static const char *named_question(struct tv_app *app, const struct tv_request *request,
                                  struct tv_response *response)
{
    struct tv_problem problem;
    const char *id;
    int good = tv_lab_id(request, &id, &problem);
    if (good && id[0])
        return id;
    if (good) {
        tv_problem_at(&problem, 400, "id", "id is missing: it names the question");
    }
    tv_problem_answer(&app->models, request, response, &problem);
    return NULL;
}

/* Needs no worker: it sets a mark that the thread with the question looks at (questions.h). */
enum tv_outcome tv_handle_lab_stop(struct tv_app *app, const struct tv_request *request,
                                   struct tv_response *response)
{
    struct tv_out *out = &response->out;
    const char *id = named_question(app, request, response);
    if (id == NULL)
        return TV_ANSWERED;
    tv_out_text(out, "{");
    tv_out_key(out, "stopped");
    tv_out_int(out, tv_questions_stop(app->questions, id));
    tv_out_text(out, "}\n");
    return TV_ANSWERED;
}

/* As cheap as stopping, because scripts ask it again and again while a question is under way. */
enum tv_outcome tv_handle_lab_progress(struct tv_app *app, const struct tv_request *request,
                                       struct tv_response *response)
{
    int done, of;
    struct tv_out *out = &response->out;
    const char *id = named_question(app, request, response);
    if (id == NULL)
        return TV_ANSWERED;
    tv_questions_steps(app->questions, id, &done, &of);
    tv_out_text(out, "{");
    tv_out_key(out, "done");
    tv_out_int(out, done);
    tv_out_key(out, "of");
    tv_out_int(out, of);
    tv_out_text(out, "}\n");
    return TV_ANSWERED;
}
