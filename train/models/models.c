/* models: the commands around models that exist: models, activate, rollback, repair. lib/model/life and lib/repair
 * do the work; here it is asked for, and told.
 */
#include "train/models/models.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/publish.h"
#include "train/lists/stored.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/model/filter_parameters.h"
#include "trivet/model/journal.h"
#include "trivet/model/life/lock.h"
#include "trivet/schema/schema.h"

/* --- models ----------------------------------------------------------------------------------------------- */

/* A number of a run's JSON; 0 where the run has none. */
static long long count_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Prints ", genres ["Drama"]"; nothing where the parameter has its default, which is a number or null. */
static void print_value(const json_t *filter, const struct tv_filter_parameter *p)
{
    const json_t *value = json_object_get(filter, p->name);
    if (p->standard && json_is_number(value)) {
        if (json_number_value(value) != strtod(p->standard, NULL))
            printf(", %s %g", p->name, json_number_value(value));
        return;
    }
    char *text = value && !json_is_null(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    if (text)
        printf(", %s %s", p->name, text);
    free(text);
}

/* Prints the filter in a few words, for example "> 10 an item, 3..200 a user, <= 100,000 rows", and those conditions
 * that are not at their default. */
static void print_filter(const json_t *filter)
{
    char limit[32];
    printf("> %lld an item, %lld..%lld a user, <= %s rows", count_of(filter, "min_users_for_item"),
           count_of(filter, "min_items_for_user"), count_of(filter, "max_items_for_user"),
           tv_text_number(limit, count_of(filter, "max_row_number")));
    for (const struct tv_filter_parameter *p = tv_filter_parameters; p->name; p++)
        if (!(tv_filter_parts(p) & TV_FILTER_CUTS))
            print_value(filter, p);
}

/* Whether the runs of a list are of more than one data set. */
static int are_mixed(const struct tv_run *runs, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (runs[i].dataset != runs[0].dataset)
            return 1;
    return 0;
}

/* One line of the list, from the JSON that the journal keeps with a run. With `named` it ends in the data set's name. */
static void print_run(const struct tv_run *run, int named)
{
    json_t *parameters = json_loads(run->parameters, 0, NULL), *filter = json_loads(run->filter, 0, NULL);
    json_t *counts = json_loads(run->counts, 0, NULL);
    /* Those that the model has, or, of a run of an older trivet or one that failed, those asked for, if the algorithm has the setting. */
    const json_t *told = json_object_get(counts, "factors") ? counts : parameters;
    char rows[32], users[32], items[32], factors[32] = "-";
    if (json_object_get(told, "factors"))
        snprintf(factors, sizeof factors, "%lld", count_of(told, "factors"));
    printf("%6" PRId64 "  %-10s  %-20s  %-5s %3s  %11s  %9s  %9s  ", run->id, tv_run_state_name(run->state),
           run->started_at, run->algorithm, factors, tv_text_number(rows, count_of(counts, "rows")),
           tv_text_number(users, count_of(counts, "users")), tv_text_number(items, count_of(counts, "items")));
    print_filter(filter);
    printf("%s%s\n", named ? ", of " : "", !named ? "" : run->dataset_name[0] ? run->dataset_name : "data that is gone");
    json_decref(parameters);
    json_decref(filter);
    json_decref(counts);
}

/* Lists runs that made a model; evaluations and searches are in `trivet-train runs`. Only Postgres is asked, so it
 * works while the other stores are away. */
enum tv_status tv_models_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_pg *pg = NULL;
    struct tv_run *runs = NULL;
    size_t n_runs = 0;
    enum tv_status status = tv_schema_open(&pg, settings, "trivet-train models", err);
    unsigned kept = 1u << TV_RUN_KEPT | 1u << TV_RUN_ACTIVATING | 1u << TV_RUN_LIVE;
    if (status == TV_OK)
        status = tv_run_list(pg, tv_settings_on(settings, "all") ? ~0u : kept, &runs, &n_runs, err);
    if (status == TV_OK)
        printf("%6s  %-10s  %-20s  %-9s  %11s  %9s  %9s  %s\n", "model", "state", "started", "algorithm", "ratings", "users",
               "items", "learned from");
    for (size_t i = 0; i < n_runs; i++)
        if (tv_run_makes_model(runs[i].kind))
            print_run(&runs[i], are_mixed(runs, n_runs));
    tv_run_list_free(runs, n_runs);
    tv_pg_close(pg);
    return status;
}

/* --- activate, rollback, repair --------------------------------------------------------------------------- */

/* Makes a kept model the live one; the same for activate and rollback. */
static enum tv_status switch_to(const struct tv_stores *s, int64_t run_number, struct tv_error *err)
{
    enum tv_status status = tv_publish_activate_run(s, run_number, err);
    if (status == TV_OK)
        printf("model %" PRId64 " is live\n", run_number);
    else if (status == TV_ERR_NOT_FOUND)
        tv_hint(err, "trivet-train models lists the models that are kept");
    return status;
}

enum tv_status tv_activate_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n;
    int64_t run_number = 0;
    struct tv_stores stores;
    if (!tv_text_int64(arguments[0], strlen(arguments[0]), &run_number) || run_number < 1)
        return tv_fail(err, TV_ERR_USAGE, "\"%s\" is no model number", arguments[0]);
    enum tv_status status = tv_train_open(&stores, settings, "trivet-train activate", err);
    if (status != TV_OK)
        return status;
    status = switch_to(&stores, run_number, err);
    tv_train_close(&stores);
    return status;
}

/* The model before is the one that the journal saw live last, whatever its number: two rollbacks in a row return to
 * where they began. */
enum tv_status tv_rollback_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    int64_t previous = 0;
    struct tv_stores stores;
    enum tv_status status = tv_train_open(&stores, settings, "trivet-train rollback", err);
    if (status != TV_OK)
        return status;
    status = tv_run_previous(tv_lock_connection(stores.lock), &previous, err);
    if (status == TV_OK && previous == 0) {
        tv_fail(err, TV_ERR_NOT_FOUND, "no other model was live before this one");
        tv_hint(err, "trivet-train models lists the models that are kept; trivet-train activate N shows one");
        status = TV_ERR_NOT_FOUND;
    }
    if (status == TV_OK)
        status = switch_to(&stores, previous, err);
    tv_train_close(&stores);
    return status;
}

/* Each line is flushed, because the next check may take long. */
static void print_line(void *context, const char *line)
{
    (void)context;
    printf("%s\n", line);
    fflush(stdout);
}

/* The last word of `repair`, and with its status the exit code: problems that could not be mended are a failure,
 * what was mended is not. */
static enum tv_status conclude(const struct tv_repair_counts *counts, struct tv_error *err)
{
    if (counts->problems > 0) {
        tv_fail(err, TV_ERR_CORRUPT, "%d things do not agree and could not be mended", counts->problems);
        return tv_hint(err, "each is named above, with what can be done");
    }
    if (counts->live > 0)
        printf("everything agrees: model %" PRId64 " is live\n", counts->live);
    else
        printf("everything agrees: no model is live yet\n");
    return TV_OK;
}

/* Compares the lists that precompute stored with what the model gives. One that differs is deleted, and servers
 * make it themselves. */
static enum tv_status check_lists(const struct tv_stores *s, const struct tv_repair_counts *counts, struct tv_error *err)
{
    int64_t n = 0, wrong = 0;
    if (counts->live == 0 || counts->longest_list == 0)
        return TV_OK;
    enum tv_status status = tv_stored_check(s, counts->live, (size_t)counts->longest_list, &n, &wrong, err);
    if (status == TV_OK && wrong > 0)
        tv_log_info("repair: %" PRId64 " users of model %" PRId64
                    " had a stored list that is not what the model gives: deleted; trivet-train precompute makes it anew",
                    wrong, counts->live);
    if (status == TV_OK)
        printf("lists: %" PRId64 " are stored with users, and were made again to compare; %" PRId64 " were others%s\n", n,
               wrong, wrong > 0 ? ": deleted" : "");
    return status;
}

/* Does thoroughly what every command does first: every document and every rating is read. The lock is taken without
 * the quick repair, which would do part of the work unseen. */
enum tv_status tv_repair_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    const struct tv_repair_report report = {.say = print_line};
    struct tv_repair_counts counts = {0};
    struct tv_stores stores;
    enum tv_status status = tv_train_open_locked(&stores, settings, "trivet-train repair", err);
    if (status != TV_OK)
        return status;
    status = tv_lifecycle_repair(&stores, &report, &counts, err);
    if (status == TV_OK)
        status = check_lists(&stores, &counts, err);
    tv_train_close(&stores);
    return status == TV_OK ? conclude(&counts, err) : status;
}
