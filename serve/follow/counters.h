/* counters: counters that threads bump without locks, and their text for Prometheus. */
#ifndef TRIVET_SERVE_FOLLOW_COUNTERS_H
#define TRIVET_SERVE_FOLLOW_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/model/last_run.h"

struct tv_follower;
struct tv_models;
struct tv_out;
struct tv_metrics;

/* `routes` are the patterns requests are counted by, `n` of them, and must live on. The time the server is up begins
 * here. */
enum tv_status tv_metrics_create(struct tv_metrics **out, const char *const *routes, size_t n,
                                 struct tv_error *err);
void tv_metrics_free(struct tv_metrics *metrics);
/* One request was answered. */
void tv_metrics_request(struct tv_metrics *metrics, size_t route, int status, double seconds);
/* Bytes that the live model takes in the stores, as found out last; negative: not known. */
void tv_metrics_bytes(struct tv_metrics *metrics, double mongo, double redis);
/* The outcome of the last training, as found out last. */
void tv_metrics_last_run(struct tv_metrics *metrics, const struct tv_last_run *last);
/* Everything, in the text format version 0.0.4: what was counted here, and what `models` and `follower` (NULL is fine)
 * say of themselves just now. */
void tv_metrics_write(struct tv_metrics *metrics, struct tv_models *models, struct tv_follower *follower,
                      struct tv_out *out);

#endif
