/* trial: settings judged on ratings that are kept apart from learning.
 *
 * The ratings are read and divided once (struct tv_trial_data), and never change afterwards: any number of trials may
 * run against them, one after the other or at a time, in threads or in forked processes, and because all see the same
 * division, their numbers can be compared. Nothing is written anywhere.
 */
#ifndef TRIVET_TRAIN_JUDGE_TRIAL_H
#define TRIVET_TRAIN_JUDGE_TRIAL_H

#include <stdint.h>

#include "train/judge/verdict.h"
#include "train/learn/learn.h"
#include "train/source/reading.h"
#include "trivet/cli/options.h"
#include "trivet/core/eval/baselines.h"
#include "trivet/core/eval/holdout.h"
#include "trivet/core/eval/split.h"
#include "trivet/core/evidence.h"
#include "trivet/core/ratings.h"
#include "trivet/model/filter.h"

/* The rows of a command's option table that say what is kept apart. */
extern const struct tv_option tv_trial_options[];

struct tv_trial_data {
    struct tv_evidence training;            /* may be learned from; users are folded in from it */
    struct tv_matrix training_matrix;       /* the same pairs as a matrix: the catalogue, and what users have seen */
    struct tv_holdout holdout[TV_PORTIONS]; /* of TV_TEST, and of TV_VALIDATION where one was asked for */
    struct tv_split_options split;
    const char *train_file, *test_file; /* lent: a published split; NULL: `split` says it all */
    float relevant;                     /* a rating kept apart counts as a hit from here on; -INFINITY: every one */
    char fingerprint[24];               /* of the ratings and how they are divided */
    const struct tv_filter *filter;     /* lent: its conditions on rows chose the ratings; NULL: SQL of one's own did */
};

/* Opens what the options need of Postgres: a snapshot of the ratings, with their times or without, or nothing for a
 * published split. r->settings is set. */
enum tv_status tv_trial_open(struct tv_reading *r, struct tv_error *err);

/* Reads and divides all ratings that meet the filter's conditions on rows. `r` has been opened (tv_trial_open); it
 * keeps its filter, and must outlive the data if a trial has a filter. Says what was kept apart at log level info.
 * TV_ERR_USAGE for settings whose rows would hold ratings that are kept apart; TV_ERR_INPUT for a published split
 * with a pair in both files. On failure *out is empty. */
enum tv_status tv_trial_prepare(struct tv_trial_data *out, struct tv_reading *r, struct tv_error *err);
/* The same of ratings that `r` has read, without a word: they stay as they are. Every rating kept apart is relevant. */
enum tv_status tv_trial_divide(struct tv_trial_data *out, const struct tv_evidence *all,
                               const struct tv_split_options *options, const struct tv_reading *r,
                               struct tv_error *err);
void tv_trial_data_free(struct tv_trial_data *d); /* also makes it empty */

struct tv_trial {
    struct tv_learn_settings learn; /* .threads also judges, .quiet also keeps from telling what it does */
    /* lent: its cuts are applied to the training portion; NULL: that is learned from whole */
    const struct tv_filter *filter;
    double fraction; /* of the training portion to learn and fold in from; 0: all of it */
    int64_t rows, users, items; /* learned from: written by the trial, as learn.factors is */
    int factors;                /* that its model has; as the next, written by the trial */
    double seconds;             /* of learning, wall clock */
};

/* Learns from the training portion what the trial says and judges it on `portion`. Lists leave out what the user has
 * rated in all of the training portion, so that every fraction answers the same question. TV_ERR_USAGE where the
 * trial's filter differs from that of the data in more than its cuts, or there is no such portion; TV_ERR_INPUT where
 * nothing is left to learn from. */
enum tv_status tv_trial_run(struct tv_verdict *out, struct tv_trial *trial, const struct tv_trial_data *d,
                            enum tv_portion portion, struct tv_error *err);

/* A baseline, learned from the same fraction; `how` says threads and quiet. */
enum tv_status tv_trial_baseline(struct tv_verdict *out, enum tv_baseline_kind kind, double fraction,
                                 const struct tv_learn_settings *how, const struct tv_trial_data *d,
                                 enum tv_portion portion, struct tv_error *err);

#endif
