/* similar_audience: neighbours by the users who rated or played an item: estimates from the index in Redis, and the
 * true similarity of the best of them from Postgres.
 *
 * The true similarity is counted for as many items however few are asked for, as the best by estimate need not be the best; it
 * then decides the order, and the answer says how many were counted.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/api/similar.h"
#include "serve/follow/similar_keeper.h"
#include "serve/lab/question_answers.h"
#include "trivet/core/sets/minhash.h"
#include "trivet/store/pg_rows.h"

/* So many similarities are counted, of the items that share most values, four times the longest list. The number depends on
 * nothing that is asked: else a longer list would have other items in its first places. */
enum { COUNTED = 400, REDIS_RETRY_SECONDS = 5 };

/* --- the true similarity -------------------------------------------------------------------------------- */

/* The SQL of the rows that the index was built from, as trivet.similar_index has it: true similarities are of the
 * same rows as the estimates. */
static enum tv_status read_source(struct tv_question *question, int64_t index, struct tv_buffer *source,
                                  struct tv_error *err)
{
    char sql[320];
    struct tv_pg_rows *rows = NULL;
    snprintf(sql, sizeof sql,
             "SELECT i.source, d.name, (SELECT coalesce(c.name, 'without a name') FROM trivet.dataset c WHERE c.current AND c.id IS "
             "DISTINCT FROM i.dataset) FROM trivet.similar_index i LEFT JOIN trivet.dataset d ON d.id = i.dataset WHERE i.id = %" PRId64,
             index);
    enum tv_status status = tv_question_ask(question, sql, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 0)
        status = tv_fail(err, TV_ERR_STORE, "PostgreSQL knows nothing of index %" PRId64 " of similar items", index);
    if (status == TV_OK && tv_pg_cell(rows, 0, 2)) {
        const char *name = tv_pg_cell(rows, 0, 1);
        tv_fail(err, TV_ERR_BUSY, "PostgreSQL has data set %s loaded, and index %" PRId64 " of similar items is of %s, so nothing can be counted",
                tv_pg_cell(rows, 0, 2), index, name ? name : "one that is gone");
        status = tv_hint(err, "the estimates need no PostgreSQL: leave exact out");
    }
    if (status == TV_OK)
        status = tv_buffer_text(source, tv_pg_cell(rows, 0, 0), err);
    tv_pg_rows_free(rows);
    return status;
}

/* A statement that gives, for each item, the number of its users and how many of them the asked item has, too.
 * MATERIALIZED, so that the source, which may be any SQL, is run once and not once for each side of the join. Ids
 * are numbers, and the source comes from trivet.similar_index: nothing of the request is in it as text. */
static enum tv_status write_count(struct tv_buffer *sql, const char *source, int64_t item,
                                  const struct tv_neighbours *found, struct tv_error *err)
{
    enum tv_status status = tv_buffer_format(
        sql, err,
        "WITH pair AS MATERIALIZED (SELECT DISTINCT r.movieid, r.userid FROM (SELECT movieid, userid FROM %s) r"
        " WHERE trivet.check_dataset(nullif(%" PRId64 ", 0)) AND r.movieid = ANY ('{%" PRId64,
        source, found->dataset, item);
    for (size_t i = 0; i < found->n && status == TV_OK; i++)
        status = tv_buffer_format(sql, err, ",%" PRId64, found->items[i].item);
    return status == TV_OK ? tv_buffer_format(sql, err,
                                              "}'::bigint[])) SELECT p.movieid, count(*), count(own.userid) FROM pair p"
                                              " LEFT JOIN pair own ON own.userid = p.userid AND own.movieid = %" PRId64
                                              " GROUP BY p.movieid",
                                              item)
                           : status;
}

/* Jaccard similarity: users in common over users in all, |a & b| / (|a| + |b| - |a & b|). */
static void take_counts(struct tv_neighbours *found, int64_t item, const struct tv_pg_rows *rows)
{
    int64_t own = 0;
    for (int r = 0; r < tv_pg_rows_count(rows); r++)
        if (strtoll(tv_pg_cell(rows, r, 0), NULL, 10) == item)
            own = strtoll(tv_pg_cell(rows, r, 1), NULL, 10);
    for (size_t i = 0; i < found->n; i++) {
        struct tv_neighbour *n = &found->items[i];
        n->jaccard = 0; /* an item without a row has lost its audience since the index was asked */
        n->either = own;
        for (int r = 0; r < tv_pg_rows_count(rows); r++)
            if (strtoll(tv_pg_cell(rows, r, 0), NULL, 10) == n->item) {
                n->common = strtoll(tv_pg_cell(rows, r, 2), NULL, 10);
                n->either = own + strtoll(tv_pg_cell(rows, r, 1), NULL, 10) - n->common;
                n->jaccard = (double)n->common / (double)n->either;
            }
    }
}

/* Ties by the estimate, then by id, so that the order is always the same. */
static int by_jaccard(const void *a, const void *b)
{
    const struct tv_neighbour *x = a, *y = b;
    if (x->jaccard != y->jaccard)
        return x->jaccard < y->jaccard ? 1 : -1;
    if (x->shared != y->shared)
        return x->shared < y->shared ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

/* A question like those of the pages (questions.h): one that may take seconds, and that ends when the client has
 * gone. */
static enum tv_status count_exactly(struct tv_app *app, const struct tv_request *request, int64_t item,
                                    struct tv_neighbours *found, struct tv_error *err)
{
    struct tv_question *question = NULL;
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer source = TV_BUFFER_INIT(1 << 16), sql = TV_BUFFER_INIT(1 << 18);
    struct tv_question_data data;
    enum tv_status status = tv_question_begin(app->questions, "", &request->caller, &question, err);
    if (status == TV_OK)
        status = tv_question_hold(question, 0, &data, err); /* read_source says what is wrong with another data set */
    if (status == TV_OK)
        status = read_source(question, found->index, &source, err);
    if (status == TV_OK)
        status = write_count(&sql, tv_buffer_string(&source), item, found, err);
    if (status == TV_OK)
        status = tv_question_ask(question, tv_buffer_string(&sql), &rows, err);
    if (status == TV_OK) {
        take_counts(found, item, rows);
        qsort(found->items, found->n, sizeof *found->items, by_jaccard);
        found->counted = found->n;
    }
    tv_pg_rows_free(rows);
    tv_question_end(question);
    tv_buffer_free(&source);
    tv_buffer_free(&sql);
    return status;
}

/* --- the estimate --------------------------------------------------------------------------------------- */

/* `known` tells an item without an audience, which is the answer, from an index that is not there (-1), which is
 * the server's trouble. */
static void say_why(struct tv_problem *problem, const struct tv_id *item, enum tv_status status, int known,
                    const struct tv_error *err)
{
    if (status == TV_ERR_NOT_FOUND && known == 0)
        tv_problem(problem, 404, "item %s has no audience in the index of similar items", item->text);
    else
        tv_problem(problem, 503, "%s", err->message);
    tv_problem_hint(problem, "%s", err->hint);
    if (status == TV_ERR_UNAVAILABLE)
        problem->retry_after = REDIS_RETRY_SECONDS;
}

/* The answer is copied into our own shape, which both ways of asking share. */
static int take_answer(struct tv_app *app, struct tv_neighbours *out, const struct tv_similar_answer *answer)
{
    *out = (struct tv_neighbours){.index = answer->version, .dataset = answer->dataset, .size = answer->size, .sharing = answer->sharing};
    out->items = calloc(answer->n + 1, sizeof *out->items);
    if (out->items == NULL)
        return 0;
    tv_similar_keeper_made(app->similar_keeper, out->index, &out->made);
    for (size_t i = 0; i < answer->n; i++)
        out->items[out->n++] =
            (struct tv_neighbour){.item = answer->items[i].item,
                                  .score = tv_minhash_estimate(answer->items[i].shared, answer->size),
                                  .shared = answer->items[i].shared,
                                  .jaccard = NAN};
    return 1;
}

/* More than `top` neighbours are found to be counted; the surplus is dropped only after the true similarities have decided the
 * order. */
int tv_similar_by_audience(struct tv_app *app, const struct tv_request *request, const struct tv_similar_question *q,
                           struct tv_neighbours *out, struct tv_problem *problem)
{
    struct tv_error err = {0};
    struct tv_similar_answer answer = {0};
    size_t top = (size_t)q->top, wanted = q->exact ? COUNTED : top;
    int known = 1;
    enum tv_status status = tv_similar_keeper_ask(app->similar_keeper, q->item.number, wanted, &answer, &known, &err);
    if (status != TV_OK) {
        say_why(problem, &q->item, status, known, &err);
    } else if (!take_answer(app, out, &answer)) {
        tv_problem(problem, 500, "out of memory for similar items");
    } else if (q->exact && (status = count_exactly(app, request, q->item.number, out, &err)) != TV_OK) {
        tv_question_problem(problem, status, &err);
    }
    out->n = out->n < top ? out->n : top;
    tv_similar_answer_free(&answer);
    return problem->status == 0;
}

/* Titles and codes are those of the catalogue that was looked up just before the index was asked. */
int tv_similar_is_of(const struct tv_neighbours *found, int64_t dataset, struct tv_problem *problem)
{
    if (found->dataset == 0 || found->dataset == dataset)
        return 1;
    tv_problem(problem, 503, "index %" PRId64 " of similar items, of another data set, has just taken the place of the one before",
               found->index);
    problem->retry_after = 1;
    return 0;
}

static void write_text(struct tv_out *out, const char *member, const char *text)
{
    tv_out_key(out, member);
    if (text[0])
        tv_out_json(out, text);
    else
        tv_out_text(out, "null");
}

/* All but the number are null as long as it is not known (tv_similar_keeper_made). */
static void write_made(struct tv_out *out, const struct tv_neighbours *found)
{
    tv_out_key(out, "dataset");
    if (found->dataset)
        tv_out_int(out, found->dataset);
    else
        tv_out_text(out, "null");
    write_text(out, "data", found->made.data);
    write_text(out, "source", found->made.source);
    tv_out_key(out, "min_rating");
    tv_out_float(out, found->made.min_rating[0] ? strtof(found->made.min_rating, NULL) : NAN);
    write_text(out, "since", found->made.since);
}

/* The standard error goes with the estimate, so that a reader sees which differences mean something; the true
 * similarity stands beside both where it was counted. */
void tv_similar_audience_json(struct tv_out *out, const struct tv_resident *s, const struct tv_neighbours *found)
{
    tv_out_key(out, "by");
    tv_out_json(out, "audience");
    tv_out_key(out, "index");
    tv_out_int(out, found->index);
    write_made(out, found);
    tv_out_key(out, "signature_size");
    tv_out_int(out, found->size);
    tv_out_key(out, "sharing");
    tv_out_int(out, (int64_t)found->sharing);
    if (found->counted > 0) {
        tv_out_key(out, "counted");
        tv_out_int(out, (int64_t)found->counted);
    }
    tv_out_key(out, "items");
    tv_out_text(out, "[");
    for (size_t i = 0; i < found->n; i++) {
        const struct tv_neighbour *n = &found->items[i];
        tv_out_text(out, i ? ",{" : "{");
        tv_out_key(out, "rank");
        tv_out_int(out, (int64_t)i + 1);
        tv_out_text(out, ",");
        tv_item_json(out, s, n->item);
        tv_out_key(out, "shared");
        tv_out_int(out, n->shared);
        tv_out_key(out, "estimate");
        tv_out_real(out, n->score);
        tv_out_key(out, "standard_error");
        tv_out_real(out, tv_minhash_standard_error(n->score, found->size));
        if (!isnan(n->jaccard)) {
            tv_out_key(out, "jaccard");
            tv_out_real(out, n->jaccard);
            tv_out_key(out, "common");
            tv_out_int(out, n->common);
            tv_out_key(out, "either");
            tv_out_int(out, n->either);
        }
        tv_out_text(out, "}");
    }
    tv_out_text(out, "]");
}
