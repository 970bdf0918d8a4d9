/* catch_up: brings MongoDB up to single ratings, users and items. Users are looked up and folded in a batch at a
 * time; items are counted by PostgreSQL over all their ratings, which is right however often a change was or was
 * not applied before.
 */
#include "trivet/model/life/catch_up.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/model/items.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

/* Each says in the same statement whose they are. */
#define CHANGES "SELECT user_id, rev, coalesce(trivet.current_dataset(), 0) FROM "
#define CHANGES_OF_ITEMS "SELECT item_id, rev, coalesce(trivet.current_dataset(), 0) FROM "

/* Users whose documents are looked at, and who are folded in, at a time. */
enum { BATCH = 500 };

void tv_changes_free(struct tv_changes *c)
{
    free(c->ids);
    free(c->revs);
    *c = (struct tv_changes){0};
}

/* `sql` gives (id, rev, data set), ascending by id, for one integer. */
static enum tv_status read_changes(struct tv_changes *c, struct tv_pg *pg, const char *sql, int64_t parameter,
                                   struct tv_error *err)
{
    char text[24];
    const char *value = text;
    struct tv_pg_rows *rows = NULL;
    *c = (struct tv_changes){0};
    snprintf(text, sizeof text, "%" PRId64, parameter);
    enum tv_status status = tv_pg_query(pg, sql, 1, &value, &rows, err);
    if (status != TV_OK)
        return status;
    size_t n = (size_t)tv_pg_rows_count(rows);
    c->ids = tv_alloc(n + 1, sizeof *c->ids, "what changed", err);
    c->revs = tv_alloc(n + 1, sizeof *c->revs, "what changed", err);
    if (c->ids == NULL || c->revs == NULL)
        status = TV_ERR_NO_MEMORY;
    for (; status == TV_OK && c->n < n; c->n++) {
        c->ids[c->n] = atoll(tv_pg_cell(rows, (int)c->n, 0));
        c->revs[c->n] = atoll(tv_pg_cell(rows, (int)c->n, 1));
        c->dataset = atoll(tv_pg_cell(rows, (int)c->n, 2));
    }
    tv_pg_rows_free(rows);
    if (status != TV_OK)
        tv_changes_free(c);
    return status;
}

/* --- users ------------------------------------------------------------------------------------------------ */

/* Users with the revs they are to get to; `have` strikes out those whose document has it. */
struct batch {
    const int64_t *ids, *revs;
    size_t n;
    int64_t dataset; /* whose users they are */
    char have[BATCH];
};

/* A document of the wanted rev, or of a later one, needs nothing more. */
static enum tv_status strike_out(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct batch *b = context;
    int64_t id = 0, rev = 0;
    (void)err;
    if (!tv_mongo_doc_int(doc, "_id", &id) || !tv_mongo_doc_int(doc, "rev", &rev))
        return TV_OK;
    int64_t place = tv_dense_find(b->ids, b->n, id);
    if (place >= 0 && rev >= b->revs[place])
        b->have[place] = 1;
    return TV_OK;
}

/* The users of a batch that came to the same state. */
struct part {
    int64_t ids[BATCH], revs[BATCH];
    size_t n;
};

static void take_part(struct part *p, const struct batch *b, const uint8_t *states, uint8_t state)
{
    p->n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (states[i] == state) {
            p->ids[p->n] = b->ids[i];
            p->revs[p->n++] = b->revs[i];
        }
}

/* Tells PostgreSQL of the users of a batch that came to one state. */
static enum tv_status note_state(struct tv_pg *pg, const struct batch *b, const uint8_t *states, uint8_t state, struct tv_error *err)
{
    struct part p;
    take_part(&p, b, states, state);
    const struct tv_fold_in_revs users = {.user_ids = p.ids, .revs = p.revs, .n = p.n, .dataset = b->dataset};
    return state == TV_FOLD_IN_DONE ? tv_fold_in_done(pg, &users, err)
                                    : tv_fold_in_not_done(pg, &users, state == TV_FOLD_IN_REFUSED, err);
}

/* Which documents of the live model are there and which are not. */
static enum tv_status note_states(struct tv_pg *pg, const struct batch *b, const uint8_t *states, struct tv_error *err)
{
    enum tv_status status = note_state(pg, b, states, TV_FOLD_IN_DONE, err);
    if (status == TV_OK)
        status = note_state(pg, b, states, TV_FOLD_IN_WAITING, err);
    return status == TV_OK ? note_state(pg, b, states, TV_FOLD_IN_REFUSED, err) : status;
}

/* Folds in the users that are not struck out, and with `live` notes what came of it. */
static enum tv_status fold_batch(struct tv_catch_up_work *work, const struct tv_fold_in_anew *r,
                                 struct tv_fold_in_stores *stores, struct batch *b, int live, struct tv_error *err)
{
    uint8_t states[BATCH], some[BATCH];
    int64_t ids[BATCH], before = work->told.done;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (!b->have[i])
            ids[n++] = b->ids[i];
    enum tv_status status = tv_fold_in_users(r, stores, ids, n, some, &work->told, err);
    if (status != TV_OK)
        return status;
    work->users += work->told.done - before;
    n = 0;
    for (size_t i = 0; i < b->n; i++) {
        states[i] = b->have[i] ? TV_FOLD_IN_DONE : some[n++];
        work->waiting += states[i] == TV_FOLD_IN_WAITING;
    }
    return live ? note_states(stores->pg, b, states, err) : TV_OK;
}

/* Batch by batch, so that a failure leaves those before it done and noted. With `look`, users whose documents have
 * their rev already are passed over. */
static enum tv_status fold_changes(struct tv_catch_up_work *work, const struct tv_changes *c,
                                   const struct tv_fold_in_anew *r, struct tv_fold_in_stores *stores, int live,
                                   int look, struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < c->n && status == TV_OK; i += BATCH) {
        struct batch b = {.ids = c->ids + i, .revs = c->revs + i, .n = c->n - i < BATCH ? c->n - i : BATCH, .dataset = c->dataset};
        const struct tv_mongo_selection wanted = {
            .collection = tv_model_users(users, r->model), .key = "_id", .values = b.ids, .n = b.n};
        if (look)
            status = tv_mongo_each_of(stores->mongo, &wanted, strike_out, &b, err);
        if (status == TV_OK)
            status = fold_batch(work, r, stores, &b, live, err);
    }
    return status;
}

/* A refused user waits, too, but is tried again only at a higher rev, with another model, or (`refused`) by a
 * command. */
enum tv_status tv_catch_up_waiting(struct tv_changes *out, struct tv_pg *pg, int limit, int refused,
                                   struct tv_error *err)
{
    return read_changes(out, pg,
                        refused ? CHANGES "trivet.user_change WHERE rev > folded_rev ORDER BY user_id LIMIT $1"
                                : CHANGES "trivet.user_change WHERE rev > folded_rev AND rev > refused_rev ORDER BY user_id LIMIT $1",
                        limit, err);
}

enum tv_status tv_catch_up_fold_in(struct tv_catch_up_work *work, const struct tv_changes *waiting,
                                   const struct tv_fold_in_anew *r, struct tv_fold_in_stores *stores,
                                   struct tv_error *err)
{
    return fold_changes(work, waiting, r, stores, 1, 0, err);
}

void tv_catch_up_report(const struct tv_catch_up_work *work, int64_t model)
{
    char users[64];
    const struct tv_fold_in_told *told = &work->told;
    if (told->source.status != TV_OK)
        tv_log_error("%s not folded in, because the source that users of model %" PRId64
                     " are read from cannot be read: "
                     "%s%s%s",
                     tv_text_are(users, work->waiting, "user"), model, told->source.message,
                     told->source.hint[0] ? "; hint: " : "", told->source.hint);
    if (told->unwritten.n > 0)
        tv_log_error("%s not folded in, because MongoDB refuses their documents (user %s): %s (%s); it is tried again while they wait",
                     tv_text_are(users, told->unwritten.n, "user"), told->unwritten.names, told->unwritable.message,
                     told->unwritable.where);
    if (told->refused.n > 0)
        tv_log_error(
            "%s not folded in, because their ratings cannot be read (user %s): %s; it is tried again when they "
            "change, when another model goes live, and by trivet-train repair",
            tv_text_are(users, told->refused.n, "user"), told->refused.names, told->refused.why);
}

/* --- items ------------------------------------------------------------------------------------------------ */

/* n and mean of items as Postgres counts them, each a change of the item's document. */
struct counts {
    struct tv_mongo_update *updates;
    struct tv_mongo_field *set; /* two an item: n and mean */
    size_t n;
};

static void free_counts(struct counts *c)
{
    free(c->updates);
    free(c->set);
}

/* Makes each row of (item, rev, n, mean, data set) the change of a document. An item without ratings has no mean: null. */
static enum tv_status take_counts(struct counts *c, const struct tv_pg_rows *rows, int or_equal, struct tv_error *err)
{
    size_t n = (size_t)tv_pg_rows_count(rows);
    c->updates = tv_alloc(n + 1, sizeof *c->updates, "counts", err);
    c->set = tv_alloc(2 * n + 1, sizeof *c->set, "counts", err);
    if (c->updates == NULL || c->set == NULL)
        return TV_ERR_NO_MEMORY;
    for (; c->n < n; c->n++) {
        int row = (int)c->n;
        const char *mean = tv_pg_cell(rows, row, 3);
        struct tv_mongo_field *set = &c->set[2 * c->n];
        set[0] = (struct tv_mongo_field){
            .name = "n", .type = TV_MONGO_FIELD_INT64, .integer = atoll(tv_pg_cell(rows, row, 2))};
        set[1] = (struct tv_mongo_field){.name = "mean",
                                         .type = mean ? TV_MONGO_FIELD_DOUBLE : TV_MONGO_FIELD_NULL,
                                         .real = mean ? strtod(mean, NULL) : 0};
        c->updates[c->n] = (struct tv_mongo_update){.id = atoll(tv_pg_cell(rows, row, 0)),
                                                    .guard = "rev",
                                                    .value = atoll(tv_pg_cell(rows, row, 1)),
                                                    .set = set,
                                                    .n_set = 2,
                                                    .or_equal = or_equal};
    }
    return TV_OK;
}

/* The rows say which data set was counted, so that counts never reach another's documents, whatever is loaded by now. An
 * item without a document is left alone: the documents of the next training bring the counts. */
static enum tv_status write_counts(struct tv_catch_up_work *work, struct tv_mongo *mongo, const struct tv_pg_rows *rows,
                                   int or_equal, struct tv_error *err)
{
    struct counts c = {0};
    int64_t written = 0;
    char name[TV_MODEL_NAME];
    if (tv_pg_rows_count(rows) == 0)
        return TV_OK;
    tv_items_collection(name, atoll(tv_pg_cell(rows, 0, 4)));
    enum tv_status status = take_counts(&c, rows, or_equal, err);
    if (status == TV_OK)
        status = tv_mongo_update_newer_all(mongo, name, c.updates, c.n, &written, NULL, err);
    work->items += written;
    free_counts(&c);
    return status;
}

/* MongoDB's journal has the counts before PostgreSQL is told that they are written. */
static enum tv_status count_items(struct tv_catch_up_work *work, struct tv_pg *pg, struct tv_mongo *mongo,
                                  const struct tv_changes *c, struct tv_error *err)
{
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 26), revs = TV_BUFFER_INIT(1 << 26);
    struct tv_pg_rows *rows = NULL;
    if (c->n == 0)
        return TV_OK;
    enum tv_status status = tv_int_array(&ids, c->ids, c->n, err);
    if (status == TV_OK)
        status = tv_int_array(&revs, c->revs, c->n, err);
    const char *values[] = {ids.data, revs.data, "0"};
    if (status == TV_OK)
        status = tv_pg_query(pg, "SELECT item_id, rev, n, mean, coalesce(trivet.current_dataset(), 0) FROM trivet.item_counts($1::bigint[])",
                             1, values, &rows, err);
    if (status == TV_OK)
        status = write_counts(work, mongo, rows, 0, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0)
        values[2] = tv_pg_cell(rows, 0, 4);
    if (status == TV_OK) /* in another data set, which may be loaded by now, the same ids are other items */
        status = tv_pg_exec(pg, "SELECT trivet.items_counted($1::bigint[], $2::bigint[], nullif($3::bigint, 0))", 3, values, err);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    tv_buffer_free(&revs);
    return status;
}

/* Writes with or_equal, because these documents are wrong at the very rev that they have. */
enum tv_status tv_catch_up_recount(struct tv_catch_up_work *work, struct tv_pg *pg, struct tv_mongo *mongo,
                                   const int64_t *items, size_t n, struct tv_error *err)
{
    static const char sql[] =
        "SELECT i, coalesce(c.rev, 0), coalesce(r.n, 0), r.mean, coalesce(trivet.current_dataset(), 0) FROM unnest($1::bigint[]) i "
        "LEFT JOIN trivet.item_change c ON c.item_id = i LEFT JOIN (SELECT item_id, count(*) AS n, "
        "avg(value) AS mean FROM trivet.rating GROUP BY item_id) r ON r.item_id = i";
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 28);
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_int_array(&ids, items, n, err);
    const char *value = tv_buffer_string(&ids);
    if (status == TV_OK)
        status = tv_pg_query(pg, sql, 1, &value, &rows, err);
    if (status == TV_OK)
        status = write_counts(work, mongo, rows, 1, err);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    return status;
}

/* If as many wait as the limit allows, there may be more. */
enum tv_status tv_catch_up_count(struct tv_catch_up_work *work, struct tv_pg *pg, struct tv_mongo *mongo, int limit,
                                 struct tv_error *err)
{
    static const char sql[] = CHANGES_OF_ITEMS "trivet.item_change WHERE rev > counted_rev ORDER BY item_id LIMIT $1";
    struct tv_changes c;
    enum tv_status status = read_changes(&c, pg, sql, limit, err);
    work->left |= c.n == (size_t)limit;
    if (status == TV_OK)
        status = count_items(work, pg, mongo, &c, err);
    tv_changes_free(&c);
    return status;
}

/* Changes are told by the transactions that the training's snapshot did not see, and not by folded_rev, which is
 * about the live model. */
enum tv_status tv_catch_up(struct tv_catch_up_work *work, const struct tv_fold_in_anew *r,
                           struct tv_fold_in_stores *stores, int live, struct tv_error *err)
{
    struct tv_changes users = {0}, items = {0};
    *work = (struct tv_catch_up_work){0};
    enum tv_status status =
        read_changes(&users, stores->pg, CHANGES "trivet.changed_users($1)", r->model, err);
    if (status == TV_OK)
        status = fold_changes(work, &users, r, stores, live, 1, err);
    if (status == TV_OK)
        status = read_changes(&items, stores->pg, CHANGES_OF_ITEMS "trivet.changed_items($1)", r->model, err);
    if (status == TV_OK)
        status = count_items(work, stores->pg, stores->mongo, &items, err);
    tv_changes_free(&users);
    tv_changes_free(&items);
    return status;
}
