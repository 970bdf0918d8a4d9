/* document: a search as trivet.run.metrics keeps it, and --format json prints it. docs/formats.md has the fields. */
#include <math.h>
#include <stdlib.h>

#include "train/command/flags.h"
#include "train/judge/metrics_json.h"
#include "train/search/search.h"

/* The metric that decides, with its interval. */
static json_t *metric_json(const struct tv_search *s, const struct tv_interval *i)
{
    return json_pack("{s:s, s:f, s:f, s:f}", "name", s->metric.name, "value", i->value, "low", i->low, "high", i->high);
}

/* One trial: its settings, and what came of it. */
static json_t *trial_json(const struct tv_search *s, size_t trial)
{
    const struct tv_search_result *r = &s->results[trial];
    json_t *out = json_pack("{s:I, s:o, s:f}", "trial", (json_int_t)trial + 1, "settings",
                            tv_search_space_json(&s->space, trial), "seconds", r->seconds);
    if (r->message)
        json_object_set_new(out, "error", json_string(r->message));
    else
        json_object_set_new(out, "metric", metric_json(s, &r->metric));
    return out;
}

/* The winner also has its value on the test portion and the command that trains it. */
static json_t *best_json(const struct tv_search *s, struct tv_error *err)
{
    struct tv_buffer command = TV_BUFFER_INIT(TV_FLAGS_LINE);
    const struct tv_interval test = tv_metric_interval(&s->metric, &s->winner.verdict);
    json_t *out = trial_json(s, s->best);
    if (tv_search_fit_command(s, s->best, &s->winner.learn, &command, err) == TV_OK) {
        json_object_set_new(out, "test", metric_json(s, &test));
        json_object_set_new(out, "command", json_string(tv_buffer_string(&command)));
    }
    tv_buffer_free(&command);
    return out;
}

/* The same fields as an evaluation's metrics, of the winner on the test portion, so that a search can be put beside
 * one; and all trials. */
enum tv_status tv_search_document(json_t **out, const struct tv_search *s, struct tv_error *err)
{
    json_t *trials = json_array(), *document = tv_metrics_json(&s->data, TV_TEST, &s->winner.verdict, 1);
    for (size_t i = 0; i < s->space.n_trials; i++)
        json_array_append_new(trials, trial_json(s, i));
    int ok = json_object_set_new(document, "search", json_integer((json_int_t)s->id)) == 0 &&
             json_object_set_new(document, "metric", json_string(s->metric.name)) == 0 &&
             json_object_set_new(document, "trials", trials) == 0 &&
             json_object_set_new(document, "best", best_json(s, err)) == 0;
    if (ok) {
        *out = document;
        return TV_OK;
    }
    json_decref(document);
    return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the numbers of a search");
}
