/* load: a resident model from the stores: the item side from Redis, the catalogue from MongoDB, at the same time. */
#ifndef TRIVET_SERVE_MODEL_LOAD_H
#define TRIVET_SERVE_MODEL_LOAD_H

#include <stdint.h>

#include "serve/model/resident.h"
#include "trivet/base/status.h"
#include "trivet/store/mongo.h"
#include "trivet/store/redis.h"

/* Reads model `run_number`, and makes it resident with one reference. `held` is a copy of the same model, or NULL; its item side
 * is shared where Redis still has the same. `mongo` is a pool, which a second thread uses meanwhile.
 * TV_ERR_NOT_FOUND: there is no such model; TV_ERR_CORRUPT: it is incomplete, or cannot be served. */
enum tv_status tv_resident_load(struct tv_resident **out, struct tv_redis *redis, struct tv_mongo *mongo, int64_t run_number,
                                const struct tv_resident *held, struct tv_error *err);

/* A catalogue without a model (number 0), for answers about items that need none. */
enum tv_status tv_resident_load_catalogue(struct tv_resident **out, struct tv_mongo *mongo, int64_t dataset,
                                          struct tv_error *err);

#endif
