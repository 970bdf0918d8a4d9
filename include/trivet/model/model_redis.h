/* model_redis: a model's item side in Redis, and the switch. */
#ifndef TRIVET_MODEL_MODEL_REDIS_H
#define TRIVET_MODEL_MODEL_REDIS_H

#include <stdint.h>

#include "trivet/model/model.h"
#include "trivet/store/mongo.h"
#include "trivet/store/redis.h"

#define TV_LIVE_KEY "trivet:live"

/* The live model's run number; TV_ERR_NOT_FOUND when none is live yet. */
enum tv_status tv_model_live(struct tv_redis *redis, int64_t *run_number, struct tv_error *err);
/* Writes the item side under N; nothing is visible yet. */
enum tv_status tv_model_write_redis(struct tv_redis *redis, const struct tv_model *m, struct tv_error *err);
/* Loads the item side of N from Redis and checks it: every part there, shapes agree, ids ascend, checksum equal.
 * TV_ERR_NOT_FOUND: no such model; TV_ERR_CORRUPT: incomplete or wrong. */
enum tv_status tv_model_read_redis(struct tv_model **out, struct tv_redis *redis, int64_t run_number,
                                   struct tv_error *err);
/* The same in two steps: all but the arrays, which are zero until the second has read and checked them. */
enum tv_status tv_model_read_head(struct tv_model **out, struct tv_redis *redis, int64_t run_number, struct tv_error *err);
enum tv_status tv_model_read_arrays(struct tv_model *m, struct tv_redis *redis, struct tv_error *err);
/* 1 in *agrees if the key item_factors, the whole (k, n) array for notebooks, is that of the model, or the model has
 * none. */
enum tv_status tv_model_alias_agrees(struct tv_redis *redis, const struct tv_model *m, int *agrees,
                                     struct tv_error *err);
/* The switch: MULTI; SET trivet:live N; SET item_factors (UNLINK, for a model of several parts); PUBLISH trivet:live N;
 * EXEC. From here on servers show this model. */
enum tv_status tv_model_switch(struct tv_redis *redis, const struct tv_model *m, struct tv_error *err);
/* Deletes every key of N; none is fine. */
enum tv_status tv_model_drop_redis(struct tv_redis *redis, int64_t run_number, struct tv_error *err);
/* Bytes that the keys of N take, as MEMORY USAGE has it. */
enum tv_status tv_model_redis_bytes(struct tv_redis *redis, int64_t run_number, double *bytes, struct tv_error *err);

/* 1 in *there if Redis has model N, whole or not. */
enum tv_status tv_model_is_there(struct tv_redis *redis, int64_t run_number, int *there, struct tv_error *err);

/* What is told of a model without reading its arrays; TV_ERR_NOT_FOUND as above. */
struct tv_model_brief {
    int64_t dataset; /* 0: not known */
    char score_kind[16];
};
enum tv_status tv_model_read_brief(struct tv_model_brief *out, struct tv_redis *redis, int64_t run_number,
                                   struct tv_error *err);
/* Tells a model whose keys are there which data set it is of. */
enum tv_status tv_model_say_dataset_redis(struct tv_redis *redis, int64_t run_number, int64_t dataset,
                                          struct tv_error *err);

/* 1 in *whole if Redis has the checksum that MongoDB has, and all keys of N: without reading the arrays. */
enum tv_status tv_model_redis_looks_whole(struct tv_redis *redis, struct tv_mongo *mongo, int64_t run_number,
                                          int *whole, struct tv_error *err);

#endif
