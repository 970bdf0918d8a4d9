/* plan: how many trials at a time, and with how many threads each: as many as there are threads and memory for.
 * Trials beside one another keep all cores busier than one trial on all of them, whose threads wait for each other
 * between steps. */
#ifndef TRIVET_TRAIN_SEARCH_PLAN_H
#define TRIVET_TRAIN_SEARCH_PLAN_H

#include <stddef.h>

#include "train/judge/trial.h"

/* The plan, and the two numbers that it was made from, for the message. */
struct tv_search_plan {
    int parallel, threads; /* trials, and of each one */
    double trial_bytes;    /* of the largest trial, at most */
    double bytes;          /* what all may take together */
};

/* Bytes that a trial with these settings takes at most beside the data: as if its filter kept everything. */
double tv_search_trial_memory(const struct tv_learn_settings *learn, const struct tv_csr *training);

/* For `open` trials of at most `trial_bytes` with `threads` threads and `bytes` in all; `parallel` is what was asked
 * for, 0: as many as fit. TV_ERR_NO_MEMORY where not even one fits, TV_ERR_USAGE where so many do not. */
enum tv_status tv_search_plan(struct tv_search_plan *out, size_t open, int parallel, int threads, double trial_bytes,
                              double bytes, struct tv_error *err);

#endif
