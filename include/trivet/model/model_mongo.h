/* model_mongo: a model's item side in MongoDB's model_<N>, from which Redis can be filled again. */
#ifndef TRIVET_MODEL_MODEL_MONGO_H
#define TRIVET_MODEL_MODEL_MONGO_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/model/model.h"
#include "trivet/store/mongo.h"
#include "trivet/store/redis.h"

enum tv_status tv_model_write_mongo(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err);
enum tv_status tv_model_read_mongo(struct tv_model **out, struct tv_mongo *mongo, int64_t run_number,
                                   struct tv_error *err);
/* Writes model_<N> anew; a reader finds the old one or the new one, never half of either. */
enum tv_status tv_model_rewrite_mongo(struct tv_mongo *mongo, const struct tv_model *m, struct tv_error *err);
/* Tells a model whose description is there which data set it is of. */
enum tv_status tv_model_say_dataset_mongo(struct tv_mongo *mongo, int64_t run_number, int64_t dataset,
                                          struct tv_error *err);
/* *n counts the documents of model_<N> that no trivet wrote. */
enum tv_status tv_model_strangers(struct tv_mongo *mongo, int64_t run_number, int64_t *n, struct tv_error *err);
/* A model from the document `description` of model_<N>, wherever that lay meanwhile: all but the arrays, for which there
 * is room; sigma is NULL. *out may be set after a failure, too, and is the caller's. */
enum tv_status tv_model_from_description(struct tv_model **out, int64_t run_number, const struct tv_mongo_doc *doc,
                                         struct tv_error *err);
/* The description alone, malloc'ed JSON; TV_ERR_NOT_FOUND when model_<N> is not there (pruned, or never whole). */
enum tv_status tv_model_description(char **json, struct tv_mongo *mongo, int64_t run_number, struct tv_error *err);
/* The run numbers of all complete models in MongoDB, ascending: *numbers is malloc'ed. */
enum tv_status tv_model_run_numbers(int64_t **numbers, size_t *n, struct tv_mongo *mongo, struct tv_error *err);

#endif
