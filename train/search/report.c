/* report: which trial wins, and all of them as a table, as words and as JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/command/flags.h"
#include "train/search/search.h"
#include "trivet/base/log.h"
#include "trivet/cli/table.h"

/* --- the winner ------------------------------------------------------------------------------------------------- */

/* By how much trial a is better than trial b; positive: it is better. */
static double gain(const struct tv_search *s, size_t a, size_t b)
{
    double difference = s->results[a].metric.value - s->results[b].metric.value;
    return tv_metric_higher_is_better(&s->metric) ? difference : -difference;
}

/* Whether a model by trial a is cheaper than one by trial b. Factors come first, because every answer pays for them;
 * iterations are paid once. Between equals the better value decides. */
static int is_cheaper(const struct tv_search *s, size_t a, size_t b)
{
    struct tv_learn_settings x, y;
    tv_search_space_learning(&s->space, a, &x);
    tv_search_space_learning(&s->space, b, &y);
    int columns = x.factors + 2 * x.biases - y.factors - 2 * y.biases;
    if (columns != 0)
        return columns < 0;
    return x.iterations != y.iterations ? x.iterations < y.iterations : gain(s, a, b) > 0;
}

/* A trial that could not be learned or judged has no value, and cannot win. */
static int has_value(const struct tv_search *s, size_t trial)
{
    return isfinite(s->results[trial].metric.value);
}

/* The best value is found first, and then the cheapest trial that is within --min-gain of it: a chain of small
 * steps cannot lead further from the best than that. Trials come in order, so of equal ones the first wins. */
enum tv_status tv_search_choose(struct tv_search *s, double min_gain, struct tv_error *err)
{
    size_t n = s->space.n_trials, top = 0;
    while (top < n && !has_value(s, top))
        top++;
    if (top == n) {
        const char *why = s->results[0].message;
        return tv_fail(err, TV_ERR_INPUT, "no trial could be judged; of the first: %s", why ? why : "it has no value");
    }
    for (size_t i = top + 1; i < n; i++)
        if (has_value(s, i) && gain(s, i, top) > 0)
            top = i;
    s->top = s->best = top;
    for (size_t i = 0; i < n; i++)
        if (has_value(s, i) && gain(s, top, i) <= min_gain && is_cheaper(s, i, s->best))
            s->best = i;
    return TV_OK;
}

/* --- the table -------------------------------------------------------------------------------------------------- */

enum tv_status tv_search_describe(const struct tv_search *s, size_t trial, struct tv_buffer *text, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int a = 0; a < s->space.n_axes && status == TV_OK; a++)
        status = tv_buffer_format(text, err, "%s%s %s", a ? ", " : "", s->space.axes[a].name,
                                  tv_search_space_value(&s->space, trial, a));
    return status;
}

/* A number, or an empty cell where a trial has none. */
static enum tv_status add_number(struct tv_table *t, double value, int digits, struct tv_error *err)
{
    return isfinite(value) ? tv_table_real(t, value, digits, err) : tv_table_cell(t, NULL, err);
}

/* A trial's line of the table. The note is why it has no value, or that it won. */
static enum tv_status add_row(struct tv_table *t, const struct tv_search *s, size_t trial, struct tv_error *err)
{
    const struct tv_search_result *r = &s->results[trial];
    enum tv_status status = tv_table_int(t, (long long)trial + 1, err);
    for (int a = 0; a < s->space.n_axes && status == TV_OK; a++)
        status = tv_table_cell(t, tv_search_space_value(&s->space, trial, a), err);
    const double metric[] = {r->metric.value, r->metric.low, r->metric.high};
    for (int i = 0; i < 3 && status == TV_OK; i++)
        status = add_number(t, metric[i], 6, err);
    if (status == TV_OK)
        status = add_number(t, r->seconds, 2, err);
    return status == TV_OK ? tv_table_cell(t, r->message ? r->message : trial == s->best ? "best" : "", err) : status;
}

/* Columns: the trial's number, its value on each axis, the metric with its interval, seconds of learning, and the
 * note. */
static enum tv_status make_table(struct tv_table **out, const struct tv_search *s, struct tv_error *err)
{
    const char *names[TV_SEARCH_AXES + 6] = {"trial"};
    enum tv_table_kind kinds[TV_SEARCH_AXES + 6] = {TV_TABLE_NUMBER};
    int n = 1;
    for (int a = 0; a < s->space.n_axes; a++, n++) {
        names[n] = s->space.axes[a].name;
        kinds[n] = strcmp(names[n], "biases") == 0 ? TV_TABLE_TEXT : TV_TABLE_NUMBER;
    }
    const char *const numbers[] = {s->metric.name, "low", "high", "seconds"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++, n++) {
        names[n] = numbers[i];
        kinds[n] = TV_TABLE_NUMBER;
    }
    names[n] = "note";
    kinds[n++] = TV_TABLE_TEXT;
    enum tv_status status = tv_table_create(out, n, names, kinds, err);
    for (size_t i = 0; i < s->space.n_trials && status == TV_OK; i++)
        status = add_row(*out, s, i, err);
    return status;
}

/* --- in words --------------------------------------------------------------------------------------------------- */

/* Writes the winner's values on both portions, and the command that trains it. Where a larger trial was better by less
 * than
 * --min-gain, that is said. */
static enum tv_status describe_winner(const struct tv_search *s, struct tv_buffer *text, struct tv_error *err)
{
    const struct tv_interval *v = &s->results[s->best].metric,
                             test = tv_metric_interval(&s->metric, &s->winner.verdict);
    enum tv_status status = tv_buffer_format(text, err, "best: trial %zu, ", s->best + 1);
    if (status == TV_OK)
        status = tv_search_describe(s, s->best, text, err);
    if (status == TV_OK)
        status = tv_buffer_format(text, err, "\n%s on the validation part %.4f (%.4f to %.4f)\n%s on the test part       %.4f "
                                  "(%.4f to %.4f)\n",
                                  s->metric.name, v->value, v->low, v->high, s->metric.name, test.value, test.low, test.high);
    if (status == TV_OK && s->top != s->best)
        status = tv_buffer_format(text, err, "trial %zu is better by %.4f, which is not more than --min-gain %g\n", s->top + 1,
                                  gain(s, s->top, s->best), tv_settings_real(s->settings, "min-gain"));
    return status == TV_OK ? tv_search_fit_command(s, s->best, &s->winner.learn, text, err) : status;
}

static enum tv_status print_json(const struct tv_search *s, struct tv_error *err)
{
    json_t *document = NULL;
    enum tv_status status = tv_search_document(&document, s, err);
    if (status == TV_OK && json_object_set_new(document, "run", json_integer((json_int_t)s->run)) != 0)
        status = tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the numbers of a search");
    if (status == TV_OK && (json_dumpf(document, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF))
        status = tv_fail(err, TV_ERR_IO, "cannot write to standard output");
    json_decref(document);
    return status;
}

/* Programs that read CSV get the table alone; the words go to the log, where people look. */
enum tv_status tv_search_print(const struct tv_search *s, struct tv_error *err)
{
    enum tv_table_format format = tv_table_format_from(tv_settings_text(s->settings, "format"));
    struct tv_table *table = NULL;
    struct tv_buffer text = TV_BUFFER_INIT(TV_FLAGS_LINE);
    if (format == TV_TABLE_JSON)
        return print_json(s, err);
    enum tv_status status = make_table(&table, s, err);
    if (status == TV_OK)
        status = describe_winner(s, &text, err);
    if (status == TV_OK)
        status = tv_table_print(table, format, stdout, err);
    if (status == TV_OK && format == TV_TABLE_CSV)
        tv_log_info("%s", tv_buffer_string(&text));
    else if (status == TV_OK)
        printf("\n%s\n", tv_buffer_string(&text));
    tv_buffer_free(&text);
    tv_table_free(table);
    return status;
}
