/* redis_client: what the redis*.c files share. Nobody else includes it: it names hiredis. */
#ifndef TRIVET_STORE_REDIS_CLIENT_H
#define TRIVET_STORE_REDIS_CLIENT_H

#include <hiredis/hiredis.h>

#include "trivet/store/redis.h"

/* One connection, by the address that brings it back when it was lost. */
struct tv_redis {
    struct tv_redis_address address;
    int timeout_ms;
    redisContext *context; /* NULL between connections */
    size_t queued;         /* commands without a reply yet */
    int late;              /* no reply came in time */
};

/* --- redis_wait.c: the only file that waits ---------------------------------------------------------------- */

/* Connects, without a word to Redis yet; NULL without memory, and a context with `err` set where it fails. */
redisContext *tv_redis_dial(const struct tv_redis *r);

/* Sends what was appended, and takes the next reply; NULL: the connection is lost, or r->late. */
redisReply *tv_redis_next_reply(struct tv_redis *r);

/* --- redis.c ----------------------------------------------------------------------------------------------- */

/* Turns a reply (or none) into a status; the reply is freed unless it is handed over. */
enum tv_status tv_redis_take_reply(struct tv_redis *r, redisReply *reply, redisReply **out, struct tv_error *err);
enum tv_status tv_redis_unavailable(const struct tv_redis *r, const char *why, struct tv_error *err);
/* Runs one command and hands its reply over. */
enum tv_status tv_redis_call(struct tv_redis *r, const struct tv_redis_command *command, redisReply **reply,
                             struct tv_error *err);

#endif
