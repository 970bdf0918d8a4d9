/* mongo_client: what the files of the MongoDB client share, and nobody else sees. */
#ifndef TRIVET_STORE_MONGO_CLIENT_H
#define TRIVET_STORE_MONGO_CLIENT_H

#include <mongoc/mongoc.h>
#include <stdatomic.h>

#include "trivet/store/mongo.h"

/* A pool of connections to one database; threads share it. Where it was opened briefly there is no pool, but one client, and
 * more while that one is lent. */
struct tv_mongo {
    mongoc_client_pool_t *pool;
    mongoc_client_t *only;
    atomic_int only_is_lent;
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

/* A client of the pool for the length of one call. */
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

#endif
