/* mongo_client: what the files of the MongoDB client share, and nobody else sees. */
#ifndef TRIVET_STORE_MONGO_CLIENT_H
#define TRIVET_STORE_MONGO_CLIENT_H

#include <mongoc/mongoc.h>
#include <pthread.h>

#include "trivet/store/mongo.h"

/* Connections to one database; threads share it. The first four members are for mongo.c alone. */
struct tv_mongo {
    int always_pool;            /* there is one from the beginning, and nothing is locked */
    pthread_mutex_t mutex;       /* over the next two; nothing that waits is done under it */
    mongoc_client_pool_t *pool; /* NULL as long as lone clients do */
    struct tv_mongo_lone *lone;
    const char *name;
    char database[64];
    mongoc_uri_t *uri; /* parsed; kept because its secrets are masked in what the driver says */
    char where[512];   /* hosts, database and user, as the driver reads them */
};

/* A document that was read: its own copy, or a view of the driver's memory that is lent to a `take`. */
struct tv_mongo_doc {
    bson_t bson;
};

/* Zeroed memory for a struct that holds a bson_t, which wants to lie on a boundary of 128 bytes. */
TV_MUST_USE void *tv_mongo_alloc(size_t size, const char *what, struct tv_error *err);

/* A document of the caller's own. */
TV_MUST_USE struct tv_mongo_doc *tv_mongo_copy_doc(const bson_t *bson, struct tv_error *err);

/* A client for the length of one call. Of a pool that has a most, it waits until one is given back. */
mongoc_client_t *tv_mongo_borrow(struct tv_mongo *m);
void tv_mongo_give_back(struct tv_mongo *m, mongoc_client_t *client);

/* The driver's error as ours. */
enum tv_status tv_mongo_translate(const struct tv_mongo *m, const bson_error_t *e, struct tv_error *err);

enum { TV_MONGO_LARGEST = 16 << 20 }; /* bytes of a document */
enum tv_status tv_mongo_too_large(const bson_t *doc, struct tv_error *err); /* TV_ERR_INPUT, with a message */
/* A text of n bytes, which a NUL follows, as a document: bson_destroy. TV_ERR_INPUT if it is no JSON. */
enum tv_status tv_mongo_read_json(bson_t **out, const char *json, size_t n, struct tv_error *err);

/* Runs a command on our database (or another); `reply` may be NULL. */
enum tv_status tv_mongo_command(struct tv_mongo *m, const char *database, const bson_t *words, bson_t *reply,
                                struct tv_error *err);
/* The same for a command that changes something: acknowledged from the journal, as every write is. */
enum tv_status tv_mongo_write_command(struct tv_mongo *m, const char *database, const bson_t *words,
                                      struct tv_error *err);
/* A number in a command's reply, 0 if it is not there. */
double tv_mongo_reply_number(const bson_t *reply, const char *name);

/* {key: {$in: [values]}}, as a part of `filter`. */
void tv_mongo_append_in(bson_t *filter, const char *key, const int64_t *values, size_t n);

#endif
