/* build: a whole index of similar items into Redis, and the switch to it (similar.h). */
#ifndef TRIVET_SIMILAR_BUILD_H
#define TRIVET_SIMILAR_BUILD_H

#include "trivet/core/sets/minhash_sets.h"
#include "trivet/similar/similar.h"
#include "trivet/store/redis.h"

/* Called with how many of the index's pages are written; an error ends the build. */
typedef enum tv_status (*tv_similar_written)(void *context, int64_t pages, int64_t of, struct tv_error *err);

/* What an index is called, and the data set that it is made of. */
struct tv_similar_name {
    int64_t version, dataset;
};
/* Writes all of an index, which nobody sees yet. `sets` are finished. */
enum tv_status tv_similar_write(struct tv_redis *redis, const struct tv_similar_name *name,
                                const struct tv_minhash_sets *sets, tv_similar_written written, void *context,
                                struct tv_error *err);
/* Makes the index the live one: MULTI; SET trivet:similar:live; PUBLISH; EXEC. 0: none is. */
enum tv_status tv_similar_switch(struct tv_redis *redis, int64_t version, struct tv_error *err);
/* The version of the live index, or 0. */
enum tv_status tv_similar_live(struct tv_redis *redis, int64_t *version, struct tv_error *err);
/* Deletes the keys of every index but those n to keep. */
enum tv_status tv_similar_drop_others(struct tv_redis *redis, const int64_t *keep, size_t n, struct tv_error *err);
/* *bytes: the memory that the keys of an index take in Redis, as MEMORY USAGE has it; *keys: how many there are. */
enum tv_status tv_similar_bytes(struct tv_redis *redis, int64_t version, double *bytes, int64_t *keys,
                                struct tv_error *err);

#endif
