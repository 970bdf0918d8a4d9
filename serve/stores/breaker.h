/* breaker: whether a store answers, kept by a thread of its own (Nygard, "Release It!", 2007: a circuit breaker).
 *
 * A thread asks the store every so often, and waits for the answer so that no request has to. Requests look at one
 * flag. While the breaker is open they do not touch the store at all: a store that hangs costs the first few
 * requests their timeout, and none after them anything. A request that runs into the failure itself opens the
 * breaker at once; only an answer to the thread's own question closes it.
 */
#ifndef TRIVET_SERVE_STORES_BREAKER_H
#define TRIVET_SERVE_STORES_BREAKER_H

#include "trivet/base/status.h"

struct tv_breaker;

typedef enum tv_status (*tv_ask)(void *context, struct tv_error *err);

/* Starts asking, every interval_ms after the last answer. The store counts as down until it first answers;
 * the first question is asked before this returns. `name` ("MongoDB") appears in the log, and must live on.
 */
enum tv_status tv_breaker_start(struct tv_breaker **out, const char *name, tv_ask ask, void *context,
                                int interval_ms, struct tv_error *err);
void tv_breaker_stop(struct tv_breaker *b); /* waits for the question that is out; NULL is fine */

int tv_breaker_is_up(const struct tv_breaker *b);
/* A request saw the store fail. */
void tv_breaker_trip(struct tv_breaker *b, const struct tv_error *why);

/* A breaker at one moment. */
struct tv_breaker_state {
    int up;
    double seconds;     /* since it became so */
    char message[1024]; /* the last failure while down, "" while up */
};
void tv_breaker_look(struct tv_breaker *b, struct tv_breaker_state *state);

#endif
