/* search: the command: which settings are best, judged on a validation portion, and how good the winner is on the test.
 *
 * Trials run beside one another (run.c), as many as memory and cores allow (plan.h), from a list that is
 * known beforehand (space.h). Each one that is done is in Postgres before the next begins (store.c), so a
 * search that was killed loses only what was under way. report.c chooses and tells. */
#ifndef TRIVET_TRAIN_SEARCH_SEARCH_H
#define TRIVET_TRAIN_SEARCH_SEARCH_H

#include <jansson.h>
#include <stdint.h>

#include "train/command/learning.h"
#include "train/judge/metric.h"
#include "train/judge/trial.h"
#include "train/judge/verdict.h"
#include "train/search/plan.h"
#include "train/search/space.h"
#include "trivet/cli/options.h"

/* A trial that was learned and judged. */
struct tv_search_judged {
    struct tv_learn_settings learn; /* what it was learned with, with the factors it had in the end */
    double seconds;                 /* of learning */
    struct tv_verdict verdict;
};

/* One trial that is done. */
struct tv_search_result {
    int done;
    double seconds;            /* of learning */
    struct tv_interval metric; /* on the validation portion; NaN where there is a message */
    char *message;             /* why it could not be learned or judged; owned, NULL if it could */
};

/* One search, on the stack of tv_search_run, which frees everything in it. */
struct tv_search {
    const struct tv_settings *settings;
    struct tv_metric metric; /* what decides */
    struct tv_search_space space;
    struct tv_reading reading;
    struct tv_learning learning; /* as the flags say, or, in the end, as the winner did */
    struct tv_trial_data data;
    struct tv_search_plan plan;
    struct tv_pg *pg;                 /* the journal and the trials; one thread at a time */
    int64_t id;                       /* of the row in trivet.search */
    int64_t run;                      /* in the journal; 0 until finished */
    struct tv_search_result *results; /* (space.n_trials) owned */
    size_t best, top;                 /* numbers, from 0: the winner, and the one with the best value */
    struct tv_search_judged winner;   /* on the test portion */
};

/* store.c: finds or begins the search, holds it against other processes until s->pg is closed, and reads the trials
 * that are done. TV_ERR_BUSY: another process works on it. */
enum tv_status tv_search_store_begin(struct tv_search *s, struct tv_error *err);
enum tv_status tv_search_store_result(struct tv_search *s, size_t trial, struct tv_error *err);
/* All are done; `metrics` go to the journal. A search that was finished before stays as it is. */
enum tv_status tv_search_store_finish(struct tv_search *s, const char *metrics, struct tv_error *err);
/* The flags of search number `id`, as tv_search_flags wrote them. */
enum tv_status tv_search_store_flags(json_t **flags, struct tv_pg *pg, int64_t id, struct tv_error *err);

/* flags.c: how a search is run and shown; and the tables, ended by NULL, of what is tried and what decides. */
extern const struct tv_option tv_search_options[];
extern const struct tv_option *const tv_search_subject[];
/* flags.c: a command line that can be repeated: an array of the flags that say what to try. */
json_t *tv_search_flags(const struct tv_settings *settings);
/* "trivet-train search --algorithm als ...", and "trivet-train fit ..." for one trial. */
enum tv_status tv_search_command(const struct tv_search *s, struct tv_buffer *line, struct tv_error *err);
enum tv_status tv_search_fit_command(const struct tv_search *s, size_t trial, const struct tv_learn_settings *learn,
                                     struct tv_buffer *line, struct tv_error *err);
/* The settings of a stored search, with those given beside --resume over them. `flags` is extended by these, and
 * lends its texts to *out. */
enum tv_status tv_search_flags_read(struct tv_settings **out, json_t *flags, const struct tv_settings *given,
                                    struct tv_error *err);

/* run.c: learns with one trial's settings and judges them on a portion. */
enum tv_status tv_search_judge(struct tv_search_judged *out, const struct tv_search *s, size_t trial, int threads,
                               enum tv_portion portion, struct tv_error *err);
/* All trials that are not done yet. */
enum tv_status tv_search_run_trials(struct tv_search *s, struct tv_error *err);

/* report.c */
/* The best, or, of those within `min_gain` of it, the one with the fewest factors, then iterations, then the better
 * value. TV_ERR_INPUT if no trial has a value. */
enum tv_status tv_search_choose(struct tv_search *s, double min_gain, struct tv_error *err);
/* "factors 8, lambda 0.1" */
enum tv_status tv_search_describe(const struct tv_search *s, size_t trial, struct tv_buffer *text,
                                  struct tv_error *err);
/* document.c: everything, as the journal keeps it (docs/formats.md). */
enum tv_status tv_search_document(json_t **out, const struct tv_search *s, struct tv_error *err);
enum tv_status tv_search_print(const struct tv_search *s, struct tv_error *err);

enum tv_status tv_search_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
