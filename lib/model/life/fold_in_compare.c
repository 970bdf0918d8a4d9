/* fold_in_compare: are users' documents what their ratings make of them? For repair, which looks at everything:
 * each user is folded in once more, in memory, and the result compared with the stored document. Nothing is
 * written.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/life/fold_in_row.h"
#include "trivet/core/formats/half.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/pg_rows.h"

/* Users that are read and compared at a time. */
enum { BATCH = 500 };

/* A batch of users under comparison. */
struct compared {
    const struct tv_fold_in_anew *r;
    struct tv_mongo *mongo;
    const int64_t *ids;
    size_t n;
    char *differs;
    struct tv_user_document *documents[BATCH]; /* NULL: none, or none that can be read */
};

/* `n` in the document is compared here, because a document in memory does not keep it. */
static enum tv_status take_document(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct compared *c = context;
    const struct tv_fold_in *model = c->r->fold_in_model.fold_in;
    int64_t id = 0, n = -1;
    int64_t place = tv_mongo_doc_int(doc, "_id", &id) ? tv_dense_find(c->ids, c->n, id) : -1;
    if (place < 0 || c->documents[place])
        return TV_OK;
    enum tv_status status = tv_user_document_read(&c->documents[place], c->mongo, c->r->model, doc, model->factors,
                                                  model->n_items, err);
    if (status == TV_ERR_CORRUPT)
        c->differs[place] = TV_FOLD_IN_OTHER;
    else if (status == TV_OK && (!tv_mongo_doc_int(doc, "n", &n) || n != (int64_t)c->documents[place]->n_rated))
        c->differs[place] = TV_FOLD_IN_OTHER;
    return status == TV_ERR_CORRUPT ? TV_OK : status;
}

/* The same model folded in on another machine may be rounded otherwise. float16 has 11 significant bits, so 1/256
 * of the largest factor is some units of its last place. */
static int same_factors(const struct tv_user_document *a, const struct tv_user_document *b)
{
    float largest = 0, apart = 0;
    for (int f = 0; f < a->factors; f++) {
        float x = tv_half_to_float(a->value[f]), y = tv_half_to_float(b->value[f]);
        largest = fmaxf(largest, fmaxf(fabsf(x), fabsf(y)));
        apart = fmaxf(apart, fabsf(x - y));
    }
    return apart <= largest / 256;
}

static int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Compares all but the codes. */
static int same(const struct tv_user_document *a, const struct tv_user_document *b)
{
    return a->n_rated == b->n_rated && a->n_seen == b->n_seen &&
           (a->why == NULL) == (b->why == NULL) && same_factors(a, b) &&
           (a->n_seen == 0 || memcmp(a->seen, b->seen, a->n_seen * sizeof *a->seen) == 0) &&
           (a->n_rated == 0 || (memcmp(a->rated, b->rated, a->n_rated * sizeof *a->rated) == 0 &&
                                memcmp(a->ratings, b->ratings, a->n_rated * sizeof *a->ratings) == 0));
}

/* A document of another rev than PostgreSQL has now was not made from these ratings, and is not judged. */
static enum tv_status compare_row(struct compared *c, struct tv_fold_in_space *s, const struct tv_pg_rows *rows,
                                  int row, struct tv_error *err)
{
    struct tv_evidence e = TV_EVIDENCE_INIT;
    enum tv_status status = tv_fold_in_row(s, &e, &c->r->fold_in_model, rows, row, err);
    int64_t place = status == TV_OK ? tv_dense_find(c->ids, c->n, s->document.user_id) : -1;
    const struct tv_user_document *there = place >= 0 ? c->documents[place] : NULL;
    if (there && there->rev != s->document.rev)
        c->differs[place] = TV_FOLD_IN_SAME;
    else if (there && !same_text(there->code, s->document.code))
        c->differs[place] = s->document.code ? TV_FOLD_IN_OTHER_CODE : TV_FOLD_IN_LOST_CODE;
    else if (there && !same(there, &s->document))
        c->differs[place] = TV_FOLD_IN_OTHER;
    tv_evidence_free(&e);
    return status;
}

/* One space serves all rows: a document is compared and not kept. */
static enum tv_status compare_rows(struct compared *c, const struct tv_pg_rows *rows, struct tv_error *err)
{
    struct tv_fold_in_space space;
    enum tv_status status = TV_OK;
    tv_fold_in_space_init(&space);
    for (int i = 0; i < tv_pg_rows_count(rows) && status == TV_OK; i++)
        status = compare_row(c, &space, rows, i, err);
    tv_fold_in_space_free(&space);
    return status;
}

/* The documents first: one of the rev that PostgreSQL still has afterwards was made from the ratings that are read then. */
static enum tv_status compare_batch(struct compared *c, struct tv_pg *pg, struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    struct tv_pg_rows *rows = NULL;
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 20);
    const struct tv_mongo_selection wanted = {
        .collection = tv_model_users(users, c->r->model), .key = "_id", .values = c->ids, .n = c->n};
    enum tv_status status = tv_mongo_each_of(c->mongo, &wanted, take_document, c, err);
    if (status == TV_OK)
        status = tv_int_array(&ids, c->ids, c->n, err);
    const char *value = tv_buffer_string(&ids);
    if (status == TV_OK)
        status = tv_pg_query(pg, c->r->query_of_everybody, 1, &value, &rows, err);
    if (status == TV_OK)
        status = compare_rows(c, rows, err);
    for (size_t i = 0; i < c->n; i++)
        tv_user_document_free(c->documents[i]);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* In batches, so that no more than BATCH documents are in memory. */
enum tv_status tv_fold_in_compare(const struct tv_fold_in_anew *r, struct tv_pg *pg, struct tv_mongo *mongo,
                                  const int64_t *user_ids, size_t n, char *differs, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    memset(differs, 0, n);
    for (size_t i = 0; i < n && status == TV_OK; i += BATCH) {
        struct compared c = {.r = r, .mongo = mongo, .ids = user_ids + i, .n = n - i < BATCH ? n - i : BATCH,
                             .differs = differs + i};
        status = compare_batch(&c, pg, err);
    }
    return status;
}
