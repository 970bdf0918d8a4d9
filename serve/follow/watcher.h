/* watcher: a thread that notices new models.
 *
 * It listens on the channel trivet:live, and once a second compares the key of the same name with what is
 * shown, so a notice that was lost costs a second at most. It also finds out what became of the
 * last training, and now and then how much the stores use.
 */
#ifndef TRIVET_SERVE_FOLLOW_WATCHER_H
#define TRIVET_SERVE_FOLLOW_WATCHER_H

#include "serve/follow/counters.h"
#include "serve/stores/models.h"
#include "trivet/base/status.h"

struct tv_watcher;

/* Lent: `models`, whose shelf it changes, and `counters`, which it tells. */
enum tv_status tv_watcher_start(struct tv_watcher **out, struct tv_models *models, struct tv_counters *counters,
                                const char *redis_uri, struct tv_error *err);
void tv_watcher_stop(struct tv_watcher *w); /* within half a second, or when a load is done; NULL is fine */

#endif
