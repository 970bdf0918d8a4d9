/* redis: one Redis connection, over hiredis 0.14: its commands, its errors. redis_wait.c does all the waiting. */
#include "trivet/store/redis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/redis_client.h"
#include "trivet/base/log.h"
#include "trivet/base/stop.h"
#include "trivet/base/wait.h"

/* --- the connection --------------------------------------------------------------------------------------- */

/* The error for everything that is no reply; `why` is hiredis's word, or ours. */
enum tv_status tv_redis_unavailable(const struct tv_redis *r, const char *why, struct tv_error *err)
{
    tv_fail(err, TV_ERR_UNAVAILABLE, "Redis does not answer");
    tv_from(err, TV_FROM_REDIS);
    tv_where(err, "%s:%d, database %d: %s", r->address.host, r->address.port, r->address.db, why);
    return tv_hint(err, "is it running, and is --redis (TRIVET_REDIS) right?");
}

/* Redis's words go into `where`, because they may name another server (MOVED). A server that is still loading its
 * data counts as one that does not answer yet, so that openers wait for it. */
static enum tv_status refused(const char *said, struct tv_error *err)
{
    int loading = strncmp(said, "LOADING", 7) == 0;
    tv_fail(err, loading ? TV_ERR_UNAVAILABLE : TV_ERR_STORE,
            loading ? "Redis is still loading its data" : "Redis refuses what it was asked");
    tv_from(err, TV_FROM_REDIS);
    return tv_where(err, "%s", said);
}

/* Commands that wait for a reply are forgotten with the connection on which it would have come. */
static void disconnect(struct tv_redis *r)
{
    if (r->context)
        redisFree(r->context);
    r->context = NULL;
    r->queued = 0;
    r->late = 0;
}

enum tv_status tv_redis_take_reply(struct tv_redis *r, redisReply *reply, redisReply **out, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (reply == NULL) {
        char why[160];
        snprintf(why, sizeof why, "%s",
                 r->late                               ? "no reply in time"
                 : r->context && r->context->errstr[0] ? r->context->errstr
                                                       : "no reply");
        disconnect(r); /* a reply that is late would be taken for the next one's */
        return tv_redis_unavailable(r, why, err);
    }
    if (reply->type == REDIS_REPLY_ERROR)
        status = refused(reply->str, err);
    if (status == TV_OK && out)
        *out = reply;
    else
        freeReplyObject(reply);
    return status;
}

/* One command on a connection that is only being made, and so not by tv_redis_call, which would make it. */
static enum tv_status say(struct tv_redis *r, struct tv_redis_command c, struct tv_error *err)
{
    if (redisAppendCommandArgv(r->context, c.n, (const char **)c.words, c.sizes) != REDIS_OK)
        return tv_redis_take_reply(r, NULL, NULL, err);
    return tv_redis_take_reply(r, tv_redis_next_reply(r), NULL, err);
}

/* A server that does not know the command repeats its arguments, some of them cut, so that no mask finds the
 * password there. So only the first word of such an answer, the error's name, is passed on. */
static enum tv_status log_in(struct tv_redis *r, struct tv_error *err)
{
    const struct tv_redis_address *a = &r->address;
    enum tv_status status = say(r,
                                a->user[0] ? tv_redis_words("AUTH", a->user, a->password, NULL)
                                           : tv_redis_words("AUTH", a->password, NULL),
                                err);
    if (status != TV_ERR_STORE || err == NULL)
        return status;
    char why[32];
    snprintf(why, sizeof why, "%.*s", (int)strcspn(err->where, " "), err->where);
    tv_fail(err, TV_ERR_STORE, "Redis refuses the login");
    tv_from(err, TV_FROM_REDIS);
    tv_where(err, "%s:%d: %s", a->host, a->port, why);
    return tv_hint(err, "are user and password in --redis (TRIVET_REDIS) right, and does this server ask for them?");
}

/* PING comes last, because it shows whether the server lets this login work at all. */
static enum tv_status say_hello(struct tv_redis *r, struct tv_error *err)
{
    const struct tv_redis_address *a = &r->address;
    char db[24];
    enum tv_status status = a->password[0] ? log_in(r, err) : TV_OK;
    snprintf(db, sizeof db, "%d", a->db);
    if (status == TV_OK && a->db != 0)
        status = say(r, tv_redis_words("SELECT", db, NULL), err);
    return status == TV_OK ? say(r, tv_redis_words("PING", NULL), err) : status;
}

/* Called before every command: a connection that was lost comes back with the next one. A process that has to end
 * opens none. */
static enum tv_status connect_now(struct tv_redis *r, struct tv_error *err)
{
    if (r->context)
        return TV_OK;
    if (tv_stop_due())
        return tv_redis_unavailable(r, "this program has to end", err);
    r->context = tv_redis_dial(r);
    if (r->context == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a Redis connection");
    if (r->context->err)
        return tv_redis_take_reply(r, NULL, NULL, err);
    enum tv_status status = say_hello(r, err);
    if (status != TV_OK)
        disconnect(r);
    return status;
}

static enum tv_status connect_within(struct tv_redis *r, int wait_seconds, struct tv_error *err)
{
    char where[sizeof r->address.host + 16];
    enum tv_status status;
    snprintf(where, sizeof where, "%s:%d", r->address.host, r->address.port);
    struct tv_wait wait = tv_wait_for("Redis", where, wait_seconds);
    do
        status = connect_now(r, err);
    while (status == TV_ERR_UNAVAILABLE && tv_wait_more(&wait));
    return status;
}

enum tv_status tv_redis_open(struct tv_redis **out, const char *uri, int timeout_ms, int wait_seconds,
                             struct tv_error *err)
{
    struct tv_redis *r = tv_alloc(1, sizeof *r, "a Redis connection", err);
    if (r == NULL)
        return TV_ERR_NO_MEMORY;
    r->timeout_ms = timeout_ms;
    enum tv_status status = tv_redis_parse(&r->address, uri, err);
    if (status == TV_OK && wait_seconds >= 0)
        status = connect_within(r, wait_seconds, err);
    if (status != TV_OK) {
        tv_redis_close(r);
        return status;
    }
    *out = r;
    return TV_OK;
}

void tv_redis_close(struct tv_redis *r)
{
    if (r == NULL)
        return;
    disconnect(r);
    free(r);
}

void tv_redis_set_timeout(struct tv_redis *r, int timeout_ms)
{
    r->timeout_ms = timeout_ms;
}

/* --- commands --------------------------------------------------------------------------------------------- */

/* Words beyond the eight of the struct would be lost; no command here has so many. */
struct tv_redis_command tv_redis_words(const char *first, ...)
{
    struct tv_redis_command c = {.n = 0};
    va_list args;
    va_start(args, first);
    for (const char *word = first; word && c.n < 8; word = va_arg(args, const char *)) {
        c.words[c.n] = word;
        c.sizes[c.n++] = strlen(word);
    }
    va_end(args);
    return c;
}

/* Values are not logged: they may be large, and hold any byte. */
static void debug_command(const struct tv_redis_command *c)
{
    tv_log_debug("redis: %s %s", c->words[0], c->n > 1 ? c->words[1] : "");
}

/* The reply is the caller's to free with freeReplyObject. */
enum tv_status tv_redis_call(struct tv_redis *r, const struct tv_redis_command *c, redisReply **reply,
                             struct tv_error *err)
{
    enum tv_status status = connect_now(r, err);
    if (status != TV_OK)
        return status;
    debug_command(c);
    if (redisAppendCommandArgv(r->context, c->n, (const char **)c->words, c->sizes) != REDIS_OK)
        return tv_redis_take_reply(r, NULL, NULL, err);
    return tv_redis_take_reply(r, tv_redis_next_reply(r), reply, err);
}

/* Nothing is taken of an array: functions that expect one use tv_redis_call. */
enum tv_status tv_redis_run(struct tv_redis *r, const struct tv_redis_command *command, struct tv_buffer *out,
                            struct tv_error *err)
{
    redisReply *reply = NULL;
    enum tv_status status = tv_redis_call(r, command, &reply, err);
    if (status != TV_OK)
        return status;
    if (reply->type == REDIS_REPLY_NIL)
        status = TV_ERR_NOT_FOUND;
    else if (out && reply->type == REDIS_REPLY_INTEGER)
        status = tv_buffer_format(out, err, "%lld", reply->integer);
    else if (out && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS))
        status = tv_buffer_append(out, reply->str, (size_t)reply->len, err);
    freeReplyObject(reply);
    return status;
}

/* A command that Redis refuses when it is queued makes it refuse EXEC, too. A command that fails within EXEC, on a
 * key of another type, undoes none of the others: Redis rolls nothing back, and the error is told. */
enum tv_status tv_redis_transaction(struct tv_redis *r, const struct tv_redis_command *commands, size_t n,
                                    struct tv_error *err)
{
    const struct tv_redis_command multi = tv_redis_words("MULTI", NULL), exec = tv_redis_words("EXEC", NULL);
    enum tv_status status = tv_redis_call(r, &multi, NULL, err);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = tv_redis_call(r, &commands[i], NULL, err);
    if (status != TV_OK) {
        disconnect(r); /* an open MULTI dies with its connection */
        return status;
    }
    redisReply *reply = NULL;
    status = tv_redis_call(r, &exec, &reply, err);
    if (status != TV_OK)
        return status;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && status == TV_OK; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            status = refused(reply->element[i]->str, err);
    if (status == TV_OK && reply->type != REDIS_REPLY_ARRAY) {
        tv_fail(err, TV_ERR_STORE, "Redis did not run the transaction");
        status = tv_from(err, TV_FROM_REDIS);
    }
    freeReplyObject(reply);
    return status;
}

/* --- many commands at once -------------------------------------------------------------------------------- */

/* The command waits in hiredis's memory until tv_redis_flush sends it with the others. */
enum tv_status tv_redis_queue(struct tv_redis *r, size_t n, const char *const *words, const size_t *sizes,
                              struct tv_error *err)
{
    enum tv_status status = connect_now(r, err);
    if (status != TV_OK)
        return status;
    if (redisAppendCommandArgv(r->context, (int)n, (const char **)words, sizes) != REDIS_OK)
        return tv_redis_take_reply(r, NULL, NULL, err);
    r->queued++;
    return TV_OK;
}

enum tv_status tv_redis_queue_command(struct tv_redis *r, const struct tv_redis_command *c, struct tv_error *err)
{
    debug_command(c);
    return tv_redis_queue(r, (size_t)c->n, c->words, c->sizes, err);
}

/* An array inside an array is not taken apart: it counts as nil. */
static enum tv_status take_element(const redisReply *reply, size_t i, size_t element, tv_redis_take take, void *context,
                                   struct tv_error *err)
{
    char number[24];
    if (reply->type == REDIS_REPLY_ERROR)
        return refused(reply->str, err);
    if (take == NULL)
        return TV_OK;
    if (reply->type == REDIS_REPLY_INTEGER)
        return take(context, i, element, number, (size_t)snprintf(number, sizeof number, "%lld", reply->integer), err);
    int text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
    return take(context, i, element, text ? reply->str : NULL, text ? (size_t)reply->len : 0, err);
}

/* An empty array has no element to take, so `take` is not called for it. */
static enum tv_status take_whole(const redisReply *reply, size_t i, tv_redis_take take, void *context,
                                 struct tv_error *err)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return take_element(reply, i, 0, take, context, err);
    enum tv_status status = TV_OK;
    for (size_t element = 0; element < reply->elements && status == TV_OK; element++)
        status = take_element(reply->element[element], i, element, take, context, err);
    return status;
}

/* After a failure of `take` the other replies are read all the same, or the next command would get them. Without a
 * connection there is nothing to read. */
enum tv_status tv_redis_flush(struct tv_redis *r, tv_redis_take take, void *context, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    size_t n = r->queued;
    if (r->context == NULL)
        return tv_redis_unavailable(r, "the connection was lost", err);
    for (size_t i = 0; i < n; i++, r->queued--) {
        redisReply *reply = tv_redis_next_reply(r);
        if (reply == NULL)
            return tv_redis_take_reply(r, NULL, NULL, status == TV_OK ? err : NULL);
        if (status == TV_OK)
            status = take_whole(reply, i, take, context, err);
        freeReplyObject(reply);
    }
    return status;
}

enum tv_status tv_redis_ping(struct tv_redis *r, struct tv_error *err)
{
    const struct tv_redis_command c = tv_redis_words("PING", NULL);
    return tv_redis_run(r, &c, NULL, err);
}

const char *tv_redis_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "hiredis %d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    return text;
}
