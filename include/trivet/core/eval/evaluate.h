/* evaluate: asks a method about held-out ratings, user by user, on all threads.
 *
 * A user's list is the best of all items of the training matrix, without those the user has in it; ties go to the lower
 * dense item. Means are over users with at least one relevant held-out rating, reachable or not (holdout.h has what is
 * cold). Each user's values are kept, and added up in the order of users
 * afterwards, so that every number has the same bits at any number of threads, and intervals can be drawn from them.
 */
#ifndef TRIVET_CORE_EVAL_EVALUATE_H
#define TRIVET_CORE_EVAL_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/csr.h"
#include "trivet/core/eval/bootstrap.h"
#include "trivet/core/eval/holdout.h"
#include "trivet/core/eval/metrics.h"

/* The method that is judged: a baseline (baselines.h), or factors, or anything that answers. Both functions are called
 * from several threads at once; `thread` (0 .. threads - 1) is the caller's number, for scratch memory. Either may be
 * NULL for a method that cannot do it. A failure ends the evaluation. */
struct tv_method {
    void *context;
    /* scores (n_items), higher is better. An item with NaN is in no list; a user with NaN throughout has none. */
    enum tv_status (*scores)(void *context, int thread, int32_t user, double *scores, struct tv_error *err);
    /* predicted (n): the user's ratings of n items, ascending. NaN where there is no telling. */
    enum tv_status (*predict)(void *context, int thread, int32_t user, const int32_t *items, size_t n,
                              double *predicted, struct tv_error *err);
};

struct tv_evaluate_options {
    struct tv_cuts cuts; /* of lists */
    int threads;         /* 0: as OpenMP decides */
    /* Called now and then with the users done of n; may be NULL. Nonzero ends with TV_ERR_INTERRUPTED. */
    int (*progress)(void *context, int32_t done, int32_t n);
    void *context;
};
void tv_evaluate_defaults(struct tv_evaluate_options *o); /* at 5, 10, 15 and 100 */
int tv_evaluate_threads(const struct tv_evaluate_options *o); /* how many `thread` numbers there will be */

/* --- lists --- */

/* 48 bytes a cut and 4 bytes a place of a list, for each user judged. */
struct tv_ranking_result {
    struct tv_cuts cuts;
    int32_t n_items;
    int32_t n_users;                 /* judged: with a relevant held-out rating */
    int32_t n_without_relevant;      /* users of the training matrix that are not judged */
    int32_t n_without_list;          /* judged users for whom the method scored nothing; their values are 0 */
    int32_t *user;                   /* (n_users) dense, ascending */
    int32_t *list;                   /* (n_users, depth) dense items, -1 from the end of a list on */
    struct tv_list_quality *quality; /* (n_users, cuts.n) */
};

/* `training` says what a user has seen. TV_ERR_USAGE where its shape differs from the held-out matrix's, or the method
 * has no scores. On failure *out is empty. */
enum tv_status tv_evaluate_ranking(struct tv_ranking_result *out, const struct tv_method *method,
                                   const struct tv_csr *training, const struct tv_holdout *holdout,
                                   const struct tv_evaluate_options *options, struct tv_error *err);
void tv_ranking_result_free(struct tv_ranking_result *r); /* also makes it empty */

/* The means at cut number `cut` (an index of cuts.k); NaN without users. */
struct tv_list_quality tv_ranking_mean(const struct tv_ranking_result *r, int cut);

/* The mean of one measure with its interval, users drawn. */
enum tv_status tv_ranking_interval(struct tv_interval *out, const struct tv_ranking_result *r, int cut,
                                   enum tv_measure measure, const struct tv_bootstrap_options *options,
                                   struct tv_error *err);

struct tv_lists tv_ranking_lists(const struct tv_ranking_result *r); /* for tv_diversity; lent */

/* --- ratings --- */

struct tv_rating_result {
    struct tv_rating_error total;  /* of all pairs predicted */
    int64_t n_unpredicted;         /* held-out pairs, nothing of them cold, that the method answered with NaN */
    int32_t n_users;               /* with a pair predicted */
    int32_t *user;                 /* (n_users) dense, ascending */
    struct tv_rating_error *error; /* (n_users) */
};

/* Over the pairs of holdout->test, relevant or not. Failures as above. */
enum tv_status tv_evaluate_ratings(struct tv_rating_result *out, const struct tv_method *method,
                                   const struct tv_holdout *holdout, const struct tv_evaluate_options *options,
                                   struct tv_error *err);
void tv_rating_result_free(struct tv_rating_result *r); /* also makes it empty */

/* RMSE with its interval, users drawn with all their pairs (bootstrap.h says why). */
enum tv_status tv_rmse_interval(struct tv_interval *out, const struct tv_rating_result *r,
                                const struct tv_bootstrap_options *options, struct tv_error *err);

#endif
