/* space: what a search chooses from. An axis is one setting and the values it may take; a trial is one value for each
 * axis. The grid has every combination, the last axis changing fastest; a random search draws some.
 *
 * Values stay texts, as a flag of fit takes them, so that the command a search ends with says exactly what was
 * tried.
 */
#ifndef TRIVET_TRAIN_SEARCH_SPACE_H
#define TRIVET_TRAIN_SEARCH_SPACE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "train/learn/learn.h"
#include "trivet/cli/options.h"
#include "trivet/model/filter.h"

enum { TV_SEARCH_AXES = 16, TV_SEARCH_VALUES = 1000, TV_SEARCH_TRIALS = 10000 };

/* The text of a value, as a flag of fit takes it: "0.05". The bytes behind the text are zero. */
struct tv_search_value {
    char text[32];
};

/* One setting that is to be chosen, and the values it may take. */
struct tv_search_axis {
    char name[32];                  /* a flag of fit without its dashes, or a parameter of the filter */
    int filter;                     /* 1: a parameter of the filter */
    int whole;                      /* integers */
    struct tv_search_value *values; /* (n) owned */
    size_t n;                       /* 0: a range, */
    double low, high;               /* from which values are drawn */
};

/* The axes, and the trials that were laid out from them: each trial is a row of `points`, a value for each axis. */
struct tv_search_space {
    struct tv_learn_settings base; /* what all trials have in common */
    struct tv_search_axis axes[TV_SEARCH_AXES];
    int n_axes;
    int filters;                    /* axes that are of the filter */
    struct tv_search_value *points; /* (n_trials, n_axes) row-major, owned */
    size_t n_trials;
};

/* The rows of search's option table that say what to choose from, the flags of tv_learn_options with lists of values,
 * and what decides. */
extern const struct tv_option tv_search_space_options[];

/* Reads those flags and lays out the trials. TV_ERR_USAGE names the flag and the value that is no value of it; one
 * trial or more than TV_SEARCH_TRIALS are refused. After a failure there is nothing to free. */
enum tv_status tv_search_space_read(struct tv_search_space *out, const struct tv_settings *s, struct tv_error *err);
void tv_search_space_free(struct tv_search_space *s); /* also makes it empty */

/* The text of a trial's value on an axis; lent from the space. */
const char *tv_search_space_value(const struct tv_search_space *s, size_t trial, int axis);

/* The settings that trial number `trial` learns with, its filter aside. */
void tv_search_space_learning(const struct tv_search_space *s, size_t trial, struct tv_learn_settings *out);
/* All settings of a trial; the filter keeps the values of parameters that are on no axis. TV_ERR_USAGE where values
 * exclude each other. */
enum tv_status tv_search_space_settings(const struct tv_search_space *s, size_t trial, struct tv_learn_settings *learn,
                                        struct tv_filter *filter, struct tv_error *err);

/* {"factors": 8, "lambda": 0.1, ..., "min_users_for_item": 20}: all that learning uses, and the filter's axes. NULL
 * without memory. */
json_t *tv_search_space_json(const struct tv_search_space *s, size_t trial);

#endif
