/* fit: one training, from the rows of the filter to a live model. The steps are in the fit_*.c files. */
#ifndef TRIVET_TRAIN_FIT_FIT_H
#define TRIVET_TRAIN_FIT_FIT_H

#include <pthread.h>
#include <stdint.h>

#include "train/command/stores.h"
#include "train/judge/metric.h"
#include "train/learn/learn.h"
#include "trivet/base/buffer.h"
#include "trivet/base/named.h"
#include "trivet/cli/options.h"
#include "trivet/core/evidence.h"
#include "trivet/core/fold_in.h"
#include "trivet/core/ratings.h"
#include "trivet/model/code_list.h"
#include "trivet/model/filter.h"
#include "trivet/model/model.h"
#include "trivet/model/user_fold.h"
#include "trivet/store/pg.h"

struct fit_counts {
    int64_t rows, users, items;  /* learned from */
    int64_t documents;           /* users written: everybody with ratings */
    int64_t reached;             /* of them with an item of the model among their ratings */
    double redis_bytes, mongo_bytes;
};

/* Item documents and example users: queries that need nothing of the model, so a thread of their own asks them. */
struct fit_catalogue {
    pthread_t thread;
    int started;
    struct tv_pg *pg; /* sees the same snapshot */
    char *examples;   /* JSON array */
    int64_t listed;
    enum tv_status status;
    struct tv_error error;
};

/* Which ratings the snapshot sees of those that come live meanwhile. */
struct fit_changes {
    char *snapshot;      /* pg_current_snapshot() */
    size_t n;
    int64_t *users, *revs; /* (n) everybody who ever rated live, ascending, and how often it changed */
};

/* --guard: whether the new model may take the live one's place. */
struct fit_guard {
    int on;
    struct metric metric;
    double margin;    /* how much worse it may be */
    int64_t live;     /* the model to compare with; 0: none is live */
    double value, reference; /* of the new one and the live one; a reference of NaN: nothing to compare with */
    int recorded;     /* the reference is what the live model's run has measured */
    int worse;
};

struct fit {
    const struct tv_settings *settings;
    struct tv_filter *filter;
    struct learn_settings learn;
    struct learn_report report;
    struct tv_buffer source;   /* "trivet.user_item(...)": the rows to learn from */
    int own_source;            /* it is an analyst's own SQL, */
    int same_rows;             /* and users are folded in from those very rows */
    struct tv_buffer evidence_rows; /* "SELECT user, item, rating FROM ...": what everybody is folded in from */
    struct tv_buffer values;   /* the filter's values, JSON */
    struct tv_buffer parameters; /* of the algorithm, JSON, as asked for */
    char *data;                /* trivet.data_state(): what stands in trivet.rating, JSON */
    char fingerprint[24];      /* of data and settings */

    struct tv_stores stores;
    struct tv_pg *reader;      /* runs an analyst's own SQL; NULL for the filter */
    struct tv_pg *snapshot;    /* REPEATABLE READ: ratings, items and examples agree */
    int64_t number;            /* N; 0 until the journal gave it */
    struct fit_catalogue catalogue;
    struct fit_changes changes;

    struct tv_evidence evidence;
    int with_times;            /* asked for before it is opened: */
    double *times;             /* (evidence.n_pairs) the latest of a pair's rows, seconds since 1970; NaN: a row has none */
    struct tv_dense dense;     /* the training matrix; given back once factorised, but for its ids */
    struct tv_model *model;
    struct tv_fold_in fold_in;
    struct tv_folding folding; /* with it */
    struct tv_code_list user_codes; /* empty where no user has one */
    uint64_t users_hash;       /* of all user documents as written */
    struct fit_counts counts;
    struct tv_named no_factors; /* users whose ratings lead to none */
    struct fit_guard guard;
    struct tv_buffer timings;  /* "read": 0.61, ... */
};

/* train/source/snapshot.c */
enum tv_status fit_open_snapshot(struct fit *f, struct tv_error *err);
/* A second connection with the same view of the data. */
enum tv_status fit_join_snapshot(struct fit *f, struct tv_pg **out, struct tv_error *err);
/* The same, logged in as --reader (trivet/model/reader.h), for SQL that people write. */
enum tv_status fit_join_as_reader(struct fit *f, struct tv_pg **out, struct tv_error *err);

/* train/source/row_source.c */
/* Opens f->reader and makes sure that SQL of one's own has the columns of a source. */
enum tv_status fit_open_source(struct fit *f, const char *source, struct tv_error *err);
enum tv_status fit_choose_source(struct fit *f, struct tv_error *err);
void fit_describe_source(const struct fit *f, char *out, size_t size);

/* train/source/rows.c: runs a SELECT of (bigint, bigint, real) on the reader's connection, or the snapshot's. Rows that are no
 * ratings are left out, counted and told; with any_value only those without a user or an item. */
typedef enum tv_status (*fit_take)(void *context, const struct tv_pg_triple *row, struct tv_error *err);
enum tv_status fit_copy_rows(struct fit *f, const char *select, int any_value, fit_take take, void *context,
                             struct tv_error *err);

/* changes.c */
enum tv_status fit_read_changes(struct fit *f, struct tv_error *err);
int64_t fit_rev_of(const struct fit *f, int64_t user); /* 0: has not rated live */
void fit_free_changes(struct fit_changes *c);

/* train/source/read.c */
enum tv_status fit_read(struct fit *f, struct tv_error *err);
/* Says how many users the conditions on rows leave without any rating, and so without factors. */
enum tv_status fit_tell_left_out(struct fit *f, struct tv_error *err);

/* choose.c: which of the ratings are learned from, as a dense matrix. */
enum tv_status fit_choose_rows(struct fit *f, struct tv_error *err);

/* guard.c */
enum tv_status fit_guard_read(struct fit *f, const char *text, struct tv_error *err); /* "ndcg@10:0.02"; NULL: no guard */
/* Between reading the ratings and choosing rows: compares, and keeps what it measured. */
enum tv_status fit_guard_judge(struct fit *f, struct tv_error *err);
/* TV_ERR_WORSE with the numbers, which the journal keeps, too. The model is whole. */
enum tv_status fit_guard_refuse(struct fit *f, struct tv_error *err);

/* factorise.c */
enum tv_status fit_choose_factors(struct fit *f, struct tv_error *err);
enum tv_status fit_factorise(struct fit *f, struct tv_error *err);

/* users.c */
enum tv_status fit_users(struct fit *f, struct tv_error *err);

/* catalogue.c */
enum tv_status fit_start_catalogue(struct fit *f, struct tv_error *err);
enum tv_status fit_end_catalogue(struct fit *f, struct tv_error *err); /* waits for it; safe to call twice */

/* finish.c */
enum tv_status fit_describe(struct fit *f, struct tv_error *err);
enum tv_status fit_store(struct fit *f, struct tv_error *err);
enum tv_status fit_check(struct fit *f, struct tv_error *err);
enum tv_status fit_activate(struct fit *f, struct tv_error *err);

/* plan.c */
enum tv_status fit_print_plan(struct fit *f, struct tv_error *err);

/* fit.c: the command. */
extern const struct tv_option fit_options[], fit_source_options[]; /* those of the source, evaluate has too */
/* The filter alone, for ratings that are not in Postgres. f->settings and f->learn are the caller's to fill; fit_free gives
 * back all the rest. */
enum tv_status fit_open_settings(struct fit *f, struct tv_error *err);
/* For reading only: the filter and a snapshot of the ratings. */
enum tv_status fit_open_reading(struct fit *f, struct tv_error *err);
void fit_free(struct fit *f);
/* The flags that say what is learned from and how, and the row of the journal for it; all of it lent. */
void fit_flags(const struct fit *f, struct tv_buffer *line);
struct tv_run_plan fit_run_plan(const struct fit *f, enum tv_run_kind kind, const char *command);
enum tv_status fit_run(const struct tv_settings *settings, int n, char **arguments, struct tv_error *err);

#endif
