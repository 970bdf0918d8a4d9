/* datasets: the command `trivet-etl datasets`: lists the data sets that are kept, brings one back as the current one, or
 * deletes one for ever. What each means in Postgres is said in sql/025_datasets.sql. */
#include <stdio.h>
#include <string.h>

#include "etl/commands.h"
#include "etl/load/target.h"
#include "trivet/base/log.h"
#include "trivet/base/name.h"
#include "trivet/cli/table.h"
#include "trivet/model/life/lock.h"
#include "trivet/schema/patient.h"
#include "trivet/schema/schema.h"
#include "trivet/similar/settle.h"
#include "trivet/store/pg_rows.h"
#include "trivet/store/redis.h"

enum { REDIS_MS = 2000 };

static enum tv_status list(struct tv_pg *pg, const struct tv_settings *s, struct tv_error *err)
{
    static const char sql[] =
        "SELECT name, current, ratings, live_ratings, pg_size_pretty(bytes) AS size, "
        "array_to_string(models, ' ') AS models, date_trunc('second', loaded_at) AS loaded FROM trivet.datasets()";
    return tv_table_print_query(pg, s, sql, 0, NULL, err);
}

/* --- one of them ------------------------------------------------------------------------------------------- */

/* The context of drop_once, which may be called several times. */
struct drop {
    struct tv_pg *pg;
    const char *number;
};

static enum tv_status drop_once(void *context, struct tv_error *err)
{
    const struct drop *d = context;
    return tv_pg_exec(d->pg, "SELECT trivet.drop_dataset($1)", 1, &d->number, err);
}

static enum tv_status drop(const struct tv_target *t, struct tv_pg *pg, int seconds, struct tv_error *err)
{
    struct drop d = {.pg = pg, .number = t->number};
    const struct tv_patience patience = {
        .what = "waiting to delete the tables of a data set", .readers = 1, .seconds = seconds};
    return tv_patiently(pg, &patience, drop_once, &d, err);
}

/* The number of the data set of a name, as it is written. */
static enum tv_status find(struct tv_target *out, struct tv_pg *pg, const char *name, struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL;
    enum tv_status status = tv_pg_query(
        pg, "SELECT id, (NOT current)::int FROM trivet.dataset WHERE name = $1", 1, &name, &rows, err);
    if (status == TV_OK && tv_pg_rows_count(rows) == 0) {
        tv_fail(err, TV_ERR_NOT_FOUND, "there is no data set \"%s\"", name);
        status = tv_hint(err, "trivet-etl datasets lists them");
    } else if (status == TV_OK) {
        snprintf(out->number, sizeof out->number, "%s", tv_pg_cell(rows, 0, 0));
        out->away = *tv_pg_cell(rows, 0, 1) == '1';
    }
    tv_pg_rows_free(rows);
    return status;
}

/* Which index of similar items serves follows from what is loaded and what is there, as after an activation: the one of a data set
 * that is deleted may be live, and a server would go on answering from it. Without Redis the next command that has it does the
 * same, and until then `left` is said. Returns whether it is done; that it is not has been said. */
static int follow(const struct tv_settings *s, struct tv_pg *pg, const char *left)
{
    struct tv_error err = {0};
    struct tv_redis *redis = NULL;
    int64_t live = 0;
    enum tv_status status = tv_redis_open(&redis, tv_settings_text(s, "redis"), REDIS_MS, 0, &err);
    if (status == TV_OK)
        status = tv_similar_settle(pg, redis, NULL, &live, NULL, &err);
    if (status != TV_OK)
        tv_log_reason(TV_LOG_ERROR, left, &err);
    tv_redis_close(redis);
    return status == TV_OK;
}

static enum tv_status use(const struct tv_settings *s, const struct tv_target *t, struct tv_pg *pg, const char *name, struct tv_error *err)
{
    struct tv_pg_rows *to_do = NULL;
    enum tv_status status = tv_target_use(t, pg, (int)tv_settings_int(s, "lock-wait"), err);
    if (status != TV_OK)
        return status;
    follow(s, pg, "the index of similar items is left as it is until the next command of trivet-train");
    printf("%s is the data set that is loaded\n", name);
    status = tv_target_out_of_date(&to_do, pg, err);
    tv_target_print_to_do(to_do, stdout);
    tv_pg_rows_free(to_do);
    return status;
}

/* Which indices of similar items there are of the data set, "1, 2", NULL for none; Redis holds them. */
static enum tv_status indices_of(struct tv_pg *pg, const char *number, struct tv_pg_rows **out, struct tv_error *err)
{
    return tv_pg_query(pg,
                       "SELECT string_agg(i.id::text, ', ' ORDER BY i.id) FROM trivet.similar_index i "
                       "WHERE i.dataset = $1 AND i.state IN ('live', 'kept')",
                       1, &number, out, err);
}

/* The index is out of Redis where that could be asked, and models are left to the next command. */
static void tell_what_was_made(const struct tv_settings *s, struct tv_pg *pg, const char *models, const char *indices)
{
    char left[200];
    snprintf(left, sizeof left, "index %s of similar items of what is deleted goes on answering if it was live, until trivet-train repair",
             indices ? indices : "");
    int gone = follow(s, pg, indices ? left : "the index of similar items is left as it is until the next command of trivet-train");
    if (indices && gone)
        printf("index %s of similar items of it: gone, too\n", indices);
    if (models)
        printf("%s of it: gone, too; the next command of trivet-train takes them out of MongoDB and Redis\n", models);
}

/* What goes is asked before it is gone. */
static enum tv_status drop_and_tell(const struct tv_settings *s, const struct tv_target *t, struct tv_pg *pg, const char *name,
                                    struct tv_error *err)
{
    struct tv_pg_rows *rows = NULL, *indices = NULL;
    const char *number = t->number;
    enum tv_status status = tv_pg_query(pg, "SELECT rows, models FROM trivet.dataset_goes($1)", 1, &number, &rows, err);
    if (status == TV_OK)
        status = indices_of(pg, number, &indices, err);
    if (status == TV_OK)
        status = drop(t, pg, (int)tv_settings_int(s, "lock-wait"), err);
    if (status == TV_OK) {
        printf("%s is deleted: %s\n", name, tv_pg_cell(rows, 0, 0));
        tell_what_was_made(s, pg, tv_pg_cell(rows, 0, 1), tv_pg_cell(indices, 0, 0));
    }
    tv_pg_rows_free(indices);
    tv_pg_rows_free(rows);
    return status;
}

/* Under the lock of loads and trainings, since neither may see half of a change. */
static enum tv_status change(const struct tv_settings *s, const char *verb, const char *given, struct tv_error *err)
{
    struct tv_lock *lock = NULL;
    struct tv_target target = {.away = 0};
    char name[256];
    enum tv_status status = tv_name_read(name, sizeof name, given, err); /* as a load reads it */
    if (status == TV_OK)
        status = tv_lock_acquire(&lock, s, "trivet-etl datasets", 0, err);
    if (status == TV_OK)
        status = find(&target, tv_lock_connection(lock), name, err);
    if (status == TV_OK)
        status = (strcmp(verb, "use") == 0 ? use : drop_and_tell)(s, &target, tv_lock_connection(lock), name, err);
    tv_lock_release(lock);
    return status;
}

enum tv_status tv_etl_datasets(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    if (n > 0 && (n != 2 || (strcmp(arguments[0], "use") != 0 && strcmp(arguments[0], "drop") != 0)))
        return tv_fail(err, TV_ERR_USAGE, "datasets knows use NAME and drop NAME, and lists them without arguments");
    enum tv_status status = tv_schema_open(&pg, s, "trivet-etl datasets", err);
    if (status == TV_OK)
        status = n > 0 ? change(s, arguments[0], arguments[1], err) : list(pg, s, err);
    tv_pg_close(pg);
    return status;
}
