/* mongo: a MongoDB client. Moves documents made of plain fields; knows no collection of ours.
 *
 * One `struct tv_mongo` is a pool and may be used by many threads. Errors: TV_ERR_UNAVAILABLE when no server can
 * be selected in time or the socket fails, TV_ERR_STORE when the server answered with an error.
 */
#ifndef TRIVET_STORE_MONGO_H
#define TRIVET_STORE_MONGO_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

struct tv_mongo;
struct tv_mongo_doc; /* one document read, owned by its receiver */
struct tv_mongo_bulk;

struct tv_mongo_options {
    const char *name;           /* appname, for the server's log */
    int server_selection_ms;    /* how long to look for a server */
    int socket_ms;              /* how long one answer may take */
    int wait_seconds;           /* at open: try again for that long */
    int max_clients;            /* connections in the pool; 0: the driver's default */
};

/* Opens and pings. The database is the URI's path, or "recsys". With wait_seconds < 0 no ping is made and the
 * server need not answer yet. */
enum tv_status tv_mongo_open(struct tv_mongo **out, const char *uri, const struct tv_mongo_options *options,
                             struct tv_error *err);
void tv_mongo_close(struct tv_mongo *m);
enum tv_status tv_mongo_ping(struct tv_mongo *m, struct tv_error *err);
const char *tv_mongo_database(const struct tv_mongo *m);

/* --- writing ---------------------------------------------------------------------------------------------- */

/* Whatever is written here is acknowledged from MongoDB's journal: after TV_OK a kill of the server does not undo it, so
 * that it can be noted elsewhere as done. */

enum tv_field_type {
    TV_FIELD_NULL,
    TV_FIELD_INT32,
    TV_FIELD_INT64,
    TV_FIELD_DOUBLE,
    TV_FIELD_BOOL,
    TV_FIELD_TEXT,  /* UTF-8 */
    TV_FIELD_BYTES, /* BSON binary, subtype 0 */
    TV_FIELD_PAIRS, /* an array of documents of two fields, an int64 and a double */
    TV_FIELD_JSON   /* an extended-JSON text, stored as what it describes: an object or an array */
};

struct tv_pair {
    int64_t integer;
    double real;
};

struct tv_field {
    const char *name;
    enum tv_field_type type;
    int64_t integer;
    double real;
    const char *text;  /* TEXT and JSON */
    const void *bytes; /* BYTES */
    size_t n_bytes;
    const struct tv_pair *pairs; /* PAIRS */
    size_t n_pairs;
    const char *pair_names[2];   /* of the integer and of the real */
};

/* Inserts many documents, in batches. `add` copies the fields. TV_ERR_INPUT: this document cannot be one (too large, no
 * JSON); others may be added. After any other failure the bulk can only be ended. */
enum tv_status tv_mongo_bulk_begin(struct tv_mongo_bulk **out, struct tv_mongo *m, const char *collection,
                                   struct tv_error *err);
enum tv_status tv_mongo_bulk_add(struct tv_mongo_bulk *bulk, const struct tv_field *fields, size_t n,
                                 struct tv_error *err);
/* Adds a document whose whole text, which a NUL follows, is extended JSON. */
enum tv_status tv_mongo_bulk_add_json(struct tv_mongo_bulk *bulk, const char *json, size_t n, struct tv_error *err);
/* Sends what is left and frees the bulk, whatever it returns. NULL is fine. */
enum tv_status tv_mongo_bulk_end(struct tv_mongo_bulk *bulk, struct tv_error *err);

/* A change of a document, unless that has been done by somebody who knows more: `guard` is an integer field of it that
 * only grows. */
struct tv_mongo_update {
    const char *guard;
    int64_t value;                /* what the guard becomes; a document where it is as high already is left alone */
    const struct tv_field *set;   /* (n_set) beside it */
    size_t n_set;
    const struct tv_field *if_new; /* (n_if_new) and these when there is no such document; NULL: then nothing is done */
    size_t n_if_new;
    const char *const *unset; /* (n_unset) fields that go */
    size_t n_unset;
    int or_equal; /* also a document where the guard is that high is changed: something else in it is wrong */
};
/* Which of n documents the server refused, each for itself, while it took the others: a validator, say. */
struct tv_mongo_refusals {
    char *each; /* (n) lent; becomes 1 for these and 0 for others */
    struct tv_error why; /* of the first; TV_OK: none was */
};
/* n of them, in few messages. *written is how many were changed or are new. With `refusals` (NULL: none) it is no failure that
 * some are refused. */
enum tv_status tv_mongo_update_newer_all(struct tv_mongo *m, const char *collection, const int64_t *ids,
                                         const struct tv_mongo_update *updates, size_t n, int64_t *written,
                                         struct tv_mongo_refusals *refusals, struct tv_error *err);

/* Sets a field of n documents, in few messages: of each document only while its integer field `guard` has the value
 * that is given, so that whoever changed it meanwhile wins. *n_set is how many were set, also after a failure. */
struct tv_mongo_change {
    int64_t id, guard;
    struct tv_field set;
};
enum tv_status tv_mongo_set_where(struct tv_mongo *m, const char *collection, const char *guard,
                                  const struct tv_mongo_change *changes, size_t n, int64_t *n_set, struct tv_error *err);

/* Whole documents, each in the place of one whose integer field `guard` is not above the value that is given, or of none. */
struct tv_mongo_document {
    int64_t id, value;
    const char *json; /* with the same _id, and that value of the guard unless it is 0; TV_ERR_INPUT if it can be none */
};
enum tv_status tv_mongo_replace_all(struct tv_mongo *m, const char *collection, const char *guard,
                                    const struct tv_mongo_document *documents, size_t n, struct tv_error *err);
/* Deletes documents by the same condition; `json` is not looked at. */
enum tv_status tv_mongo_delete_all(struct tv_mongo *m, const char *collection, const char *guard,
                                   const struct tv_mongo_document *documents, size_t n, struct tv_error *err);

/* A text that nobody else gets: an ObjectId in hex. */
enum { TV_MONGO_ID = 25 };
void tv_mongo_new_id(char *out);

enum tv_status tv_mongo_create_index(struct tv_mongo *m, const char *collection, const char *key,
                                     struct tv_error *err);
/* Deletes the documents of n text _ids; those that are not there are fine. */
enum tv_status tv_mongo_delete_texts(struct tv_mongo *m, const char *collection, const char *const *ids, size_t n,
                                     struct tv_error *err);
enum tv_status tv_mongo_drop(struct tv_mongo *m, const char *collection, struct tv_error *err); /* absent: fine */
/* Renames over `to`, which is dropped in the same step. */
enum tv_status tv_mongo_rename(struct tv_mongo *m, const char *from, const char *to, struct tv_error *err);
/* Gives every document that has not yet this text in its field `name` that text there. */
enum tv_status tv_mongo_set_text(struct tv_mongo *m, const char *collection, const char *name, const char *text,
                                 struct tv_error *err);
/* Makes `view` a view on `collection`: creates it, or moves it with collMod. */
enum tv_status tv_mongo_point_view(struct tv_mongo *m, const char *view, const char *collection,
                                   struct tv_error *err);
/* The collection `view` is on, as malloc'ed text, empty if it shows less than all of one; *on is NULL if there is no
 * such view. */
enum tv_status tv_mongo_view_target(struct tv_mongo *m, const char *view, char **on, struct tv_error *err);

/* --- reading ---------------------------------------------------------------------------------------------- */

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
enum tv_status tv_mongo_count(struct tv_mongo *m, const char *collection, int64_t *n, struct tv_error *err);
enum tv_status tv_mongo_exists(struct tv_mongo *m, const char *collection, int *exists, struct tv_error *err);
/* Bytes of a collection's documents, before the server compresses them (what it takes on disk is known only after
 * its next checkpoint). */
enum tv_status tv_mongo_bytes(struct tv_mongo *m, const char *collection, double *bytes, struct tv_error *err);
/* Names of all collections that begin with `prefix`. */
typedef enum tv_status (*tv_mongo_take_name)(void *context, const char *name, struct tv_error *err);
enum tv_status tv_mongo_names(struct tv_mongo *m, const char *prefix, tv_mongo_take_name take, void *context,
                              struct tv_error *err);

/* Fields of a document: 1 and the value if it is there with that type (integers of either width), else 0; NULL has none.
 * Pointers live as long as the document. */
int tv_mongo_doc_has(const struct tv_mongo_doc *doc, const char *name); /* of whatever type */
int tv_mongo_doc_int(const struct tv_mongo_doc *doc, const char *name, int64_t *value);
int tv_mongo_doc_real(const struct tv_mongo_doc *doc, const char *name, double *value); /* integers, too */
int tv_mongo_doc_text(const struct tv_mongo_doc *doc, const char *name, const char **value);
int tv_mongo_doc_bytes(const struct tv_mongo_doc *doc, const char *name, const void **bytes, size_t *n);
/* Element i of an array, where that is a text. */
int tv_mongo_doc_text_at(const struct tv_mongo_doc *doc, const char *name, size_t i, const char **value);
/* An array of documents of an integer and a real, so named: *pairs is malloc'ed (NULL for none). 0 also if any element is
 * something else, or without memory. */
int tv_mongo_doc_pairs(const struct tv_mongo_doc *doc, const char *name, const char *const *pair_names,
                       struct tv_pair **pairs, size_t *n);
/* A field (or, with NULL, the whole document) as relaxed extended JSON, malloc'ed; NULL if it is not there. Bytes
 * that are no UTF-8 become question marks in it; a text by tv_mongo_doc_text is as it is stored. */
char *tv_mongo_doc_json(const struct tv_mongo_doc *doc, const char *name);
/* A document that comes from no server: the extended JSON of an object. TV_ERR_INPUT if it is none. */
enum tv_status tv_mongo_doc_from_json(struct tv_mongo_doc **out, const char *json, struct tv_error *err);
void tv_mongo_doc_free(struct tv_mongo_doc *doc);
/* Of all fields but these n, in whatever order they stand: of a document, and of the one that tv_mongo_bulk_add_json makes of a
 * text (TV_ERR_INPUT: none). Documents that differ have other hashes. Never stored. */
uint64_t tv_mongo_doc_hash(const struct tv_mongo_doc *doc, const char *const *but, size_t n);
enum tv_status tv_mongo_json_hash(uint64_t *hash, const char *json, const char *const *but, size_t n,
                                  struct tv_error *err);

/* Gives back what the client library takes while it is loaded (a file in /dev/shm), for a program about to exec. No
 * other function may be called afterwards. */
void tv_mongo_unload(void);

const char *tv_mongo_library(void); /* "libmongoc 1.23.1" */

#endif
