/* model: one model's item side in memory, and its life in the stores.
 *
 * A model has a number N, the id of its row in trivet.run. It is written under N while nobody looks, checked by
 * reading it back, then shown by one switch in Redis (trivet:live). docs/design.md tells the whole life;
 * docs/formats.md has the keys and bytes.
 */
#ifndef TRIVET_MODEL_MODEL_H
#define TRIVET_MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/fold_in.h"
#include "trivet/store/mongo.h"
#include "trivet/store/redis.h"

struct tv_model {
    int64_t number;         /* N */
    char algorithm[16];     /* "svd", "als" or "als-implicit" */
    char score_kind[16];    /* what a score is: "relevance", or "rating" on the scale of the ratings */
    int factors;            /* k, the columns of a row; biases are two of them */
    int32_t n_items;
    int64_t n_users;        /* documents in user_<N> */
    int64_t n_learned;      /* of them learned from */
    int64_t *item_ids;      /* (n_items) raw ids, ascending */
    uint16_t *item_factors; /* (n_items, factors) row-major float16 */
    double *sigma;          /* (factors) singular values; NULL when the algorithm has none */
    double sigma_power;     /* svd: a, the exponent of sigma on the item side */
    double lambda, alpha;   /* als: what users are folded in with (fold_in.h) */
    int biases;             /* als: the last two columns of a row are biases */
    double created_at;      /* seconds since 1970 */
    char *description;      /* JSON object: parameters, filter, counts, data, examples (docs/formats.md); owned */
    uint64_t checksum;      /* over item_ids, item_factors and sigma */
};

/* The factors without the columns of biases: what --factors asked for. */
int tv_model_rank(const struct tv_model *m);
void tv_model_free(struct tv_model *m); /* frees *m itself, too; NULL is fine */
uint64_t tv_model_checksum(const struct tv_model *m);
/* Ids ascend, factors are finite, and the checksum is that of the arrays. TV_ERR_CORRUPT otherwise. */
enum tv_status tv_model_check(const struct tv_model *m, struct tv_error *err);
enum tv_status tv_model_fold_in(struct tv_fold_in *out, const struct tv_model *m, struct tv_error *err);

/* "user_12", "parts_12" (of users' documents), "model_12"; `out` holds TV_MODEL_NAME bytes. */
enum { TV_MODEL_NAME = 48 };
char *tv_model_users(char *out, int64_t number);
char *tv_model_user_parts(char *out, int64_t number);
char *tv_model_parts(char *out, int64_t number);

/* --- Redis -------------------------------------------------------------------------------------------------- */

#define TV_LIVE_KEY "trivet:live"

/* The live model's number; TV_ERR_NOT_FOUND when none is live yet. */
enum tv_status tv_model_live(struct tv_redis *redis, int64_t *number, struct tv_error *err);
/* Writes the item side under N; nothing is visible yet. */
enum tv_status tv_model_write_redis(struct tv_redis *redis, const struct tv_model *m, struct tv_error *err);
/* Loads the item side of N from Redis and checks it: every part there, shapes agree, ids ascend, checksum equal.
 * TV_ERR_NOT_FOUND: no such model; TV_ERR_CORRUPT: incomplete or wrong. */
enum tv_status tv_model_read_redis(struct tv_model **out, struct tv_redis *redis, int64_t number,
                                   struct tv_error *err);
/* 1 if the model fits one part, so that the switch also writes item_factors, the whole (k, n) array for notebooks. */
int tv_model_has_alias(const struct tv_model *m);
/* 1 in *agrees if item_factors is that array, or the model has none. */
enum tv_status tv_model_alias_agrees(struct tv_redis *redis, const struct tv_model *m, int *agrees,
                                     struct tv_error *err);
/* The switch: MULTI; SET trivet:live N; SET item_factors; PUBLISH trivet:live N; EXEC. */
enum tv_status tv_model_switch(struct tv_redis *redis, const struct tv_model *m, struct tv_error *err);
enum tv_status tv_model_drop_redis(struct tv_redis *redis, int64_t number, struct tv_error *err);
enum tv_status tv_model_redis_bytes(struct tv_redis *redis, int64_t number, double *bytes, struct tv_error *err);

/* --- MongoDB ------------------------------------------------------------------------------------------------ */

enum tv_status tv_model_write_mongo(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err);
enum tv_status tv_model_read_mongo(struct tv_model **out, struct tv_mongo *mongo, int64_t number,
                                   struct tv_error *err);
/* Writes model_<N> anew, in one step for whoever reads it. */
enum tv_status tv_model_rewrite_mongo(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err);
/* *n counts the documents of model_<N> that no trivet wrote. */
enum tv_status tv_model_strangers(struct tv_mongo *mongo, int64_t number, int64_t *n, struct tv_error *err);
/* 1 in *whole if Redis has the checksum that MongoDB has, and all keys of N: without reading the arrays. */
enum tv_status tv_model_redis_looks_whole(struct tv_redis *redis, struct tv_mongo *mongo, int64_t number, int *whole,
                                          struct tv_error *err);
/* A model from the document `description` of model_<N>, wherever that lay meanwhile: all but the arrays, for which there
 * is room; sigma is NULL. *out may be set after a failure, too, and is the caller's. */
enum tv_status tv_model_from_description(struct tv_model **out, int64_t number, const struct tv_mongo_doc *doc,
                                         struct tv_error *err);
/* The description alone, malloc'ed JSON; TV_ERR_NOT_FOUND when model_<N> is not there (pruned, or never whole). */
enum tv_status tv_model_description(char **json, struct tv_mongo *mongo, int64_t number, struct tv_error *err);
/* All complete models in MongoDB, ascending: *numbers is malloc'ed. */
enum tv_status tv_model_list(int64_t **numbers, size_t *n, struct tv_mongo *mongo, struct tv_error *err);

#endif
