/* live: brings MongoDB up to ratings that came one by one, users and items. */
#include "trivet/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trivet/log.h"

enum { BATCH = 500 };

void tv_changes_free(struct tv_changes *c)
{
    free(c->ids);
    free(c->revs);
    *c = (struct tv_changes){0};
}

/* `sql` gives (id, rev), ascending by id, for one integer. */
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
    }
    tv_pg_rows_free(rows);
    if (status != TV_OK)
        tv_changes_free(c);
    return status;
}

/* --- users ------------------------------------------------------------------------------------------------ */

/* A batch of users, of whom those that need nothing more are struck out. */
struct batch {
    const int64_t *ids, *revs;
    size_t n;
    char have[BATCH];
};

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

static enum tv_status fold_batch(struct tv_live_work *work, const struct tv_refold *r, struct tv_fold_space *space,
                                 struct tv_pg *pg, struct tv_mongo *mongo, struct batch *b, int live,
                                 struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    int64_t rev;
    enum tv_status status = tv_mongo_each_int(mongo, tv_model_users(users, r->model), "_id", b->ids, b->n,
                                              strike_out, b, err);
    for (size_t i = 0; i < b->n && status == TV_OK; i++) {
        if (b->have[i])
            continue;
        status = tv_refold_user(r, space, pg, mongo, b->ids[i], &rev, err);
        work->users++;
    }
    return status == TV_OK && live ? tv_refold_done(pg, b->ids, b->revs, b->n, err) : status;
}

static enum tv_status catch_up_users(struct tv_live_work *work, const struct tv_refold *r, struct tv_pg *pg,
                                     struct tv_mongo *mongo, int live, struct tv_error *err)
{
    struct tv_changes c;
    struct tv_fold_space space;
    enum tv_status status =
        read_changes(&c, pg, "SELECT user_id, rev FROM trivet.changed_users($1)", r->model, err);
    tv_fold_space_init(&space);
    for (size_t i = 0; i < c.n && status == TV_OK; i += BATCH) {
        struct batch b = {.ids = c.ids + i, .revs = c.revs + i, .n = c.n - i < BATCH ? c.n - i : BATCH};
        status = fold_batch(work, r, &space, pg, mongo, &b, live, err);
    }
    tv_fold_space_free(&space);
    tv_changes_free(&c);
    return status;
}

enum tv_status tv_live_waiting(struct tv_changes *out, struct tv_pg *pg, int limit, struct tv_error *err)
{
    static const char sql[] =
        "SELECT user_id, rev FROM trivet.user_change WHERE rev > folded_rev ORDER BY user_id LIMIT $1";
    return read_changes(out, pg, sql, limit, err);
}

enum tv_status tv_live_fold(struct tv_live_work *work, const struct tv_changes *waiting, struct tv_refold *r,
                            struct tv_pg *pg, struct tv_mongo *mongo, struct tv_error *err)
{
    struct tv_fold_space space;
    enum tv_status status = TV_OK;
    tv_fold_space_init(&space);
    for (size_t i = 0; i < waiting->n && status == TV_OK; i++) {
        int64_t rev;
        status = tv_refold_user(r, &space, pg, mongo, waiting->ids[i], &rev, err);
        if (status == TV_OK)
            status = tv_refold_done(pg, &waiting->ids[i], &waiting->revs[i], 1, err);
        work->users += status == TV_OK;
        if (status == TV_ERR_NUMERIC || status == TV_ERR_INPUT) {
            tv_log_error("user %" PRId64 " keeps an older list: %s", waiting->ids[i], err->message);
            work->left = 1;
            status = TV_OK;
        }
    }
    tv_fold_space_free(&space);
    return status;
}

/* --- items ------------------------------------------------------------------------------------------------ */

/* n and mean of items as Postgres counts them, each a change of the item's document. */
struct counts {
    int64_t *ids;
    struct tv_mongo_update *updates;
    struct tv_field *set; /* two an item: n and mean */
    size_t n;
};

static void free_counts(struct counts *c)
{
    free(c->ids);
    free(c->updates);
    free(c->set);
}

/* Rows of item, rev, n and mean. */
static enum tv_status take_counts(struct counts *c, const struct tv_pg_rows *rows, struct tv_error *err)
{
    size_t n = (size_t)tv_pg_rows_count(rows);
    c->ids = tv_alloc(n + 1, sizeof *c->ids, "counts", err);
    c->updates = tv_alloc(n + 1, sizeof *c->updates, "counts", err);
    c->set = tv_alloc(2 * n + 1, sizeof *c->set, "counts", err);
    if (c->ids == NULL || c->updates == NULL || c->set == NULL)
        return TV_ERR_NO_MEMORY;
    for (; c->n < n; c->n++) {
        int row = (int)c->n;
        const char *mean = tv_pg_cell(rows, row, 3);
        struct tv_field *set = &c->set[2 * c->n];
        set[0] = (struct tv_field){.name = "n", .type = TV_FIELD_INT64, .integer = atoll(tv_pg_cell(rows, row, 2))};
        set[1] = (struct tv_field){.name = "mean", .type = mean ? TV_FIELD_DOUBLE : TV_FIELD_NULL,
                                   .real = mean ? strtod(mean, NULL) : 0};
        c->ids[c->n] = atoll(tv_pg_cell(rows, row, 0));
        c->updates[c->n] = (struct tv_mongo_update){
            .guard = "rev", .value = atoll(tv_pg_cell(rows, row, 1)), .set = set, .n_set = 2};
    }
    return TV_OK;
}

static enum tv_status write_counts(struct tv_live_work *work, struct tv_mongo *mongo, const struct tv_pg_rows *rows,
                                   struct tv_error *err)
{
    struct counts c = {0};
    int64_t written = 0;
    enum tv_status status = take_counts(&c, rows, err);
    if (status == TV_OK)
        status = tv_mongo_update_newer_all(mongo, "item", c.ids, c.updates, c.n, &written, err);
    work->items += written;
    free_counts(&c);
    return status;
}

/* MongoDB's journal has the counts before Postgres is told that they are written. */
static enum tv_status count_items(struct tv_live_work *work, struct tv_pg *pg, struct tv_mongo *mongo,
                                  const struct tv_changes *c, struct tv_error *err)
{
    struct tv_buffer ids = TV_BUFFER_INIT(1 << 26), revs = TV_BUFFER_INIT(1 << 26);
    struct tv_pg_rows *rows = NULL;
    if (c->n == 0)
        return TV_OK;
    enum tv_status status = tv_int_array(&ids, c->ids, c->n, err);
    if (status == TV_OK)
        status = tv_int_array(&revs, c->revs, c->n, err);
    const char *const values[] = {ids.data, revs.data};
    if (status == TV_OK)
        status = tv_pg_query(pg, "SELECT item_id, rev, n, mean FROM trivet.item_counts($1::bigint[])", 1, values, &rows,
                             err);
    if (status == TV_OK)
        status = write_counts(work, mongo, rows, err);
    if (status == TV_OK)
        status = tv_pg_exec(pg, "SELECT trivet.items_counted($1::bigint[], $2::bigint[])", 2, values, err);
    tv_pg_rows_free(rows);
    tv_buffer_free(&ids);
    tv_buffer_free(&revs);
    return status;
}

enum tv_status tv_live_count_waiting(struct tv_live_work *work, struct tv_pg *pg, struct tv_mongo *mongo, int limit,
                                     struct tv_error *err)
{
    static const char sql[] =
        "SELECT item_id, rev FROM trivet.item_change WHERE rev > counted_rev ORDER BY item_id LIMIT $1";
    struct tv_changes c;
    enum tv_status status = read_changes(&c, pg, sql, limit, err);
    work->left |= c.n == (size_t)limit;
    if (status == TV_OK)
        status = count_items(work, pg, mongo, &c, err);
    tv_changes_free(&c);
    return status;
}

enum tv_status tv_live_catch_up(struct tv_live_work *work, struct tv_refold *r, struct tv_pg *pg,
                                struct tv_mongo *mongo, int live, struct tv_error *err)
{
    struct tv_changes c = {0};
    *work = (struct tv_live_work){0};
    enum tv_status status = catch_up_users(work, r, pg, mongo, live, err);
    if (status == TV_OK)
        status = read_changes(&c, pg, "SELECT item_id, rev FROM trivet.changed_items($1)", r->model, err);
    if (status == TV_OK)
        status = count_items(work, pg, mongo, &c, err);
    tv_changes_free(&c);
    return status;
}
