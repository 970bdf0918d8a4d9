/* redis_keys: the commands of Redis for single keys. */
#ifndef TRIVET_STORE_REDIS_KEYS_H
#define TRIVET_STORE_REDIS_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"
#include "trivet/store/redis.h"

/* A value is appended to the buffer. TV_ERR_NOT_FOUND without a message where the key is not there. */
enum tv_status tv_redis_get(struct tv_redis *r, const char *key, struct tv_buffer *value, struct tv_error *err);
enum tv_status tv_redis_set(struct tv_redis *r, const char *key, const void *value, size_t n, struct tv_error *err);
/* The integer in a key; TV_ERR_NOT_FOUND if it is not there, TV_ERR_CORRUPT if it is no integer. */
enum tv_status tv_redis_get_int(struct tv_redis *r, const char *key, int64_t *value, struct tv_error *err);
/* A key that is not there is fine. */
enum tv_status tv_redis_delete(struct tv_redis *r, const char *key, struct tv_error *err);
/* A hash field; TV_ERR_NOT_FOUND if it is not there. */
enum tv_status tv_redis_hget(struct tv_redis *r, const char *key, const char *field, struct tv_buffer *value,
                             struct tv_error *err);
/* Calls `take` for each key that matches a glob pattern (SCAN; a key may be shown twice). */
typedef enum tv_status (*tv_redis_take_key)(void *context, const char *key, struct tv_error *err);
enum tv_status tv_redis_keys(struct tv_redis *r, const char *pattern, tv_redis_take_key take, void *context,
                             struct tv_error *err);
/* CONFIG GET name; TV_ERR_NOT_FOUND where the server does not tell. */
enum tv_status tv_redis_config(struct tv_redis *r, const char *name, struct tv_buffer *value, struct tv_error *err);

#endif
