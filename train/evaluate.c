/* evaluate: the command: one setting on ratings that were kept apart, beside plain baselines. The journal keeps the
 * numbers; no model is made. */
#include "train/evaluate.h"

#include <stdlib.h>

#include "train/flags.h"
#include "train/metrics_json.h"
#include "train/record.h"
#include "train/trial.h"

const struct tv_option evaluate_options[] = {
    {.name = "format", .kind = TV_OPTION_CHOICE, .value = "FORMAT", .preset = "table", .choices = TV_TABLE_FORMATS,
     .help = "how to print it"},
    {.name = "validation", .kind = TV_OPTION_REAL, .value = "SHARE", .preset = "0", .min = 0, .max = 0.9,
     .help = "another share that is not learned from, for choosing settings without a look at the test"},
    {.name = "no-journal", .kind = TV_OPTION_SWITCH, .help = "write nothing: no row in trivet.run keeps the numbers"},
    {.name = NULL},
};

struct evaluation {
    struct fit fit; /* reads */
    struct record record;
    struct trial_data data;
    struct trial trial;
    struct verdict verdicts[1 + TV_BASELINES];
    int n_verdicts;
};

static enum tv_status begin(struct evaluation *v, struct tv_error *err)
{
    struct tv_buffer command = TV_BUFFER_INIT(1 << 16);
    if (tv_settings_on(v->fit.settings, "no-journal"))
        return TV_OK;
    tv_buffer_text(&command, "trivet-train evaluate", NULL);
    fit_flags(&v->fit, &command);
    flags_given(&command, v->fit.settings, trial_options);
    enum tv_status status = record_begin(&v->record, &v->fit, TV_RUN_EVALUATE, tv_buffer_string(&command), err);
    tv_buffer_free(&command);
    return status;
}

static enum tv_status judge_all(struct evaluation *v, struct tv_error *err)
{
    v->trial = (struct trial){.learn = v->fit.learn, .filter = v->data.filter};
    enum tv_status status = trial_run(&v->verdicts[v->n_verdicts++], &v->trial, &v->data, TV_TEST, err);
    for (int kind = 0; kind < TV_BASELINES && status == TV_OK; kind++)
        status = trial_baseline(&v->verdicts[v->n_verdicts++], (enum tv_baseline_kind)kind, v->trial.learn.threads,
                                &v->data, TV_TEST, err);
    return status;
}

static enum tv_status keep(struct evaluation *v, struct tv_error *err)
{
    const struct trial *t = &v->trial;
    json_t *counts = json_pack("{s:I, s:I, s:I, s:{s:f}}", "rows", (json_int_t)t->rows, "users", (json_int_t)t->users,
                               "items", (json_int_t)t->items, "seconds", "learn", t->seconds);
    json_t *metrics = metrics_json(&v->data, TV_TEST, v->verdicts, v->n_verdicts);
    char *counts_text = json_dumps(counts, 0), *metrics_text = json_dumps(metrics, 0);
    enum tv_status status = counts_text && metrics_text
                                ? record_done(&v->record, counts_text, metrics_text, err)
                                : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the numbers of an evaluation");
    free(counts_text);
    free(metrics_text);
    json_decref(counts);
    json_decref(metrics);
    return status;
}

enum tv_status evaluate_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct evaluation v = {.fit = {.settings = settings}};
    enum tv_status status = learn_read_settings(&v.fit.learn, settings, err);
    if (status == TV_OK)
        status = fit_open_reading(&v.fit, err);
    if (status == TV_OK)
        status = begin(&v, err);
    if (status == TV_OK)
        status = trial_prepare(&v.data, &v.fit, settings, err);
    if (status == TV_OK)
        status = judge_all(&v, err);
    if (status == TV_OK)
        status = keep(&v, err);
    if (status == TV_OK)
        status = verdict_print(v.verdicts, v.n_verdicts, tv_table_format_from(tv_settings_text(settings, "format")), err);
    if (status != TV_OK)
        record_failed(&v.record, err);
    trial_data_free(&v.data);
    fit_free(&v.fit);
    return status;
}
