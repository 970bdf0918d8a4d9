/* trial: settings judged on ratings that are kept apart from learning.
 *
 * The ratings are read and divided once (struct trial_data), and never change afterwards: any number of trials may run
 * against them, one after the other or at a time, in threads or in forked processes, and because all see the same
 * division, their numbers can be compared. Nothing is written anywhere.
 */
#ifndef TRAIN_TRIAL_H
#define TRAIN_TRIAL_H

#include <stdint.h>

#include "train/fit.h"
#include "train/learn.h"
#include "train/verdict.h"
#include "trivet/baselines.h"
#include "trivet/evidence.h"
#include "trivet/filter.h"
#include "trivet/holdout.h"
#include "trivet/options.h"
#include "trivet/ratings.h"
#include "trivet/split.h"

/* The rows of a command's option table that say what is kept apart. */
extern const struct tv_option trial_options[];

struct trial_data {
    struct tv_evidence training; /* may be learned from; users are folded in from it */
    struct tv_dense dense;       /* the same pairs as a matrix: the catalogue, and what users have seen */
    struct tv_holdout holdout[TV_PARTS]; /* of TV_TEST, and of TV_VALIDATION where one was asked for */
    struct tv_split_options split;
    const struct tv_filter *filter; /* lent: its conditions on rows chose the ratings; NULL: SQL of one's own did */
};

/* Reads and divides all ratings that meet the filter's conditions on rows. `f` has been opened (fit_open_reading); it
 * keeps its filter, and must outlive the data if a trial has a filter. Says what was kept apart at log level info.
 * TV_ERR_USAGE for settings whose rows would hold ratings that are kept apart. On failure *out is empty. */
enum tv_status trial_prepare(struct trial_data *out, struct fit *f, const struct tv_settings *settings,
                             struct tv_error *err);
void trial_data_free(struct trial_data *d); /* also makes it empty */

struct trial {
    struct learn_settings learn;    /* .threads also judges, .quiet also keeps from telling what it does */
    const struct tv_filter *filter; /* lent: its cuts are applied to the training part; NULL: all of that is learned from */
    int64_t rows, users, items;     /* learned from: written by the trial, as learn.factors is */
    double seconds;                 /* of learning, wall clock */
};

/* Learns from the training part what the trial says and judges it on `part`. TV_ERR_USAGE where the trial's filter
 * differs from that of the data in more than its cuts, TV_ERR_INPUT where nothing is left to learn from. */
enum tv_status trial_run(struct verdict *out, struct trial *trial, const struct trial_data *d, enum tv_part part,
                         struct tv_error *err);

/* A baseline, learned from the whole training part. */
enum tv_status trial_baseline(struct verdict *out, enum tv_baseline_kind kind, int threads, const struct trial_data *d,
                              enum tv_part part, struct tv_error *err);

#endif
