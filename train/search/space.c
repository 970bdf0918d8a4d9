/* space: reads lists and ranges of values, and lays out the trials of a grid or of a random search. Everything is
 * known before the first trial, so that a search that is resumed has the same trials under the same numbers.
 */
#include "train/search/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/learn/algorithm.h"
#include "trivet/base/buffer.h"
#include "trivet/base/random.h"
#include "trivet/base/text.h"

const struct tv_option tv_search_space_options[] = {
    {.name = "algorithm",
     .kind = TV_OPTION_CHOICE,
     .value = "NAME",
     .default_text = "svd",
     .choices = TV_LEARN_NAMES,
     .help = "whose settings to choose, as in fit"},
    {.name = "factors",
     .alias = "rank",
     .kind = TV_OPTION_TEXT,
     .value = "LIST",
     .help = "values to try for --factors of fit, e.g. 4,8,12; with --random also a range, 4..64"},
    {.name = "sigma", .kind = TV_OPTION_TEXT, .value = "LIST", .help = "svd: for --sigma, e.g. 0,0.5,1"},
    {.name = "iterations",
     .alias = "maxIter",
     .kind = TV_OPTION_TEXT,
     .value = "LIST",
     .help = "als: for --iterations, e.g. 10,20"},
    {.name = "lambda",
     .alias = "regParam",
     .kind = TV_OPTION_TEXT,
     .value = "LIST",
     .help = "als: for --lambda, e.g. 0.05,0.1; with --random also 0.01..1"},
    {.name = "alpha", .kind = TV_OPTION_TEXT, .value = "LIST", .help = "als-implicit: for --alpha, e.g. 1,10,40"},
    {.name = "biases", .kind = TV_OPTION_TEXT, .value = "LIST", .help = "als: without and with --biases: off,on"},
    {.name = "over",
     .kind = TV_OPTION_LIST,
     .value = "NAME=LIST",
     .help = "values to try for a number of the filter, e.g. min_users_for_item=5,10,20; may be given several times"},
    {.name = "random",
     .kind = TV_OPTION_INT,
     .value = "N",
     .min = 1,
     .max = TV_SEARCH_TRIALS,
     .help = "try N settings drawn from the lists and ranges, instead of every combination of the lists"},
    {.name = "seed",
     .kind = TV_OPTION_INT,
     .value = "S",
     .default_text = "1",
     .min = 0,
     .max = 9e18,
     .help = "of the draws, and of als: the same seed tries the same settings and learns the same models"},
    {.name = "metric",
     .kind = TV_OPTION_CHOICE,
     .value = "NAME",
     .choices = "rmse|ndcg@10",
     .help = "what decides, on the validation part (default: rmse with als, which predicts ratings, else ndcg@10)"},
    {.name = "min-gain",
     .kind = TV_OPTION_REAL,
     .value = "G",
     .default_text = "0",
     .min = 0,
     .max = 1e9,
     .help =
         "what a larger model must gain: of trials within G of the best, the one with the fewest factors wins, then "
         "the one with the fewest iterations"},
    {.name = "validation",
     .kind = TV_OPTION_REAL,
     .value = "SHARE",
     .default_text = "0.2",
     .min = 0.001,
     .max = 0.9,
     .help = "share of the pairs of user and item by which trials are judged; the test part judges the winner alone"},
    {.name = NULL},
};

/* --- one axis ------------------------------------------------------------------------------------------------- */

/* Asks the parser that fit uses, on copies: only a text that fit takes becomes a value, and a wrong one is refused in
 * the same words before any trial runs. */
static enum tv_status check_value(const struct tv_search_axis *a, const struct tv_learn_settings *base,
                                  const char *text, struct tv_error *err)
{
    struct tv_learn_settings learn = *base;
    struct tv_filter *filter = NULL;
    char assignment[96];
    if (!a->filter)
        return tv_learn_set(&learn, a->name, text, err);
    enum tv_status status = tv_filter_create(&filter, err);
    snprintf(assignment, sizeof assignment, "%s=%s", a->name, text);
    if (status == TV_OK)
        status = tv_filter_set(filter, assignment, err);
    tv_filter_free(filter);
    return status;
}

/* Writes a value in one form: 0.10 and 0.1 are the same number and become "0.1", so that equal values are equal texts.
 * "on" stays as it is. */
static void write_number(struct tv_search_value *out, const char *text)
{
    double number;
    *out = (struct tv_search_value){0};
    if (tv_text_double(text, strlen(text), &number))
        snprintf(out->text, sizeof out->text, "%.15g", number);
    else
        snprintf(out->text, sizeof out->text, "%s", text);
}

/* Appends a value to a list. A value that stands there already would be a trial made twice, and is refused. */
static enum tv_status add_value(struct tv_search_axis *a, const struct tv_learn_settings *base, const char *text,
                                struct tv_error *err)
{
    struct tv_search_value value;
    enum tv_status status = check_value(a, base, text, err);
    if (status != TV_OK)
        return status;
    write_number(&value, text);
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->values[i].text, value.text) == 0)
            return tv_fail(err, TV_ERR_USAGE, "%s%s lists %s twice", a->filter ? "" : "--", a->name, value.text);
    if (a->n == TV_SEARCH_VALUES)
        return tv_fail(err, TV_ERR_USAGE, "%s%s lists more than %d values", a->filter ? "" : "--", a->name,
                       TV_SEARCH_VALUES);
    a->values[a->n++] = value;
    return TV_OK;
}

/* Reads "0.01..1", of which fit must take both ends. `dots` points to the two dots in `text`. */
static enum tv_status read_range(struct tv_search_axis *a, const struct tv_learn_settings *base, const char *text,
                                 const char *dots, struct tv_error *err)
{
    char low[32];
    snprintf(low, sizeof low, "%.*s", (int)(dots - text), text);
    enum tv_status status = check_value(a, base, low, err);
    if (status == TV_OK)
        status = check_value(a, base, dots + 2, err);
    if (status != TV_OK)
        return status;
    a->low = strtod(low, NULL);
    a->high = strtod(dots + 2, NULL);
    if (a->low < a->high)
        return TV_OK;
    return tv_fail(err, TV_ERR_USAGE, "%s%s is the range \"%s\", which does not rise", a->filter ? "" : "--", a->name, text);
}

/* A text with ".." is a range, any other a list of values divided by commas. */
static enum tv_status read_list(struct tv_search_axis *a, const struct tv_learn_settings *base, const char *text,
                                struct tv_error *err)
{
    const char *dots = strstr(text, "..");
    if (dots)
        return read_range(a, base, text, dots, err);
    a->values = tv_alloc(TV_SEARCH_VALUES, sizeof *a->values, "the values of a search", err);
    enum tv_status status = a->values ? TV_OK : TV_ERR_NO_MEMORY;
    for (const char *p = text; status == TV_OK; p++) {
        char value[64];
        size_t n = strcspn(p, ",");
        if (n >= sizeof value)
            return tv_fail(err, TV_ERR_USAGE, "%s%s has a value of %zu characters", a->filter ? "" : "--", a->name, n);
        snprintf(value, sizeof value, "%.*s", (int)n, p);
        status = add_value(a, base, value, err);
        p += n;
        if (*p == '\0')
            break;
    }
    return status;
}

/* Adds an axis by its name, which does not end with a NUL, and reads its values. */
static enum tv_status add_axis(struct tv_search_space *s, const char *name, size_t n_name, int filter, const char *list,
                               struct tv_error *err)
{
    if (s->n_axes == TV_SEARCH_AXES)
        return tv_fail(err, TV_ERR_USAGE, "more than %d settings to choose", TV_SEARCH_AXES);
    struct tv_search_axis *a = &s->axes[s->n_axes++];
    snprintf(a->name, sizeof a->name, "%.*s", (int)n_name, name);
    a->filter = filter;
    a->whole = filter || tv_learn_setting_of(a->name)->kind == TV_LEARN_WHOLE;
    for (int i = 0; i + 1 < s->n_axes; i++)
        if (strcmp(s->axes[i].name, a->name) == 0)
            return tv_fail(err, TV_ERR_USAGE, "--over names %s twice", a->name);
    return read_list(a, &s->base, list, err);
}

/* Takes the newest axis away if it has one value: that is nothing to choose, and goes into the settings that all trials
 * have in common. */
static enum tv_status drop_if_single(struct tv_search_space *s, struct tv_error *err)
{
    struct tv_search_axis *a = &s->axes[s->n_axes - 1];
    if (a->n != 1)
        return TV_OK;
    enum tv_status status = tv_learn_set(&s->base, a->name, a->values[0].text, err);
    free(a->values);
    *a = (struct tv_search_axis){.n = 0};
    s->n_axes--;
    return status;
}

/* --- all axes ------------------------------------------------------------------------------------------------- */

/* Makes an axis of each flag of the algorithm's settings that was given, in the order of the table. The seed is one for
 * all trials and no axis. */
static enum tv_status read_learning(struct tv_search_space *s, const struct tv_settings *settings, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    tv_learn_defaults(&s->base, tv_learn_algorithm_of(tv_settings_text(settings, "algorithm")));
    s->base.seed = (uint64_t)tv_settings_int(settings, "seed");
    for (const struct tv_learn_setting *row = tv_learn_setting_rows; row->flag && status == TV_OK; row++) {
        if (row->kind == TV_LEARN_SEED || !tv_settings_given(settings, row->flag))
            continue;
        status = add_axis(s, row->flag, strlen(row->flag), 0, tv_settings_text(settings, row->flag), err);
        if (status == TV_OK)
            status = drop_if_single(s, err);
    }
    return status;
}

/* Only the cuts leave the ratings alone by which trials are judged: they choose among rows that are already read. A name that
 * the filter does not know gets the filter's own message. */
static enum tv_status refuse_filter_axis(const char *text, size_t n_name, struct tv_error *err)
{
    int i = tv_filter_find(text, n_name);
    if (i < 0)
        return tv_filter_unknown(text, n_name, err);
    const struct tv_filter_parameter *p = &tv_filter_parameters[i];
    if (tv_filter_parts(p) & TV_FILTER_CUTS)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "--over %s: trials would be judged by different ratings, which do not compare", p->name);
    return tv_hint(err, "it can choose min_users_for_item, min_items_for_user, max_items_for_user and max_row_number");
}

/* Makes an axis of the filter of each --over NAME=LIST. One with a single value stays an axis: the filter of all trials
 * comes from --set, and only axes are set over it. */
static enum tv_status read_filter(struct tv_search_space *s, const struct tv_settings *settings, struct tv_error *err)
{
    const char *const *over;
    size_t n = tv_settings_list(settings, "over", &over);
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        size_t n_name = strcspn(over[i], "=");
        if (over[i][n_name] == '\0') {
            tv_fail(err, TV_ERR_USAGE, "--over is \"%s\", but must be a parameter and its values", over[i]);
            return tv_hint(err, "for example --over min_users_for_item=5,10,20");
        }
        status = refuse_filter_axis(over[i], n_name, err);
        if (status == TV_OK)
            status = add_axis(s, over[i], n_name, 1, over[i] + n_name + 1, err);
        s->filters++;
    }
    return status;
}

/* --- trials --------------------------------------------------------------------------------------------------- */

/* The place of a trial's value on an axis; the number of axes must be final. */
static struct tv_search_value *point(const struct tv_search_space *s, size_t trial, int axis)
{
    return &s->points[trial * (size_t)s->n_axes + (size_t)axis];
}

/* Counts the combinations of the lists; 0 with a range among the axes, which has n = 0. Counting ends beyond `most`, so
 * that the product cannot overflow. */
static size_t count_grid(const struct tv_search_space *s, size_t most)
{
    size_t n = 1;
    for (int a = 0; a < s->n_axes && n <= most; a++)
        n *= s->axes[a].n;
    return n;
}

/* The trial's number is read as a number of mixed base, the last axis being the lowest digit. */
static void fill_grid(struct tv_search_space *s)
{
    for (size_t trial = 0; trial < s->n_trials; trial++) {
        size_t rest = trial;
        for (int a = s->n_axes - 1; a >= 0; a--) {
            *point(s, trial, a) = s->axes[a].values[rest % s->axes[a].n];
            rest /= s->axes[a].n;
        }
    }
}

/* Draws a value: evenly out of a list; out of a range evenly over the logarithm, because it is the size that matters:
 * as many between 0.01 and 0.1 as between 0.1 and 1. Three digits are plenty, and can be typed. */
static void draw_value(struct tv_search_value *out, const struct tv_search_axis *a, struct tv_random *random)
{
    if (a->n > 0) {
        *out = a->values[tv_random_below(random, a->n)];
        return;
    }
    char text[32];
    double at = tv_random_real(random), value = a->low + at * (a->high - a->low);
    if (a->low > 0)
        value = a->low * pow(a->high / a->low, at);
    snprintf(text, sizeof text, a->whole ? "%.0f" : "%.3g", value);
    double rounded = strtod(text, NULL);
    snprintf(text, sizeof text, "%.15g", rounded < a->low ? a->low : rounded > a->high ? a->high : rounded);
    write_number(out, text);
}

/* Whether a trial is one of those before it. Values are texts whose rest is zeros (write_number), so whole rows of
 * points can be compared by their bytes. */
static int was_drawn(const struct tv_search_space *s, size_t trial)
{
    size_t bytes = (size_t)s->n_axes * sizeof *s->points;
    for (size_t other = 0; other < trial; other++)
        if (memcmp(point(s, other, 0), point(s, trial, 0), bytes) == 0)
            return 1;
    return 0;
}

/* Draws the trials of a random search, none of them twice. After a hundred draws in a row that were there already,
 * there is little left to try, and the search has fewer trials than were asked for. */
static void fill_random(struct tv_search_space *s)
{
    enum { ATTEMPTS = 100 };
    struct tv_random random = {s->base.seed};
    size_t wanted = s->n_trials, found = 0;
    for (int attempt = 0; found < wanted && attempt < ATTEMPTS; attempt++) {
        for (int a = 0; a < s->n_axes; a++)
            draw_value(point(s, found, a), &s->axes[a], &random);
        if (!was_drawn(s, found)) {
            found++;
            attempt = 0;
        }
    }
    s->n_trials = found;
}

/* How many trials there will be at most; a range without --random and a search with nothing to choose are refused
 * here. */
static enum tv_status count_trials(struct tv_search_space *s, size_t draws, struct tv_error *err)
{
    size_t grid = count_grid(s, TV_SEARCH_TRIALS);
    for (int a = 0; a < s->n_axes && draws == 0; a++)
        if (s->axes[a].n == 0) {
            tv_fail(err, TV_ERR_USAGE, "%s is a range, from which values can only be drawn", s->axes[a].name);
            return tv_hint(err, "add --random N, or list the values: 4,8,12");
        }
    s->n_trials = draws > 0 ? draws : grid;
    if (grid == 1) {
        tv_fail(err, TV_ERR_USAGE, "there is nothing to choose from: every setting has one value");
        return tv_hint(err, "give a flag several values, for example --factors 4,8,12; trivet-train evaluate judges one setting");
    }
    if (s->n_trials <= TV_SEARCH_TRIALS)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "the lists have more than %d combinations", TV_SEARCH_TRIALS);
    return tv_hint(err, "shorten them, or try some: --random 100");
}

/* Makes `points` and fills them. Where as many draws are asked for as the grid has combinations, or more, the grid
 * itself is tried: drawing would find the same ones, in another order. */
static enum tv_status lay_out(struct tv_search_space *s, size_t draws, struct tv_error *err)
{
    enum tv_status status = count_trials(s, draws, err);
    if (status != TV_OK)
        return status;
    s->points = tv_alloc(s->n_trials * (size_t)s->n_axes, sizeof *s->points, "the trials of a search", err);
    if (s->points == NULL)
        return TV_ERR_NO_MEMORY;
    size_t grid = count_grid(s, TV_SEARCH_TRIALS);
    if (draws > 0 && (grid == 0 || draws < grid)) {
        fill_random(s);
    } else {
        s->n_trials = grid;
        fill_grid(s);
    }
    return TV_OK;
}

enum tv_status tv_search_space_read(struct tv_search_space *out, const struct tv_settings *settings,
                                    struct tv_error *err)
{
    *out = (struct tv_search_space){0};
    enum tv_status status = read_learning(out, settings, err);
    if (status == TV_OK)
        status = read_filter(out, settings, err);
    if (status == TV_OK)
        status = lay_out(out, tv_settings_given(settings, "random") ? (size_t)tv_settings_int(settings, "random") : 0, err);
    if (status != TV_OK)
        tv_search_space_free(out);
    return status;
}

void tv_search_space_free(struct tv_search_space *s)
{
    for (int a = 0; a < s->n_axes; a++)
        free(s->axes[a].values);
    free(s->points);
    *s = (struct tv_search_space){0};
}

/* --- one trial ------------------------------------------------------------------------------------------------ */

const char *tv_search_space_value(const struct tv_search_space *s, size_t trial, int axis)
{
    return point(s, trial, axis)->text;
}

void tv_search_space_learning(const struct tv_search_space *s, size_t trial, struct tv_learn_settings *out)
{
    *out = s->base;
    for (int a = 0; a < s->n_axes; a++)
        if (!s->axes[a].filter)
            tv_ignore(tv_learn_set(out, s->axes[a].name, tv_search_space_value(s, trial, a), NULL),
                      "every value was set once when it was read");
}

/* tv_filter_set_all without assignments makes the checks across parameters: each value of an axis is right by itself,
 * and two of a combination may still contradict each other. */
enum tv_status tv_search_space_settings(const struct tv_search_space *s, size_t trial, struct tv_learn_settings *learn,
                                        struct tv_filter *filter, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    tv_search_space_learning(s, trial, learn);
    for (int a = 0; a < s->n_axes && status == TV_OK; a++) {
        char assignment[96];
        snprintf(assignment, sizeof assignment, "%s=%s", s->axes[a].name, tv_search_space_value(s, trial, a));
        if (s->axes[a].filter)
            status = tv_filter_set(filter, assignment, err);
    }
    return status == TV_OK && s->filters > 0 ? tv_filter_set_all(filter, NULL, 0, err) : status;
}

/* Values go into JSON as numbers, "on" and "off" as true and false. */
static int set_axis(json_t *object, const struct tv_search_axis *a, const char *value)
{
    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)
        return json_object_set_new(object, a->name, json_boolean(value[1] == 'n')) == 0;
    return json_object_set_new(object, a->name, json_loads(value, JSON_DECODE_ANY, NULL)) == 0;
}

/* Begins with what all trials have in common, and puts the trial's own values over it. */
json_t *tv_search_space_json(const struct tv_search_space *s, size_t trial)
{
    struct tv_buffer text = TV_BUFFER_INIT(1 << 12);
    json_t *object =
        tv_learn_json(&s->base, &text, NULL) == TV_OK ? json_loads(tv_buffer_string(&text), 0, NULL) : NULL;
    int ok = object != NULL;
    for (int a = 0; a < s->n_axes && ok; a++)
        ok = set_axis(object, &s->axes[a], tv_search_space_value(s, trial, a));
    tv_buffer_free(&text);
    if (ok)
        return object;
    json_decref(object);
    return NULL;
}
