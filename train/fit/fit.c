/* fit: the command. Takes the lock, walks through the steps, and leaves nothing half done when one fails. */
#include "train/fit/fit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/flags.h"
#include "train/command/publish.h"
#include "trivet/base/clock.h"
#include "trivet/base/hash.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/model/last_run.h"

const struct tv_option fit_source_options[] = {
    {.name = "set", .kind = TV_OPTION_LIST, .value = "NAME=VALUE",
     .help = "a parameter of the filter, e.g. max_items_for_user=200; may be given several times"},
    {.name = "preset", .kind = TV_OPTION_TEXT, .value = "NAME",
     .help = "the values of a saved preset (trivet.save_preset); --set changes single ones"},
    {.name = "source", .kind = TV_OPTION_TEXT, .value = "SQL",
     .help = "learn from these rows instead of trivet.user_item: any function call or view with the columns "
             "(userid, movieid, rating); users are folded in from the same rows"},
    {.name = "fold-in-source", .kind = TV_OPTION_TEXT, .value = "SQL",
     .help = "fold users in from these rows instead of those of --source"},
    {.name = "statement-timeout", .kind = TV_OPTION_INT, .value = "SECONDS", .preset = "600", .min = 1, .max = 86400,
     .help = "how long one statement of --source may take"},
    {.name = NULL},
};

const struct tv_option fit_options[] = {
    {.name = "if-changed", .kind = TV_OPTION_SWITCH,
     .help = "do nothing if a kept model was trained from the same data with the same settings"},
    {.name = "dry-run", .kind = TV_OPTION_SWITCH,
     .help = "stop before the first write; say what memory and how many bytes it would take"},
    {.name = "guard", .kind = TV_OPTION_TEXT, .value = "METRIC:MARGIN",
     .help = "judge the settings on a fifth of the ratings kept apart, and do not make the new model live if it is worse than "
             "the live one by more than the margin: ndcg@10:0.02, rmse:0.01"},
    {.name = NULL},
};

struct step {
    const char *name;
    enum tv_status (*run)(struct fit *f, struct tv_error *err);
};

static const struct step learning[] = {
    {"read ratings", fit_read},
    {"judge", fit_guard_judge},
    {"choose rows", fit_choose_rows},
    {"choose factors", fit_choose_factors},
};
static const struct step building[] = {
    {"factorise", fit_factorise}, {"fold in users", fit_users}, {"write items", fit_end_catalogue},
    {"describe", fit_describe},   {"write factors", fit_store}, {"read back and compare", fit_check},
    {"activate", fit_activate},
};

static enum tv_status interrupted(struct tv_error *err)
{
    tv_fail(err, TV_ERR_INTERRUPTED, "interrupted");
    return tv_hint(err, "the model that was live still is");
}

static enum tv_status run_steps(struct fit *f, const struct step *steps, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        double started = tv_clock();
        status = steps[i].run(f, err);
        if (tv_interrupted())
            status = interrupted(err);
        double seconds = tv_clock() - started;
        if (steps[i].run == fit_guard_judge && !f->guard.on)
            continue;
        if (status == TV_OK)
            tv_log_info("%-22s %8.3f s", steps[i].name, seconds);
        if (status == TV_OK)
            status = tv_buffer_format(&f->timings, err, "%s\"%s\": %.3f", f->timings.size ? ", " : "", steps[i].name,
                                      seconds);
    }
    return status;
}

#define N_STEPS(steps) (sizeof(steps) / sizeof *(steps))

static enum tv_status read_settings(struct fit *f, struct tv_error *err)
{
    const char *const *assignments;
    size_t n = tv_settings_list(f->settings, "set", &assignments);
    tv_buffer_init(&f->source, 1 << 16);
    tv_buffer_init(&f->evidence_rows, 1 << 17);
    tv_buffer_init(&f->values, 1 << 16);
    tv_buffer_init(&f->timings, 1 << 12);
    tv_buffer_init(&f->parameters, 1 << 12);
    enum tv_status status = tv_filter_create(&f->filter, err);
    if (status == TV_OK)
        status = tv_filter_set_all(f->filter, assignments, n, err);
    if (status == TV_OK)
        status = learn_json(&f->learn, &f->parameters, err);
    return status == TV_OK ? tv_filter_json(f->filter, &f->values, err) : status;
}

/* The same data, rows and settings give the same model, byte for byte. */
static void set_fingerprint(struct fit *f, const char *data)
{
    const char *algorithm = learn_algorithm_name(f->learn.algorithm);
    uint64_t h = tv_hash(TV_HASH_START, data, strlen(data));
    h = tv_hash(h, algorithm, strlen(algorithm));
    h = tv_hash(h, &f->learn.factors_given, sizeof f->learn.factors_given);
    h = tv_hash(h, f->parameters.data, f->parameters.size);
    h = tv_hash(h, f->source.data, f->source.size);
    h = tv_hash(h, f->evidence_rows.data, f->evidence_rows.size);
    snprintf(f->fingerprint, sizeof f->fingerprint, "%016llx", (unsigned long long)h);
}

static enum tv_status describe_data(struct fit *f, struct tv_error *err)
{
    struct tv_pg_rows *rows;
    enum tv_status status =
        tv_pg_query(f->snapshot, "SELECT description, fingerprint FROM trivet.data_state()", 0, NULL, &rows, err);
    if (status != TV_OK)
        return status;
    f->data = strdup(tv_pg_cell(rows, 0, 0));
    set_fingerprint(f, tv_pg_cell(rows, 0, 1));
    tv_pg_rows_free(rows);
    return f->data ? TV_OK : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory");
}

/* The newest kept or live run with our fingerprint, or 0. */
static enum tv_status find_same(struct fit *f, int64_t *same, struct tv_error *err)
{
    const char *value = f->fingerprint;
    return tv_pg_int(tv_lock_connection(f->stores.lock),
                     "SELECT coalesce(max(id), 0) FROM trivet.run WHERE state IN ('kept', 'live') AND fingerprint = $1",
                     1, &value, same, err);
}

void fit_flags(const struct fit *f, struct tv_buffer *line)
{
    learn_flags(&f->learn, line);
    flags_given(line, f->settings, fit_source_options);
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

struct tv_run_plan fit_run_plan(const struct fit *f, enum tv_run_kind kind, const char *command)
{
    return (struct tv_run_plan){.kind = kind,
                                .command = command,
                                .algorithm = learn_algorithm_name(f->learn.algorithm),
                                .parameters = tv_buffer_string(&f->parameters),
                                .filter = tv_buffer_string(&f->values),
                                .source = or_null(tv_buffer_string(&f->source)),
                                .data = f->data,
                                .fingerprint = or_null(f->fingerprint),
                                .snapshot = f->changes.snapshot,
                                .evidence = f->own_source ? tv_buffer_string(&f->evidence_rows) : NULL};
}

static enum tv_status begin_run(struct fit *f, struct tv_error *err)
{
    struct tv_buffer command = TV_BUFFER_INIT(1 << 16);
    tv_buffer_text(&command, "trivet-train fit", NULL);
    fit_flags(f, &command);
    const struct tv_run_plan plan = fit_run_plan(f, TV_RUN_FIT, tv_buffer_string(&command));
    enum tv_status status = tv_run_begin(tv_lock_connection(f->stores.lock), &plan, &f->number, err);
    tv_buffer_free(&command);
    if (status == TV_OK)
        status = tv_lock_name_run(f->stores.lock, f->number, err);
    if (status == TV_OK)
        tv_log_info("run %lld", (long long)f->number);
    return status;
}

static void report(const struct fit *f)
{
    char rows[32], users[32], items[32], documents[32], memory[32];
    printf("model %lld is %s: %d factors, learned from %s ratings of %s users and %s items; %s users %s served\n",
           (long long)f->number, f->guard.worse ? "kept" : "live", f->learn.factors, tv_text_number(rows, f->counts.rows),
           tv_text_number(users, f->counts.users), tv_text_number(items, f->counts.items),
           tv_text_number(documents, f->counts.documents), f->guard.worse ? "could be" : "are");
    tv_log_info("peak memory %s", tv_text_bytes(memory, tv_peak_memory()));
}

/* Tells servers what becomes of this training. That Redis is away is no failure of it. */
static void note(const struct fit *f, enum tv_run_state state)
{
    struct tv_error err;
    if (tv_last_run_note(f->stores.redis, f->number, state, &err) != TV_OK)
        tv_log_reason(TV_LOG_DEBUG, "the state of this run is not noted in Redis", &err);
}

/* Everything from the first write on; what fails before the model is whole is undone. */
static enum tv_status build(struct fit *f, struct tv_error *err)
{
    enum tv_status status = begin_run(f, err);
    if (status != TV_OK)
        return status;
    note(f, TV_RUN_BUILDING);
    status = fit_start_catalogue(f, err);
    if (status == TV_OK)
        status = run_steps(f, learning, N_STEPS(learning), err);
    if (status == TV_OK)
        status = fit_tell_left_out(f, err);
    if (status == TV_OK)
        status = run_steps(f, building, N_STEPS(building), err);
    if (status != TV_OK) {
        fit_end_catalogue(f, NULL);
        if (publish_undo(&f->stores, f->number, err))
            note(f, TV_RUN_FAILED);
        return status;
    }
    note(f, f->guard.worse ? TV_RUN_KEPT : TV_RUN_LIVE);
    report(f);
    status = tv_lifecycle_prune(&f->stores, PUBLISH_KEEP_MODELS, err);
    return status == TV_OK && f->guard.worse ? fit_guard_refuse(f, err) : status;
}

static enum tv_status plan(struct fit *f, struct tv_error *err)
{
    enum tv_status status = run_steps(f, learning, N_STEPS(learning), err);
    if (status == TV_OK)
        status = fit_tell_left_out(f, err);
    return status == TV_OK ? fit_print_plan(f, err) : status;
}

/* A preset's values come before those of --set; the journal keeps the values that result, and users are folded in with them
 * for as long as the model lives. */
static enum tv_status settle_filter(struct fit *f, struct tv_error *err)
{
    const char *const *assignments;
    const char *preset = tv_settings_text(f->settings, "preset");
    size_t n = tv_settings_list(f->settings, "set", &assignments);
    enum tv_status status = preset ? tv_filter_load_preset(f->filter, f->snapshot, preset, err) : TV_OK;
    if (status == TV_OK && preset)
        status = tv_filter_set_all(f->filter, assignments, n, err);
    if (status == TV_OK)
        status = tv_filter_settle(f->filter, f->snapshot, err);
    tv_buffer_clear(&f->values);
    return status == TV_OK ? tv_filter_json(f->filter, &f->values, err) : status;
}

/* An SVD of counts follows the few who play most; that is a choice, but seldom one that somebody made. */
static void hint_at_counts(const struct fit *f)
{
    json_t *data = f->data ? json_loads(f->data, 0, NULL) : NULL;
    const char *values = json_string_value(json_object_get(data, "values"));
    if (values && strcmp(values, "counts") == 0 && f->learn.algorithm != LEARN_ALS_IMPLICIT)
        tv_log_info("the values are counts of plays: --algorithm als-implicit takes them as such, %s as ratings",
                    learn_algorithm_name(f->learn.algorithm));
    json_decref(data);
}

static enum tv_status open_all(struct fit *f, int dry_run, struct tv_error *err)
{
    enum tv_status status = dry_run ? TV_OK : train_open(&f->stores, f->settings, "trivet-train fit", err);
    if (status == TV_OK)
        status = fit_open_snapshot(f, err);
    if (status == TV_OK)
        status = settle_filter(f, err);
    if (status == TV_OK)
        status = fit_choose_source(f, err);
    if (status == TV_OK)
        status = fit_read_changes(f, err);
    if (status == TV_OK)
        status = describe_data(f, err);
    if (status == TV_OK)
        hint_at_counts(f);
    return status;
}

static enum tv_status fit_opened(struct fit *f, int dry_run, struct tv_error *err)
{
    int64_t same = 0;
    enum tv_status status = open_all(f, dry_run, err);
    if (status == TV_OK)
        status = tv_interrupt_watch(f->reader ? f->reader : f->snapshot, err);
    if (status == TV_OK && tv_settings_on(f->settings, "if-changed") && !dry_run)
        status = find_same(f, &same, err);
    if (status == TV_OK && same > 0) {
        printf("nothing changed: model %lld was trained from the same data with the same settings\n", (long long)same);
        return TV_OK;
    }
    if (status != TV_OK)
        return status;
    return dry_run ? plan(f, err) : build(f, err);
}

void fit_free(struct fit *f)
{
    tv_interrupt_watch(NULL, NULL);
    tv_pg_close(f->reader);
    tv_pg_close(f->snapshot);
    free(f->catalogue.examples);
    train_close(&f->stores);
    tv_filter_free(f->filter);
    tv_dense_free(&f->dense);
    tv_folding_free(&f->folding);
    tv_fold_in_free(&f->fold_in);
    fit_free_changes(&f->changes);
    tv_model_free(f->model);
    tv_buffer_free(&f->source);
    tv_buffer_free(&f->evidence_rows);
    tv_evidence_free(&f->evidence);
    tv_code_list_free(&f->user_codes);
    free(f->times);
    tv_buffer_free(&f->values);
    tv_buffer_free(&f->timings);
    tv_buffer_free(&f->parameters);
    learn_report_free(&f->report);
    free(f->data);
}

enum tv_status fit_open_settings(struct fit *f, struct tv_error *err)
{
    enum tv_status status = tv_interrupt_watch(NULL, err); /* before MongoDB's client starts its threads */
    return status == TV_OK ? read_settings(f, err) : status;
}

enum tv_status fit_open_reading(struct fit *f, struct tv_error *err)
{
    enum tv_status status = fit_open_settings(f, err);
    if (status == TV_OK)
        status = open_all(f, 1, err);
    return status == TV_OK ? tv_interrupt_watch(f->reader ? f->reader : f->snapshot, err) : status;
}

enum tv_status fit_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct fit f = {.settings = settings};
    enum tv_status status = learn_read_settings(&f.learn, settings, err);
    if (status == TV_OK)
        status = fit_guard_read(&f, tv_settings_text(settings, "guard"), err);
    if (status == TV_OK)
        status = fit_open_settings(&f, err);
    if (status == TV_OK)
        status = fit_opened(&f, tv_settings_on(settings, "dry-run"), err);
    fit_free(&f);
    return status;
}
