/* redis_subscriber: a connection to Redis that hears of messages; used by one background thread. */
#ifndef TRIVET_STORE_REDIS_SUBSCRIBER_H
#define TRIVET_STORE_REDIS_SUBSCRIBER_H

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"

struct tv_redis_subscriber;
/* Connects, with one attempt, and subscribes to the channel. The subscriber is the caller's to unsubscribe; NULL is
 * fine there. */
enum tv_status tv_redis_subscribe(struct tv_redis_subscriber **out, const char *uri, const char *channel,
                                  struct tv_error *err);
/* Waits up to timeout_ms for a message: TV_OK and *got = 1 with the text in `message`, TV_OK and *got = 0 when the
 * time is up, an error when the connection is lost (then close it and subscribe anew; keys may have changed
 * meanwhile, so read them). Sends PING on a quiet line, so that a dead peer is noticed. */
enum tv_status tv_redis_wait(struct tv_redis_subscriber *s, int timeout_ms, struct tv_buffer *message, int *got,
                             struct tv_error *err);
void tv_redis_unsubscribe(struct tv_redis_subscriber *s);

#endif
