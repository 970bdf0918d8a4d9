/* bootstrap: how far a mean over users could lie elsewhere if other users had been there.
 *
 * Users are drawn, never rows: the ratings of a user depend on each other (a generous user is generous throughout), and
 * drawing rows one by one would pretend that they do not and give intervals that are too narrow. So RMSE is drawn by
 * user, too, each with all of their squared errors (the cluster bootstrap; Field and Welsh, "Bootstrapping clustered
 * data", 2007).
 *
 * Resample b draws n of the n users with repetition: draw j is floor(x n / 2^64), x output j of splitmix64 started at
 * output b of splitmix64 started at `seed`. The interval is the percentile one (Efron, 1979), without interpolation:
 * of B ordered values the ceil(B (1 - level) / 2)-th and the ceil(B (1 + level) / 2)-th, for 1,000 and 95 % the 25th
 * and the 975th. Each resample is summed by one thread, so threads change no bit.
 */
#ifndef TRIVET_CORE_EVAL_BOOTSTRAP_H
#define TRIVET_CORE_EVAL_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

struct tv_bootstrap_options {
    int resamples; /* B, 1 or more */
    double level;  /* between 0 and 1 */
    uint64_t seed;
    int threads;   /* 0: as OpenMP decides */
};
void tv_bootstrap_defaults(struct tv_bootstrap_options *o); /* 1,000 resamples, 95 %, seed 1 */

struct tv_interval {
    double value;     /* of the users as they are */
    double low, high; /* NaN, as the value, where there is nothing to divide by */
};

/* sum of above / sum of below, each (n) one entry a user; below NULL: ones, so that it is the mean. The mean of the
 * differences of two methods on the same users tells whether one is better: an interval without 0 says so. */
enum tv_status tv_bootstrap_ratio(struct tv_interval *out, const double *above, const double *below, size_t n,
                                  const struct tv_bootstrap_options *options, struct tv_error *err);

/* The interval of a root is the root of the interval: RMSE from (squared errors / rows). */
struct tv_interval tv_interval_root(struct tv_interval i);

#endif
