/* redis: one Redis connection, and a subscriber, over hiredis 0.14. */
#include "trivet/redis.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "trivet/clock.h"
#include "trivet/log.h"
#include "trivet/text.h"

struct tv_redis {
    struct tv_redis_address address;
    int timeout_ms;
    redisContext *context; /* NULL between connections */
    size_t queued;         /* commands without a reply yet */
};

/* --- the address ------------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Copies n bytes with %XX undone; 0 if it does not fit or an escape is wrong. */
static int copy_unescaped(char *out, size_t size, const char *text, size_t n)
{
    size_t o = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < n ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < n ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return 0;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (o + 1 >= size)
            return 0;
        out[o++] = c;
    }
    out[o] = '\0';
    return 1;
}

static enum tv_status bad_uri(const char *uri, const char *why, struct tv_error *err)
{
    char shown[256];
    tv_log_hide_password(shown, sizeof shown, uri);
    tv_fail(err, TV_ERR_USAGE, "the Redis address \"%s\" %s", shown, why);
    return tv_hint(err, "it looks like redis://127.0.0.1:6379/0");
}

/* [user:password@] or [:password@]; returns what follows it, NULL if it is malformed. */
static const char *parse_login(struct tv_redis_address *out, const char *p)
{
    size_t n = strcspn(p, "/?");
    const char *at = memrchr(p, '@', n);
    if (at == NULL)
        return p;
    const char *colon = memchr(p, ':', (size_t)(at - p));
    const char *user_end = colon ? colon : at;
    if (!copy_unescaped(out->user, sizeof out->user, p, (size_t)(user_end - p)))
        return NULL;
    if (colon && !copy_unescaped(out->password, sizeof out->password, colon + 1, (size_t)(at - colon - 1)))
        return NULL;
    return at + 1;
}

/* host, [v6], optional :port, optional /db */
static const char *parse_place(struct tv_redis_address *out, const char *p)
{
    int64_t number;
    size_t n = p[0] == '[' ? strcspn(p, "]") : strcspn(p, ":/");
    size_t skip = p[0] == '[';
    if (n <= skip || !copy_unescaped(out->host, sizeof out->host, p + skip, n - skip))
        return "names no host";
    p += n + (p[n] == ']');
    if (*p == ':') {
        size_t digits = strcspn(++p, "/");
        if (!tv_text_int64(p, digits, &number) || number < 1 || number > 65535)
            return "has a port that is no number from 1 to 65535";
        out->port = (int)number;
        p += digits;
    }
    if (*p == '/' && p[1]) {
        if (!tv_text_int64(p + 1, strlen(p + 1), &number) || number < 0 || number > 1000000)
            return "ends in a database that is no number";
        out->db = (int)number;
    } else if (*p && *p != '/') {
        return "has something behind the host that is neither a port nor a database";
    }
    return NULL;
}

enum tv_status tv_redis_parse(struct tv_redis_address *out, const char *uri, struct tv_error *err)
{
    *out = (struct tv_redis_address){.port = 6379};
    if (strncmp(uri, "rediss://", 9) == 0) {
        tv_fail(err, TV_ERR_USAGE, "rediss:// (Redis over TLS) is not supported");
        return tv_hint(err, "let a TLS tunnel such as stunnel listen on this machine and name it as redis://");
    }
    if (strncmp(uri, "redis://", 8) != 0)
        return bad_uri(uri, "does not begin with redis://", err);
    const char *place = parse_login(out, uri + 8);
    if (place == NULL)
        return bad_uri(uri, "has a user or password that is too long or wrongly escaped", err);
    const char *why = parse_place(out, place);
    return why ? bad_uri(uri, why, err) : TV_OK;
}

/* --- the connection --------------------------------------------------------------------------------------- */

static enum tv_status unavailable(const struct tv_redis *r, const char *why, struct tv_error *err)
{
    tv_fail(err, TV_ERR_UNAVAILABLE, "Redis at %s:%d does not answer: %s", r->address.host, r->address.port, why);
    return tv_hint(err, "is it running, and is --redis (TRIVET_REDIS) right?");
}

static void disconnect(struct tv_redis *r)
{
    if (r->context)
        redisFree(r->context);
    r->context = NULL;
    r->queued = 0;
}

/* Turns a reply (or none) into a status; the reply is freed unless it is handed over. */
static enum tv_status take_reply(struct tv_redis *r, redisReply *reply, redisReply **out, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    if (reply == NULL) {
        char why[160];
        snprintf(why, sizeof why, "%s", r->context && r->context->errstr[0] ? r->context->errstr : "no reply");
        disconnect(r); /* after a timeout hiredis' context is dead */
        return unavailable(r, why, err);
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        int loading = strncmp(reply->str, "LOADING", 7) == 0;
        status = tv_fail(err, loading ? TV_ERR_UNAVAILABLE : TV_ERR_STORE, "Redis: %s", reply->str);
    }
    if (status == TV_OK && out)
        *out = reply;
    else
        freeReplyObject(reply);
    return status;
}

static enum tv_status say_hello(struct tv_redis *r, struct tv_error *err)
{
    const struct tv_redis_address *a = &r->address;
    enum tv_status status = TV_OK;
    if (a->password[0] && a->user[0])
        status = take_reply(r, redisCommand(r->context, "AUTH %s %s", a->user, a->password), NULL, err);
    else if (a->password[0])
        status = take_reply(r, redisCommand(r->context, "AUTH %s", a->password), NULL, err);
    if (status == TV_OK && a->db != 0)
        status = take_reply(r, redisCommand(r->context, "SELECT %d", a->db), NULL, err);
    if (status == TV_OK)
        status = take_reply(r, redisCommand(r->context, "PING"), NULL, err);
    return status;
}

static enum tv_status connect_now(struct tv_redis *r, struct tv_error *err)
{
    if (r->context)
        return TV_OK;
    struct timeval timeout = {r->timeout_ms / 1000, r->timeout_ms % 1000 * 1000};
    r->context = redisConnectWithTimeout(r->address.host, r->address.port, timeout);
    if (r->context == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a Redis connection");
    if (r->context->err)
        return take_reply(r, NULL, NULL, err);
    redisSetTimeout(r->context, timeout);
    enum tv_status status = say_hello(r, err);
    if (status != TV_OK)
        disconnect(r);
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
    double until = tv_clock() + wait_seconds;
    for (int attempt = 0; status == TV_OK && wait_seconds >= 0; attempt++) {
        status = connect_now(r, err);
        if (status != TV_ERR_UNAVAILABLE || tv_clock() >= until)
            break;
        if (attempt == 0)
            tv_log_info("waiting for Redis at %s:%d", r->address.host, r->address.port);
        usleep(300000);
        status = TV_OK;
    }
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

/* --- commands --------------------------------------------------------------------------------------------- */

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

static void debug_command(const struct tv_redis_command *c)
{
    tv_log_debug("redis: %s %s", c->words[0], c->n > 1 ? c->words[1] : "");
}

static enum tv_status call(struct tv_redis *r, const struct tv_redis_command *c, redisReply **reply,
                           struct tv_error *err)
{
    enum tv_status status = connect_now(r, err);
    if (status != TV_OK)
        return status;
    debug_command(c);
    return take_reply(r, redisCommandArgv(r->context, c->n, (const char **)c->words, c->sizes), reply, err);
}

enum tv_status tv_redis_run(struct tv_redis *r, const struct tv_redis_command *command, struct tv_buffer *out,
                            struct tv_error *err)
{
    redisReply *reply = NULL;
    enum tv_status status = call(r, command, &reply, err);
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

enum tv_status tv_redis_transaction(struct tv_redis *r, const struct tv_redis_command *commands, size_t n,
                                    struct tv_error *err)
{
    const struct tv_redis_command multi = tv_redis_words("MULTI", NULL), exec = tv_redis_words("EXEC", NULL);
    enum tv_status status = call(r, &multi, NULL, err);
    for (size_t i = 0; i < n && status == TV_OK; i++)
        status = call(r, &commands[i], NULL, err);
    if (status != TV_OK) {
        disconnect(r); /* an open MULTI dies with its connection */
        return status;
    }
    redisReply *reply = NULL;
    status = call(r, &exec, &reply, err);
    if (status != TV_OK)
        return status;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && status == TV_OK; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            status = tv_fail(err, TV_ERR_STORE, "Redis: %s", reply->element[i]->str);
    if (status == TV_OK && reply->type != REDIS_REPLY_ARRAY)
        status = tv_fail(err, TV_ERR_STORE, "Redis did not run the transaction");
    freeReplyObject(reply);
    return status;
}

/* --- many commands at once -------------------------------------------------------------------------------- */

enum tv_status tv_redis_queue(struct tv_redis *r, size_t n, const char *const *words, const size_t *sizes,
                              struct tv_error *err)
{
    enum tv_status status = connect_now(r, err);
    if (status != TV_OK)
        return status;
    if (redisAppendCommandArgv(r->context, (int)n, (const char **)words, sizes) != REDIS_OK)
        return take_reply(r, NULL, NULL, err);
    r->queued++;
    return TV_OK;
}

enum tv_status tv_redis_queue_command(struct tv_redis *r, const struct tv_redis_command *c, struct tv_error *err)
{
    debug_command(c);
    return tv_redis_queue(r, (size_t)c->n, c->words, c->sizes, err);
}

static enum tv_status take_part(const redisReply *reply, size_t i, size_t part, tv_redis_take take, void *context,
                                struct tv_error *err)
{
    char number[24];
    if (reply->type == REDIS_REPLY_ERROR)
        return tv_fail(err, TV_ERR_STORE, "Redis: %s", reply->str);
    if (take == NULL)
        return TV_OK;
    if (reply->type == REDIS_REPLY_INTEGER)
        return take(context, i, part, number, (size_t)snprintf(number, sizeof number, "%lld", reply->integer), err);
    int text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
    return take(context, i, part, text ? reply->str : NULL, text ? (size_t)reply->len : 0, err);
}

static enum tv_status take_whole(const redisReply *reply, size_t i, tv_redis_take take, void *context,
                                 struct tv_error *err)
{
    if (reply->type != REDIS_REPLY_ARRAY)
        return take_part(reply, i, 0, take, context, err);
    enum tv_status status = TV_OK;
    for (size_t part = 0; part < reply->elements && status == TV_OK; part++)
        status = take_part(reply->element[part], i, part, take, context, err);
    return status;
}

enum tv_status tv_redis_flush(struct tv_redis *r, tv_redis_take take, void *context, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    size_t n = r->queued;
    if (r->context == NULL)
        return unavailable(r, "the connection was lost", err);
    for (size_t i = 0; i < n; i++, r->queued--) {
        void *reply = NULL;
        if (redisGetReply(r->context, &reply) != REDIS_OK)
            return take_reply(r, NULL, NULL, status == TV_OK ? err : NULL);
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

enum tv_status tv_redis_get(struct tv_redis *r, const char *key, struct tv_buffer *value, struct tv_error *err)
{
    const struct tv_redis_command c = tv_redis_words("GET", key, NULL);
    return tv_redis_run(r, &c, value, err);
}

enum tv_status tv_redis_set(struct tv_redis *r, const char *key, const void *value, size_t n, struct tv_error *err)
{
    struct tv_redis_command c = tv_redis_words("SET", key, "", NULL);
    c.words[2] = value;
    c.sizes[2] = n;
    return tv_redis_run(r, &c, NULL, err);
}

enum tv_status tv_redis_get_int(struct tv_redis *r, const char *key, int64_t *value, struct tv_error *err)
{
    struct tv_buffer text = TV_BUFFER_INIT(1 << 20);
    enum tv_status status = tv_redis_get(r, key, &text, err);
    if (status == TV_OK && !tv_text_int64(tv_buffer_string(&text), text.size, value))
        status = tv_fail(err, TV_ERR_CORRUPT, "Redis key %s holds \"%.40s\", not a number", key,
                         tv_buffer_string(&text));
    tv_buffer_free(&text);
    return status;
}

enum tv_status tv_redis_delete(struct tv_redis *r, const char *key, struct tv_error *err)
{
    const struct tv_redis_command c = tv_redis_words("UNLINK", key, NULL);
    return tv_redis_run(r, &c, NULL, err);
}

enum tv_status tv_redis_hget(struct tv_redis *r, const char *key, const char *field, struct tv_buffer *value,
                             struct tv_error *err)
{
    const struct tv_redis_command c = tv_redis_words("HGET", key, field, NULL);
    return tv_redis_run(r, &c, value, err);
}

static enum tv_status take_page(const redisReply *page, tv_redis_take_key take, void *context, char *cursor,
                                struct tv_error *err)
{
    if (page->type != REDIS_REPLY_ARRAY || page->elements != 2)
        return tv_fail(err, TV_ERR_STORE, "Redis answered SCAN with something else than two elements");
    snprintf(cursor, 32, "%s", page->element[0]->str);
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < page->element[1]->elements && status == TV_OK; i++)
        status = take(context, page->element[1]->element[i]->str, err);
    return status;
}

enum tv_status tv_redis_keys(struct tv_redis *r, const char *pattern, tv_redis_take_key take, void *context,
                             struct tv_error *err)
{
    char cursor[32] = "0";
    enum tv_status status;
    do {
        const struct tv_redis_command c = tv_redis_words("SCAN", cursor, "MATCH", pattern, "COUNT", "1000", NULL);
        redisReply *page = NULL;
        status = call(r, &c, &page, err);
        if (status == TV_OK)
            status = take_page(page, take, context, cursor, err);
        if (page)
            freeReplyObject(page);
    } while (status == TV_OK && strcmp(cursor, "0") != 0);
    return status;
}

enum tv_status tv_redis_config(struct tv_redis *r, const char *name, struct tv_buffer *value, struct tv_error *err)
{
    const struct tv_redis_command c = tv_redis_words("CONFIG", "GET", name, NULL);
    redisReply *reply = NULL;
    enum tv_status status = call(r, &c, &reply, err);
    if (status == TV_ERR_STORE) /* managed servers forbid CONFIG */
        return TV_ERR_NOT_FOUND;
    if (status != TV_OK)
        return status;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        status = tv_buffer_append(value, reply->element[1]->str, (size_t)reply->element[1]->len, err);
    else
        status = TV_ERR_NOT_FOUND;
    freeReplyObject(reply);
    return status;
}

/* --- the subscriber --------------------------------------------------------------------------------------- */

struct tv_redis_subscriber {
    struct tv_redis *redis;
    double heard, asked; /* when the line last spoke; when PING was sent and not answered yet, else 0 */
};

enum { QUIET_SECONDS = 5, ANSWER_SECONDS = 3 };

enum tv_status tv_redis_subscribe(struct tv_redis_subscriber **out, const char *uri, const char *channel,
                                  struct tv_error *err)
{
    struct tv_redis_subscriber *s = tv_alloc(1, sizeof *s, "a subscriber", err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = tv_redis_open(&s->redis, uri, 1000, 0, err);
    if (status == TV_OK) {
        const struct tv_redis_command c = tv_redis_words("SUBSCRIBE", channel, NULL);
        status = call(s->redis, &c, NULL, err);
    }
    if (status != TV_OK) {
        tv_redis_unsubscribe(s);
        return status;
    }
    s->heard = tv_clock();
    *out = s;
    return TV_OK;
}

/* A reply that has arrived already: a message is copied, a PONG only proves life. */
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
    return s->redis->context->err ? take_reply(s->redis, NULL, NULL, err) : TV_OK;
}

/* Asks a quiet line for a PONG, and gives up on one that does not answer. */
static enum tv_status check_quiet_line(struct tv_redis_subscriber *s, struct tv_error *err)
{
    double now = tv_clock();
    if (s->asked != 0)
        return now - s->asked > ANSWER_SECONDS ? unavailable(s->redis, "no answer to PING", err) : TV_OK;
    if (now - s->heard < QUIET_SECONDS)
        return TV_OK;
    int done = 0;
    s->asked = now;
    if (redisAppendCommand(s->redis->context, "PING") != REDIS_OK || redisBufferWrite(s->redis->context, &done) != REDIS_OK)
        return take_reply(s->redis, NULL, NULL, err);
    return TV_OK;
}

enum tv_status tv_redis_wait(struct tv_redis_subscriber *s, int timeout_ms, struct tv_buffer *message, int *got,
                             struct tv_error *err)
{
    *got = 0;
    if (s->redis->context == NULL)
        return unavailable(s->redis, "the connection was lost", err);
    enum tv_status status = read_arrived(s, message, got, err);
    if (status != TV_OK || *got)
        return status;
    struct pollfd line = {.fd = s->redis->context->fd, .events = POLLIN};
    if (poll(&line, 1, timeout_ms) > 0) {
        if (redisBufferRead(s->redis->context) != REDIS_OK)
            return take_reply(s->redis, NULL, NULL, err);
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

const char *tv_redis_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "hiredis %d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    return text;
}
