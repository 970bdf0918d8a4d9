/* fold_in_anew: users' documents anew, after their ratings changed. One statement reads the ratings of many users;
 * where it fails, halves of them are tried, until the user is found whose rows cannot be read (fold_range).
 * Documents are written in blocks.
 */
#include "trivet/model/life/fold_in_anew.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/life/fold_in_row.h"
#include "trivet/base/clock.h"
#include "trivet/model/reader.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

/* Documents are written so many at a time, or so many bytes of them. */
enum { BLOCK = 100, BLOCK_BYTES = 12 << 20 };

/* --- where ratings are read ------------------------------------------------------------------------------- */

/* The users that are asked about, with their revs: those with single ratings, or all of them. */
#define WITH_SINGLE_RATINGS "SELECT user_id, rev FROM trivet.user_change WHERE user_id = ANY ($1::bigint[])"
#define WHOEVER                                                                                                        \
    "SELECT i, coalesce(g.rev, 0) FROM unnest($1::bigint[]) i LEFT JOIN trivet.user_change g ON g.user_id = i"

/* One statement gives of each user rev, code and ratings, so that they agree. Values travel as their bits in
 * hexadecimal digits, a null as NaN, each in the place of its item (fold_in_row.c reads them). */
static enum tv_status format_query(char **out, const char *who, const char *evidence, struct tv_error *err)
{
    struct tv_buffer query = TV_BUFFER_INIT(1 << 18);
    enum tv_status status = tv_buffer_format(
        &query, err,
        "SELECT c.user_id, c.rev, "
        "(SELECT d.code FROM trivet.code d WHERE d.kind = 'user' AND d.id = c.user_id), e.items, e.ratings "
        "FROM (%s) c (user_id, rev) LEFT JOIN (SELECT x.user_id, array_agg(x.item_id ORDER BY x.item_id), "
        "string_agg(coalesce(encode(float4send(x.value), 'hex'), '7fc00000'), '' ORDER BY x.item_id) "
        "FROM (%s) x (user_id, item_id, value) "
        "WHERE x.user_id = ANY ($1::bigint[]) GROUP BY x.user_id) e (user_id, items, ratings) USING (user_id) "
        "ORDER BY c.user_id",
        who, evidence);
    *out = query.data;
    return status;
}

/* The probe reads as many rows as it is told, none or one. */
static enum tv_status make_queries(struct tv_fold_in_anew *r, const char *evidence, struct tv_error *err)
{
    struct tv_buffer probe = TV_BUFFER_INIT(1 << 18);
    enum tv_status status = format_query(&r->query, WITH_SINGLE_RATINGS, evidence, err);
    if (status == TV_OK)
        status = format_query(&r->query_of_everybody, WHOEVER, evidence, err);
    if (status == TV_OK)
        status =
            tv_buffer_format(&probe, err, "SELECT * FROM (%s) x (user_id, item_id, value) LIMIT $1::int", evidence);
    r->probe = probe.data;
    return status;
}

/* A row source of one's own is text that an analyst wrote; one that follows from the filter is made by
 * trivet.evidence_query. */
static enum tv_status read_source(struct tv_fold_in_anew *r, struct tv_pg *pg, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, r->model);
    static const char sql[] = "SELECT trivet.evidence_query(id), evidence IS NOT NULL FROM trivet.run WHERE id = $1";
    enum tv_status status = tv_pg_query(pg, sql, 1, &value, &rows, err);
    if (status != TV_OK)
        return status;
    const char *evidence = tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    if (evidence == NULL) {
        tv_fail(err, TV_ERR_NOT_FOUND, "the journal does not know what the users of model %s are folded in from",
                number);
        status = tv_hint(err, "train a model here: trivet-train fit");
    } else {
        r->own_source = strcmp(tv_pg_cell(rows, 0, 1), "t") == 0;
        status = make_queries(r, evidence, err);
    }
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_fold_in_anew_create(struct tv_fold_in_anew **out, int64_t model, const struct tv_fold_in *fold_in,
                                      const int64_t *item_ids, struct tv_pg *pg, struct tv_error *err)
{
    struct tv_fold_in_anew *r = tv_alloc(1, sizeof *r, "a model to fold users into", err);
    if (r == NULL)
        return TV_ERR_NO_MEMORY;
    r->model = model;
    tv_fold_in_model_init(&r->fold_in_model, fold_in, item_ids);
    enum tv_status status = read_source(r, pg, err);
    if (status == TV_OK)
        *out = r;
    else
        tv_fold_in_anew_free(r);
    return status;
}

void tv_fold_in_anew_free(struct tv_fold_in_anew *r)
{
    if (r == NULL)
        return;
    tv_fold_in_model_free(&r->fold_in_model);
    free(r->query);
    free(r->query_of_everybody);
    free(r->probe);
    free(r);
}

void tv_fold_in_end_reading(struct tv_fold_in_stores *stores)
{
    tv_pg_close(stores->reader);
    stores->reader = NULL;
}

/* The session is cleaned after each statement; one that cannot be cleaned is closed, and opened again for the next. */
static enum tv_status ask_reader(struct tv_fold_in_stores *stores, int seconds, const char *sql, int n,
                                 const char *const *values, struct tv_pg_rows **rows, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    *rows = NULL;
    if (stores->reader == NULL)
        status = tv_reader_open(&stores->reader, stores->uri, "trivet folding in", 0, err);
    if (status != TV_OK)
        return status;
    tv_pg_set_patience(stores->reader, seconds + 3.0); /* the server ends it before */
    status = tv_reader_begin(stores->reader, seconds, err);
    if (status == TV_OK)
        status = tv_pg_query(stores->reader, sql, n, values, rows, err);
    if (tv_reader_end(stores->reader, NULL) != TV_OK)
        tv_fold_in_end_reading(stores);
    return status;
}

/* `seconds` is how long the statement may take on a reader's connection; the caller's own has its limit. */
static enum tv_status ask(const struct tv_fold_in_anew *r, struct tv_fold_in_stores *stores, int seconds,
                          const char *sql, const char *value, struct tv_pg_rows **rows, struct tv_error *err)
{
    return r->own_source ? ask_reader(stores, seconds, sql, 1, &value, rows, err)
                         : tv_pg_query(stores->pg, sql, 1, &value, rows, err);
}

/* --- rows become documents -------------------------------------------------------------------------------- */

/* One call of tv_fold_in_users. */
struct work {
    const struct tv_fold_in_anew *r;
    struct tv_fold_in_stores *stores;
    const int64_t *ids; /* (n_ids) */
    size_t n_ids;
    uint8_t *states;
    struct tv_fold_in_told *told;
    size_t refused;      /* in this call */
    int64_t done_before; /* told->done when it began */
    int probed[2];       /* with how many rows the row source was asked already */
    struct tv_fold_in_space spaces[BLOCK];
    size_t n, bytes; /* of spaces: users who are not written yet */
};

/* Users whose documents MongoDB refused are not done: they wait. */
static void note_unwritten(struct work *w, const struct tv_mongo_refusals *refusals)
{
    for (size_t i = 0; i < w->n; i++) {
        int64_t id = w->spaces[i].document.user_id;
        if (!refusals->each[i])
            continue;
        for (size_t j = 0; j < w->n_ids; j++)
            if (w->ids[j] == id)
                w->states[j] = TV_FOLD_IN_WAITING;
        if (w->told->unwritten.n == 0)
            w->told->unwritable = refusals->why;
        tv_named_add_int(&w->told->unwritten, id, NULL);
        w->told->done--;
    }
}

/* Writes the users gathered so far, in few messages. */
static enum tv_status write_block(struct work *w, struct tv_error *err)
{
    char each[BLOCK] = {0};
    struct tv_mongo_refusals refusals = {.each = each};
    const struct tv_user_document *users[BLOCK];
    const struct tv_user_blobs *blobs[BLOCK];
    for (size_t i = 0; i < w->n; i++) {
        users[i] = &w->spaces[i].document;
        blobs[i] = &w->spaces[i].blobs;
    }
    enum tv_status status =
        w->n > 0 ? tv_user_documents_replace(w->stores->mongo, w->r->model, users, blobs, w->n, &refusals, err) : TV_OK;
    if (status == TV_OK)
        note_unwritten(w, &refusals);
    w->n = w->bytes = 0;
    return status;
}

/* The document's blobs are in the space until its block is written; the ratings it was made of are not needed any
 * more. */
static enum tv_status fold_row(struct work *w, const struct tv_pg_rows *rows, int row, struct tv_error *err)
{
    struct tv_evidence e = TV_EVIDENCE_INIT;
    struct tv_fold_in_space *s = &w->spaces[w->n];
    enum tv_status status = tv_fold_in_row(s, &e, &w->r->fold_in_model, rows, row, err);
    s->document.rated = NULL; /* lent by the evidence, and in the blobs */
    s->document.ratings = NULL;
    w->bytes += s->blobs.seen.size + s->blobs.rated.size + s->blobs.ratings.size;
    w->n += status == TV_OK;
    tv_evidence_free(&e);
    return status == TV_OK && (w->n == BLOCK || w->bytes > BLOCK_BYTES) ? write_block(w, err) : status;
}

/* All users of the range are done, also users of whom there is no row, because they have no single ratings. */
static enum tv_status fold_rows(struct work *w, const struct tv_pg_rows *rows, size_t from, size_t n,
                                struct tv_error *err)
{
    enum tv_status status = TV_OK;
    memset(w->states + from, TV_FOLD_IN_DONE, n); /* but for those whose document is refused */
    w->told->done += (int64_t)n;
    for (int i = 0; i < tv_pg_rows_count(rows) && status == TV_OK; i++)
        status = fold_row(w, rows, i, err);
    return status == TV_OK ? write_block(w, err) : status;
}

/* --- all of them, whatever is wrong with some ------------------------------------------------------------- */

/* 1 if nothing more can be asked: PostgreSQL itself is away, and not only the login or the rows of an analyst's
 * SQL, or memory is. */
static int is_away(struct work *w, enum tv_status status)
{
    return status == TV_ERR_NO_MEMORY ||
           (status == TV_ERR_UNAVAILABLE && (!w->r->own_source || !tv_pg_alive(w->stores->pg)));
}

/* Whether other data than the model's is loaded, so that no row of its source may be read. `why` is the answer. */
static enum tv_status check_data(struct work *w, struct tv_error *why)
{
    char number[24];
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, w->r->model);
    enum tv_status status = ask(w->r, w->stores, w->stores->seconds, "SELECT trivet.check_model($1)", number, &rows, why);
    tv_pg_rows_free(rows);
    return status;
}

/* Asks whether it is the row source that cannot be read: after the first failure for none of its rows, and once more
 * for one, when many users were refused and nobody was done: it may be a function that always fails. If so, `told`
 * has it. */
static enum tv_status probe(struct work *w, struct tv_error *err)
{
    enum { NOBODY = 10 };
    int n = w->refused >= NOBODY && w->told->done == w->done_before;
    const char *limit = n ? "1" : "0";
    struct tv_pg_rows *rows = NULL;
    struct tv_error why = {0};
    if (w->probed[n])
        return TV_OK;
    enum tv_status status = n ? TV_OK : check_data(w, &why);
    if (status == TV_OK)
        status = ask(w->r, w->stores, w->stores->seconds, w->r->probe, limit, &rows, &why);
    tv_pg_rows_free(rows);
    w->probed[n] = 1;
    if (is_away(w, status) && err)
        *err = why;
    if (is_away(w, status))
        return status;
    w->told->source = why;
    return TV_OK;
}

/* One user's rows that never end would cost the whole time at each halving, and there may be many such users: so half of the
 * users get half of the time, once it was not enough. */
static int time_for_half(int seconds, double took)
{
    enum { LEAST_SECONDS = 2 };
    if (took < seconds)
        return seconds;
    return seconds / 2 > LEAST_SECONDS ? seconds / 2 : LEAST_SECONDS;
}

/* Folds in users `from` to from + n - 1. If their rows cannot be read, each half is tried by itself, until the one
 * user is found that is to blame: that user is refused, and the others go on. */
static enum tv_status fold_range(struct work *w, size_t from, size_t n, int seconds, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    struct tv_error why = {0};
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 26);
    enum tv_status status = tv_int_array(&ids, w->ids + from, n, err);
    double began = tv_clock();
    if (status != TV_OK)
        return status;
    status = ask(w->r, w->stores, seconds, w->r->query, ids.data, &rows, &why);
    if (status == TV_OK && w->r->own_source)
        status = tv_fold_in_check_rows(rows, w->ids + from, n, &why);
    tv_buffer_free(&ids);
    if (status == TV_OK)
        status = fold_rows(w, rows, from, n, err);
    else if (is_away(w, status) && err)
        *err = why;
    else if (!is_away(w, status))
        status = probe(w, err);
    tv_pg_rows_free(rows);
    if (status != TV_OK || why.status == TV_OK || w->told->source.status != TV_OK)
        return status;
    if (n == 1) {
        w->refused++;
        w->states[from] = TV_FOLD_IN_REFUSED;
        tv_named_add_int(&w->told->refused, w->ids[from], why.message);
        return TV_OK;
    }
    seconds = time_for_half(seconds, tv_clock() - began);
    status = fold_range(w, from, n / 2, seconds, err);
    if (status != TV_OK || w->told->source.status != TV_OK)
        return status;
    return fold_range(w, from + n / 2, n - n / 2, seconds, err);
}

/* The work is on the heap, because it has the space of a document for each of BLOCK users. */
enum tv_status tv_fold_in_users(const struct tv_fold_in_anew *r, struct tv_fold_in_stores *stores,
                                const int64_t *user_ids, size_t n, uint8_t *states, struct tv_fold_in_told *told,
                                struct tv_error *err)
{
    memset(states, TV_FOLD_IN_WAITING, n);
    if (n == 0 || told->source.status != TV_OK)
        return TV_OK;
    struct work *w = tv_alloc(1, sizeof *w, "users to fold in", err);
    if (w == NULL)
        return TV_ERR_NO_MEMORY;
    w->r = r;
    w->stores = stores;
    w->ids = user_ids;
    w->n_ids = n;
    w->states = states;
    w->told = told;
    w->done_before = told->done;
    for (int i = 0; i < BLOCK; i++)
        tv_fold_in_space_init(&w->spaces[i]);
    enum tv_status status = fold_range(w, 0, n, stores->seconds, err);
    for (int i = 0; i < BLOCK; i++)
        tv_fold_in_space_free(&w->spaces[i]);
    free(w);
    return status;
}

enum tv_status tv_int_array(struct tv_buffer *out, const int64_t *values, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = tv_buffer_format(out, err, "%s%" PRId64, i ? "," : "{", values[i]);
    return status == TV_OK ? tv_buffer_text(out, n ? "}" : "{}", err) : status;
}

/* Calls a function of (ids, revs, data set). */
static enum tv_status note(struct tv_pg *pg, const char *sql, const struct tv_fold_in_revs *users, struct tv_error *err)
{
    char dataset[24];
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 26), changes = TV_BUFFER_INIT(1 << 26);
    enum tv_status status = tv_int_array(&ids, users->user_ids, users->n, err);
    if (status == TV_OK)
        status = tv_int_array(&changes, users->revs, users->n, err);
    snprintf(dataset, sizeof dataset, "%" PRId64, users->dataset);
    const char *const values[] = {ids.data, changes.data, dataset};
    if (status == TV_OK && users->n > 0)
        status = tv_pg_exec(pg, sql, 3, values, err);
    tv_buffer_free(&ids);
    tv_buffer_free(&changes);
    return status;
}

enum tv_status tv_fold_in_done(struct tv_pg *pg, const struct tv_fold_in_revs *users, struct tv_error *err)
{
    return note(pg, "SELECT trivet.users_folded($1::bigint[], $2::bigint[], nullif($3::bigint, 0))", users, err);
}

enum tv_status tv_fold_in_not_done(struct tv_pg *pg, const struct tv_fold_in_revs *users, int refused, struct tv_error *err)
{
    return note(pg,
                refused ? "SELECT trivet.users_not_folded($1::bigint[], $2::bigint[], true, nullif($3::bigint, 0))"
                        : "SELECT trivet.users_not_folded($1::bigint[], $2::bigint[], false, nullif($3::bigint, 0))",
                users, err);
}
