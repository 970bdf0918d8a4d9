/* mongo_read: documents out of MongoDB. */
#ifndef TRIVET_STORE_MONGO_READ_H
#define TRIVET_STORE_MONGO_READ_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/store/mongo.h"

/* TV_ERR_NOT_FOUND without a message when there is none: an ordinary answer. */
enum tv_status tv_mongo_find_int(struct tv_mongo *m, const char *collection, const char *key, int64_t value,
                                 struct tv_mongo_doc **out, struct tv_error *err);
enum tv_status tv_mongo_find_text(struct tv_mongo *m, const char *collection, const char *key, const char *value,
                                  struct tv_mongo_doc **out, struct tv_error *err);
/* Calls `take` for every document, ordered by _id; the document is only lent. */
typedef enum tv_status (*tv_mongo_take)(void *context, const struct tv_mongo_doc *doc, struct tv_error *err);
enum tv_status tv_mongo_each(struct tv_mongo *m, const char *collection, tv_mongo_take take, void *context,
                             struct tv_error *err);
/* The same for the documents whose `key` is one of n integers, in any order. */
enum tv_status tv_mongo_each_int(struct tv_mongo *m, const char *collection, const char *key, const int64_t *values,
                                 size_t n, tv_mongo_take take, void *context, struct tv_error *err);
/* Of each of them its _id and one field alone. */
enum tv_status tv_mongo_each_field(struct tv_mongo *m, const char *collection, const char *field, const int64_t *ids,
                                   size_t n, tv_mongo_take take, void *context, struct tv_error *err);
/* Of the documents whose `key` is one of n integers, or with NULL of all, everything but one field. */
enum tv_status tv_mongo_each_without(struct tv_mongo *m, const char *collection, const char *key, const int64_t *values,
                                     size_t n, const char *field, tv_mongo_take take, void *context,
                                     struct tv_error *err);

#endif
