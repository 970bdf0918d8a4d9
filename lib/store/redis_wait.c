/* redis_wait: every wait for Redis, but for messages (redis_subscriber.c).
 *
 * hiredis either blocks for as long as its one timeout, or not at all, and then leaves the waiting to its caller.
 * So it is told that the socket does not block, while the socket does: for a tenth of a second at a time. Between
 * two of them this file looks whether the time is up or the process has to end. That is what poll() would do, with
 * fewer calls, and what is sent goes out in long pieces, which matters because hiredis moves the rest to the front
 * after each. Connecting cannot be interrupted, so it is kept short; nor can getaddrinfo(), which hiredis calls and
 * /etc/resolv.conf limits.
 */
#include <hiredis/sds.h>
#include <sys/time.h>

#include "lib/store/redis_client.h"
#include "trivet/base/clock.h"
#include "trivet/base/stop.h"
#include "trivet/base/wait.h"

/* How long the socket blocks at a time, and how long connecting may take at most. */
enum { SLICE_MS = 100, CONNECT_MS = 3000 };

static struct timeval timeval_of(int ms)
{
    return (struct timeval){ms / 1000, ms % 1000 * 1000};
}

redisContext *tv_redis_dial(const struct tv_redis *r)
{
    int ms = r->timeout_ms < CONNECT_MS ? r->timeout_ms : CONNECT_MS;
    redisContext *context = redisConnectWithTimeout(r->address.host, r->address.port, timeval_of(ms));
    if (context && !context->err && redisSetTimeout(context, timeval_of(SLICE_MS)) == REDIS_OK)
        context->flags &= ~REDIS_BLOCK;
    return context;
}

/* 1: wait on. Bytes that move in either direction give Redis its whole time again, because a large value may take
 * long. */
static int is_patient(struct tv_redis *r, double *until, int moved)
{
    if (moved)
        *until = tv_clock() + r->timeout_ms / 1000.0;
    r->late = tv_wait_ms(*until) == 0;
    return !r->late;
}

/* 1: everything that hiredis holds is sent. */
static int send_all(struct tv_redis *r)
{
    double until = 0;
    size_t before;
    int sent = 0, moved = 1;
    while (is_patient(r, &until, moved)) {
        before = sdslen(r->context->obuf);
        if (redisBufferWrite(r->context, &sent) != REDIS_OK || sent)
            return sent;
        moved = sdslen(r->context->obuf) != before;
    }
    return 0;
}

/* The reader may hold a whole reply already, from bytes that came with an earlier one; then nothing is read. */
redisReply *tv_redis_next_reply(struct tv_redis *r)
{
    void *reply = NULL;
    double until = 0;
    int moved = 1;
    if (!send_all(r))
        return NULL;
    while (redisGetReplyFromReader(r->context, &reply) == REDIS_OK && reply == NULL && is_patient(r, &until, moved)) {
        size_t before = r->context->reader->len;
        if (redisBufferRead(r->context) != REDIS_OK)
            return NULL;
        moved = r->context->reader->len != before;
    }
    return reply;
}
