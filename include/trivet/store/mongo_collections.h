/* mongo_collections: collections and views of MongoDB as wholes: made, moved, counted, listed. */
#ifndef TRIVET_STORE_MONGO_COLLECTIONS_H
#define TRIVET_STORE_MONGO_COLLECTIONS_H

#include <stdint.h>

#include "trivet/store/mongo.h"

/* An ascending index on one field; it may be there already, and the collection need not be. */
enum tv_status tv_mongo_create_index(struct tv_mongo *m, const char *collection, const char *key,
                                     struct tv_error *err);
enum tv_status tv_mongo_drop(struct tv_mongo *m, const char *collection, struct tv_error *err); /* absent: fine */
/* Renames over `to`, which is dropped in the same step. */
enum tv_status tv_mongo_rename(struct tv_mongo *m, const char *from, const char *to, struct tv_error *err);
/* Puts the documents of `from` into `to`, which may be there: one with the _id of another replaces it, or with `keep`
 * is left out. `from` stays; done twice, it changes nothing more. */
enum tv_status tv_mongo_merge(struct tv_mongo *m, const char *from, const char *to, int keep, struct tv_error *err);
/* Documents that a collection leaves to the next one. */
struct tv_mongo_goers {
    const int64_t *ids; /* (n) their _id; as many as a command has room for, some 100,000 */
    size_t n;
    const char *mark; /* the field that says since when they go along: it becomes `newest` where there is none yet, */
    int64_t newest, oldest; /* and where it is below `oldest` the document goes no further */
};
/* Puts those into `to`, unless it has them. */
enum tv_status tv_mongo_merge_goers(struct tv_mongo *m, const char *from, const char *to, const struct tv_mongo_goers *goers,
                                    struct tv_error *err);
/* Takes a field out of all documents. */
enum tv_status tv_mongo_unset(struct tv_mongo *m, const char *collection, const char *name, struct tv_error *err);
/* Makes `view` a view on `collection`: creates it, or moves it with collMod. */
enum tv_status tv_mongo_point_view(struct tv_mongo *m, const char *view, const char *collection,
                                   struct tv_error *err);
/* The collection `view` is on, as malloc'ed text; empty for a view with a pipeline, which shows something else than
 * one collection. *on is NULL if there is no such view. */
enum tv_status tv_mongo_view_target(struct tv_mongo *m, const char *view, char **on, struct tv_error *err);

/* The number of documents, counted and not estimated. */
enum tv_status tv_mongo_count(struct tv_mongo *m, const char *collection, int64_t *n, struct tv_error *err);
/* 1 in *exists for a collection or a view of that name. */
enum tv_status tv_mongo_exists(struct tv_mongo *m, const char *collection, int *exists, struct tv_error *err);
/* Bytes of a collection's documents, before the server compresses them (what it takes on disk is known only after
 * its next checkpoint). */
enum tv_status tv_mongo_bytes(struct tv_mongo *m, const char *collection, double *bytes, struct tv_error *err);
/* The names of all collections and views that begin with `prefix`. */
typedef enum tv_status (*tv_mongo_take_name)(void *context, const char *name, struct tv_error *err);
enum tv_status tv_mongo_names(struct tv_mongo *m, const char *prefix, tv_mongo_take_name take, void *context,
                              struct tv_error *err);

#endif
