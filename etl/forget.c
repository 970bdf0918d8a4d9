/* forget: the command `trivet-etl forget`: takes a user or an item out of the current data set, out of all three stores.
 *
 * The order matters, because it may be killed anywhere and run again: ratings go first, so that nothing is made from them any
 * more; then what was made; then an item's title, without which it cannot be rated; and the code by which the id is found goes last. A
 * rating that was under way meanwhile is folded in by its server, which may take a moment longer than all of that: so after a pause it is looked once
 * more. Users may go on rating for ever. Their ratings go twice, and whoever rates after that is somebody new, whose documents have higher revs than
 * all that were written for what has gone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etl/commands.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/base/wait.h"
#include "trivet/cli/interrupt.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/life/without.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/model_redis.h"
#include "trivet/schema/patient.h"
#include "trivet/model/user_parts.h"
#include "trivet/schema/schema.h"
#include "trivet/similar/forget.h"
#include "trivet/store/mongo_collections.h"
#include "trivet/store/mongo_document.h"
#include "trivet/store/mongo_read.h"
#include "trivet/store/mongo_write.h"
#include "trivet/store/pg_rows.h"

/* How long stores may take (milliseconds), and a server from reading a rating to writing its document. */
enum { SERVER_SELECTION_MS = 5000, SOCKET_MS = 120000, REDIS_MS = 30000, SERVERS_SECONDS = 2 };

/* One command. */
struct forget {
    const struct tv_settings *settings;
    struct tv_stores stores;
    struct tv_pg *pg; /* the lock's */
    struct tv_forgotten what;
    char number[24];  /* the id as statements take it */
    char set[24];     /* and the data set, which nobody may change meanwhile */
    int64_t dataset;  /* the current one */
    char *name;       /* what that is called */
    char *others;     /* what other data sets there are: "A, B"; NULL: none */
    int64_t ratings;  /* that were there */
    int64_t models;   /* that were made again, or lost a document */
    int64_t indices;  /* of similar items that were ended */
    int64_t rev;      /* documents of a user that are newer are not of what goes */
    int is_described; /* an item that the catalogue has */
    int came_back;    /* a user who has rated since */
};

static const char *kind_of(const struct forget *f)
{
    return f->what.is_item ? "item" : "user";
}

/* --- the stores ------------------------------------------------------------------------------------------- */

static void close_stores(struct forget *f)
{
    if (f->pg)
        tv_interrupt_forget(f->pg);
    tv_lock_release(f->stores.lock);
    tv_mongo_close(f->stores.mongo);
    tv_redis_close(f->stores.redis);
    free(f->name);
    free(f->others);
}

/* A database that has no schema is told before the other stores are asked. */
static enum tv_status check_schema(const struct tv_settings *s, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_schema_open(&pg, s, "trivet-etl forget", err);
    tv_pg_close(pg);
    return status;
}

/* What a killed process left is cleared away first, as by every command that takes the lock. */
static enum tv_status open_stores(struct forget *f, struct tv_error *err)
{
    const struct tv_settings *s = f->settings;
    int wait = (int)tv_settings_int(s, "wait");
    const struct tv_mongo_options options = {.name = "trivet-etl",
                                             .server_selection_ms = SERVER_SELECTION_MS,
                                             .socket_ms = SOCKET_MS,
                                             .wait_seconds = wait};
    f->stores = (struct tv_stores){.reader_uri = tv_settings_text(s, "reader"),
                                   .lock_wait = (int)tv_settings_int(s, "lock-wait")};
    enum tv_status status = check_schema(s, err);
    if (status == TV_OK)
        status = tv_redis_open(&f->stores.redis, tv_settings_text(s, "redis"), REDIS_MS, wait, err);
    if (status == TV_OK)
        status = tv_mongo_open(&f->stores.mongo, tv_settings_text(s, "mongo"), &options, err);
    if (status == TV_OK)
        status = tv_lock_acquire(&f->stores.lock, s, "trivet-etl forget", 0, err);
    if (status == TV_OK) {
        f->pg = tv_lock_connection(f->stores.lock);
        status = tv_interrupt_watch(f->pg, err);
    }
    return status == TV_OK ? tv_lifecycle_repair(&f->stores, NULL, NULL, err) : status;
}

/* --- who, or what ----------------------------------------------------------------------------------------- */

/* The data set, and the others beside it. */
static enum tv_status name_sets(struct forget *f, const struct tv_pg_rows *rows, struct tv_error *err)
{
    const char *name = tv_pg_cell(rows, 0, 2), *others = tv_pg_cell(rows, 0, 3);
    f->dataset = strtoll(tv_pg_cell(rows, 0, 1), NULL, 10);
    snprintf(f->set, sizeof f->set, "%" PRId64, f->dataset);
    f->name = strdup(name ? name : "(nothing is loaded)");
    f->others = others ? strdup(others) : NULL;
    return f->name && (f->others || others == NULL) ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for names of data sets");
}

static enum tv_status refuse(const struct forget *f, const char *quote, struct tv_error *err)
{
    tv_fail(err, TV_ERR_NOT_FOUND, "data set %s has no %s %s%s%s", f->name ? f->name : "(nothing is loaded)", kind_of(f), quote,
            f->what.code, quote);
    return f->others ? tv_hint(err, "it may have been forgotten already; for another data set (%s) first: trivet-etl datasets use NAME", f->others)
                     : tv_hint(err, "it may have been forgotten already; for another data set first: trivet-etl datasets use NAME");
}

static enum tv_status find(struct forget *f, const char *text, struct tv_error *err)
{
    static const char sql[] = "SELECT CASE $2 WHEN 'item' THEN trivet.item_id($1) ELSE trivet.user_id($1) END, d.id, d.name, "
                              "(SELECT string_agg(o.name, ', ' ORDER BY o.name) FROM trivet.dataset o WHERE NOT o.current) "
                              "FROM trivet.dataset d WHERE d.current";
    struct tv_pg_rows *rows = NULL;
    const char *const values[] = {text, kind_of(f)};
    f->what.code = text;
    enum tv_status status = tv_pg_query(f->pg, sql, 2, values, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) > 0)
        status = name_sets(f, rows, err);
    const char *number = status == TV_OK && tv_pg_rows_count(rows) > 0 ? tv_pg_cell(rows, 0, 0) : NULL;
    if (status == TV_OK && number == NULL) {
        status = refuse(f, "\"", err);
    } else if (status == TV_OK) {
        snprintf(f->number, sizeof f->number, "%s", number);
        f->what.id = strtoll(f->number, NULL, 10);
    }
    tv_pg_rows_free(rows);
    return status;
}

/* --- Postgres --------------------------------------------------------------------------------------------- */

/* The context of delete_once, which may be called several times. */
struct deletion {
    struct forget *f;
    char step[4];
    int64_t ratings;
};

static enum tv_status delete_once(void *context, struct tv_error *err)
{
    struct deletion *d = context;
    const char *const values[] = {d->f->number, d->f->set, d->step};
    return d->f->what.is_item ? tv_pg_int(d->f->pg, "SELECT trivet.forget_item($1, $3, $2)", 3, values, &d->ratings, err)
                              : tv_pg_int(d->f->pg, "SELECT trivet.forget_user($1, $2)", 2, values, &d->ratings, err);
}

static enum tv_status delete_rows(struct forget *f, int step, struct tv_error *err)
{
    struct deletion d = {.f = f};
    const struct tv_patience patience = {.what = "waiting for changes of ratings to end, to delete some",
                                         .tables = "{trivet.rating,trivet.rating_live}",
                                         .seconds = (int)tv_settings_int(f->settings, "lock-wait")};
    snprintf(d.step, sizeof d.step, "%d", step);
    enum tv_status status = tv_lock_check(f->stores.lock, err);
    if (status == TV_OK)
        status = tv_patiently(f->pg, &patience, delete_once, &d, err);
    f->ratings += d.ratings;
    return status;
}

/* --- MongoDB and Redis ------------------------------------------------------------------------------------- */

/* *has: the collection has a document with that id. */
static enum tv_status has_document(struct forget *f, const char *collection, int *has, struct tv_error *err)
{
    struct tv_mongo_doc *doc = NULL;
    enum tv_status status = tv_mongo_find_int(f->stores.mongo, collection, "_id", f->what.id, &doc, err);
    *has = status == TV_OK;
    tv_mongo_doc_free(doc);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* The document of an item in the catalogue that the models share. A server goes on with the catalogue that it has read until
 * another model is live, so the live one is made again for that, too; until the item's row is gone, after a kill as well. */
static enum tv_status leave_catalogue(struct forget *f, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    const char *value = f->number;
    int64_t has_row = 0;
    const struct tv_mongo_document document = {.id = f->what.id, .value = INT64_MAX};
    tv_model_catalogue(name, f->dataset);
    enum tv_status status = has_document(f, name, &f->is_described, err);
    if (status == TV_OK)
        status = tv_pg_int(f->pg, "SELECT count(*) FROM trivet.item WHERE item_id = $1", 1, &value, &has_row, err);
    f->is_described |= has_row > 0;
    return status == TV_OK ? tv_mongo_delete_all(f->stores.mongo, name, "rev", &document, 1, err) : status;
}

/* The description counts the users: it is written again where there are fewer than it says. Users who rated live since the
 * training have documents, too, so that is not whether one is gone; a killed process may have deleted the document. */
static enum tv_status count_users(struct forget *f, int64_t run_number, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int64_t n = 0;
    struct tv_model *m = NULL;
    enum tv_status status = tv_mongo_count(f->stores.mongo, tv_model_users(name, run_number), &n, err);
    if (status == TV_OK)
        status = tv_model_read_mongo(&m, f->stores.mongo, run_number, err);
    if (status == TV_OK && n < m->n_users) {
        m->n_users = n;
        status = tv_without_count(&f->stores, m, err);
        if (status == TV_OK)
            status = tv_model_rewrite_mongo(f->stores.mongo, m, err);
        if (status == TV_OK)
            status = tv_model_write_redis(f->stores.redis, m, err);
    }
    tv_model_free(m);
    return status;
}

static enum tv_status leave_model(struct forget *f, int64_t run_number, struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    int has = 0;
    enum tv_status status = has_document(f, tv_model_users(users, run_number), &has, err);
    if (status == TV_OK)
        status = tv_user_delete(f->stores.mongo, run_number, f->what.id, f->rev, err);
    f->models += has;
    return status == TV_OK ? count_users(f, run_number, err) : status;
}

/* A model that is made again, and by which. */
struct exchange {
    int64_t old, new; /* new is 0: this one is not */
    int is_live;
};

/* Runs of new models begin in the order of the old ones, because the oldest are pruned first. */
static enum tv_status plan(struct forget *f, const struct tv_run *run, struct exchange *e, struct tv_error *err)
{
    int needed = 0;
    *e = (struct exchange){.old = run->id, .is_live = run->state == TV_RUN_LIVE};
    enum tv_status status = tv_without_needed(&f->stores, run->id, &f->what, &needed, err);
    return status == TV_OK && (needed || (e->is_live && f->is_described))
               ? tv_without_begin(&f->stores, run->id, &e->new, err)
               : status;
}

static enum tv_status make(struct forget *f, const struct exchange *e, struct tv_error *err)
{
    if (e->new == 0)
        return TV_OK;
    enum tv_status status = tv_without_make(&f->stores, e->old, e->new, &f->what, err);
    if (status == TV_OK)
        status = tv_without_exchange(&f->stores, e->old, e->new, e->is_live, err);
    f->models += status == TV_OK;
    return status;
}

/* The live model goes first: it is what answers come from. */
static enum tv_status make_again(struct forget *f, const struct tv_run *runs, size_t n, struct tv_error *err)
{
    struct exchange *all = tv_alloc(n + 1, sizeof *all, "models", err);
    enum tv_status status = all ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        if (runs[i].dataset == f->dataset)
            status = plan(f, &runs[i], &all[i], err);
    for (int live = 1; live >= 0; live--)
        for (size_t i = 0; i < n && status == TV_OK; i++)
            if (all[i].is_live == live)
                status = make(f, &all[i], err);
    free(all);
    return status;
}

static enum tv_status leave_models(struct forget *f, struct tv_error *err)
{
    struct tv_run *runs = NULL;
    size_t n = 0;
    enum tv_status status = tv_run_list(f->pg, 1u << TV_RUN_KEPT | 1u << TV_RUN_LIVE, &runs, &n, err);
    for (size_t i = 0; !f->what.is_item && i < n && status == TV_OK; i++)
        if (runs[i].dataset == f->dataset)
            status = leave_model(f, runs[i].id, err);
    if (status == TV_OK)
        status = make_again(f, runs, n, err);
    tv_run_list_free(runs, n);
    return status;
}

static struct tv_similar_forgotten of_indices(const struct forget *f)
{
    return (struct tv_similar_forgotten){.pg = f->pg,
                                         .redis = f->stores.redis,
                                         .postgres_uri = tv_settings_text(f->settings, "postgres"),
                                         .reader_uri = f->stores.reader_uri,
                                         .redis_uri = tv_settings_text(f->settings, "redis"),
                                         .is_item = f->what.is_item,
                                         .id = f->what.id};
}

static enum tv_status leave_similar(struct forget *f, struct tv_error *err)
{
    int64_t ended = 0;
    const struct tv_similar_forgotten what = of_indices(f);
    enum tv_status status = tv_similar_forget(&what, &ended, err);
    f->indices += ended;
    return status;
}

/* Counts of the items that a user rated, and the documents of users who rated an item, follow now and not in a while. */
static enum tv_status catch_up(struct forget *f, struct tv_error *err)
{
    int64_t live = 0, users = 0, unwritten = 0;
    enum tv_status status = tv_run_live(f->pg, &live, err);
    return status == TV_OK && live > 0 ? tv_lifecycle_fold_in_waiting(&f->stores, live, &users, &unwritten, err) : status;
}

/* --- whether there is anything of it ----------------------------------------------------------------------- */

static enum tv_status model_finds(struct forget *f, int64_t run_number, int *found, struct tv_error *err)
{
    char users[TV_MODEL_NAME];
    enum tv_status status =
        f->what.is_item ? TV_OK : has_document(f, tv_model_users(users, run_number), found, err);
    return status == TV_OK && !*found ? tv_without_needed(&f->stores, run_number, &f->what, found, err) : status;
}

static enum tv_status models_find(struct forget *f, int *found, struct tv_error *err)
{
    struct tv_run *runs = NULL;
    size_t n = 0;
    enum tv_status status = tv_run_list(f->pg, 1u << TV_RUN_KEPT | 1u << TV_RUN_LIVE, &runs, &n, err);
    for (size_t i = 0; i < n && status == TV_OK && !*found; i++)
        if (runs[i].dataset == f->dataset)
            status = model_finds(f, runs[i].id, found, err);
    tv_run_list_free(runs, n);
    return status;
}

/* An integer is a number of anybody, so it is what a store has that tells; the last of it may be in any store after a kill. */
static enum tv_status check_found(struct forget *f, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    const char *const values[] = {kind_of(f), f->number};
    const struct tv_similar_forgotten indices = of_indices(f);
    int64_t in_postgres = 0;
    enum tv_status status = tv_pg_int(f->pg, "SELECT trivet.forget_finds($1, $2)::int", 2, values, &in_postgres, err);
    int found = in_postgres > 0;
    tv_model_catalogue(name, f->dataset);
    if (status == TV_OK && !found && f->what.is_item)
        status = has_document(f, name, &found, err);
    if (status == TV_OK && !found)
        status = models_find(f, &found, err);
    if (status == TV_OK && !found)
        status = tv_similar_finds(&indices, &found, err);
    return status == TV_OK && !found ? refuse(f, "", err) : status;
}

/* --- the command ------------------------------------------------------------------------------------------ */

static enum tv_status pause_for_servers(struct tv_error *err)
{
    struct tv_wait wait = tv_wait_for(NULL, NULL, SERVERS_SECONDS);
    while (tv_wait_more(&wait))
        continue;
    return tv_interrupted() ? tv_fail(err, TV_ERR_INTERRUPTED, "interrupted") : TV_OK;
}

/* From here on whoever rates is somebody new. Servers finish documents of what was there before, which have no higher rev. */
static enum tv_status bound_documents(struct forget *f, struct tv_error *err)
{
    const char *value = f->set;
    enum tv_status status =
        tv_pg_int(f->pg, "SELECT forgotten_rev FROM trivet.dataset WHERE id = $1", 1, &value, &f->rev, err);
    return status == TV_OK ? pause_for_servers(err) : status;
}

static enum tv_status delete_code_once(void *context, struct tv_error *err)
{
    struct forget *f = context;
    const char *const values[] = {f->number, f->set};
    int64_t back = 0;
    enum tv_status status = tv_pg_int(f->pg, "SELECT trivet.forget_user_code($1, $2)::int", 2, values, &back, err);
    f->came_back = back != 0;
    return status;
}

static enum tv_status delete_code(struct forget *f, struct tv_error *err)
{
    const struct tv_patience patience = {.what = "waiting for changes of ratings to end, to delete a code",
                                         .tables = "{trivet.code}",
                                         .seconds = (int)tv_settings_int(f->settings, "lock-wait")};
    enum tv_status status = tv_lock_check(f->stores.lock, err);
    return status == TV_OK ? tv_patiently(f->pg, &patience, delete_code_once, f, err) : status;
}

static enum tv_status leave_stores(struct forget *f, struct tv_error *err)
{
    enum tv_status status = delete_rows(f, 1, err);
    if (status == TV_OK && f->what.is_item)
        status = leave_catalogue(f, err);
    if (status == TV_OK)
        status = leave_models(f, err);
    return status == TV_OK ? leave_similar(f, err) : status;
}

/* What people wrote is theirs to change. */
static enum tv_status tell_mentions(struct forget *f, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(f->pg, "SELECT trivet.forget_mentions($1)", 1, &f->what.code, &rows, err);
    if (status == TV_OK && tv_pg_cell(rows, 0, 0))
        printf("the journal has the word %s in what was typed (%s); trivet leaves that alone\n", f->what.code,
               tv_pg_cell(rows, 0, 0));
    tv_pg_rows_free(rows);
    return status;
}

static void tell(const struct forget *f)
{
    char ratings[64];
    printf("%s %s of data set %s is forgotten: %s deleted, and %s\n", kind_of(f), f->what.code, f->name,
           tv_text_are(ratings, f->ratings, "rating"),
           f->came_back ? "what they rated since then stays" : "nothing else of that data set names it");
    if (f->others)
        printf("other data sets are as they were: %s\n", f->others);
    if (f->models > 0)
        printf("what the models learned from it goes with the next: trivet-train fit\n");
    if (f->indices > 0)
        printf("the index of similar items, from which it cannot be taken, is ended: trivet-train similar builds one\n");
    printf("a load of files that still have it brings it back\n");
}

static enum tv_status forget(struct forget *f, const char *text, struct tv_error *err)
{
    enum tv_status status = open_stores(f, err);
    if (status == TV_OK)
        status = find(f, text, err);
    if (status == TV_OK)
        status = check_found(f, err);
    if (status == TV_OK)
        status = tv_without_finish(&f->stores, err);
    if (status == TV_OK)
        status = leave_stores(f, err);
    if (status == TV_OK)
        status = delete_rows(f, 2, err); /* nobody can rate the item from here on */
    if (status == TV_OK)
        status = pause_for_servers(err);
    f->is_described = 0;
    if (status == TV_OK)
        status = delete_rows(f, 2, err);
    if (status == TV_OK && !f->what.is_item)
        status = bound_documents(f, err);
    if (status == TV_OK)
        status = leave_models(f, err);
    if (status == TV_OK)
        status = leave_similar(f, err);
    if (status == TV_OK)
        status = catch_up(f, err);
    if (status == TV_OK)
        status = tell_mentions(f, err);
    if (status != TV_OK)
        return status;
    return f->what.is_item ? delete_rows(f, 3, err) : delete_code(f, err);
}

enum tv_status tv_etl_forget(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    struct forget f = {.settings = s, .rev = INT64_MAX};
    (void)n;
    f.what.is_item = strcmp(arguments[0], "item") == 0;
    if (!f.what.is_item && strcmp(arguments[0], "user") != 0)
        return tv_fail(err, TV_ERR_USAGE, "forget knows user and item, not \"%s\"", arguments[0]);
    enum tv_status status = forget(&f, arguments[1], err);
    if (status == TV_OK)
        tell(&f);
    close_stores(&f);
    return status;
}
