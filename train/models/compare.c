/* compare: two runs side by side: what the journal says of both, with what was measured, and, while both are models
 * that are kept, what they do to the lists of a sample of users: how much the lists overlap, and which items come
 * into more or fewer of them.
 */
#include "train/models/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/stores.h"
#include "train/lists/scorer.h"
#include "trivet/base/hash.h"
#include "trivet/base/text.h"
#include "trivet/cli/table.h"
#include "trivet/core/ratings.h"
#include "trivet/model/items.h"
#include "trivet/schema/schema.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/pg_rows.h"

/* Length of the lists that are compared, and how many items are named. */
enum { TOP = 15, SHOWN_TITLES = 10 };

const struct tv_option tv_compare_options[] = {
    {.name = "sample",
     .kind = TV_OPTION_INT,
     .value = "USERS",
     .default_text = "500",
     .min = 1,
     .max = 1000000,
     .help = "users whose lists are compared"},
    {.name = NULL},
};

/* One of the two runs; while its model is kept, all that scores with it. */
struct side {
    int64_t run_number;
    struct tv_model *model; /* NULL: not kept any more */
    struct tv_scan scan;
    struct tv_scorer scorer;
    int64_t learned_only; /* users learned from here, not there */
    int64_t *listed;      /* (model->n_items) how many lists hold the item */
};

/* Both runs, and what is counted while users are read. */
struct comparison {
    struct side a, b;
    struct tv_mongo *mongo;
    struct tv_items items;
    struct tv_table *table;
    enum tv_table_format format;
    uint64_t keep_below; /* a user is in the sample if the hash of the id is below */
    int64_t n_sampled;
    double overlap; /* summed over the sample */
};

/* --- facts of the journal ---------------------------------------------------------------------------------- */

/* A line of the table: a fact of both sides, marked where they differ. */
static enum tv_status add_fact(struct comparison *c, const char *name, const char *a, const char *b,
                               struct tv_error *err)
{
    const char *mark = strcmp(a ? a : "", b ? b : "") != 0 ? "*" : "";
    enum tv_status status = tv_table_cell(c->table, name, err);
    if (status == TV_OK)
        status = tv_table_cell(c->table, a, err);
    if (status == TV_OK)
        status = tv_table_cell(c->table, b, err);
    return status == TV_OK ? tv_table_cell(c->table, mark, err) : status;
}

/* A fact that is a number on both sides. */
static enum tv_status add_numbers(struct comparison *c, const char *name, int64_t a, int64_t b, struct tv_error *err)
{
    char left[32], right[32];
    return add_fact(c, name, tv_text_number(left, a), tv_text_number(right, b), err);
}

/* Adds the sheets of both runs beside each other. A sheet is what trivet.run_sheet knows of a run: rows of a name and a
 * value. A fact of one run alone has an empty cell. */
static enum tv_status journal_facts(struct comparison *c, struct tv_pg *pg, const char *const *numbers,
                                    struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(
        pg, "SELECT name, a.value, b.value FROM trivet.run_sheet($1) a FULL JOIN trivet.run_sheet($2) b USING (name)", 2,
        numbers, &rows, err);
    for (int i = 0; status == TV_OK && i < tv_pg_rows_count(rows); i++)
        status = add_fact(c, tv_pg_cell(rows, i, 0), tv_pg_cell(rows, i, 1), tv_pg_cell(rows, i, 2), err);
    tv_pg_rows_free(rows);
    return status;
}

/* --- what the models hold ---------------------------------------------------------------------------------- */

/* A model that is not kept any more is no failure: the journal alone is compared then. */
static enum tv_status open_side(struct side *s, const struct tv_stores *stores, struct tv_error *err)
{
    enum tv_status status = tv_train_load_model(&s->model, stores, s->run_number, err);
    if (status != TV_OK)
        return status == TV_ERR_NOT_FOUND ? TV_OK : status;
    s->listed = tv_alloc((size_t)s->model->n_items, sizeof *s->listed, "counts of items", err);
    if (s->listed == NULL)
        return TV_ERR_NO_MEMORY;
    status = tv_scorer_scan(&s->scan, s->model, err);
    return status == TV_OK ? tv_scorer_init(&s->scorer, &s->scan, err) : status;
}

static void close_side(struct side *s)
{
    tv_scorer_free(&s->scorer);
    tv_scan_free(&s->scan);
    free(s->listed);
    tv_model_free(s->model);
}

/* How many items one model has and the other has not. */
static int64_t items_only_in(const struct tv_model *here, const struct tv_model *there)
{
    int64_t n = 0;
    for (int32_t i = 0; i < here->n_items; i++)
        n += tv_dense_find(there->item_ids, (size_t)there->n_items, here->item_ids[i]) < 0;
    return n;
}

/* --- what they do to lists ---------------------------------------------------------------------------------- */

/* Makes a user's list under both models and counts what they share. The overlap is the share of the longer list; a
 * user with no list under either is not counted. */
static void count_list(struct comparison *c, const struct tv_user_document *ua, const struct tv_user_document *ub)
{
    struct tv_scored a[TOP], b[TOP];
    size_t n_a = tv_scorer_list(&c->a.scorer, ua, a, TOP), n_b = tv_scorer_list(&c->b.scorer, ub, b, TOP), same = 0;
    for (size_t i = 0; i < n_a; i++) {
        c->a.listed[a[i].item]++;
        for (size_t j = 0; j < n_b; j++)
            same += c->a.model->item_ids[a[i].item] == c->b.model->item_ids[b[j].item];
    }
    for (size_t j = 0; j < n_b; j++)
        c->b.listed[b[j].item]++;
    if (n_a + n_b > 0) {
        c->overlap += (double)same / (double)(n_a > n_b ? n_a : n_b);
        c->n_sampled++;
    }
}

/* The lists of a user of the sample, under both models. Whether a user is in the sample follows from a hash of the
 * id, so that the same users are compared each time, and no list of users is held. A user who is in one model alone
 * is left out. */
static enum tv_status take_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct comparison *c = context;
    struct tv_user_document *ua = NULL, *ub = NULL;
    int64_t id = 0;
    if (!tv_mongo_doc_int(doc, "_id", &id) || tv_hash(TV_HASH_START, &id, sizeof id) >= c->keep_below)
        return TV_OK;
    enum tv_status status =
        tv_user_document_read(&ua, c->mongo, c->a.run_number, doc, c->a.model->factors, c->a.model->n_items, err);
    if (status == TV_OK)
        status =
            tv_user_document_find(&ub, c->mongo, c->b.run_number, id, c->b.model->factors, c->b.model->n_items, err);
    if (status == TV_OK)
        count_list(c, ua, ub);
    tv_user_document_free(ua);
    tv_user_document_free(ub);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* An item, and in how many lists of the sample it is. */
struct moved {
    int64_t id;
    int64_t a, b; /* lists it is in */
};

/* The largest difference first, then by id, so that the order is always the same. */
static int by_move(const void *x, const void *y)
{
    const struct moved *m = x, *n = y;
    int64_t dm = llabs(m->b - m->a), dn = llabs(n->b - n->a);
    return dm != dn ? (dm < dn) - (dm > dn) : (m->id > n->id) - (m->id < n->id);
}

/* Every item of either model with the lists it is in; malloc'ed. Ids of both ascend, so they are merged. */
static struct moved *gather_moves(const struct comparison *c, size_t *n, struct tv_error *err)
{
    const struct tv_model *a = c->a.model, *b = c->b.model;
    struct moved *moves = tv_alloc((size_t)a->n_items + (size_t)b->n_items, sizeof *moves, "counts of items", err);
    int32_t i = 0, j = 0;
    *n = 0;
    while (moves && (i < a->n_items || j < b->n_items)) {
        int take_a = j == b->n_items || (i < a->n_items && a->item_ids[i] <= b->item_ids[j]);
        int take_b = i == a->n_items || (j < b->n_items && b->item_ids[j] <= a->item_ids[i]);
        moves[*n].id = take_a ? a->item_ids[i] : b->item_ids[j];
        moves[*n].a = take_a ? c->a.listed[i++] : 0;
        moves[(*n)++].b = take_b ? c->b.listed[j++] : 0;
    }
    return moves;
}

/* Adds the items whose number of lists changed most, by their titles. */
static enum tv_status title_facts(struct comparison *c, struct tv_error *err)
{
    size_t n;
    struct moved *moves = gather_moves(c, &n, err);
    if (moves == NULL)
        return TV_ERR_NO_MEMORY;
    qsort(moves, n, sizeof *moves, by_move);
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && i < SHOWN_TITLES && moves[i].a != moves[i].b && status == TV_OK; i++) {
        char name[300];
        const struct tv_item *item = tv_items_find(&c->items, moves[i].id);
        tv_text_mark_cut(name, sizeof name,
                         snprintf(name, sizeof name, "lists with %s", item ? item->title : "an unknown title"));
        status = add_numbers(c, name, moves[i].a, moves[i].b, err);
    }
    free(moves);
    return status;
}

/* --- who was learned from ----------------------------------------------------------------------------------- */

/* Users that a model learned from. */
struct learned {
    int64_t *ids; /* ascending */
    size_t n, capacity;
};

/* A user that was learned from has a row of the training matrix (`id`); one that was only folded in has not. */
static enum tv_status take_learned(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct learned *l = context;
    int64_t row, id;
    if (!tv_mongo_doc_int(doc, "id", &row) || !tv_mongo_doc_int(doc, "_id", &id))
        return TV_OK;
    if (l->n == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 4096;
        int64_t *ids = realloc(l->ids, capacity * sizeof *ids);
        if (ids == NULL)
            return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the users of a model");
        l->ids = ids;
        l->capacity = capacity;
    }
    l->ids[l->n++] = id;
    return TV_OK;
}

/* How many users are learned from in one of the models only. */
static enum tv_status count_learned(struct comparison *c, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    struct learned a = {NULL, 0, 0}, b = {NULL, 0, 0};
    enum tv_status status = tv_mongo_each(c->mongo, tv_model_users(name, c->a.run_number), take_learned, &a, err);
    if (status == TV_OK)
        status = tv_mongo_each(c->mongo, tv_model_users(name, c->b.run_number), take_learned, &b, err);
    size_t both = 0;
    for (size_t i = 0; status == TV_OK && i < a.n; i++)
        both += tv_dense_find(b.ids, b.n, a.ids[i]) >= 0;
    c->a.learned_only = (int64_t)(a.n - both);
    c->b.learned_only = (int64_t)(b.n - both);
    free(a.ids);
    free(b.ids);
    return status;
}

/* Everything that needs both models. */
static enum tv_status model_facts(struct comparison *c, struct tv_error *err)
{
    char name[TV_MODEL_NAME], percent[32];
    enum tv_status status = add_numbers(c, "items in this model only", items_only_in(c->a.model, c->b.model),
                                        items_only_in(c->b.model, c->a.model), err);
    if (status == TV_OK)
        status = count_learned(c, err);
    if (status == TV_OK)
        status = add_numbers(c, "users learned from here only", c->a.learned_only, c->b.learned_only, err);
    if (status == TV_OK)
        status = tv_items_read(&c->items, c->mongo, c->a.model->dataset, err);
    if (status == TV_OK)
        status = tv_mongo_each(c->mongo, tv_model_users(name, c->a.run_number), take_user, c, err);
    if (status != TV_OK || c->n_sampled == 0)
        return status;
    snprintf(percent, sizeof percent, "%.1f %%", 100 * c->overlap / (double)c->n_sampled);
    status = add_numbers(c, "users whose lists are compared", c->n_sampled, c->n_sampled, err);
    if (status == TV_OK)
        status = add_fact(c, "mean overlap of their top 15", percent, percent, err);
    return status == TV_OK ? title_facts(c, err) : status;
}

/* --- the command ------------------------------------------------------------------------------------------- */

static enum tv_status check_numbers(struct comparison *c, char **arguments, struct tv_error *err)
{
    int64_t *const places[] = {&c->a.run_number, &c->b.run_number};
    for (int i = 0; i < 2; i++)
        if (!tv_text_int64(arguments[i], strlen(arguments[i]), places[i]) || *places[i] < 1)
            return tv_fail(err, TV_ERR_USAGE, "\"%s\" is no run number", arguments[i]);
    return TV_OK;
}

/* Finds out whether the run made a model. Evaluations and searches have sheets, too, but no models to
 * compare. */
static enum tv_status find_kind(int *model, struct tv_pg *pg, const char *number, struct tv_error *err)
{
    int64_t makes = 0;
    enum tv_status status =
        tv_pg_int(pg, "SELECT (kind IN ('fit', 'import'))::int FROM trivet.run WHERE id = $1", 1, &number, &makes, err);
    *model = makes != 0;
    if (status != TV_ERR_NOT_FOUND)
        return status;
    tv_fail(err, status, "the journal has no run %s", number);
    tv_hint(err, "trivet-train runs lists them");
    return status;
}

/* Ids of two data sets are other users and other items. A run whose ratings came from files is of none, and its numbers may
 * stand beside any. */
static enum tv_status check_datasets(struct tv_pg *pg, const char *const *numbers, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(pg,
                                        "SELECT coalesce(d.name, a.dataset::text), coalesce(e.name, b.dataset::text) FROM trivet.run a "
                                        "JOIN trivet.run b ON a.dataset <> b.dataset LEFT JOIN trivet.dataset d ON d.id = a.dataset "
                                        "LEFT JOIN trivet.dataset e ON e.id = b.dataset WHERE a.id = $1 AND b.id = $2",
                                        2, numbers, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0) {
        tv_fail(err, TV_ERR_USAGE, "run %s is about the data set %s and run %s about %s, so nothing in them compares", numbers[0],
                tv_pg_cell(rows, 0, 0), numbers[1], tv_pg_cell(rows, 0, 1));
        status = tv_hint(err, "trivet-train runs lists what there is; give two runs of one data set");
    }
    tv_pg_rows_free(rows);
    return status;
}

/* Compares the models, where both are kept. The sample is the users whose hash is below a share of 2^64; the factor
 * is the largest double below that, so that the product fits into a uint64_t. */
static enum tv_status compare_models(struct comparison *c, const struct tv_settings *settings, char **arguments,
                                     struct tv_error *err)
{
    struct tv_stores stores = {0};
    enum tv_status status = tv_train_open_readonly(&stores, settings, err);
    c->mongo = stores.mongo;
    if (status == TV_OK)
        status = open_side(&c->a, &stores, err);
    if (status == TV_OK)
        status = open_side(&c->b, &stores, err);
    if (status == TV_OK && (c->a.model == NULL || c->b.model == NULL)) {
        fprintf(stderr, "only the journal is compared: the factors of %s are not kept any more\n",
                c->a.model ? arguments[1] : arguments[0]);
    } else if (status == TV_OK) {
        double share = (double)tv_settings_int(settings, "sample") / (double)(c->a.model->n_users ? c->a.model->n_users : 1);
        c->keep_below = share >= 1 ? UINT64_MAX : (uint64_t)(share * 18446744073709549568.0);
        status = model_facts(c, err);
    }
    close_side(&c->a);
    close_side(&c->b);
    tv_items_free(&c->items);
    tv_train_close(&stores);
    return status;
}

/* The facts of the journal come first and need Postgres alone; the other stores are opened only if both runs made
 * models. */
static enum tv_status compare(struct comparison *c, struct tv_pg *pg, const struct tv_settings *settings,
                              char **arguments, struct tv_error *err)
{
    const char *const names[] = {"fact", arguments[0], arguments[1], "differs"};
    const enum tv_table_kind kinds[] = {TV_TABLE_TEXT, TV_TABLE_TEXT, TV_TABLE_TEXT, TV_TABLE_TEXT};
    const char *const numbers[] = {arguments[0], arguments[1]};
    int a_model = 0, b_model = 0;
    enum tv_status status = find_kind(&a_model, pg, numbers[0], err);
    if (status == TV_OK)
        status = find_kind(&b_model, pg, numbers[1], err);
    if (status == TV_OK)
        status = check_datasets(pg, numbers, err);
    if (status == TV_OK)
        status = tv_table_create(&c->table, 4, names, kinds, err);
    if (status == TV_OK)
        status = journal_facts(c, pg, numbers, err);
    if (status == TV_OK && a_model && b_model)
        status = compare_models(c, settings, arguments, err);
    return status == TV_OK
               ? tv_table_print(c->table, tv_table_format_from(tv_settings_text(settings, "format")), stdout, err)
               : status;
}

enum tv_status tv_compare_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct comparison c = {0};
    struct tv_pg *pg = NULL;
    enum tv_status status = check_numbers(&c, arguments, err);
    if (status == TV_OK)
        status = tv_schema_open(&pg, settings, "trivet-train compare", err);
    if (status == TV_OK)
        status = compare(&c, pg, settings, arguments, err);
    tv_table_free(c.table);
    tv_pg_close(pg);
    return status;
}
