/* algorithm: the algorithms that a model can be learned with, one row each, and all their settings, one row each.
 * Flags, JSON, command lines, axes of a search and defaults are loops over these rows: a new algorithm is a row
 * of algorithms.c, a name in TV_LEARN_NAMES and a file beside svd.c, and how users are folded in (CONTRIBUTING.md has
 * the recipe).
 */
#ifndef TRIVET_TRAIN_LEARN_ALGORITHM_H
#define TRIVET_TRAIN_LEARN_ALGORITHM_H

#include <stddef.h>

#include "train/learn/learn.h"

/* How a setting is stored in struct tv_learn_settings, and so how it is read and written. */
enum tv_learn_kind {
    TV_LEARN_WHOLE, /* an int */
    TV_LEARN_REAL,  /* a double */
    TV_LEARN_SEED,  /* a uint64_t */
    TV_LEARN_SWITCH /* an int, 0 or 1; written into JSON as false and true */
};

/* One setting, whatever algorithms use it. */
struct tv_learn_setting {
    const char *flag; /* of tv_learn_options, which has its bounds and its help */
    enum tv_learn_kind kind;
    size_t offset;   /* in struct tv_learn_settings */
    double value;    /* its default, unless the algorithm has one of its own; also where an algorithm does not use it */
    int only_if_set; /* left out of a command line while it has its default */
};

enum { TV_LEARN_MOST = 8 };

/* The default of --alpha, which has no other place, because only one algorithm uses it. */
#define TV_LEARN_ALPHA 1

/* One algorithm: what its models are like, which settings it uses, and the functions that do the work. */
struct tv_learn_algorithm {
    const char *name;       /* at most 15 bytes: tv_model has room for those */
    const char *score_kind; /* of its models: "relevance", or "rating" */
    int predicts_ratings;   /* so they have an RMSE */
    int takes_counts;       /* values are counts of plays, not ratings */
    int bounded;            /* it has at most one factor less than the shorter side of the matrix */
    int factors;            /* of its models, where it does not use the setting; else 0 */
    const char *remedy;     /* where the ratings of most users lead to no factors */
    struct {
        const char *flag;
        double value;          /* its default here; NAN: the setting's own */
    } settings[TV_LEARN_MOST]; /* that it uses, in the order in which they are written down; ends with a row without a
                                  flag */
    double (*memory)(const struct tv_learn_settings *s, const struct tv_matrix *d); /* bytes beside the matrix */
    /* Fills *out, a model that has its ids and room for its factors. */
    enum tv_status (*learn)(struct tv_model **out, struct tv_learn_report *report, const struct tv_matrix *d,
                            struct tv_learn_settings *s, struct tv_error *err);
};

/* algorithms.c; ends with a row without a name. */
extern const struct tv_learn_algorithm tv_learn_algorithms[];
/* Ends with a row without a flag. */
extern const struct tv_learn_setting tv_learn_setting_rows[];

/* The row of a flag, NULL if it is none of a setting. */
const struct tv_learn_setting *tv_learn_setting_of(const char *flag);
/* 1 if the algorithm uses the setting of that flag. */
int tv_learn_uses(const struct tv_learn_algorithm *a, const char *flag);
/* The default of a setting with an algorithm. */
double tv_learn_default_of(const struct tv_learn_algorithm *a, const struct tv_learn_setting *row);
/* The value of a setting as a double; a seed beyond 2^53 is rounded. */
double tv_learn_value(const struct tv_learn_settings *s, const struct tv_learn_setting *row);

#endif
