/* mongo: a MongoDB client. Moves documents made of plain fields; knows no collection of ours.
 *
 * One `struct tv_mongo` is several connections and may be used by many threads. Errors: TV_ERR_UNAVAILABLE when no server can
 * be selected in time or the socket fails, TV_ERR_STORE when the server answered with an error,
 * TV_ERR_BUSY where it was that what was being read has been dropped meanwhile.
 */
#ifndef TRIVET_STORE_MONGO_H
#define TRIVET_STORE_MONGO_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

struct tv_mongo;
struct tv_mongo_doc; /* one document read: the caller's own, or lent for one call (tv_mongo_take) */
struct tv_mongo_bulk;

/* How a program wants to be connected. Lent to tv_mongo_open, which keeps the name alone. */
struct tv_mongo_options {
    const char *name;           /* appname, for the server's log; a literal */
    int server_selection_ms;    /* how long to look for a server */
    int socket_ms;              /* how long one answer may take */
    int wait_seconds;           /* at open: try again for that long */
    int max_clients;            /* connections in the pool; 0: the driver's default */
    int watched;                /* threads watch the server: for a program that goes on where it is away. Closing takes half a second */
};

/* Opens and pings. The database is the URI's path, or "recsys". With wait_seconds < 0 no ping is made and the
 * server need not answer yet. TV_ERR_USAGE, without a word of the address, for one that cannot be read. */
enum tv_status tv_mongo_open(struct tv_mongo **out, const char *uri, const struct tv_mongo_options *options,
                             struct tv_error *err);
/* After the last call of any thread. NULL is fine. */
void tv_mongo_close(struct tv_mongo *m);
enum tv_status tv_mongo_ping(struct tv_mongo *m, struct tv_error *err);
const char *tv_mongo_database(const struct tv_mongo *m);

enum tv_mongo_field_type {
    TV_MONGO_FIELD_NULL,
    TV_MONGO_FIELD_INT32,
    TV_MONGO_FIELD_INT64,
    TV_MONGO_FIELD_DOUBLE,
    TV_MONGO_FIELD_BOOL,
    TV_MONGO_FIELD_TEXT,  /* UTF-8 */
    TV_MONGO_FIELD_BYTES, /* BSON binary, subtype 0 */
    TV_MONGO_FIELD_PAIRS, /* an array of documents of two fields, an int64 and a double */
    TV_MONGO_FIELD_JSON   /* an extended-JSON text, stored as what it describes: an object or an array */
};

/* An element of TV_MONGO_FIELD_PAIRS: an item and its score, say. */
struct tv_pair {
    int64_t integer;
    double real;
};

/* A field of a document that is to be written. All is lent; which members count depends on the type. */
struct tv_mongo_field {
    const char *name;
    enum tv_mongo_field_type type;
    int64_t integer;
    double real;
    const char *text;  /* TEXT and JSON */
    const void *bytes; /* BYTES */
    size_t n_bytes;
    const struct tv_pair *pairs; /* PAIRS */
    size_t n_pairs;
    const char *pair_names[2]; /* of the integer and of the real */
};

/* Gives back what the client library takes while it is loaded (a file in /dev/shm), for a program about to exec. No
 * other function may be called afterwards. */
void tv_mongo_unload(void);

const char *tv_mongo_library(void); /* "libmongoc 1.23.1" */

#endif
