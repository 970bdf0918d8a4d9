/* without: derives from a kept model another one that knows nothing of an item or a user (the header tells why). All it needs
 * stands in MongoDB: the item side, and each user's ratings in their document.
 */
#include "trivet/model/life/without.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/model_parts.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/cli/interrupt.h"
#include "trivet/model/fold_in_document.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/life/stored.h"
#include "trivet/model/model_mongo.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/pg_rows.h"

/* --- whether a model has it ------------------------------------------------------------------------------- */

/* A user as an example has them: a number, or the code. */
static int is_user(const json_t *id, const struct tv_forgotten *what)
{
    return json_is_integer(id) ? json_integer_value(id) == what->id
                               : json_is_string(id) && strcmp(json_string_value(id), what->code) == 0;
}

/* Takes the user out of the examples of a description. 1: there was one. */
static int drop_examples(json_t *description, const struct tv_forgotten *what)
{
    json_t *examples = json_object_get(description, "examples");
    int found = 0;
    for (size_t i = json_array_size(examples); i-- > 0;)
        if (is_user(json_object_get(json_array_get(examples, i), "user_id"), what)) {
            json_array_remove(examples, i);
            found = 1;
        }
    return found;
}

/* A pass over the users of a model, until one has rated the item. */
struct search {
    const struct tv_model *model;
    struct tv_mongo *mongo;
    int64_t item;
    int found;
};

static int64_t place_of(const struct tv_user_document *u, int64_t item)
{
    return tv_dense_find(u->rated, u->n_rated, item);
}

static enum tv_status look_at_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct search *s = context;
    const struct tv_model *m = s->model;
    struct tv_user_document *u = NULL;
    if (s->found)
        return TV_OK;
    enum tv_status status = tv_user_document_read(&u, s->mongo, m->run_number, doc, m->factors, m->n_items, err);
    s->found = status == TV_OK && place_of(u, s->item) >= 0;
    tv_user_document_free(u);
    return status;
}

/* Users' documents name every item that they rated, also those that the model did not learn. */
static enum tv_status find_item(const struct tv_stores *s, const struct tv_model *m, int64_t item, int *found,
                                struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    struct search search = {.model = m, .mongo = s->mongo, .item = item};
    search.found = tv_dense_find(m->item_ids, (size_t)m->n_items, item) >= 0;
    enum tv_status status =
        search.found ? TV_OK : tv_mongo_each(s->mongo, tv_model_users(users, m->run_number), look_at_user, &search, err);
    *found = search.found;
    return status;
}

enum tv_status tv_without_needed(const struct tv_stores *s, int64_t run_number, const struct tv_forgotten *what, int *needed,
                                 struct tv_error *err)
{
    struct tv_model *m = NULL;
    *needed = 0;
    enum tv_status status = tv_model_read_mongo(&m, s->mongo, run_number, err);
    if (status == TV_OK && what->is_item) {
        status = find_item(s, m, what->id, needed, err);
    } else if (status == TV_OK) {
        json_t *description = json_loads(m->description, 0, NULL);
        *needed = drop_examples(description, what);
        json_decref(description);
    }
    tv_model_free(m);
    return status;
}

/* --- the item side ---------------------------------------------------------------------------------------- */

/* The description as it is, but for an example; it is counted when the users are written. */
static enum tv_status describe(struct tv_model *out, const struct tv_model *m, const struct tv_forgotten *what,
                               struct tv_error *err)
{
    json_t *description = json_loads(m->description, 0, NULL);
    if (!what->is_item)
        drop_examples(description, what);
    out->description = description ? json_dumps(description, JSON_REAL_PRECISION(15)) : NULL;
    json_decref(description);
    return out->description ? TV_OK : tv_fail(err, TV_ERR_CORRUPT, "model %" PRId64 " has a description that is no JSON", m->run_number);
}

/* What stands in fields of its own; the users are counted when they are written. */
static enum tv_status copy_fields(struct tv_model *out, const struct tv_model *m, struct tv_error *err)
{
    memcpy(out->algorithm, m->algorithm, sizeof out->algorithm);
    memcpy(out->score_kind, m->score_kind, sizeof out->score_kind);
    out->dataset = m->dataset;
    out->n_learned = m->n_learned;
    out->sigma_power = m->sigma_power;
    out->lambda = m->lambda;
    out->alpha = m->alpha;
    out->biases = m->biases;
    out->created_at = m->created_at;
    if (m->sigma == NULL)
        return TV_OK;
    if ((out->sigma = tv_alloc((size_t)m->factors, sizeof *out->sigma, "singular values", err)) == NULL)
        return TV_ERR_NO_MEMORY;
    memcpy(out->sigma, m->sigma, (size_t)m->factors * sizeof *m->sigma);
    return TV_OK;
}

/* All rows but the item's, in their order. */
static void copy_rows(struct tv_model *out, const struct tv_model *m, int64_t but)
{
    size_t k = (size_t)m->factors, to = 0;
    for (int32_t i = 0; i < m->n_items; i++) {
        if (i == but)
            continue;
        out->item_ids[to] = m->item_ids[i];
        memcpy(out->item_factors + to++ * k, m->item_factors + (size_t)i * k, k * sizeof *m->item_factors);
    }
}

static enum tv_status derive(struct tv_model **out, const struct tv_model *m, int64_t again, const struct tv_forgotten *what,
                             struct tv_error *err)
{
    int64_t row = what->is_item ? tv_dense_find(m->item_ids, (size_t)m->n_items, what->id) : -1;
    if (row >= 0 && m->n_items == 1) {
        tv_fail(err, TV_ERR_INPUT, "model %" PRId64 " has no other item than this", m->run_number);
        return tv_hint(err, "make another model live: trivet-train fit, or trivet-train activate N");
    }
    enum tv_status status = tv_model_create(out, again, m->factors, m->n_items - (row >= 0), err);
    if (status == TV_OK)
        status = copy_fields(*out, m, err);
    if (status == TV_OK)
        status = describe(*out, m, what, err);
    if (status != TV_OK)
        return status;
    copy_rows(*out, m, row);
    (*out)->checksum = tv_model_checksum(*out);
    return TV_OK;
}

/* --- users ------------------------------------------------------------------------------------------------ */

/* The users of `old` become those of `new`, one after the other. */
struct users {
    const struct tv_model *old;
    struct tv_model *new;
    const struct tv_forgotten *what;
    struct tv_mongo *mongo;
    struct tv_mongo_bulk *bulk;
    struct tv_fold_in fold_in;
    struct tv_fold_in_model model;
    struct tv_fold_in_space space;
    uint64_t hash;
    int64_t n, n_codes;
};

/* Out of the user's ratings, which are the document's own. */
static void drop_rating(struct tv_user_document *u, int64_t item)
{
    int64_t at = place_of(u, item);
    if (at < 0)
        return;
    size_t rest = u->n_rated - (size_t)at - 1;
    memmove(u->rated + at, u->rated + at + 1, rest * sizeof *u->rated);
    memmove(u->ratings + at, u->ratings + at + 1, rest * sizeof *u->ratings);
    u->n_rated--;
}

/* Row, rev and code stay; a stored list goes, for it was computed from other factors. */
static enum tv_status write_user(struct users *w, struct tv_user_document *u, struct tv_error *err)
{
    if (w->what->is_item)
        drop_rating(u, w->what->id);
    enum tv_status status = tv_fold_in_document(&w->model, &w->space, u->user_id, u->rated, u->ratings, u->n_rated, err);
    struct tv_user_document *d = &w->space.document;
    d->code = u->code;
    d->row = u->row;
    d->rev = u->rev;
    w->n++;
    w->n_codes += u->code != NULL;
    return status == TV_OK
               ? tv_user_document_add(w->bulk, w->mongo, w->new->run_number, d, &w->space.blobs, &w->hash, err)
               : status;
}

static enum tv_status take_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct users *w = context;
    struct tv_user_document *u = NULL;
    if (tv_interrupted())
        return tv_fail(err, TV_ERR_INTERRUPTED, "interrupted while folding in users");
    enum tv_status status =
        tv_user_document_read(&u, w->mongo, w->old->run_number, doc, w->old->factors, w->old->n_items, err);
    if (status == TV_OK && (w->what->is_item || u->user_id != w->what->id))
        status = write_user(w, u, err);
    tv_user_document_free(u);
    return status;
}

/* The indexes of user_<N>, as a training makes them. */
static enum tv_status make_indexes(const struct users *w, const char *collection, struct tv_error *err)
{
    enum tv_status status = tv_mongo_create_index(w->mongo, collection, "id", err);
    return status == TV_OK && w->n_codes > 0 ? tv_mongo_create_index(w->mongo, collection, "code", err) : status;
}

static enum tv_status write_users(struct users *w, struct tv_error *err)
{
    char from[TV_MODEL_NAME], to[TV_MODEL_NAME];
    tv_fold_in_space_init(&w->space);
    enum tv_status status = tv_model_fold_in(&w->fold_in, w->new, err);
    if (status == TV_OK) {
        tv_fold_in_model_init(&w->model, &w->fold_in, w->new->item_ids);
        status = tv_mongo_bulk_begin(&w->bulk, w->mongo, tv_model_users(to, w->new->run_number), err);
    }
    if (status == TV_OK)
        status = tv_mongo_each(w->mongo, tv_model_users(from, w->old->run_number), take_user, w, err);
    enum tv_status ended = tv_mongo_bulk_end(w->bulk, status == TV_OK ? err : NULL);
    if (status == TV_OK)
        status = ended;
    if (status == TV_OK)
        status = make_indexes(w, to, err);
    w->new->n_users = w->n;
    tv_fold_in_space_free(&w->space);
    tv_fold_in_model_free(&w->model);
    tv_fold_in_free(&w->fold_in);
    return status;
}

/* --- counts ----------------------------------------------------------------------------------------------- */

/* As a text, in the place of the old one; `counts` is merged into those that are there. */
static enum tv_status describe_counts(struct tv_model *m, json_t *counts, struct tv_error *err)
{
    json_t *description = json_loads(m->description, 0, NULL);
    json_t *there = json_object_get(description, "counts");
    char *text = NULL;
    if (there == NULL || json_object_update(there, counts) == 0)
        text = description ? json_dumps(description, JSON_REAL_PRECISION(15)) : NULL;
    json_decref(description);
    if (text == NULL)
        return tv_fail(err, TV_ERR_CORRUPT, "model %" PRId64 " has a description that is no JSON", m->run_number);
    free(m->description);
    m->description = text;
    return TV_OK;
}

/* The journal first: after a kill the description tells that this was under way. */
enum tv_status tv_without_count(const struct tv_stores *s, struct tv_model *m, struct tv_error *err)
{
    json_t *counts = json_pack("{s:i, s:I}", "items", (int)m->n_items, "users_served", (json_int_t)m->n_users);
    char *text = counts ? json_dumps(counts, 0) : NULL;
    enum tv_status status = text ? tv_run_count_again(tv_lock_connection(s->lock), m->run_number, text, err)
                                 : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the counts of model %" PRId64, m->run_number);
    if (status == TV_OK)
        status = describe_counts(m, counts, err);
    free(text);
    json_decref(counts);
    return status;
}

/* --- a model in the place of another ----------------------------------------------------------------------- */

enum tv_status tv_without_begin(const struct tv_stores *s, int64_t run_number, int64_t *again, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    snprintf(number, sizeof number, "%" PRId64, run_number);
    return tv_pg_int(tv_lock_connection(s->lock), "SELECT trivet.run_again($1)", 1, &value, again, err);
}

enum tv_status tv_without_make(const struct tv_stores *s, int64_t run_number, int64_t again, const struct tv_forgotten *what,
                               struct tv_error *err)
{
    struct tv_model *old = NULL, *new = NULL;
    struct users w = {.what = what, .mongo = s->mongo, .hash = TV_HASH_START};
    enum tv_status status = tv_model_read_mongo(&old, s->mongo, run_number, err);
    if (status == TV_OK)
        status = derive(&new, old, again, what, err);
    w.old = old;
    w.new = new;
    if (status == TV_OK)
        status = write_users(&w, err);
    if (status == TV_OK)
        status = tv_without_count(s, new, err);
    if (status == TV_OK)
        status = tv_model_store(s, new, err);
    if (status == TV_OK)
        status = tv_model_check_stored(s, new, w.hash, err);
    if (status == TV_OK)
        status = tv_run_set_state(tv_lock_connection(s->lock), again, TV_RUN_KEPT, err);
    tv_model_free(old);
    tv_model_free(new);
    return status;
}

/* Killed in between, both are kept, and tv_without_finish goes on. */
enum tv_status tv_without_exchange(const struct tv_stores *s, int64_t run_number, int64_t again, int is_live,
                                   struct tv_error *err)
{
    enum tv_status status = is_live ? tv_lifecycle_activate_run(s, again, err) : TV_OK;
    if (status == TV_OK)
        status = tv_lock_check(s->lock, err);
    if (status == TV_OK)
        status = tv_lifecycle_discard(s, run_number, err);
    if (status == TV_OK)
        status = tv_run_set_state(tv_lock_connection(s->lock), run_number, TV_RUN_PRUNED, err);
    if (status == TV_OK)
        tv_log_info("model %" PRId64 " is in the place of %" PRId64 "%s", again, run_number, is_live ? ", and live" : "");
    return status;
}

enum tv_status tv_without_finish(const struct tv_stores *s, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(tv_lock_connection(s->lock), "SELECT run_id, instead, live FROM trivet.runs_made_again()",
                                        0, NULL, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++)
        status = tv_without_exchange(s, strtoll(tv_pg_cell(rows, i, 0), NULL, 10), strtoll(tv_pg_cell(rows, i, 1), NULL, 10),
                                     tv_pg_cell(rows, i, 2)[0] == 't', err);
    tv_pg_rows_free(rows);
    return status;
}
