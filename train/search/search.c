/* search: the command, from its flags to the row in the journal. The other files of this room are its steps: space.c
 * lays out the trials, store.c knows which are done, plan.c says how many fit, run.c runs them, report.c chooses and
 * tells.
 */
#include "train/search/search.h"

#include <inttypes.h>
#include <stdlib.h>

#include "train/learn/algorithm.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/interrupt.h"
#include "trivet/cli/table.h"
#include "trivet/schema/schema.h"

/* --- what decides ------------------------------------------------------------------------------------------------- */

/* Sets the metric that decides: --metric, or the one that suits the algorithm. A metric by which a trial could win
 * for the wrong reason is refused. */
static enum tv_status choose_metric(struct tv_search *s, struct tv_error *err)
{
    const char *name = tv_settings_text(s->settings, "metric");
    int predicts = s->space.base.algorithm->predicts_ratings;
    enum tv_status status = tv_metric_parse(&s->metric, name ? name : predicts ? "rmse" : "ndcg@10", err);
    if (status != TV_OK || !s->metric.of_ratings)
        return status;
    if (!predicts) {
        tv_fail(err, TV_ERR_USAGE, "--metric rmse: scores of %s order items, they predict no ratings",
                tv_learn_algorithm_name(&s->space.base));
        return tv_hint(err, "use --metric ndcg@10, or --algorithm als");
    }
    if (s->space.filters == 0)
        return TV_OK;
    tv_fail(err, TV_ERR_USAGE, "--metric rmse cannot choose among filters: a filter leaves out items whose ratings are hard "
                               "to predict, and would win by that");
    return tv_hint(err, "use --metric ndcg@10, by which a filter loses what it leaves out");
}

/* --- before the first trial --------------------------------------------------------------------------------------- */

/* Reads and divides the ratings, once for all trials, and opens the connection on which trials are kept. */
static enum tv_status open_all(struct tv_search *s, struct tv_error *err)
{
    s->reading.settings = s->settings;
    s->learning.settings = s->space.base;
    enum tv_status status = tv_trial_open(&s->reading, err);
    if (status == TV_OK)
        status = tv_learning_open(&s->learning, &s->reading, err);
    if (status == TV_OK)
        tv_learning_hint_at_counts(&s->learning, &s->reading);
    if (status == TV_OK && s->reading.own_source && s->space.filters > 0) {
        tv_fail(err, TV_ERR_USAGE, "--over means nothing to --source: the filter is applied to the loaded ratings alone");
        status = tv_hint(err, "leave one of them out");
    }
    if (status == TV_OK)
        status = tv_trial_prepare(&s->data, &s->reading, err);
    if (status == TV_OK && s->data.holdout[TV_VALIDATION].counts.rows == 0) {
        tv_fail(err, TV_ERR_USAGE, "a search chooses by a validation part, which --split last and published splits do not have");
        status = tv_hint(err, "split at random or by time");
    }
    if (status == TV_OK)
        status = tv_pg_open(&s->pg, tv_settings_text(s->settings, "postgres"), "trivet-train search",
                            (int)tv_settings_int(s->settings, "wait"), err);
    return status;
}

/* How many trials at a time, from the largest that is not done. Four fifths of the available memory are planned
 * with, unless --memory says otherwise. */
static enum tv_status make_plan(struct tv_search *s, struct tv_error *err)
{
    char one[32], all[32];
    struct tv_evaluate_options asked = {.threads = (int)tv_settings_int(s->settings, "threads")};
    double largest = 0, bytes = 0.8 * tv_available_memory();
    size_t open = 0;
    if (tv_settings_given(s->settings, "memory"))
        bytes = (double)tv_settings_int(s->settings, "memory") * 1048576;
    for (size_t i = 0; i < s->space.n_trials; i++) {
        struct tv_learn_settings learn;
        tv_search_space_learning(&s->space, i, &learn);
        learn.threads = tv_evaluate_threads(&asked);
        double needed = s->results[i].done ? 0 : tv_search_trial_memory(&learn, &s->data.training_matrix.csr);
        largest = needed > largest ? needed : largest;
        open += !s->results[i].done;
    }
    if (open == 0)
        return TV_OK;
    enum tv_status status = tv_search_plan(&s->plan, open, (int)tv_settings_int(s->settings, "parallel"),
                                           tv_evaluate_threads(&asked), largest, bytes, err);
    if (status == TV_OK)
        tv_log_info("%zu trials to go, %d at a time with %d thread%s each; one takes up to %s of %s", open, s->plan.parallel,
                    s->plan.threads, s->plan.threads == 1 ? "" : "s", tv_text_bytes(one, largest), tv_text_bytes(all, bytes));
    return status;
}

/* --- after the last ----------------------------------------------------------------------------------------------- */

/* The one look at the test portion: choosing by it would flatter what is chosen. */
static enum tv_status test_winner(struct tv_search *s, struct tv_error *err)
{
    int threads = (int)tv_settings_int(s->settings, "threads");
    enum tv_status status = tv_search_choose(s, tv_settings_real(s->settings, "min-gain"), err);
    return status == TV_OK ? tv_search_judge(&s->winner, s, s->best, threads, TV_TEST, err) : status;
}

/* Makes settings, filter and fingerprint the winner's: the journal puts them beside the winner's numbers, and whoever trains with
 * them has to get the model that was measured. */
static enum tv_status become_winner(struct tv_search *s, struct tv_error *err)
{
    struct tv_learn_settings learn;
    enum tv_status status = TV_OK;
    s->learning.settings = s->winner.learn;
    if (s->space.filters > 0) {
        status = tv_search_space_settings(&s->space, s->best, &learn, s->reading.filter, err);
        tv_buffer_clear(&s->reading.values);
        if (status == TV_OK)
            status = tv_filter_json(s->reading.filter, &s->reading.values, err);
        if (status == TV_OK)
            status = tv_reading_choose_row_source(&s->reading, err);
    }
    return status == TV_OK ? tv_learning_again(&s->learning, &s->reading, err) : status;
}

/* Finishes the search in the journal, whose row says what the winner is learned with. */
static enum tv_status keep(struct tv_search *s, struct tv_error *err)
{
    json_t *document = NULL;
    enum tv_status status = become_winner(s, err);
    if (status == TV_OK)
        status = tv_search_document(&document, s, err);
    char *text = document ? json_dumps(document, 0) : NULL;
    if (status == TV_OK)
        status =
            text ? tv_search_store_finish(s, text, err) : tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a search");
    free(text);
    json_decref(document);
    return status;
}

/* In this order, because the fingerprint of the ratings is part of which search it is, and only that says which
 * trials are done. */
static enum tv_status search(struct tv_search *s, struct tv_error *err)
{
    enum tv_status status = tv_search_space_read(&s->space, s->settings, err);
    if (status == TV_OK)
        status = choose_metric(s, err);
    if (status == TV_OK)
        status = open_all(s, err);
    if (status == TV_OK && (s->results = tv_alloc(s->space.n_trials, sizeof *s->results, "results", err)) == NULL)
        status = TV_ERR_NO_MEMORY;
    if (status == TV_OK)
        status = tv_search_store_begin(s, err);
    if (status == TV_OK)
        status = make_plan(s, err);
    if (status == TV_OK)
        status = tv_search_run_trials(s, err);
    if (status == TV_OK)
        status = test_winner(s, err);
    if (status == TV_OK)
        status = keep(s, err);
    return status == TV_OK ? tv_search_print(s, err) : status;
}

static void search_free(struct tv_search *s)
{
    for (size_t i = 0; s->results && i < s->space.n_trials; i++)
        free(s->results[i].message);
    free(s->results);
    tv_pg_close(s->pg);
    tv_trial_data_free(&s->data);
    tv_learning_free(&s->learning);
    tv_reading_close(&s->reading);
    tv_search_space_free(&s->space);
}

/* --- the command ---------------------------------------------------------------------------------------------------- */

/* The settings of the search that --resume names. Its flags are read on a connection of their own, because nothing
 * else can be opened before they are known. */
static enum tv_status stored_settings(struct tv_settings **out, json_t **flags, const struct tv_settings *given,
                                      struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_schema_open(&pg, given, "trivet-train search", err);
    if (status == TV_OK)
        status = tv_search_store_flags(flags, pg, tv_settings_int(given, "resume"), err);
    if (status == TV_OK)
        status = tv_search_flags_read(out, *flags, given, err);
    tv_pg_close(pg);
    return status;
}

/* A resumed search is run from the stored settings, with those given now over them. */
enum tv_status tv_search_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err)
{
    (void)n, (void)arguments;
    struct tv_settings *stored = NULL;
    json_t *flags = NULL;
    enum tv_status status = tv_interrupt_watch(NULL, err); /* before threads start, which inherit what it blocks */
    if (status == TV_OK && tv_settings_given(settings, "resume"))
        status = stored_settings(&stored, &flags, settings, err);
    struct tv_search s = {.settings = stored ? stored : settings};
    if (status == TV_OK)
        status = search(&s, err);
    search_free(&s);
    tv_settings_free(stored);
    json_decref(flags);
    return status;
}
