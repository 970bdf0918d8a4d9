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
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "etl/commands.h"
#include "etl/detect/choices.h"
#include "etl/fetch/download.h"
#include "etl/load/report.h"
#include "etl/load/stage.h"
#include "etl/load/target.h"
#include "trivet/base/clock.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/model/life/lock.h"
#include "trivet/schema/patient.h"
#include "trivet/schema/schema.h"
#include "trivet/store/pg_rows.h"

/* One load; lives in tv_etl_load, which gives all of it back. */
struct load {
    const struct tv_settings *settings;
    const char *given;   /* what the data are to be had from: a path or an address */
    char path[4096];     /* where they lie */
    char source[600];    /* what may be written down of `given` */
    int append;
    char name[256];    /* of the data, for people */
    const char *given_name; /* --name, or NULL */
    char options[1600]; /* JSON: what --if-changed compares beside the fingerprint */
    char fingerprint[24];
    struct tv_input *input;
    struct tv_set set;
    struct tv_lock *lock;
    struct tv_pg *journal; /* the lock's connection */
    struct tv_pg *data;
    struct tv_codes *codes;
    int64_t id; /* 0: the journal has no row yet */
    char id_text[24];
    struct tv_target target; /* read under the lock */
    struct tv_rejects rejects;
    struct tv_stage stage;
    struct tv_report report;
    double clock; /* when the present step began */
};

/* --- what is to be loaded --------------------------------------------------------------------------------- */

/* Names the data as people call it: by --name, else as the folder or archive. Postgres stores no name that is not
 * UTF-8. */
static enum tv_status name_of(struct load *l, struct tv_error *err)
{
    if (l->given_name) {
        size_t given = strlen(l->given_name);
        if (given >= sizeof l->name || !tv_text_is_utf8(l->given_name, given))
            return tv_fail(err, TV_ERR_USAGE, "--name must be UTF-8 of at most %zu bytes, and has %zu", sizeof l->name - 1,
                           given);
        memcpy(l->name, l->given_name, given + 1);
        return TV_OK;
    }
    tv_input_name(l->path, l->name, sizeof l->name);
    if (!tv_text_is_utf8(l->name, strlen(l->name)))
        snprintf(l->name, sizeof l->name, "ratings");
    return TV_OK;
}

/* Tells in the log which file is read as what, so that a file that was taken for the wrong thing shows before the work
 * begins. */
static void say_roles(const struct tv_set *set)
{
    for (int role = 0; role < TV_ROLE_COUNT; role++)
        if (set->chosen[role].file)
            tv_log_info("%s: %s%s", set->chosen[role].file->name, tv_role_name((enum tv_role)role),
                        set->chosen[role].how);
    for (size_t i = 0; i < set->n_ignored; i++)
        tv_log_info("%s: not used", set->ignored[i]);
}

/* The hash of the names and bytes of every file that is read, whether they stand in a folder or in an archive. */
static enum tv_status fingerprint(struct load *l, struct tv_error *err)
{
    uint64_t hash = TV_HASH_START;
    enum tv_status status = TV_OK;
    for (int role = 0; role < TV_ROLE_COUNT && status == TV_OK; role++)
        if (l->set.chosen[role].file)
            status = tv_input_hash(&hash, l->input, l->set.chosen[role].file, err);
    snprintf(l->fingerprint, sizeof l->fingerprint, "%016llx", (unsigned long long)hash);
    return status;
}

/* Writes the flags that decide what is loaded, as trivet.load.options keeps them. */
static enum tv_status write_options(struct load *l, const struct tv_choices *c, struct tv_error *err)
{
    json_t *options = json_pack("{s:s, s:s, s:b}", "format", c->format, "ids", c->ids, "append", l->append);
    if (options && c->columns)
        json_object_set_new(options, "columns", json_string(c->columns));
    if (options && strcmp(c->unrated, "refuse") != 0)
        json_object_set_new(options, "unrated", json_string(c->unrated));
    if (options && strcmp(c->decimal, "auto") != 0)
        json_object_set_new(options, "decimal", json_string(c->decimal));
    size_t n = options ? json_dumpb(options, l->options, sizeof l->options - 1, 0) : 0;
    json_decref(options);
    if (n == 0 || n >= sizeof l->options)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the options of a load");
    l->options[n] = '\0';
    return TV_OK;
}

/* Everything that can be refused without a database is refused here, before there is a row in the journal. */
static enum tv_status look(struct load *l, struct tv_error *err)
{
    const struct tv_choices choices = tv_choices_of(l->settings);
    enum tv_status status = tv_fetch(l->settings, l->given, l->path, sizeof l->path, err);
    if (status == TV_OK)
        status = tv_input_open(&l->input, l->path, err);
    if (status == TV_OK)
        status = tv_detect(&l->set, l->input, &choices, err);
    if (status == TV_OK)
        status = name_of(l, err);
    if (status != TV_OK)
        return status;
    say_roles(&l->set);
    status = write_options(l, &choices, err);
    return status == TV_OK ? fingerprint(l, err) : status;
}

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
static enum tv_status clean(struct load *l, int seconds, int64_t *tables, struct tv_error *err)
{
    struct cleaning c = {.pg = l->journal};
    const struct tv_patience patience = {
        .what = "waiting to remove what an earlier load left behind", .readers = 1, .seconds = seconds};
    enum tv_status status = tv_patiently(l->journal, &patience, clean_once, &c, err);
    *tables = c.tables;
    return status;
}

static enum tv_status clean_leftovers(struct load *l, struct tv_error *err)
{
    int64_t tables = 0;
    enum tv_status status = clean(l, (int)tv_settings_int(l->settings, "lock-wait"), &tables, err);
    if (status == TV_OK && tables > 0)
        tv_log_info("removed what an earlier load left behind: %lld tables", (long long)tables);
    return status;
}

/* Takes the lock and begins the load's row in the journal. A load waits for the program that holds the lock, where a
 * training would be refused. Its row in the journal is committed
 * at once, so lines that are refused have a load to belong to. */
static enum tv_status begin(struct load *l, struct tv_error *err)
{
    const char *const values[] = {l->name,    l->source,      l->set.format,
                                  l->options, l->fingerprint, l->set.generated ? "true" : "false"};
    enum tv_status status =
        tv_lock_acquire(&l->lock, l->settings, "trivet-etl load", 1, err);
    if (status != TV_OK)
        return status;
    l->journal = tv_lock_connection(l->lock);
    l->clock = tv_clock(); /* waiting for another program is no work */
    status = clean_leftovers(l, err);
    if (status == TV_OK)
        status = tv_target_find(&l->target, l->journal, l->name, l->append, err);
    if (status == TV_OK && !l->append)
        status = tv_target_tell(&l->target, l->journal, l->name, l->path, err);
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

/* Calls a function of sql/006_load.sql with the load's number. */
static enum tv_status call(struct load *l, const char *sql, struct tv_error *err)
{
    const char *const values[] = {l->id_text};
    return tv_pg_exec(l->data, sql, 1, values, err);
}

/* --- transaction 1: read ---------------------------------------------------------------------------------------- */

/* Opens the COPY that the rows of a file of this role go through. */
static enum tv_status open_copy(struct load *l, enum tv_role role, struct tv_error *err)
{
    static const char *const kinds[TV_ROLE_COUNT] = {
        [TV_ROLE_ITEMS] = "item", [TV_ROLE_LINKS] = "link", [TV_ROLE_METADATA] = "metadata"};
    if (role == TV_ROLE_RATINGS)
        return tv_stage_begin_ratings(&l->stage, l->id, err);
    return role == TV_ROLE_TAGS ? tv_stage_begin_tags(&l->stage, err)
                                : tv_stage_begin_items(&l->stage, kinds[role], err);
}

/* Loads the file of one role. Genres and words serve the readers of other files, and the marker only says that the set
 * is generated: these three have no rows. */
static enum tv_status read_role(struct load *l, enum tv_role role, struct tv_error *err)
{
    const struct tv_input_file *file = l->set.chosen[role].file;
    if (file == NULL || role == TV_ROLE_GENRES || role == TV_ROLE_WORDS || role == TV_ROLE_MARKER)
        return TV_OK;
    char what[300];
    snprintf(what, sizeof what, "loading %s", file->name);
    struct tv_sink sink = tv_stage_sink(&l->stage);
    l->stage.file_bytes = file->size;
    tv_progress_start(&l->stage.progress, what, "rows", 0);
    enum tv_status status = open_copy(l, role, err);
    if (status == TV_OK)
        status = tv_set_read(&l->set, role, &sink, err);
    if (status == TV_OK)
        status = tv_stage_end(&l->stage, err);
    else
        tv_stage_abort(&l->stage);
    tv_progress_end(&l->stage.progress);
    return status;
}

/* Repeated pairs were counted on the way if the rows of each user stand together (tally.h); otherwise Postgres
 * counts. */
static enum tv_status count_rows(struct load *l, struct tv_error *err)
{
    const char *const values[] = {l->id_text};
    int64_t duplicates = l->stage.tally.repeats, tags = 0;
    enum tv_status status = TV_OK;
    if (l->stage.tally.users_apart)
        status = tv_pg_int(l->data, "SELECT trivet.load_duplicates($1)", 1, values, &duplicates, err);
    if (status == TV_OK)
        status = tv_pg_int(l->data, "SELECT count(*) FROM pg_temp.load_tag", 0, NULL, &tags, err);
    l->report.duplicates = duplicates;
    l->report.tags = tags;
    return status;
}

/* Plays that came one by one become one row a pair, which says how many. From then on no pair is repeated. */
static enum tv_status add_up(struct load *l, struct tv_error *err)
{
    const char *const values[] = {l->id_text};
    int64_t pairs = 0;
    if (l->stage.tally.repeats == 0 && !l->stage.tally.users_apart)
        return TV_OK;
    enum tv_status status = tv_pg_int(l->data, "SELECT trivet.load_add_up($1)", 1, values, &pairs, err);
    l->report.added_up = l->stage.tally.rows - pairs;
    l->stage.tally.repeats = 0;
    l->stage.tally.users_apart = 0;
    return status;
}

/* Reads the smallest and the largest value anew: counts that were added up have others than the lines had.
 * trivet.load_index noted them. */
static enum tv_status read_ends(struct load *l, struct tv_error *err)
{
    const char *const values[] = {l->id_text};
    struct tv_pg_rows *rows = NULL;
    enum tv_status status =
        tv_pg_query(l->data, "SELECT low, high FROM trivet.load WHERE id = $1", 1, values, &rows, err);
    if (status == TV_OK) {
        l->stage.tally.min = strtof(tv_pg_cell(rows, 0, 0), NULL);
        l->stage.tally.max = strtof(tv_pg_cell(rows, 0, 1), NULL);
    }
    tv_pg_rows_free(rows);
    return status;
}

/* One transaction from making the table to its index: COPY may FREEZE rows only in the transaction that made their
 * table. */
static enum tv_status fill(struct load *l, struct tv_error *err)
{
    enum { WORTH_A_LINE = 2000000 }; /* rows that take seconds to index */
    char rows[32];
    enum tv_status status = tv_pg_exec(l->data, "BEGIN", 0, NULL, err);
    if (status == TV_OK)
        status = call(l, "SELECT trivet.load_create($1)", err);
    if (status == TV_OK)
        status = tv_codes_read(l->codes, l->data, l->target.number, err);
    tv_report_step(&l->report, "prepare", &l->clock);
    if (status == TV_OK)
        status = read_role(l, TV_ROLE_RATINGS, err);
    tv_report_step(&l->report, "ratings", &l->clock);
    for (int role = TV_ROLE_RATINGS + 1; role < TV_ROLE_COUNT && status == TV_OK; role++)
        status = read_role(l, (enum tv_role)role, err);
    if (status == TV_OK)
        status = tv_codes_write(l->codes, l->data, err);
    tv_report_step(&l->report, "items", &l->clock);
    if (status == TV_OK)
        status = tv_rejects_flush(&l->rejects, err);
    if (status == TV_OK && l->stage.tally.rows == 0)
        status = tv_fail(err, TV_ERR_INPUT, "%s holds no rating that can be read", l->set.chosen[0].file->name);
    if (status == TV_OK && l->set.counts)
        status = add_up(l, err);
    if (status == TV_OK && l->stage.tally.rows >= WORTH_A_LINE)
        tv_log_info("indexing %s ratings", tv_text_number(rows, l->stage.tally.rows));
    if (status == TV_OK)
        status = call(l, "SELECT trivet.load_index($1)", err);
    if (status == TV_OK && l->report.added_up > 0)
        status = read_ends(l, err);
    tv_report_step(&l->report, "index", &l->clock);
    if (status == TV_OK)
        status = count_rows(l, err);
    tv_report_step(&l->report, "count", &l->clock);
    return status == TV_OK ? tv_pg_exec(l->data, "COMMIT", 0, NULL, err) : status;
}

/* --- transaction 2: publish ------------------------------------------------------------------------------------- */

static const char *is_append(const struct load *l)
{
    return l->append ? "true" : "false";
}

/* Takes the locks behind a savepoint, so that unlock gives back these and nothing else. */
static enum tv_status try_lock(struct load *l, struct tv_error *err)
{
    const char *const values[] = {l->target.number, is_append(l)};
    enum tv_status status = tv_pg_exec(l->data, "SAVEPOINT unlocked", 0, NULL, err);
    return status == TV_OK ? tv_pg_exec(l->data, "SELECT trivet.load_lock(nullif($1, '')::bigint, $2)", 2, values, err)
                           : status;
}

/* Gives back the locks that try_lock took. */
static enum tv_status unlock(struct load *l, struct tv_error *err)
{
    return tv_pg_exec(l->data, "ROLLBACK TO unlocked", 0, NULL, err);
}

/* Takes the locks for good. Codes and items are in place by now, which may have taken seconds, so a few more tries here
 * are cheaper than to begin the transaction again. */
static enum tv_status lock_ratings(struct load *l, struct tv_error *err)
{
    enum { TRIES = 10, PAUSE_US = 50000 };
    for (int tries = 1;; tries++) {
        enum tv_status status = try_lock(l, err);
        if (status == TV_OK || tries == TRIES || !tv_pg_lock_refused(l->data) || tv_interrupted())
            return status;
        if ((status = unlock(l, err)) != TV_OK)
            return status;
        usleep(PAUSE_US);
    }
}

/* One attempt at transaction 2. The locks are tried and given back first: while a query is in the way, the seconds for
 * codes and items would be lost. They are taken for good at the end, and held for milliseconds. */
static enum tv_status publish_once(void *context, struct tv_error *err)
{
    struct load *l = context;
    char rows[24], rejects[24];
    snprintf(rows, sizeof rows, "%lld", l->stage.tally.rows - (long long)l->report.added_up);
    snprintf(rejects, sizeof rejects, "%lld", l->rejects.n);
    char dataset[24];
    const char *const named[] = {l->name, is_append(l)};
    const char *const published[] = {l->id_text, is_append(l)};
    const char *const values[] = {l->id_text, dataset, is_append(l), rows, rejects};
    int64_t items = 0, number = 0;
    enum tv_status status = try_lock(l, err);
    if (status == TV_OK)
        status = unlock(l, err);
    if (status == TV_OK)
        status = tv_pg_int(l->data, "SELECT trivet.load_dataset($1, $2)", 2, named, &number, err);
    snprintf(dataset, sizeof dataset, "%lld", (long long)number);
    if (status == TV_OK)
        status = call(l, "SELECT trivet.load_publish_codes($1)", err);
    if (status == TV_OK)
        status = tv_pg_int(l->data, "SELECT trivet.load_publish_items($1, $2)", 2, published, &items, err);
    if (status == TV_OK)
        status = lock_ratings(l, err);
    if (status == TV_OK)
        status = tv_lock_check(l->lock, err);
    if (status == TV_OK)
        status = tv_pg_exec(l->data, "SELECT trivet.load_attach($1, $2, $3, $4, $5)", 5, values, err);
    l->report.items = items;
    return status;
}

/* A load that is appended drops nothing and puts nothing away, so readers are not in its way. */
static enum tv_status publish(struct load *l, struct tv_error *err)
{
    const struct tv_patience patience = {
        .what = "waiting for queries on trivet.rating to end, to put the new ratings in place",
        .tables = "{trivet.rating,trivet.code,trivet.item}",
        .readers = !l->append,
        .seconds = (int)tv_settings_int(l->settings, "lock-wait")};
    enum tv_status status = tv_patiently(l->data, &patience, publish_once, l, err);
    tv_report_step(&l->report, "publish", &l->clock);
    return status;
}

/* --- nothing to read ---------------------------------------------------------------------------------------------- */

/* Sets *same to 1 if these files are loaded already, with these options. */
static enum tv_status unchanged(struct load *l, int *same, struct tv_error *err)
{
    enum tv_status status = tv_target_find(&l->target, l->data, l->name, l->append, err);
    return status == TV_OK ? tv_target_same(&l->target, l->data, l->fingerprint, l->options, same, err) : status;
}

/* Files that are loaded already need not be read again, only shown, where another data set was loaded after them. */
static enum tv_status show_again(struct load *l, struct tv_error *err)
{
    if (!l->target.away) {
        printf("%s is loaded already and has not changed: nothing to do\n", l->name);
        return TV_OK;
    }
    enum tv_status status = tv_lock_acquire(&l->lock, l->settings, "trivet-etl load", 1, err);
    if (status == TV_OK)
        status = tv_target_use(&l->target, l->data, (int)tv_settings_int(l->settings, "lock-wait"), err);
    if (status == TV_OK)
        printf("%s was loaded before and has not changed: it is the current data set again\n", l->name);
    return status;
}

/* With --yield data from another place stays. Sets *idle to 1 if there is any. */
static enum tv_status yield(struct load *l, int *idle, struct tv_error *err)
{
    char *others = NULL;
    enum tv_status status = tv_target_others(&others, l->data, l->source, err);
    if (others)
        printf("loaded is %s: it stays, %s is not loaded\n", others, l->source);
    *idle = others != NULL;
    free(others);
    return status;
}

/* Sets *idle to 1 if the settings ask for no load as things are; says so. */
static enum tv_status look_for_work(struct load *l, int *idle, struct tv_error *err)
{
    enum tv_status status = tv_settings_on(l->settings, "yield") ? yield(l, idle, err) : TV_OK;
    if (status != TV_OK || *idle || !tv_settings_on(l->settings, "if-changed"))
        return status;
    status = unchanged(l, idle, err);
    return status == TV_OK && *idle ? show_again(l, err) : status;
}

/* --- end -------------------------------------------------------------------------------------------------------- */

/* Counts the items that have a title, and those of them that are rated. What is rated is known here, so that Postgres need not read the
 * ratings for it. */
static void count_titles(struct load *l)
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
static void report(struct load *l)
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
static enum tv_status give_up(struct load *l, enum tv_status status, struct tv_error *err)
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
static enum tv_status load(struct load *l, struct tv_error *err)
{
    enum tv_status status = begin(l, err);
    if (status == TV_OK)
        status = tv_interrupt_watch(l->data, err);
    if (status == TV_OK)
        status = fill(l, err);
    if (status == TV_OK && !l->append && !tv_settings_on(l->settings, "same"))
        status = tv_target_check(l->data, l->name, err);
    if (status == TV_OK)
        status = publish(l, err);
    tv_interrupt_forget(l->data);
    if (status != TV_OK)
        return give_up(l, status, err);
    report(l);
    return TV_OK;
}

/* The schema comes with the first load. Whether the files have changed is asked before the lock is taken, so that a
 * load with nothing to do waits for nobody. */
enum tv_status tv_etl_load(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    struct load l = {.settings = s,
                     .given = arguments[0],
                     .given_name = tv_settings_text(s, "name"),
                     .append = tv_settings_on(s, "append")};
    int idle = 0;
    tv_fetch_shown(l.given, l.source, sizeof l.source);
    enum tv_status status = look(&l, err);
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
        status = load(&l, err);
    tv_stage_free(&l.stage);
    tv_rejects_free(&l.rejects);
    tv_codes_free(l.codes);
    tv_pg_close(l.data);
    tv_lock_release(l.lock);
    tv_input_close(l.input);
    return status;
}
