/* store: searches and their finished trials in Postgres, so that a search can be killed and resumed. A search is
 * found again by a fingerprint of everything that a trial's numbers depend on: the same command on the same ratings
 * goes on where it was.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/flags.h"
#include "train/command/run_row.h"
#include "train/search/search.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/model/journal.h"
#include "trivet/store/pg_rows.h"
#include "trivet/version.h"

/* --- which search this is --------------------------------------------------------------------------------- */

/* Appends a trial's settings as JSON. Fifteen digits give back what was typed, 0.1; with seventeen it would be
 * 0.10000000000000001. */
static enum tv_status append_settings(struct tv_buffer *b, const struct tv_search *s, size_t trial,
                                      struct tv_error *err)
{
    json_t *object = tv_search_space_json(&s->space, trial);
    char *text = object ? json_dumps(object, JSON_REAL_PRECISION(15)) : NULL;
    enum tv_status status =
        text ? tv_buffer_text(b, text, err) : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the settings of a trial");
    free(text);
    json_decref(object);
    return status;
}

/* Hashes all that a trial's numbers depend on. The version is part of it, because another one may compute other
 * numbers. */
static enum tv_status fingerprint(char *out, size_t size, const struct tv_search *s, struct tv_error *err)
{
    struct tv_buffer b = TV_BUFFER_INIT(1 << 26);
    const struct tv_split_options *split = &s->data.split;
    const char *relevant = tv_settings_text(s->settings, "relevant");
    enum tv_status status = tv_buffer_format(&b, err, "%s %s %" PRId64 " %d %.17g %.17g %" PRIu64 " %" PRId64 " %s %s %s",
                                             TRIVET_VERSION, s->learning.fingerprint, s->reading.dataset, (int)split->kind, split->test,
                                             split->validation, split->seed, split->last, s->metric.name,
                                             tv_learn_algorithm_name(&s->space.base), relevant ? relevant : "");
    for (size_t i = 0; i < s->space.n_trials && status == TV_OK; i++)
        status = append_settings(&b, s, i, err);
    snprintf(out, size, "%016" PRIx64, tv_hash(TV_HASH_START, b.data, b.size));
    tv_buffer_free(&b);
    return status;
}

/* The row of this search, made unless it is there, so that repeating a command and beginning a search are the same
 * statement. A row that another process inserts at the same time is found by the second query. */
static enum tv_status insert(struct tv_search *s, const char *print, int64_t *id, struct tv_error *err)
{
    char trials[24], dataset[24];
    struct tv_buffer command = TV_BUFFER_INIT(TV_FLAGS_LINE);
    json_t *array = tv_search_flags(s->settings);
    char *flags = array ? json_dumps(array, 0) : NULL;
    snprintf(trials, sizeof trials, "%zu", s->space.n_trials);
    snprintf(dataset, sizeof dataset, "%" PRId64, s->reading.dataset);
    enum tv_status status = tv_search_command(s, &command, err);
    if (status == TV_OK && flags == NULL)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the flags of a search");
    const char *const values[] = {print, tv_buffer_string(&command), flags, s->metric.name, trials, dataset};
    if (status == TV_OK)
        status = tv_pg_exec(s->pg,
                            "INSERT INTO trivet.search (fingerprint, command, flags, metric, trials, dataset) "
                            "SELECT $1, $2, $3::jsonb, $4, $5::int, nullif($6::bigint, 0) WHERE NOT EXISTS "
                            "(SELECT FROM trivet.search WHERE fingerprint = $1) ON CONFLICT (fingerprint) DO NOTHING",
                            6, values, err);
    if (status == TV_ERR_STORE)
        tv_hint(err, "trials that are done are kept in trivet.search_result, which takes a login in trivet_writer");
    if (status == TV_OK)
        status = tv_pg_int(s->pg, "SELECT id FROM trivet.search WHERE fingerprint = $1", 1, values, id, err);
    tv_buffer_free(&command);
    free(flags);
    json_decref(array);
    return status;
}

/* Takes an advisory lock on the search, so that two processes never try the same settings. It is the connection's, and
 * so ends with the process, however that ends. */
static enum tv_status hold(struct tv_search *s, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    int64_t got = 0;
    snprintf(number, sizeof number, "%" PRId64, s->id);
    enum tv_status status =
        tv_pg_int(s->pg, "SELECT pg_try_advisory_lock(hashtext('trivet.search'), ($1::bigint % 2147483647)::int)::int", 1, &value,
                  &got, err);
    if (status != TV_OK || got)
        return status;
    tv_fail(err, TV_ERR_BUSY, "another process works on search %" PRId64, s->id);
    return tv_hint(err, "wait for it to end: the same command then shows its table");
}

/* --- trials ----------------------------------------------------------------------------------------------- */

/* A column's number; NaN for SQL's null. */
static double number_in(const struct tv_pg_rows *rows, int row, int column)
{
    const char *text = tv_pg_cell(rows, row, column);
    return text ? strtod(text, NULL) : NAN;
}

/* The trials that are done, by their numbers from 1 in the table and from 0 here. Numbers come back bit for bit,
 * because they were written with all their digits. */
static enum tv_status read_results(struct tv_search *s, size_t *n_done, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, s->id);
    enum tv_status status =
        tv_pg_query(s->pg,
                    "SELECT number, seconds, value, low, high, message FROM trivet.search_result WHERE search_id = $1::bigint", 1,
                    &value, &rows, err);
    for (int row = 0; status == TV_OK && row < tv_pg_rows_count(rows); row++) {
        size_t trial = strtoull(tv_pg_cell(rows, row, 0), NULL, 10) - 1;
        const char *message = tv_pg_cell(rows, row, 5);
        if (trial >= s->space.n_trials)
            continue;
        s->results[trial] = (struct tv_search_result){
            .done = 1,
            .seconds = number_in(rows, row, 1),
            .metric = {number_in(rows, row, 2), number_in(rows, row, 3), number_in(rows, row, 4)},
            .message = message ? strdup(message) : NULL,
        };
        (*n_done)++;
    }
    tv_pg_rows_free(rows);
    return status;
}

/* --resume names a search; its flags lead to another one if the ratings are no longer the same. */
static enum tv_status check_number(const struct tv_search *s, struct tv_error *err)
{
    if (!tv_settings_given(s->settings, "resume") || tv_settings_int(s->settings, "resume") == s->id)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "search %lld was about other ratings or other settings, so its trials do not compare",
            tv_settings_int(s->settings, "resume"));
    return tv_hint(err, "the same command without --resume begins a search of what there is now");
}

/* Leaves s->id and s->results as they are in Postgres, and the search held. */
enum tv_status tv_search_store_begin(struct tv_search *s, struct tv_error *err)
{
    char print[24];
    size_t n_done = 0;
    enum tv_status status = fingerprint(print, sizeof print, s, err);
    if (status == TV_OK && tv_settings_given(s->settings, "resume"))
        status = tv_pg_int(s->pg, "SELECT coalesce(max(id), 0) FROM trivet.search WHERE fingerprint = $1", 1,
                           (const char *const[]){print}, &s->id, err);
    else if (status == TV_OK)
        status = insert(s, print, &s->id, err);
    if (status == TV_OK)
        status = check_number(s, err);
    if (status == TV_OK)
        status = hold(s, err);
    if (status == TV_OK)
        status = read_results(s, &n_done, err);
    if (status == TV_OK)
        tv_log_info("search %" PRId64 ": %zu of %zu trials are done", s->id, n_done, s->space.n_trials);
    return status;
}

/* Every digit, or NULL for SQL's null. */
static const char *write_number(char *out, size_t size, double number)
{
    snprintf(out, size, "%.17g", number);
    return isfinite(number) ? out : NULL;
}

/* Runs in a statement of its own, so that it is committed at once. */
enum tv_status tv_search_store_result(struct tv_search *s, size_t trial, struct tv_error *err)
{
    const struct tv_search_result *r = &s->results[trial];
    char id[24], number[24], seconds[40], value[40], low[40], high[40];
    struct tv_buffer settings = TV_BUFFER_INIT(1 << 14);
    snprintf(id, sizeof id, "%" PRId64, s->id);
    snprintf(number, sizeof number, "%zu", trial + 1);
    enum tv_status status = append_settings(&settings, s, trial, err);
    const char *const values[] = {id,
                                  number,
                                  tv_buffer_string(&settings),
                                  write_number(seconds, sizeof seconds, r->seconds),
                                  write_number(value, sizeof value, r->metric.value),
                                  write_number(low, sizeof low, r->metric.low),
                                  write_number(high, sizeof high, r->metric.high),
                                  r->message};
    if (status == TV_OK)
        status = tv_pg_exec(s->pg,
                            "INSERT INTO trivet.search_result (search_id, number, settings, seconds, value, low, high, message) "
                            "VALUES ($1::bigint, $2::int, $3::jsonb, $4::float8, $5::float8, $6::float8, $7::float8, $8)",
                            8, values, err);
    tv_buffer_free(&settings);
    return status;
}

/* --- the end ---------------------------------------------------------------------------------------------- */

/* The rows that the winner learned from are not counted here: its fit will count them. */
static enum tv_status write_run(struct tv_search *s, const char *metrics, struct tv_error *err)
{
    struct tv_run_row run_row;
    struct tv_buffer command = TV_BUFFER_INIT(TV_FLAGS_LINE);
    enum tv_status status = tv_search_command(s, &command, err);
    const struct tv_run_plan plan =
        tv_learning_plan(&s->learning, &s->reading, TV_RUN_SEARCH, tv_buffer_string(&command));
    if (status == TV_OK)
        status = tv_run_row_begin(&run_row, s->settings, &plan, err);
    tv_buffer_free(&command);
    if (status != TV_OK)
        return status;
    s->run = run_row.run;
    return tv_run_row_done(&run_row, "{}", metrics, err);
}

/* The journal's run of this search with this winner, if it was asked for before; 0 otherwise. */
static enum tv_status read_run(struct tv_search *s, struct tv_error *err)
{
    char id[24], best[24];
    const char *const values[] = {id, best};
    snprintf(id, sizeof id, "%" PRId64, s->id);
    snprintf(best, sizeof best, "%zu", s->best + 1);
    return tv_pg_int(s->pg,
                     "SELECT coalesce(max(r.id), 0) FROM trivet.run r WHERE r.kind = 'search' AND r.state = 'done' "
                     "AND r.metrics ->> 'search' = $1 AND r.metrics #>> '{best,trial}' = $2",
                     2, values, &s->run, err);
}

/* A search that was finished before stays as it is: asked for once more, it only shows its table. With another --min-gain another
 * trial may win: that is a row of its own, so that the journal has what is printed, and the search names it. */
enum tv_status tv_search_store_finish(struct tv_search *s, const char *metrics, struct tv_error *err)
{
    char id[24], run[24];
    const char *const values[] = {id, run};
    enum tv_status status = read_run(s, err);
    if (status == TV_OK && s->run == 0)
        status = write_run(s, metrics, err);
    snprintf(id, sizeof id, "%" PRId64, s->id);
    snprintf(run, sizeof run, "%" PRId64, s->run);
    return status == TV_OK ? tv_pg_exec(s->pg,
                                        "UPDATE trivet.search SET finished_at = coalesce(finished_at, now()), run_id = $2::bigint "
                                        "WHERE id = $1::bigint AND run_id IS DISTINCT FROM $2::bigint",
                                        2, values, err)
                           : status;
}

enum tv_status tv_search_store_flags(json_t **flags, struct tv_pg *pg, int64_t id, struct tv_error *err)
{
    char number[24];
    const char *value = number;
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%" PRId64, id);
    enum tv_status status = tv_pg_query(pg, "SELECT flags FROM trivet.search WHERE id = $1::bigint", 1, &value, &rows, err);
    if (status != TV_OK)
        return status;
    if (tv_pg_rows_count(rows) == 0) {
        status = tv_fail(err, TV_ERR_NOT_FOUND, "there is no search %" PRId64, id);
        tv_hint(err, "psql -c 'SELECT id, started_at, command FROM trivet.search' lists those there are");
    } else if ((*flags = json_loads(tv_pg_cell(rows, 0, 0), 0, NULL)) == NULL || !json_is_array(*flags)) {
        json_decref(*flags);
        status = tv_fail(err, TV_ERR_CORRUPT, "the flags of search %" PRId64 " cannot be read", id);
    }
    tv_pg_rows_free(rows);
    return status;
}
