/* redis_subscriber: a connection that hears of messages. Its waiting is its own and not that of redis_wait.c,
 * because a line on which nothing comes is no failure here: its thread looks every so often, and asks for a sign of
 * life.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/redis_client.h"
#include "trivet/base/clock.h"
#include "trivet/store/redis_subscriber.h"

/* A connection that is subscribed. Redis takes no command but a few on it, so nothing else uses it. */
struct tv_redis_subscriber {
    struct tv_redis *redis;
    double heard, asked; /* when the line last spoke; when PING was sent and not answered yet, else 0 */
};

/* A line that was quiet for so long is asked for a PONG, which must come within so long. */
enum { QUIET_SECONDS = 5, ANSWER_SECONDS = 3 };

/* One attempt: the caller's thread tries again in its own time. */
enum tv_status tv_redis_subscribe(struct tv_redis_subscriber **out, const char *uri, const char *channel,
                                  struct tv_error *err)
{
    struct tv_redis_subscriber *s = tv_alloc(1, sizeof *s, "a subscriber", err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = tv_redis_open(&s->redis, uri, 1000, 0, err);
    if (status == TV_OK) {
        const struct tv_redis_command c = tv_redis_words("SUBSCRIBE", channel, NULL);
        status = tv_redis_call(s->redis, &c, NULL, err);
    }
    if (status != TV_OK) {
        tv_redis_unsubscribe(s);
        return status;
    }
    s->heard = tv_clock();
    *out = s;
    return TV_OK;
}

/* Takes replies that have arrived already, up to the first message. Any other reply, such as a PONG, which comes as
 * an array here, only proves life. */
static enum tv_status read_arrived(struct tv_redis_subscriber *s, struct tv_buffer *message, int *got,
                                   struct tv_error *err)
{
    void *any = NULL;
    while (!*got && redisGetReplyFromReader(s->redis->context, &any) == REDIS_OK && any != NULL) {
        redisReply *reply = any;
        s->heard = tv_clock();
        s->asked = 0;
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && strcmp(reply->element[0]->str, "message") == 0) {
            tv_buffer_clear(message);
            enum tv_status status = tv_buffer_append(message, reply->element[2]->str, (size_t)reply->element[2]->len, err);
            freeReplyObject(reply);
            *got = status == TV_OK;
            return status;
        }
        freeReplyObject(reply);
    }
    return s->redis->context->err ? tv_redis_take_reply(s->redis, NULL, NULL, err) : TV_OK;
}

/* Asks a quiet line for a PONG, and gives up on one that does not answer. */
static enum tv_status check_quiet_line(struct tv_redis_subscriber *s, struct tv_error *err)
{
    double now = tv_clock();
    if (s->asked != 0)
        return now - s->asked > ANSWER_SECONDS ? tv_redis_unavailable(s->redis, "no answer to PING", err) : TV_OK;
    if (now - s->heard < QUIET_SECONDS)
        return TV_OK;
    int done = 0;
    s->asked = now;
    if (redisAppendCommand(s->redis->context, "PING") != REDIS_OK || redisBufferWrite(s->redis->context, &done) != REDIS_OK)
        return tv_redis_take_reply(s->redis, NULL, NULL, err);
    return TV_OK;
}

/* Messages that hiredis has read already come first: poll() knows nothing of them. */
enum tv_status tv_redis_wait(struct tv_redis_subscriber *s, int timeout_ms, struct tv_buffer *message, int *got,
                             struct tv_error *err)
{
    *got = 0;
    if (s->redis->context == NULL)
        return tv_redis_unavailable(s->redis, "the connection was lost", err);
    enum tv_status status = read_arrived(s, message, got, err);
    if (status != TV_OK || *got)
        return status;
    struct pollfd line = {.fd = s->redis->context->fd, .events = POLLIN};
    if (poll(&line, 1, timeout_ms) > 0) {
        if (redisBufferRead(s->redis->context) != REDIS_OK)
            return tv_redis_take_reply(s->redis, NULL, NULL, err);
        return read_arrived(s, message, got, err);
    }
    return check_quiet_line(s, err);
}

void tv_redis_unsubscribe(struct tv_redis_subscriber *s)
{
    if (s == NULL)
        return;
    tv_redis_close(s->redis);
    free(s);
}
