/* similar: builds the index of similar items under a version of its own, switches to it, and brings it up to date.
 *
 *   settle       the journal takes over which index Redis calls live, and what an earlier build left is deleted
 *   begin        the new index gets a version, and from then on Postgres writes down which pairs change
 *                (sql/022_similar.sql)
 *   read         the signatures of all items, from one snapshot, on all cores
 *   write        all keys under the version, which nobody looks at
 *   write items  titles and all that is known of the items, into MongoDB's catalogue_<D>, where servers read them: no
 *                model is needed
 *   switch       MULTI; SET trivet:similar:live; PUBLISH; EXEC
 *   settle       the index that was live before is deleted, or kept if it is of another data set
 *   catch up     the pairs that changed since `begin` are applied
 *
 * After a kill before the switch the old index serves on and follows events; after a later one the new index does.
 * Either way the next run's first step cleans up.
 */
#include "train/similar/similar.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/item_documents.h"
#include "train/command/stores.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/progress.h"
#include "trivet/model/filter.h"
#include "trivet/model/life/catalogue.h"
#include "trivet/model/life/lock.h"
#include "trivet/model/reader.h"
#include "trivet/schema/patient.h"
#include "trivet/similar/build.h"
#include "trivet/similar/feed.h"
#include "trivet/similar/settle.h"
#include "trivet/store/pg_rows.h"

enum { REDIS_MS = 30000, EVENTS_AT_ONCE = 1000 };

const struct tv_option tv_similar_options[] = {
    {.name = "min-rating",
     .kind = TV_OPTION_REAL,
     .value = "RATING",
     .min = -1e30,
     .max = 1e30,
     .help = "who rated (or played) less than that does not count"},
    {.name = "since",
     .kind = TV_OPTION_TEXT,
     .value = "TIME",
     .help = "ratings given before that do not count: 2026-01-31, or any time that PostgreSQL understands"},
    {.name = "source",
     .kind = TV_OPTION_TEXT,
     .value = "SQL",
     .help = "count the rows of any function call or view with the columns (userid, movieid, rating) instead of all "
             "ratings"},
    {.name = "statement-timeout",
     .kind = TV_OPTION_INT,
     .value = "SECONDS",
     .default_text = "600",
     .min = 1,
     .max = 86400,
     .help = "how long one statement of --source may take"},
    {.name = "signature-size",
     .kind = TV_OPTION_INT,
     .value = "N",
     .default_text = "128",
     .min = 1,
     .max = TV_MINHASH_MAX,
     .help = "values of a signature: the standard error of an estimate is at most 1 / (2 sqrt N)"},
    {.name = "if-changed",
     .kind = TV_OPTION_SWITCH,
     .help = "build only if the live index is not from these rows, or what it cannot follow has changed since: another load, "
             "another definition of --source, other tables"},
    {.name = "update",
     .kind = TV_OPTION_SWITCH,
     .help = "build nothing: bring the live index up to date with what changed since (trivet-serve does so by itself)"},
    {.name = "check",
     .kind = TV_OPTION_SWITCH,
     .help = "build nothing: compare the live index with what would be built now; while nobody rates"},
    {.name = NULL},
};

/* One build. */
struct similar {
    const struct tv_settings *settings;
    struct tv_stores stores; /* MongoDB is opened for a build alone */
    struct tv_buffer source; /* what stands behind FROM in the statement that reads the rows */
    char *schemas;           /* where the reader's login looks for the names in --source; NULL without it */
    struct tv_minhash_sets sets;
    struct tv_progress progress;
    json_t *timings; /* {"read": 0.61, ...}, or NULL without memory */
    struct tv_similar_name name; /* of the new index; its data set is known before its version */
    int64_t live;
};

/* The connection that holds the lock also writes the journal: if it is lost, nothing is noted under a lock that is
 * gone. */
static struct tv_pg *journal(const struct similar *s)
{
    return tv_lock_connection(s->stores.lock);
}

static enum tv_status interrupted(struct tv_error *err)
{
    tv_fail(err, TV_ERR_INTERRUPTED, "interrupted");
    return tv_hint(err, "the index that was live still is");
}

/* --- what it is built from ---------------------------------------------------------------------------------- */

/* One named argument of a call; an "=" in what is there already means that it is not the first. */
static enum tv_status append_argument(struct tv_buffer *call, const char *name, const char *literal, const char *type,
                                      struct tv_error *err)
{
    const char *before = strchr(tv_buffer_string(call), '=') ? ", " : "";
    return tv_buffer_format(call, err, "%s%s => %s::%s", before, name, literal, type);
}

/* A time is kept as the moment that it means now, with its offset: the row source is stored, and read again for each
 * event, perhaps by a session with another time zone. */
static enum tv_status append_since(struct similar *s, const char *since, struct tv_error *err)
{
    char *moment = strdup(since);
    enum tv_status status = moment ? tv_settle_time(journal(s), "--since", &moment, err)
                                   : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for --since");
    char *literal = status == TV_OK ? tv_pg_literal(journal(s), moment) : NULL;
    if (status == TV_OK)
        status = literal ? append_argument(&s->source, "rated_since", literal, "timestamptz", err)
                         : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for --since");
    free(literal);
    free(moment);
    return status;
}

/* The row source as text, for example "trivet.similar_rows(min_rating => '3'::real)". It is what the journal stores,
 * and what --if-changed compares. */
static enum tv_status call_similar_rows(struct similar *s, struct tv_error *err)
{
    char rating[64];
    const char *since = tv_settings_text(s->settings, "since");
    enum tv_status status = tv_buffer_text(&s->source, "trivet.similar_rows(", err);
    snprintf(rating, sizeof rating, "'%.9g'",
             tv_settings_given(s->settings, "min-rating") ? tv_settings_real(s->settings, "min-rating") : 0);
    if (status == TV_OK && tv_settings_given(s->settings, "min-rating"))
        status = append_argument(&s->source, "min_rating", rating, "real", err);
    if (status == TV_OK && since)
        status = append_since(s, since, err);
    return status == TV_OK ? tv_buffer_text(&s->source, ")", err) : status;
}

/* What the names in an analyst's SQL mean is part of what is compared. */
static enum tv_status read_schemas(struct similar *s, struct tv_error *err)
{
    struct tv_pg *reader = NULL;
    enum tv_status status = tv_reader_open(&reader, tv_settings_text(s->settings, "reader"), "trivet-train reader",
                                           (int)tv_settings_int(s->settings, "wait"), err);
    if (status == TV_OK)
        status = tv_reader_schemas(&s->schemas, reader, err);
    tv_pg_close(reader);
    return status;
}

/* An analyst's SQL, or a call of trivet.similar_rows with what was asked for. */
static enum tv_status choose_source(struct similar *s, struct tv_error *err)
{
    const char *own = tv_settings_text(s->settings, "source");
    const char *other = tv_settings_given(s->settings, "min-rating") ? "--min-rating"
                        : tv_settings_given(s->settings, "since")    ? "--since"
                                                                     : NULL;
    tv_buffer_init(&s->source, 1 << 16);
    if (own && other) {
        tv_fail(err, TV_ERR_USAGE, "%s chooses among all ratings, but --source reads %s instead", other, own);
        return tv_hint(err, "give the condition inside: --source '(SELECT ... WHERE ...) s'");
    }
    if (own == NULL)
        return call_similar_rows(s, err);
    enum tv_status status = tv_buffer_text(&s->source, own, err);
    return status == TV_OK ? read_schemas(s, err) : status;
}

/* --- the steps ---------------------------------------------------------------------------------------------- */

/* Makes journal and Redis agree about which index there is, and deletes what others left. */
static enum tv_status settle(struct similar *s, const char *why, struct tv_error *err)
{
    return tv_similar_settle(journal(s), s->stores.redis, why, &s->live, NULL, err);
}

/* One attempt to begin: it takes a lock on trivet.rating for a moment, so that each change of a rating is either in
 * what the build reads or written down for the new index. */
static enum tv_status begin_once(void *context, struct tv_error *err)
{
    struct similar *s = context;
    char size[16];
    const char *const values[] = {tv_buffer_string(&s->source),
                                  tv_settings_text(s->settings, "source") ? "true" : "false", size, s->schemas};
    snprintf(size, sizeof size, "%lld", tv_settings_int(s->settings, "signature-size"));
    return tv_pg_int(journal(s), "SELECT trivet.similar_begin($1, $2, $3, $4)", 4, values, &s->name.version, err);
}

/* The lock has to wait for writers, and all who rate later would queue behind it; so it is tried for a tenth of a
 * second at a time (patient.h). */
static enum tv_status begin(struct similar *s, struct tv_error *err)
{
    const struct tv_patience patience = {.what =
                                             "waiting for whoever writes ratings, to begin an index of similar items",
                                         .tables = "{trivet.rating}",
                                         .seconds = (int)tv_settings_int(s->settings, "lock-wait")};
    enum tv_status status = tv_patiently(journal(s), &patience, begin_once, s, err);
    if (status == TV_OK)
        tv_log_info("index %" PRId64 " of similar items", s->name.version);
    return status;
}

/* All signatures, in memory. An empty index is refused: it would replace one that serves. */
static enum tv_status read_sets(struct similar *s, struct tv_error *err)
{
    enum tv_status status = tv_similar_read_sets(&s->sets, s->settings, tv_buffer_string(&s->source),
                                                 tv_settings_text(s->settings, "source") != NULL,
                                                 (int)tv_settings_int(s->settings, "signature-size"), err);
    if (status == TV_OK && s->sets.items.n == 0) {
        tv_fail(err, TV_ERR_INPUT, "%s has no rows, so no item has an audience", tv_buffer_string(&s->source));
        status = tv_hint(err, "load ratings first: trivet-etl load DIR; or ask for less: --min-rating, --since");
    }
    return status;
}

/* Called now and then while pages are written. */
static enum tv_status show_written(void *context, int64_t pages, int64_t of, struct tv_error *err)
{
    struct similar *s = context;
    s->progress.total = (double)of;
    tv_progress_update(&s->progress, (double)pages);
    return tv_interrupted() ? interrupted(err) : TV_OK;
}

/* Titles come before the index that is shown under them. 0 is no run's number, so what a kill leaves is nobody's
 * (lib/repair/catalogues.c). */
static enum tv_status write_items(struct similar *s, struct tv_error *err)
{
    char name[TV_MODEL_NAME];
    int64_t n = 0;
    const struct tv_catalogue_news news = {.dataset = s->name.dataset};
    enum tv_status status = tv_item_documents_write(s->stores.mongo, tv_model_new_catalogue(name, news.dataset, news.run_number), NULL,
                                                    journal(s), &n, err);
    if (status == TV_OK)
        status = tv_lock_check(s->stores.lock, err);
    return status == TV_OK ? tv_catalogue_publish(&s->stores, &news, err) : status;
}

static enum tv_status write_index(struct similar *s, struct tv_error *err)
{
    tv_progress_start(&s->progress, "writing the index", "pages", 0);
    enum tv_status status = tv_similar_write(s->stores.redis, &s->name, &s->sets, show_written, s, err);
    tv_progress_end(&s->progress);
    return status;
}

/* The last moment at which an interrupt leaves the old index in place. The lock is checked, because a lost
 * connection may mean that another build has begun. */
static enum tv_status switch_index(struct similar *s, struct tv_error *err)
{
    enum tv_status status = tv_lock_check(s->stores.lock, err);
    if (status == TV_OK && tv_interrupted())
        status = interrupted(err);
    return status == TV_OK ? tv_similar_switch(s->stores.redis, s->name.version, err) : status;
}

/* The step after the switch: the index that was live before is deleted, or kept. */
static enum tv_status settle_new(struct similar *s, struct tv_error *err)
{
    return settle(s, NULL, err);
}

/* Applies the pairs that changed since `begin`. trivet-serve may be at it already, which is fine. */
static enum tv_status catch_up(struct similar *s, struct tv_error *err)
{
    struct tv_similar_feed *feed = NULL;
    int64_t applied = 1, total = 0;
    int elsewhere = 0;
    enum tv_status status = tv_similar_feed_open(
        &feed, tv_settings_text(s->settings, "postgres"), tv_settings_text(s->settings, "reader"),
        tv_settings_text(s->settings, "redis"), (int)tv_settings_int(s->settings, "statement-timeout"), err);
    while (status == TV_OK && applied > 0 && !tv_interrupted()) {
        status = tv_similar_feed_step(feed, EVENTS_AT_ONCE, &applied, &elsewhere, err);
        if (status == TV_ERR_BUSY) { /* the index changed while audiences were read */
            status = TV_OK;
            applied = 1;
        }
        total += applied;
    }
    tv_similar_feed_close(feed);
    if (status == TV_OK && elsewhere)
        tv_log_info("another process (trivet-serve) applies what changed since");
    else if (status == TV_OK && total > 0)
        tv_log_info("%" PRId64 " changes since were applied", total);
    return status;
}

/* A step with its name in the log and in the journal. */
struct step {
    const char *name;
    enum tv_status (*run)(struct similar *s, struct tv_error *err);
};

/* Runs steps in turn, and tells and keeps how long each took. */
static enum tv_status run_steps(struct similar *s, const struct step *steps, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        double started = tv_clock();
        status = steps[i].run(s, err);
        double seconds = tv_clock() - started;
        if (status == TV_OK) {
            tv_log_info("%-22s %8.3f s", steps[i].name, seconds);
            json_object_set_new(s->timings, steps[i].name, json_real(round(seconds * 1000) / 1000));
        }
    }
    return status;
}

#define N_STEPS(steps) (sizeof(steps) / sizeof *(steps))

/* --- the report --------------------------------------------------------------------------------------------- */

/* The counts that trivet.similar_index keeps of an index, as text that the caller frees. */
static enum tv_status describe(char **out, const struct similar *s, int64_t keys, double bytes, struct tv_error *err)
{
    json_t *counts =
        json_pack("{s:I, s:i, s:I, s:I, s:O}", "rows", (json_int_t)s->sets.n_pairs, "items", (int)s->sets.items.n,
                  "keys", (json_int_t)keys, "bytes", (json_int_t)bytes, "seconds", s->timings);
    *out = counts ? json_dumps(counts, JSON_REAL_PRECISION(6)) : NULL;
    json_decref(counts);
    return *out ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the counts of an index");
}

/* Notes in the journal what was built, and how much memory it takes in Redis. */
static enum tv_status report(struct similar *s, struct tv_error *err)
{
    char number[24], items[32], rows[32], keys_text[32], bytes_text[32];
    double bytes = 0;
    int64_t keys = 0;
    int all = strcmp(tv_buffer_string(&s->source), "trivet.similar_rows()") == 0;
    char *counts = NULL;
    enum tv_status status = tv_similar_bytes(s->stores.redis, s->name.version, &bytes, &keys, err);
    if (status == TV_OK)
        status = describe(&counts, s, keys, bytes, err);
    snprintf(number, sizeof number, "%" PRId64, s->name.version);
    const char *const values[] = {number, counts};
    if (status == TV_OK)
        status = tv_pg_exec(journal(s), "UPDATE trivet.similar_index SET counts = $2 WHERE id = $1", 2, values, err);
    free(counts);
    if (status == TV_OK)
        printf("index %s of similar items is live: %s items, from %s rows%s%s; %s in %s keys of Redis\n", number,
               tv_text_number(items, s->sets.items.n), tv_text_number(rows, s->sets.n_pairs), all ? "" : " of ",
               all ? "" : tv_buffer_string(&s->source),
               tv_text_bytes(bytes_text, bytes), tv_text_number(keys_text, keys));
    return status;
}

/* --- the command -------------------------------------------------------------------------------------------- */

/* Takes the lock that training and repair take, too, because they clean up indices. What is left of them, and of item
 * documents, is in order before anything is written. */
static enum tv_status open_all(struct similar *s, struct tv_error *err)
{
    return tv_train_open(&s->stores, s->settings, "trivet-train similar", err);
}

/* The same for a look at what is there, or an update of it, which need no MongoDB. */
static enum tv_status open_index(struct similar *s, struct tv_error *err)
{
    int wait = (int)tv_settings_int(s->settings, "wait");
    enum tv_status status = tv_redis_open(&s->stores.redis, tv_settings_text(s->settings, "redis"), REDIS_MS, wait, err);
    if (status == TV_OK)
        tv_train_warn_of_redis(s->stores.redis);
    if (status == TV_OK)
        status = tv_lock_acquire(&s->stores.lock, s->settings, "trivet-train similar", 0, err);
    return status;
}

/* Whether an index that is live can be read: an older trivet's cannot. */
static enum tv_status can_read(struct similar *s, int64_t *can, struct tv_error *err)
{
    struct tv_similar *index = NULL;
    int64_t version = 0;
    enum tv_status status = tv_similar_open(&index, tv_settings_text(s->settings, "redis"), REDIS_MS, err);
    if (status == TV_OK)
        status = tv_similar_look(index, &version, NULL, err);
    tv_similar_close(index);
    *can = status == TV_OK;
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* Whether the index of the loaded data set, live or kept, is of the same rows and has heard of all that came since. What
 * fires no trigger for a pair (loads, TRUNCATE, another definition of the source) is in its fingerprint. */
static enum tv_status find_current(struct similar *s, int64_t stored, int64_t *current, struct tv_error *err)
{
    char size[16], number[24];
    const char *const values[] = {number, tv_buffer_string(&s->source),
                                  tv_settings_text(s->settings, "source") ? "true" : "false", size, s->schemas};
    *current = stored != 0;
    enum tv_status status = stored && stored == s->live ? can_read(s, current, err) : TV_OK;
    if (status != TV_OK || !*current)
        return status;
    snprintf(number, sizeof number, "%" PRId64, stored);
    snprintf(size, sizeof size, "%lld", tv_settings_int(s->settings, "signature-size"));
    status = tv_similar_tell_unwatched(journal(s), err);
    if (status != TV_OK)
        return status;
    return tv_pg_int(journal(s),
                     "SELECT count(*) FROM trivet.similar_index i, trivet.similar_state($2, $3, $5) s WHERE (i.id, i.source, "
                     "i.own_source, i.signature_size, i.fingerprint) = ($1, $2, $3, $4, s.state) AND s.sure",
                     5, values, current, err);
}

/* Nothing is to be built. An index that was kept while another data set was loaded comes back, and hears what changed. */
static enum tv_status use_again(struct similar *s, int64_t stored, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (stored == s->live) {
        printf("nothing changed: index %" PRId64 " of similar items is from the same ratings\n", stored);
    } else {
        status = tv_similar_switch(s->stores.redis, stored, err);
        if (status == TV_OK)
            status = settle(s, NULL, err);
        if (status == TV_OK)
            printf("nothing changed: index %" PRId64 " of similar items, which was kept, is live again\n", stored);
    }
    return status == TV_OK ? catch_up(s, err) : status;
}

/* Up to the switch, a failure is cleaned up at once if the stores allow it; afterwards the new index serves, and
 * what is missing is done by the next command or by trivet-serve. */
static enum tv_status build(struct similar *s, struct tv_error *err)
{
    int64_t current = 0, stored = 0;
    static const struct step before[] = {{"read", read_sets}, {"write", write_index}, {"write items", write_items}, {"switch", switch_index}},
                             after[] = {{"delete the one before", settle_new}, {"catch up", catch_up}};
    enum tv_status status = choose_source(s, err);
    if (status == TV_OK)
        status = settle(s, NULL, err);
    if (status == TV_OK)
        status = tv_similar_loaded(&s->name.dataset, &stored, journal(s), err);
    if (status == TV_OK)
        status = tv_similar_tell_other(journal(s), err);
    if (status == TV_OK && tv_settings_on(s->settings, "if-changed"))
        status = find_current(s, stored, &current, err);
    if (status == TV_OK && current)
        return use_again(s, stored, err);
    if (status == TV_OK)
        status = begin(s, err);
    if (status != TV_OK)
        return status;
    status = run_steps(s, before, N_STEPS(before), err);
    if (status != TV_OK) {
        if (settle(s, err ? err->message : NULL, NULL) != TV_OK)
            tv_log_info("the next run deletes what index %" PRId64 " has written", s->name.version);
        return status;
    }
    status = run_steps(s, after, N_STEPS(after), err);
    return status == TV_OK ? report(s, err) : status;
}

/* --check and --update, which are about the live index. */
static enum tv_status look_after(struct similar *s, struct tv_error *err)
{
    enum tv_status status = tv_similar_live(s->stores.redis, &s->live, err);
    if (status == TV_OK)
        status = tv_similar_refuse_other(journal(s), s->live, err);
    if (status != TV_OK)
        return status;
    return tv_settings_on(s->settings, "check") ? tv_similar_check(s->settings, journal(s), err) : catch_up(s, err);
}

enum tv_status tv_similar_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct similar s = {.settings = settings, .timings = json_object()};
    enum tv_status status = tv_interrupt_watch(NULL, err);
    if (status == TV_OK && tv_settings_on(settings, "update") && tv_settings_on(settings, "check"))
        status =
            tv_fail(err, TV_ERR_USAGE, "--update changes the index, and --check only looks at it: give one of them");
    int looks = tv_settings_on(settings, "check") || tv_settings_on(settings, "update");
    if (status == TV_OK)
        status = looks ? open_index(&s, err) : open_all(&s, err);
    if (status == TV_OK)
        status = looks ? look_after(&s, err) : build(&s, err);
    tv_minhash_sets_free(&s.sets);
    tv_buffer_free(&s.source);
    free(s.schemas);
    json_decref(s.timings);
    tv_train_close(&s.stores);
    return status;
}
