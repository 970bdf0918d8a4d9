/* fit: the command. Takes the lock, walks through the steps, and leaves nothing half done when one fails. The steps
 * are functions of this room's other files; docs/design.md tells what each is for.
 */
#include "train/fit/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/flags.h"
#include "train/command/publish.h"
#include "train/fit/guard.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/model/journal.h"
#include "trivet/model/last_run.h"
#include "trivet/model/life/lock.h"
#include "trivet/store/pg_rows.h"

const struct tv_option tv_fit_options[] = {
    {.name = "if-changed",
     .kind = TV_OPTION_SWITCH,
     .help = "learn nothing if a kept model was trained from the same data with the same settings"},
    {.name = "dry-run",
     .kind = TV_OPTION_SWITCH,
     .help = "stop before the first write; say what memory and how many bytes it would take"},
    {.name = "guard",
     .kind = TV_OPTION_TEXT,
     .value = "METRIC:MARGIN",
     .help = "judge the settings on a fifth of the ratings kept apart, and do not make the new model live if it is "
             "worse than "
             "the live one by more than the margin: ndcg@10:0.02, rmse:0.01"},
    {.name = NULL},
};

/* A step, under the name by which the log and the journal's timings call it. */
struct step {
    const char *name;
    enum tv_status (*run)(struct tv_fit *f, struct tv_error *err);
};

/* The first step, in the shape of a step. */
static enum tv_status read_ratings(struct tv_fit *f, struct tv_error *err)
{
    return tv_reading_read(&f->reading, err);
}

/* These steps write nothing of the model, so a dry run takes them, too. */
static const struct step learning[] = {
    {"read ratings", read_ratings},
    {"judge", tv_fit_guard_judge},
    {"choose rows", tv_fit_choose_rows},
    {"choose factors", tv_fit_choose_factors},
};
/* These steps write the model under its number, and only the last one shows it. */
static const struct step building[] = {
    {"factorise", tv_fit_factorise}, {"fold in users", tv_fit_users}, {"write items", tv_fit_end_catalogue},
    {"describe", tv_fit_describe},   {"write factors", tv_fit_store}, {"read back and compare", tv_fit_check},
    {"activate", tv_fit_activate},
};

/* A signal makes statements and waits fail with words of their own. Whatever a step returned, the signal is what is
 * told. Within the last step the switch may have been made, so nothing is promised about it. */
static enum tv_status interrupted(int activating, struct tv_error *err)
{
    tv_fail(err, TV_ERR_INTERRUPTED, "interrupted");
    return activating ? tv_hint(err, "trivet-train models says which model is live; the next command finishes the switch")
                      : tv_hint(err, "the model that was live still is");
}

/* Runs steps until one fails. A signal that comes while the last one succeeds comes too late: the model is live, and to
 * say otherwise would be wrong. The step "judge" is neither logged nor timed where there is no guard. */
static enum tv_status run_steps(struct tv_fit *f, const struct step *steps, size_t n, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        double started = tv_clock();
        status = steps[i].run(f, err);
        int last = steps[i].run == tv_fit_activate;
        if (tv_interrupted() && !(last && status == TV_OK))
            status = interrupted(last, err);
        double seconds = tv_clock() - started;
        if (steps[i].run == tv_fit_guard_judge && !f->guard.on)
            continue;
        if (status == TV_OK)
            tv_log_info("%-22s %8.3f s", steps[i].name, seconds);
        if (status == TV_OK) /* a model without its timings is a model */
            json_object_set_new(f->timings, steps[i].name, json_real(round(seconds * 1000) / 1000));
    }
    return status;
}

#define N_STEPS(steps) (sizeof(steps) / sizeof *(steps))

/* Puts the kept or live run with the fingerprint of this one into *same, or 0: of several the one that was live last. */
static enum tv_status find_same(struct tv_fit *f, int64_t *same, struct tv_error *err)
{
    char dataset[24];
    const char *const values[] = {f->learning.fingerprint, dataset};
    snprintf(dataset, sizeof dataset, "%lld", (long long)f->reading.dataset);
    return tv_pg_int(tv_lock_connection(f->stores.lock),
                     "SELECT coalesce((SELECT id FROM trivet.run WHERE state IN ('kept', 'live') AND fingerprint = $1 "
                     "AND coalesce(dataset, 0) = $2::bigint "
                     "ORDER BY state = 'live' DESC, live_at DESC NULLS LAST, id DESC LIMIT 1), 0)",
                     2, values, same, err);
}

/* Says that there is nothing to learn. While the live model is of another data set, which was loaded before, the one that is kept of
 * these ratings takes its place, as the training would whose work is done. It stays in the place of one of the same data: somebody
 * rolled back. One that was never live was refused by a guard or imported, and is for people to show. */
static enum tv_status show_same(struct tv_fit *f, int64_t same, struct tv_error *err)
{
    char number[24];
    const char *const values[] = {number};
    struct tv_pg_rows *rows = NULL;
    snprintf(number, sizeof number, "%lld", (long long)same);
    enum tv_status status =
        tv_pg_query(tv_lock_connection(f->stores.lock),
                    "SELECT l.id, (k.live_at IS NOT NULL)::int FROM trivet.run l JOIN trivet.run k ON k.id = $1::bigint "
                    "WHERE l.state = 'live' AND l.dataset IS DISTINCT FROM k.dataset",
                    1, values, &rows, err);
    int of_another = status == TV_OK && tv_pg_rows_count(rows) > 0;
    int was_live = of_another && *tv_pg_cell(rows, 0, 1) == '1';
    if (was_live)
        status = tv_publish_activate_run(&f->stores, same, err);
    if (status == TV_OK)
        printf("nothing changed: model %s was trained from the same data with the same settings\n", number);
    if (status == TV_OK && was_live)
        printf("model %s is live again: model %s, which was, is of another data set\n", number, tv_pg_cell(rows, 0, 0));
    else if (status == TV_OK && of_another)
        printf("model %s, which is live, is of another data set, and model %s never was live: trivet-train activate %s\n",
               tv_pg_cell(rows, 0, 0), number, number);
    tv_pg_rows_free(rows);
    return status;
}

/* The journal gets the run with a command line that repeats it, and its row gives the model its number. */
static enum tv_status begin_run(struct tv_fit *f, struct tv_error *err)
{
    struct tv_buffer command = TV_BUFFER_INIT(TV_FLAGS_LINE);
    struct tv_pg *journal = tv_lock_connection(f->stores.lock);
    enum tv_status status = tv_pg_exec(journal, "SELECT trivet.fold_hand_changes()", 0, NULL, err);
    if (status == TV_OK)
        status = tv_buffer_text(&command, "trivet-train fit", err);
    if (status == TV_OK)
        status = tv_learning_flags(&f->learning, &f->reading, &command, err);
    const struct tv_run_plan plan =
        tv_learning_plan(&f->learning, &f->reading, TV_RUN_FIT, tv_buffer_string(&command));
    if (status == TV_OK)
        status = tv_run_begin(journal, &plan, &f->run_number, err);
    tv_buffer_free(&command);
    if (status == TV_OK)
        status = tv_lock_name_run(f->stores.lock, f->run_number, err);
    if (status == TV_OK)
        tv_log_info("run %lld", (long long)f->run_number);
    return status;
}

/* The one line on standard output; the log has the rest. */
static void report(const struct tv_fit *f)
{
    char rows[32], users[32], items[32], documents[32], memory[32];
    printf("model %lld is %s: %d factors, learned from %s ratings of %s users and %s items; %s users %s served\n",
           (long long)f->run_number, f->guard.worse ? "kept" : "live", f->learning.settings.factors,
           tv_text_number(rows, f->counts.rows), tv_text_number(users, f->counts.users),
           tv_text_number(items, f->counts.items), tv_text_number(documents, f->counts.documents),
           f->guard.worse ? "could be" : "are");
    tv_log_info("peak memory %s", tv_text_bytes(memory, tv_peak_memory()));
}

/* Tells servers what becomes of this training (last_run.h). Where Redis does not take it the training goes on,
 * because the journal is the word on it. */
static void note(const struct tv_fit *f, enum tv_run_state state)
{
    struct tv_error err;
    if (tv_last_run_note(f->stores.redis, f->run_number, state, &err) != TV_OK)
        tv_log_reason(TV_LOG_DEBUG, "the state of this run is not noted in Redis", &err);
}

/* Does all from the first write on. After a failure nothing stays under the run number; where a store is away,
 * the next command's repair sees to that. A model that the guard refuses is whole and kept, and the command fails
 * all the same. */
static enum tv_status build(struct tv_fit *f, struct tv_error *err)
{
    enum tv_status status = begin_run(f, err);
    if (status != TV_OK)
        return status;
    note(f, TV_RUN_BUILDING);
    status = tv_fit_start_catalogue(f, err);
    if (status == TV_OK)
        status = run_steps(f, learning, N_STEPS(learning), err);
    if (status == TV_OK)
        status = tv_reading_tell_left_out(&f->reading, err);
    if (status == TV_OK)
        status = run_steps(f, building, N_STEPS(building), err);
    if (status != TV_OK) {
        tv_ignore(tv_fit_end_catalogue(f, NULL), "the training has failed already, of something that came first");
        if (tv_publish_undo(&f->stores, f->run_number, err))
            note(f, TV_RUN_FAILED);
        return status;
    }
    note(f, f->guard.worse ? TV_RUN_KEPT : TV_RUN_LIVE);
    report(f);
    status = tv_lifecycle_prune(&f->stores, TV_PUBLISH_KEEP_MODELS, err);
    return status == TV_OK && f->guard.worse ? tv_fit_guard_refuse(f, err) : status;
}

/* A dry run: no lock, no run, no other store, but the ratings are read as they would be. */
static enum tv_status plan(struct tv_fit *f, struct tv_error *err)
{
    enum tv_status status = run_steps(f, learning, N_STEPS(learning), err);
    if (status == TV_OK)
        status = tv_reading_tell_left_out(&f->reading, err);
    return status == TV_OK ? tv_fit_print_plan(f, err) : status;
}

/* The lock comes before the snapshot, so that the snapshot sees all that the lock's last holder, perhaps a load,
 * has committed. */
static enum tv_status look(struct tv_fit *f, int dry_run, struct tv_error *err)
{
    const struct tv_settings *settings = f->reading.settings;
    enum tv_status status = TV_OK;
    if (!dry_run)
        status = tv_train_open(&f->stores, settings, "trivet-train fit", err);
    if (status == TV_OK)
        status = tv_reading_look(&f->reading, err);
    return status == TV_OK ? tv_learning_open(&f->learning, &f->reading, err) : status;
}

/* What only a training asks for, and what takes time where there are many users. */
static enum tv_status look_closer(struct tv_fit *f, struct tv_error *err)
{
    enum tv_status status = tv_reading_describe_data(&f->reading, err);
    if (status == TV_OK)
        status = tv_fit_read_changes(f, err);
    if (status == TV_OK)
        tv_learning_hint_at_counts(&f->learning, &f->reading);
    return status;
}

/* With --if-changed the lock is held while the journal is asked, so no other training can end in between. */
static enum tv_status fit_opened(struct tv_fit *f, int dry_run, struct tv_error *err)
{
    int64_t same = 0;
    int if_changed = tv_settings_on(f->reading.settings, "if-changed") && !dry_run;
    enum tv_status status = look(f, dry_run, err);
    if (status == TV_OK && if_changed)
        status = find_same(f, &same, err);
    if (status == TV_OK && same > 0 && f->reading.doubt == NULL)
        return show_same(f, same, err);
    if (status == TV_OK && same > 0)
        tv_log_info("%s", f->reading.doubt);
    if (status == TV_OK)
        status = look_closer(f, err);
    if (status != TV_OK)
        return status;
    return dry_run ? plan(f, err) : build(f, err);
}

static void free_model(struct tv_fit_model *m)
{
    tv_fold_in_model_free(&m->fold_in_model);
    tv_fold_in_free(&m->fold_in);
    tv_model_free(m->item_side);
    tv_code_list_free(&m->user_codes);
    tv_learn_report_free(&m->report);
}

static void fit_free(struct tv_fit *f)
{
    tv_reading_close(&f->reading);
    tv_learning_free(&f->learning);
    free(f->catalogue.examples);
    tv_train_close(&f->stores);
    tv_matrix_free(&f->training_matrix);
    tv_fit_free_changes(&f->changes);
    free_model(&f->model);
    json_decref(f->timings);
}

/* Flags are judged before anything is connected. */
enum tv_status tv_fit_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_fit f = {.reading = {.settings = settings}};
    f.timings = json_object();
    enum tv_status status = tv_learn_read_settings(&f.learning.settings, settings, err);
    if (status == TV_OK)
        status = tv_fit_guard_read(&f, tv_settings_text(settings, "guard"), err);
    if (status == TV_OK)
        status = tv_reading_begin(&f.reading, err);
    if (status == TV_OK)
        status = fit_opened(&f, tv_settings_on(settings, "dry-run"), err);
    fit_free(&f);
    return status;
}
