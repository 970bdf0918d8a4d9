/* run: the trials, several at a time. Each worker takes the next one that is not done; what one finds is in Postgres
 * before it takes another. */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "train/search/search.h"
#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/cli/interrupt.h"

/* --- one trial -------------------------------------------------------------------------------------------------- */

/* Each trial sets its own values in a filter of its own, because trials run at the same time. */
static enum tv_status copy_filter(struct tv_filter **out, const struct tv_search *s, struct tv_error *err)
{
    enum tv_status status = tv_filter_create(out, err);
    return status == TV_OK ? tv_filter_set_json(*out, tv_buffer_string(&s->reading.values), err) : status;
}

/* The data is only read, so that any number of trials may run on it at once; what a trial changes is its own. */
enum tv_status tv_search_judge(struct tv_search_judged *out, const struct tv_search *s, size_t trial, int threads,
                               enum tv_portion portion, struct tv_error *err)
{
    struct tv_filter *filter = NULL;
    struct tv_trial t = {0};
    enum tv_status status = copy_filter(&filter, s, err);
    if (status == TV_OK)
        status = tv_search_space_settings(&s->space, trial, &t.learn, filter, err);
    t.learn.threads = threads;
    t.learn.quiet = portion != TV_TEST; /* trials are told of in one line each; the winner goes alone */
    t.filter = s->data.filter ? filter : NULL;
    if (status == TV_OK)
        status = tv_trial_run(&out->verdict, &t, &s->data, portion, err);
    out->learn = t.learn;
    out->seconds = t.seconds;
    tv_filter_free(filter);
    return status;
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

/* The workers' common state. */
struct work {
    struct tv_search *search;
    pthread_mutex_t mutex; /* guards what follows, and search->pg and search->results */
    size_t next, n_done;
    double started, done, all; /* when it began; work done and in all, in factors, with which learning grows */
    enum tv_status status;     /* the first failure that ends the search, with */
    struct tv_error error;
};

/* A trial's share of the work, for the time that is left: its number of factors. */
static double size_of(const struct tv_search *s, size_t trial)
{
    for (int a = 0; a < s->space.n_axes; a++)
        if (strcmp(s->space.axes[a].name, "factors") == 0)
            return strtod(tv_search_space_value(&s->space, trial, a), NULL);
    return s->space.base.factors;
}

/* The next trial that is not done, or 0 where there is none or the search is over. */
static int take(struct work *w, size_t *trial)
{
    const struct tv_search *s = w->search;
    pthread_mutex_lock(&w->mutex);
    while (w->next < s->space.n_trials && s->results[w->next].done)
        w->next++;
    int some = w->status == TV_OK && w->next < s->space.n_trials;
    if (some)
        *trial = w->next++;
    pthread_mutex_unlock(&w->mutex);
    return some;
}

/* A setting that nothing can be learned with is a result, too; what has another reason may go better another time. */
static int is_result(enum tv_status status)
{
    return status == TV_OK || status == TV_ERR_USAGE || status == TV_ERR_INPUT || status == TV_ERR_NUMERIC;
}

/* Called with the mutex held: it reads what all workers change. */
static void tell(struct work *w, size_t trial)
{
    const struct tv_search *s = w->search;
    const struct tv_search_result *r = &s->results[trial];
    struct tv_buffer text = TV_BUFFER_INIT(1 << 12);
    double seconds = tv_clock() - w->started;
    enum tv_status status = tv_search_describe(s, trial, &text, NULL);
    if (r->message && status == TV_OK)
        status = tv_buffer_format(&text, NULL, ": %s", r->message);
    else if (status == TV_OK)
        status = tv_buffer_format(&text, NULL, ": %s %.4f (%.4f to %.4f), %.1f s", s->metric.name, r->metric.value,
                                  r->metric.low, r->metric.high, r->seconds);
    tv_ignore(status, "the line is cut where it is too long");
    tv_log_info("%zu of %zu done; about %.0f s to go; trial %zu: %s", w->n_done, s->space.n_trials,
                seconds / w->done * (w->all - w->done), trial + 1, tv_buffer_string(&text));
    tv_buffer_free(&text);
}

/* Keeps a result and stores it before the worker takes another trial: what a kill loses is the trials that are
 * under way. The first failure stops the others after the trial they are at. */
static void put(struct work *w, size_t trial, const struct tv_search_result *result, enum tv_status status,
                const struct tv_error *error)
{
    struct tv_search *s = w->search;
    struct tv_error err = *error;
    pthread_mutex_lock(&w->mutex);
    if (is_result(status) && w->status == TV_OK) {
        s->results[trial] = *result;
        s->results[trial].message = status == TV_OK ? NULL : strdup(error->message);
        status = tv_search_store_result(s, trial, &err);
        w->n_done++;
        w->done += size_of(s, trial);
        tell(w, trial);
    }
    if (status != TV_OK && w->status == TV_OK) {
        w->status = status;
        w->error = err;
    }
    pthread_mutex_unlock(&w->mutex);
}

/* A worker. An interrupted trial gives no result, because it may have been cut short. */
static void *run_trials(void *context)
{
    struct work *w = context;
    const struct tv_search *s = w->search;
    size_t trial;
    while (take(w, &trial)) {
        struct tv_error error = {.status = TV_OK};
        struct tv_search_judged judged;
        struct tv_search_result result = {.done = 1, .metric = {NAN, NAN, NAN}};
        enum tv_status status = tv_search_judge(&judged, s, trial, s->plan.threads, TV_VALIDATION, &error);
        result.seconds = judged.seconds;
        if (status == TV_OK)
            result.metric = tv_metric_interval(&s->metric, &judged.verdict);
        if (tv_interrupted())
            status = tv_fail(&error, TV_ERR_INTERRUPTED, "interrupted");
        put(w, trial, &result, status, &error);
    }
    return NULL;
}

/* Fewer threads than were planned are fine, as long as there is one. */
static enum tv_status run_workers(struct work *w, struct tv_error *err)
{
    enum { MOST = 1024 };
    pthread_t threads[MOST];
    int wanted = w->search->plan.parallel < MOST ? w->search->plan.parallel : MOST, n = 0;
    while (n < wanted && pthread_create(&threads[n], NULL, run_trials, w) == 0)
        n++;
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    if (n == 0)
        return tv_fail(err, TV_ERR_NO_MEMORY, "cannot start a thread");
    if (w->status != TV_OK && err)
        *err = w->error;
    return w->status;
}

/* n_done counts the trials of earlier processes, too, because people are told how far the whole search is; `all` counts
 * only those to come, from which the time to go is guessed. */
enum tv_status tv_search_run_trials(struct tv_search *s, struct tv_error *err)
{
    struct work w = {.search = s, .mutex = PTHREAD_MUTEX_INITIALIZER, .started = tv_clock()};
    for (size_t i = 0; i < s->space.n_trials; i++) {
        w.n_done += (size_t)s->results[i].done;
        w.all += s->results[i].done ? 0 : size_of(s, i);
    }
    if (w.n_done == s->space.n_trials)
        return TV_OK;
    enum tv_status status = run_workers(&w, err);
    if (status != TV_OK)
        tv_hint(err, "trials that are done are kept: trivet-train search --resume %" PRId64 " goes on", s->id);
    return status;
}
