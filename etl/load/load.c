/* load: a rating set becomes the rows of trivet.rating.
 *
 * Two connections work on it. The lock's own one holds the session lock that load and training share, and
 * writes the journal (trivet.load, trivet.reject) statement by statement, so that it outlives a rollback. The
 * other carries the data: one transaction fills and indexes a table of the load's own, a second one makes it
 * visible and drops what it replaces. Readers see the old ratings until the second commits, and never wait
 * for either (sql/006_load.sql); while queries are in the way of the second transaction, it is begun again and again. A
 * load that dies leaves at most a table nobody reads; the next load drops it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "etl/commands.h"
#include "etl/fetch/download.h"
#include "etl/load/load.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/cli/interrupt.h"
#include "trivet/schema/patient.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_rows.h"

/* --- begin ------------------------------------------------------------------------------------------------------ */

/* The context of clean_once, which may be called several times. */
struct cleaning {
    struct tv_pg *pg;
    int64_t tables;
};

static enum tv_status clean_once(void *context, struct tv_error *err)
{
    struct cleaning *c = context;
    return tv_pg_int(c->pg, "SELECT trivet.load_clean()", 0, NULL, &c->tables, err);
}

/* Drops what loads that died have left. A backup (pg_dump) holds a lock on every table, so this may have to wait. */
static enum tv_status clean(struct tv_load *l, int seconds, int64_t *tables, struct tv_error *err)
{
    struct cleaning c = {.pg = l->journal};
    const struct tv_patience patience = {
        .what = "waiting to remove what an earlier load left behind", .readers = 1, .seconds = seconds};
    enum tv_status status = tv_patiently(l->journal, &patience, clean_once, &c, err);
    *tables = c.tables;
    return status;
}

static enum tv_status clean_leftovers(struct tv_load *l, struct tv_error *err)
{
    int64_t tables = 0;
    enum tv_status status = clean(l, (int)tv_settings_int(l->settings, "lock-wait"), &tables, err);
    if (status == TV_OK && tables > 0)
        tv_log_info("removed what an earlier load left behind: %lld tables", (long long)tables);
    return status;
}

/* Begins the load's row in the journal, under the lock. It is committed at once, so lines that are refused have a load to belong to. */
static enum tv_status begin(struct tv_load *l, struct tv_error *err)
{
    const char *const values[] = {l->name,    l->source,      l->set.format,
                                  l->options, l->fingerprint, l->set.generated ? "true" : "false"};
    l->journal = tv_lock_connection(l->lock);
    l->clock = tv_clock(); /* waiting for another program is no work */
    enum tv_status status = clean_leftovers(l, err);
    if (status == TV_OK)
        status = tv_target_find(&l->target, l->journal, l->name, l->append, err);
    if (status == TV_OK && l->append)
        status = tv_target_check_name(l->journal, l->given_name, err);
    if (status == TV_OK && l->append)
        status = tv_target_check_kind(l->journal, l->set.counts, err);
    if (status == TV_OK && !l->append && !tv_settings_on(l->settings, "same"))
        status = tv_target_check_singles(&l->target, l->journal, l->name, l->set.counts, err);
    if (status == TV_OK)
        status = tv_pg_int(l->journal,
                           "INSERT INTO trivet.load (name, source, format, options, fingerprint, generated) "
                           "VALUES ($1, $2, $3, $4::jsonb, $5, $6) RETURNING id",
                           6, values, &l->id, err);
    snprintf(l->id_text, sizeof l->id_text, "%lld", (long long)l->id);
    tv_rejects_init(&l->rejects, l->journal, l->id, tv_settings_int(l->settings, "max-rejects"));
    tv_stage_init(&l->stage, l->data, l->codes, &l->rejects);
    l->report.load = l->id;
    return status;
}

/* --- nothing to read ---------------------------------------------------------------------------------------------- */

/* Sets *same to 1 if these files are loaded already, with these options. */
static enum tv_status unchanged(struct tv_load *l, int *same, struct tv_error *err)
{
    enum tv_status status = tv_target_find(&l->target, l->data, l->name, l->append, err);
    return status == TV_OK ? tv_target_same(&l->target, l->data, l->fingerprint, l->options, l->append, same, err) : status;
}

/* Files that are loaded already need not be read again, only shown, where another data set was loaded after them. That is done under
 * the lock: without it *idle becomes 0. */
static enum tv_status show_again(struct tv_load *l, int *idle, struct tv_error *err)
{
    *idle = !l->target.away || l->lock;
    if (!*idle)
        return TV_OK;
    if (!l->target.away) {
        printf("%s is loaded already and has not changed: nothing to do\n", l->name);
        return TV_OK;
    }
    enum tv_status status = tv_target_use(&l->target, l->data, (int)tv_settings_int(l->settings, "lock-wait"), err);
    if (status == TV_OK)
        printf("%s was loaded before and has not changed: it is the current data set again\n", l->name);
    return status;
}

/* With --yield data from another place stays, and data that somebody loaded from here under another name than it would have by
 * itself, and never had. Sets *idle to 1 if there is any. */
static enum tv_status yield(struct tv_load *l, int *idle, struct tv_error *err)
{
    char *others = NULL;
    enum tv_status status = tv_target_others(&others, l->data, l->source, l->given_name ? NULL : l->name, err);
    if (others)
        printf("loaded is %s: it stays, %s is not loaded\n", others, l->source);
    *idle = others != NULL;
    free(others);
    return status;
}

/* Sets *idle to 1 if the settings ask for no load as things are; says so. The answer holds under the lock alone. */
static enum tv_status look_for_work(struct tv_load *l, int *idle, struct tv_error *err)
{
    enum tv_status status = tv_settings_on(l->settings, "yield") ? yield(l, idle, err) : TV_OK;
    if (status != TV_OK || *idle || !tv_settings_on(l->settings, "if-changed"))
        return status;
    status = unchanged(l, idle, err);
    return status == TV_OK && *idle ? show_again(l, idle, err) : status;
}

/* --- end -------------------------------------------------------------------------------------------------------- */

/* Counts the items that have a title, and those of them that are rated. What is rated is known here, so that Postgres need not read the
 * ratings for it. */
static void count_titles(struct tv_load *l)
{
    struct tv_pg_rows *rows = NULL;
    l->report.titles = -1;
    if (tv_pg_query(l->journal, "SELECT item_id FROM trivet.item WHERE btrim(title) <> ''", 0, NULL, &rows, NULL) != TV_OK)
        return;
    l->report.titles = tv_pg_rows_count(rows);
    for (int i = 0; i < l->report.titles; i++)
        l->report.rated_titles += tv_tally_has_item(&l->stage.tally, strtoll(tv_pg_cell(rows, i, 0), NULL, 10));
    tv_pg_rows_free(rows);
}

/* The load is visible already, so a report that cannot be kept is worth a line, not a failure. */
static void report(struct tv_load *l)
{
    struct tv_error err = {.status = TV_OK};
    struct tv_pg_rows *to_do = NULL;
    l->report.append = l->append;
    count_titles(l);
    if (tv_target_out_of_date(&to_do, l->data, &err) != TV_OK)
        tv_log_reason(TV_LOG_INFO, "what is out of date now cannot be told", &err);
    l->report.to_do = to_do;
    tv_report_print(&l->report, stdout);
    char *json = tv_report_json(&l->report);
    const char *const values[] = {l->id_text, json};
    if (json == NULL ||
        tv_pg_exec(l->journal, "UPDATE trivet.load SET report = $2::jsonb WHERE id = $1", 2, values, &err))
        tv_log_reason(TV_LOG_INFO, "the report was not kept in trivet.load", &err);
    free(json);
    tv_pg_rows_free(to_do);
    l->report.to_do = NULL;
}

/* Rolls back, and tells the journal why. Where Postgres is gone, the next load does the rest. */
static enum tv_status give_up(struct tv_load *l, enum tv_status status, struct tv_error *err)
{
    if (tv_interrupted()) {
        status = tv_fail(err, TV_ERR_INTERRUPTED,
                         "interrupted: the load was rolled back, the ratings are as they were");
        tv_hint(err, "run it again when you like");
    }
    if (l->id == 0)
        return status;
    static const char why[] = "the load has failed already, and the next one does what cannot be done now";
    tv_ignore(tv_pg_exec(l->data, "ROLLBACK", 0, NULL, NULL), why);
    tv_ignore(tv_rejects_flush(&l->rejects, NULL), why);
    char rejects[24];
    snprintf(rejects, sizeof rejects, "%lld", l->rejects.n);
    const char *const values[] = {l->id_text, err->message, rejects};
    tv_ignore(tv_pg_exec(l->journal,
                         "UPDATE trivet.load SET message = $2, reject_count = $3 WHERE id = $1 AND state = 'loading'",
                         3, values, NULL),
              why);
    int64_t tables;
    tv_ignore(clean(l, 0, &tables, NULL), why);
    return status;
}

/* A signal cancels what the data's connection does, and nothing on the journal's, which still has to say how it
 * ended. */
static enum tv_status load(struct tv_load *l, struct tv_error *err)
{
    enum tv_status status = begin(l, err);
    if (status == TV_OK)
        status = tv_interrupt_watch(l->data, err);
    if (status == TV_OK)
        status = tv_load_fill(l, err);
    if (status == TV_OK && !tv_settings_on(l->settings, "same"))
        status = l->append ? tv_target_check_added(l->data, err) : tv_target_check(l->data, l->id_text, l->name, err);
    if (status == TV_OK && !l->append)
        status = tv_target_tell(&l->target, l->journal, l->name, l->source, err);
    if (status == TV_OK)
        status = tv_load_publish(l, err);
    tv_interrupt_forget(l->data);
    if (status != TV_OK)
        return give_up(l, status, err);
    report(l);
    return TV_OK;
}

/* A load waits for the program that holds the lock, where a training would be refused. What that one did may leave nothing to do. */
static enum tv_status load_locked(struct tv_load *l, struct tv_error *err)
{
    int idle = 0;
    enum tv_status status = tv_lock_acquire(&l->lock, l->settings, "trivet-etl load", 1, err);
    if (status == TV_OK)
        status = look_for_work(l, &idle, err);
    return status == TV_OK && !idle ? load(l, err) : status;
}

/* The schema comes with the first load. Whether the files have changed is asked before the lock is taken, too, so that a
 * load with nothing to do waits for nobody. */
enum tv_status tv_etl_load(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct tv_load l = {.settings = s,
                     .given = arguments[0],
                     .given_name = tv_settings_text(s, "name"),
                     .append = tv_settings_on(s, "append")};
    int idle = 0;
    char *place = tv_fetch_is_address(l.given) ? NULL : realpath(l.given, NULL); /* one folder has one name, wherever it is called from */
    tv_fetch_shown(place ? place : l.given, l.source, sizeof l.source);
    free(place);
    enum tv_status status = tv_load_look(&l, err);
    if (status == TV_OK)
        status = tv_codes_create(&l.codes, err);
    if (status == TV_OK)
        status = tv_pg_open(&l.data, tv_settings_text(s, "postgres"), "trivet-etl load",
                            (int)tv_settings_int(s, "wait"), err);
    if (status == TV_OK)
        status = tv_schema_apply(l.data, 0, (int)tv_settings_int(s, "lock-wait"), err);
    if (status == TV_OK)
        status = look_for_work(&l, &idle, err);
    l.report = (struct tv_report){
        .name = l.name, .set = &l.set, .tally = &l.stage.tally, .rejects = &l.rejects, .codes = l.codes};
    if (status == TV_OK && !idle)
        status = load_locked(&l, err);
    tv_stage_free(&l.stage);
    tv_rejects_free(&l.rejects);
    tv_codes_free(l.codes);
    tv_pg_close(l.data);
    tv_lock_release(l.lock);
    tv_input_close(l.input);
    return status;
}
