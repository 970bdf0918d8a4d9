/* evaluate: the command: one setting on ratings that were kept apart, beside plain baselines; also of fractions of what
 * there is to learn from. The journal keeps the numbers; no model is made. */
#include "train/models/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "train/command/flags.h"
#include "train/command/learning.h"
#include "train/command/run_row.h"
#include "train/judge/metrics_json.h"
#include "train/judge/trial.h"
#include "trivet/base/text.h"
#include "trivet/model/journal.h"

const struct tv_option tv_evaluate_options[] = {
    {.name = "validation",
     .kind = TV_OPTION_REAL,
     .value = "SHARE",
     .default_text = "0",
     .min = 0,
     .max = 0.9,
     .help = "another share that is not learned from, for choosing settings without a look at the test"},
    {.name = "judge",
     .kind = TV_OPTION_CHOICE,
     .value = "PART",
     .default_text = "test",
     .choices = "test|validation",
     .help = "which part to judge on"},
    {.name = "train-fraction",
     .kind = TV_OPTION_TEXT,
     .value = "F,F,...",
     .default_text = "1",
     .help =
         "quality against the amount of data: learn from such fractions of the training part, a smaller one within a "
         "larger, for example 0.1,0.3,1"},
    {.name = "format",
     .kind = TV_OPTION_CHOICE,
     .value = "FORMAT",
     .default_text = "table",
     .choices = TV_TABLE_FORMATS,
     .help = "how to print it"},
    {.name = "no-journal", .kind = TV_OPTION_SWITCH, .help = "write nothing: no row in trivet.run keeps the numbers"},
    {.name = NULL},
};

/* How many fractions may be asked for, and how many methods are judged with each: the model and the baselines. */
enum { MAX_FRACTIONS = 16, METHODS = 1 + TV_BASELINES };

/* One evaluation. It is large (all verdicts), and stands on the stack of tv_evaluate_run. */
struct evaluation {
    struct tv_reading reading;
    struct tv_learning learning;
    struct tv_run_row run_row;
    struct tv_trial_data data;
    enum tv_portion portion;
    double fractions[MAX_FRACTIONS];
    int n_fractions;
    struct tv_trial trial; /* the last that was run; its counts go to the journal */
    struct tv_verdict verdicts[MAX_FRACTIONS * METHODS];
    int n_verdicts;
};

/* "0.1,0.3,1", into v->fractions. */
static enum tv_status read_fractions(struct evaluation *v, struct tv_error *err)
{
    const char *text = tv_settings_text(v->reading.settings, "train-fraction");
    for (const char *at = text;; at++) {
        size_t n = strcspn(at, ",");
        double *fraction = &v->fractions[v->n_fractions];
        if (v->n_fractions == MAX_FRACTIONS)
            return tv_fail(err, TV_ERR_USAGE, "--train-fraction takes at most %d fractions", MAX_FRACTIONS);
        if (!tv_text_double(at, n, fraction) || !(*fraction > 0) || *fraction > 1)
            return tv_fail(err, TV_ERR_USAGE, "--train-fraction has \"%.*s\", but a fraction is above 0 and at most 1", (int)n, at);
        v->n_fractions++;
        if (at[n] == '\0')
            return TV_OK;
        at += n;
    }
}

/* Reads the settings, opens the ratings, and begins the row of the journal, unless --no-journal keeps it from
 * writing anything. The row has a command line that judges the same again. */
static enum tv_status open_evaluation(struct evaluation *v, struct tv_error *err)
{
    struct tv_buffer command = TV_BUFFER_INIT(TV_FLAGS_LINE);
    const struct tv_settings *s = v->reading.settings;
    v->portion = strcmp(tv_settings_text(s, "judge"), "validation") == 0 ? TV_VALIDATION : TV_TEST;
    enum tv_status status = tv_learn_read_settings(&v->learning.settings, s, err);
    if (status == TV_OK)
        status = read_fractions(v, err);
    if (status == TV_OK)
        status = tv_trial_open(&v->reading, err);
    if (status == TV_OK)
        status = tv_learning_open(&v->learning, &v->reading, err);
    if (status == TV_OK)
        tv_learning_hint_at_counts(&v->learning, &v->reading);
    if (status != TV_OK || tv_settings_on(s, "no-journal"))
        return status;
    status = tv_buffer_text(&command, "trivet-train evaluate", err);
    if (status == TV_OK)
        status = tv_learning_flags(&v->learning, &v->reading, &command, err);
    if (status == TV_OK)
        status = tv_flags_given(&command, s, tv_trial_options, err);
    if (status == TV_OK)
        status = tv_flags_given(&command, s, tv_evaluate_options, err);
    const struct tv_run_plan plan =
        tv_learning_plan(&v->learning, &v->reading, TV_RUN_EVALUATE, tv_buffer_string(&command));
    if (status == TV_OK)
        status = tv_run_row_begin(&v->run_row, s, &plan, err);
    tv_buffer_free(&command);
    return status;
}

/* The model and all baselines, learned from the same fraction. */
static enum tv_status judge_fraction(struct evaluation *v, double fraction, struct tv_error *err)
{
    v->trial = (struct tv_trial){.learn = v->learning.settings, .filter = v->data.filter, .fraction = fraction};
    enum tv_status status = tv_trial_run(&v->verdicts[v->n_verdicts++], &v->trial, &v->data, v->portion, err);
    for (int kind = 0; kind < TV_BASELINES && status == TV_OK; kind++)
        status = tv_trial_baseline(&v->verdicts[v->n_verdicts++], (enum tv_baseline_kind)kind, fraction,
                                   &v->trial.learn, &v->data, v->portion, err);
    return status == TV_OK || fraction == 1 ? status : tv_context(err, "of %g of the training part", fraction);
}

/* Fractions in the order in which they were named; the table has a column for each method of each. */
static enum tv_status judge_all(struct evaluation *v, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int i = 0; i < v->n_fractions && status == TV_OK; i++)
        status = judge_fraction(v, v->fractions[i], err);
    return status;
}

/* Ends the row of the journal with the numbers. */
static enum tv_status keep(struct evaluation *v, struct tv_error *err)
{
    const struct tv_trial *t = &v->trial;
    json_t *counts = json_pack("{s:I, s:I, s:I, s:i, s:{s:f}}", "rows", (json_int_t)t->rows, "users", (json_int_t)t->users,
                               "items", (json_int_t)t->items, "factors", t->factors, "seconds", "learn", t->seconds);
    json_t *metrics = tv_metrics_json(&v->data, v->portion, v->verdicts, v->n_verdicts);
    char *counts_text = json_dumps(counts, 0), *metrics_text = json_dumps(metrics, 0);
    enum tv_status status = counts_text && metrics_text
                                ? tv_run_row_done(&v->run_row, counts_text, metrics_text, err)
                                : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the numbers of an evaluation");
    free(counts_text);
    free(metrics_text);
    json_decref(counts);
    json_decref(metrics);
    return status;
}

/* A failure after the row has begun is noted in it; a process that is killed leaves it to the next command
 * (run_row.h). */
enum tv_status tv_evaluate_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct evaluation v = {.reading = {.settings = settings}};
    enum tv_table_format format = tv_table_format_from(tv_settings_text(settings, "format"));
    enum tv_status status = open_evaluation(&v, err);
    if (status == TV_OK)
        status = tv_trial_prepare(&v.data, &v.reading, err);
    if (status == TV_OK)
        status = judge_all(&v, err);
    if (status == TV_OK)
        status = keep(&v, err);
    if (status == TV_OK)
        status = tv_verdict_print(v.verdicts, v.n_verdicts, format, err);
    if (status != TV_OK)
        tv_run_row_failed(&v.run_row, err);
    tv_trial_data_free(&v.data);
    tv_learning_free(&v.learning);
    tv_reading_close(&v.reading);
    return status;
}
