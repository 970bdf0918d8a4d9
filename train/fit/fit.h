/* fit: one training, from the rows of the row source to a live model. fit.c walks through the steps, which are
 * functions of the other files; all of them work on one struct tv_fit.
 */
#ifndef TRIVET_TRAIN_FIT_FIT_H
#define TRIVET_TRAIN_FIT_FIT_H

#include <jansson.h>
#include <pthread.h>
#include <stdint.h>

#include "train/command/learning.h"
#include "train/command/stores.h"
#include "train/judge/metric.h"
#include "train/learn/learn.h"
#include "train/source/reading.h"
#include "trivet/base/buffer.h"
#include "trivet/base/named.h"
#include "trivet/cli/options.h"
#include "trivet/core/fold_in.h"
#include "trivet/core/ratings.h"
#include "trivet/model/code_list.h"
#include "trivet/model/fold_in_document.h"
#include "trivet/model/model.h"
#include "trivet/store/pg.h"

/* A training's numbers, for the description, the journal and the last line. */
struct tv_fit_counts {
    int64_t rows, users, items; /* learned from */
    int64_t documents;          /* users written: everybody with ratings */
    int64_t reached;            /* of them with an item of the model among their ratings; */
    int64_t folded_in;          /* and of those, not learned from */
    double redis_bytes, mongo_bytes;
};

/* Item documents and example users: queries that need nothing of the model, so a thread of their own asks them. */
struct tv_fit_catalogue {
    pthread_t thread;
    int started;
    struct tv_pg *pg; /* sees the same snapshot */
    char *examples;   /* JSON array */
    int64_t listed;
    enum tv_status status;
    struct tv_error error;
};

/* Which changes by single ratings the snapshot sees (trivet.user_change). */
struct tv_fit_changes {
    size_t n;
    int64_t *users, *revs; /* (n) users with a row in trivet.user_change, ascending; each one's rev */
};

/* --guard: whether the new model may take the live one's place. */
struct tv_fit_guard {
    int on;
    struct tv_metric metric;
    double margin;           /* how much worse it may be */
    int64_t live;            /* the model to compare with; 0: none is live */
    double value, reference; /* of the new one and the live one; a reference of NaN: nothing to compare with */
    int recorded;            /* the reference is what the live model's run has measured */
    int worse;
};

/* The model that is being made. */
struct tv_fit_model {
    struct tv_model *item_side;
    struct tv_learn_report report;
    struct tv_fold_in fold_in;
    struct tv_fold_in_model fold_in_model; /* fold_in together with the item ids */
    struct tv_code_list user_codes;        /* empty where no user has one */
    uint64_t users_hash;                   /* of all user documents as written */
    struct tv_named no_factors;            /* users whose ratings lead to none */
};

/* One training; lives in tv_fit_run. Its members are filled from step to step, and fit_free gives all of it back. */
struct tv_fit {
    struct tv_reading reading;
    struct tv_learning learning;
    struct tv_stores stores;
    int64_t run_number; /* 0 until the journal gave it */
    struct tv_fit_catalogue catalogue;
    struct tv_fit_changes changes;
    struct tv_fit_guard guard;
    struct tv_matrix training_matrix; /* the values are given back once factorised; its ids stay */
    struct tv_fit_model model;
    struct tv_fit_counts counts;
    json_t *timings; /* {"read": 0.61, ...}, or NULL without memory */
};

/* changes.c */
enum tv_status tv_fit_read_changes(struct tv_fit *f, struct tv_error *err);
int64_t tv_fit_rev_of(const struct tv_fit *f, int64_t user); /* 0: has no single ratings */
void tv_fit_free_changes(struct tv_fit_changes *c);

/* choose.c: which of the ratings are learned from, as the training matrix. */
enum tv_status tv_fit_choose_rows(struct tv_fit *f, struct tv_error *err);

/* factorise.c */
/* Shrinks the default number of factors to what the matrix allows, or refuses the one that was asked for, before
 * the long work. */
enum tv_status tv_fit_choose_factors(struct tv_fit *f, struct tv_error *err);
enum tv_status tv_fit_factorise(struct tv_fit *f, struct tv_error *err);

/* users.c */
/* Folds in everybody who has ratings, and writes user_<N>. */
enum tv_status tv_fit_users(struct tv_fit *f, struct tv_error *err);

/* catalogue.c */
enum tv_status tv_fit_start_catalogue(struct tv_fit *f, struct tv_error *err);
enum tv_status tv_fit_end_catalogue(struct tv_fit *f, struct tv_error *err); /* waits for it; safe to call twice */

/* finish.c */
enum tv_status tv_fit_describe(struct tv_fit *f, struct tv_error *err);
enum tv_status tv_fit_store(struct tv_fit *f, struct tv_error *err);
enum tv_status tv_fit_check(struct tv_fit *f, struct tv_error *err);
enum tv_status tv_fit_activate(struct tv_fit *f, struct tv_error *err);

/* plan.c */
/* Prints what the training would take in memory and in the stores. */
enum tv_status tv_fit_print_plan(struct tv_fit *f, struct tv_error *err);

/* fit.c: the command. */
extern const struct tv_option tv_fit_options[];
enum tv_status tv_fit_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
