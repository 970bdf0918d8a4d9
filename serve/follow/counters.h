/* counters: what the server counts for monitoring, which any thread may add to without a lock, and its text for
 * Prometheus. */
#ifndef TRIVET_SERVE_FOLLOW_COUNTERS_H
#define TRIVET_SERVE_FOLLOW_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/model/last_run.h"

struct tv_follower;
struct tv_models;
struct tv_out;
struct tv_counters;

/* `routes` are the patterns requests are counted by, `n` of them, and must live on. The time the server is up begins
 * here. */
enum tv_status tv_counters_create(struct tv_counters **out, const char *const *routes, size_t n, struct tv_error *err);
void tv_counters_free(struct tv_counters *counters);
/* One request was answered: on which route (tv_route_index), with which status, and after how long. */
void tv_counters_request(struct tv_counters *counters, size_t route, int status, double seconds);
/* Bytes that the live model takes in the stores, as found out last; negative: not known. */
void tv_counters_bytes(struct tv_counters *counters, double mongo, double redis);
/* The outcome of the last training, as found out last. */
void tv_counters_last_run(struct tv_counters *counters, const struct tv_last_run *last);
/* Everything, in the text format version 0.0.4: what was counted here, and what `models` and `follower` (NULL is fine)
 * say of themselves just now. */
void tv_counters_write(struct tv_counters *counters, struct tv_models *models, struct tv_follower *follower,
                       struct tv_out *out);

#endif
