/* evaluate: the command: one setting on ratings that were kept apart, beside plain baselines. Nothing is written. */
#include "train/evaluate.h"

#include "train/trial.h"

const struct tv_option evaluate_options[] = {
    {.name = "format", .kind = TV_OPTION_CHOICE, .value = "FORMAT", .preset = "table", .choices = TV_TABLE_FORMATS,
     .help = "how to print it"},
    {.name = NULL},
};

struct evaluation {
    struct fit fit; /* reads */
    struct trial_data data;
    struct verdict verdicts[1 + TV_BASELINES];
    int n_verdicts;
};

static enum tv_status judge_all(struct evaluation *v, struct tv_error *err)
{
    struct trial trial = {.learn = v->fit.learn, .filter = v->data.filter};
    enum tv_status status = trial_run(&v->verdicts[v->n_verdicts++], &trial, &v->data, TV_TEST, err);
    for (int kind = 0; kind < TV_BASELINES && status == TV_OK; kind++)
        status = trial_baseline(&v->verdicts[v->n_verdicts++], (enum tv_baseline_kind)kind, trial.learn.threads, &v->data,
                                TV_TEST, err);
    return status;
}

enum tv_status evaluate_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct evaluation v = {.fit = {.settings = settings}};
    enum tv_status status = fit_open_reading(&v.fit, err);
    if (status == TV_OK)
        status = trial_prepare(&v.data, &v.fit, settings, err);
    if (status == TV_OK)
        status = judge_all(&v, err);
    if (status == TV_OK)
        status = verdict_print(v.verdicts, v.n_verdicts, tv_table_format_from(tv_settings_text(settings, "format")), err);
    trial_data_free(&v.data);
    fit_free(&v.fit);
    return status;
}
