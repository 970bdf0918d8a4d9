/* mongo_read: documents out of MongoDB. */
#ifndef TRIVET_STORE_MONGO_READ_H
#define TRIVET_STORE_MONGO_READ_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/store/mongo.h"

/* The first document whose `key` has the value, as a copy: *out is the caller's to free. TV_ERR_NOT_FOUND without a
 * message when there is none: an ordinary answer. */
enum tv_status tv_mongo_find_int(struct tv_mongo *m, const char *collection, const char *key, int64_t value,
                                 struct tv_mongo_doc **out, struct tv_error *err);
enum tv_status tv_mongo_find_text(struct tv_mongo *m, const char *collection, const char *key, const char *value,
                                  struct tv_mongo_doc **out, struct tv_error *err);
/* Calls `take` for every document, ordered by _id; the document is only lent. A failure of `take` ends it, and is
 * returned. */
typedef enum tv_status (*tv_mongo_take)(void *context, const struct tv_mongo_doc *doc, struct tv_error *err);
enum tv_status tv_mongo_each(struct tv_mongo *m, const char *collection, tv_mongo_take take, void *context,
                             struct tv_error *err);
/* A choice of documents of a collection, and of their fields. */
struct tv_mongo_selection {
    const char *collection;
    const char *key;       /* those whose `key` is one of n integers; NULL: all */
    const int64_t *values; /* (n) */
    size_t n;
    const char *only;    /* of each its _id and this field; NULL: the whole document */
    const char *without; /* of each everything but this field; NULL: nothing is left out */
};
/* The same for some of the documents, in any order. */
enum tv_status tv_mongo_each_of(struct tv_mongo *m, const struct tv_mongo_selection *wanted, tv_mongo_take take,
                                void *context, struct tv_error *err);

#endif
