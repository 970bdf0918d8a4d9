/* refold: a user's document anew, after the user's ratings changed. */
#include "trivet/refold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/evidence.h"

/* --- where ratings are read ------------------------------------------------------------------------------- */

static enum tv_status read_source(struct tv_refold *r, struct tv_pg *pg, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer query = TV_BUFFER_INIT(1 << 18);
    snprintf(number, sizeof number, "%" PRId64, r->model);
    static const char sql[] = "SELECT trivet.evidence_query(id), evidence IS NOT NULL FROM trivet.run WHERE id = $1";
    enum tv_status status = tv_pg_query(pg, sql, 1, &value, &rows, err);
    if (status != TV_OK)
        return status;
    const char *evidence = tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    if (evidence == NULL) {
        tv_fail(err, TV_ERR_NOT_FOUND, "the journal does not know what the users of model %s are folded in from",
                number);
        tv_hint(err, "train a model here: trivet-train fit");
        status = TV_ERR_NOT_FOUND;
    } else {
        r->own_source = strcmp(tv_pg_cell(rows, 0, 1), "t") == 0;
        status = tv_buffer_format(&query, err,
                                  "SELECT c.rev, e.item_id, e.value, "
                                  "(SELECT d.code FROM trivet.code d WHERE d.kind = 'user' AND d.id = c.user_id) "
                                  "FROM trivet.user_change c LEFT JOIN LATERAL (SELECT * FROM (%s) x (user_id, item_id, value) WHERE x.user_id = $1::bigint) e ON true "
                                  "WHERE c.user_id = $1::bigint ORDER BY e.item_id",
                                  evidence);
    }
    r->query = query.data;
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_refold_create(struct tv_refold **out, int64_t model, const struct tv_fold_in *fold_in,
                                const int64_t *item_ids, struct tv_pg *pg, struct tv_error *err)
{
    struct tv_refold *r = tv_alloc(1, sizeof *r, "a model to fold users into", err);
    if (r == NULL)
        return TV_ERR_NO_MEMORY;
    r->model = model;
    tv_folding_init(&r->folding, fold_in, item_ids);
    enum tv_status status = read_source(r, pg, err);
    if (status == TV_OK)
        *out = r;
    else
        tv_refold_free(r);
    return status;
}

void tv_refold_free(struct tv_refold *r)
{
    if (r == NULL)
        return;
    tv_folding_free(&r->folding);
    free(r->query);
    free(r);
}

/* SQL of an analyst's own runs in a transaction that can only read, with the rights of a reader. */
static enum tv_status ask(const struct tv_refold *r, struct tv_pg *pg, const char *user, struct tv_pg_rows **rows,
                          struct tv_error *err)
{
    if (!r->own_source)
        return tv_pg_query(pg, r->query, 1, &user, rows, err);
    enum tv_status status = tv_pg_exec(pg, "BEGIN READ ONLY", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "SET LOCAL ROLE trivet_reader", 0, NULL, err);
    if (status == TV_OK)
        status = tv_pg_query(pg, r->query, 1, &user, rows, err);
    tv_pg_exec(pg, "ROLLBACK", 0, NULL, NULL);
    return status;
}

/* --- one user --------------------------------------------------------------------------------------------- */

static enum tv_status take_rows(struct tv_evidence *e, const struct tv_pg_rows *rows, int64_t user_id,
                                struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int i = 0; i < tv_pg_rows_count(rows) && status == TV_OK; i++) {
        const char *item = tv_pg_cell(rows, i, 1), *value = tv_pg_cell(rows, i, 2);
        if (item && value) /* the one row of a user without ratings has neither */
            status = tv_evidence_add(e, user_id, atoll(item), strtof(value, NULL), err);
    }
    return status;
}

static enum tv_status fold(const struct tv_refold *r, struct tv_fold_space *s, const struct tv_evidence *e,
                           struct tv_mongo *mongo, const struct tv_user_document *user, struct tv_error *err)
{
    int written;
    enum tv_status status =
        tv_fold_user(&r->folding, s, user->user_id, e->items, e->ratings, e->n_pairs, err);
    s->document.rev = user->rev;
    s->document.code = user->code;
    if (status == TV_OK)
        status = tv_user_document_replace(mongo, r->model, &s->document, &s->blobs, &written, err);
    s->document.rated = NULL; /* lent by the evidence, */
    s->document.ratings = NULL;
    s->document.code = NULL; /* and by the rows */
    return status;
}

enum tv_status tv_refold_user(const struct tv_refold *r, struct tv_fold_space *s, struct tv_pg *pg,
                              struct tv_mongo *mongo, int64_t user_id, int64_t *rev, struct tv_error *err)
{
    char user[24];
    struct tv_pg_rows *rows = NULL;
    struct tv_evidence evidence = TV_EVIDENCE_INIT;
    snprintf(user, sizeof user, "%" PRId64, user_id);
    enum tv_status status = ask(r, pg, user, &rows, err);
    if (status != TV_OK)
        return status;
    if (tv_pg_rows_count(rows) == 0)
        status = tv_fail(err, TV_ERR_NOT_FOUND, "user %s has never rated live", user);
    if (status == TV_OK)
        status = take_rows(&evidence, rows, user_id, err);
    if (status == TV_OK) {
        *rev = atoll(tv_pg_cell(rows, 0, 0));
        const struct tv_user_document known = {.user_id = user_id, .rev = *rev, .code = tv_pg_cell(rows, 0, 3)};
        status = fold(r, s, &evidence, mongo, &known, err);
    }
    tv_evidence_free(&evidence);
    tv_pg_rows_free(rows);
    return status;
}

enum tv_status tv_int_array(struct tv_buffer *out, const int64_t *values, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = tv_buffer_format(out, err, "%s%" PRId64, i ? "," : "{", values[i]);
    return status == TV_OK ? tv_buffer_text(out, n ? "}" : "{}", err) : status;
}

enum tv_status tv_refold_done(struct tv_pg *pg, const int64_t *user_ids, const int64_t *revs, size_t n,
                              struct tv_error *err)
{
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 26), changes = TV_BUFFER_INIT(1 << 26);
    enum tv_status status = tv_int_array(&ids, user_ids, n, err);
    if (status == TV_OK)
        status = tv_int_array(&changes, revs, n, err);
    const char *const values[] = {ids.data, changes.data};
    if (status == TV_OK)
        status = tv_pg_exec(pg, "SELECT trivet.users_folded($1::bigint[], $2::bigint[])", 2, values, err);
    tv_buffer_free(&ids);
    tv_buffer_free(&changes);
    return status;
}
