/* workers: a few threads that may wait for stores, and a queue of bounded length in front of them.
 *
 * A thread takes what has gathered while it was busy, up to a limit, as one batch: under load one question to
 * a store then serves many requests.
 */
#ifndef TRIVET_SERVE_STORES_WORKERS_H
#define TRIVET_SERVE_STORES_WORKERS_H

#include <stddef.h>

#include "trivet/base/status.h"

enum { TV_MAX_BATCH = 64 };

/* One piece of work. It is the first member of a larger struct, which the batch function casts it back to. */
struct tv_work {
    struct tv_work *next;
};

typedef void (*tv_run_batch)(void *context, struct tv_work *const *batch, size_t n);

struct tv_workers;
enum tv_status tv_workers_start(struct tv_workers **out, int threads, size_t max_waiting, size_t max_batch,
                                tv_run_batch run, void *context, struct tv_error *err);
/* 1, and the work will be run once; or 0: too many are waiting already. The work stays the caller's, and must live
 * until it was run. */
int tv_workers_give(struct tv_workers *workers, struct tv_work *work);
/* Lets the calling thread work only where the cores have nothing better to do: loading a model takes a tenth
 * of a second, which requests would otherwise wait for. */
void tv_thread_behind_requests(void);
/* Does what is still waiting, then ends the threads; NULL is fine. */
void tv_workers_stop(struct tv_workers *workers);

#endif
