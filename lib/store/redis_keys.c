/* redis_keys: gets, sets and finds single keys. Each call waits for its reply; for many at once see tv_redis_queue. */
#include "trivet/store/redis_keys.h"

#include <stdio.h>
#include <string.h>

#include "lib/store/redis_client.h"
#include "trivet/base/text.h"

enum tv_status tv_redis_get(struct tv_redis *r, const char *key, struct tv_buffer *value, struct tv_error *err)
{
    const struct tv_redis_command c = tv_redis_words("GET", key, NULL);
    return tv_redis_run(r, &c, value, err);
}

/* The value has a length of its own, because it may hold any byte. */
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
    if (status == TV_OK && !tv_text_int64(tv_buffer_string(&text), text.size, value)) {
        tv_fail(err, TV_ERR_CORRUPT, "Redis key %s holds \"%.40s\", not a number", key, tv_buffer_string(&text));
        status = tv_from(err, TV_FROM_REDIS);
    }
    tv_buffer_free(&text);
    return status;
}

/* UNLINK and not DEL: large values are freed behind the scenes, and no other client waits for that. */
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

/* A page of SCAN: the cursor of the next page, and keys. */
static enum tv_status take_page(const redisReply *page, tv_redis_take_key take, void *context, char *cursor,
                                struct tv_error *err)
{
    if (page->type != REDIS_REPLY_ARRAY || page->elements != 2) {
        tv_fail(err, TV_ERR_STORE, "Redis answered SCAN with something else than two elements");
        return tv_from(err, TV_FROM_REDIS);
    }
    snprintf(cursor, 32, "%s", page->element[0]->str);
    enum tv_status status = TV_OK;
    for (size_t i = 0; i < page->element[1]->elements && status == TV_OK; i++)
        status = take(context, page->element[1]->element[i]->str, err);
    return status;
}

/* SCAN and not KEYS, which would hold up the server for as long as it looks. COUNT is about how many keys it looks
 * at before it answers. */
enum tv_status tv_redis_keys(struct tv_redis *r, const char *pattern, tv_redis_take_key take, void *context,
                             struct tv_error *err)
{
    char cursor[32] = "0";
    enum tv_status status;
    do {
        const struct tv_redis_command c = tv_redis_words("SCAN", cursor, "MATCH", pattern, "COUNT", "1000", NULL);
        redisReply *page = NULL;
        status = tv_redis_call(r, &c, &page, err);
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
    enum tv_status status = tv_redis_call(r, &c, &reply, err);
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
