/* mongo_write: documents into MongoDB, in batches, and changes of single ones.
 *
 * All that is written here is acknowledged from MongoDB's journal: after TV_OK a kill of the server does not undo it,
 * so that it can be noted elsewhere as done. */
#ifndef TRIVET_STORE_MONGO_WRITE_H
#define TRIVET_STORE_MONGO_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/store/mongo.h"

/* Inserts many documents, in batches. `add` copies the fields. TV_ERR_INPUT: this document cannot be one (too large, no
 * JSON); others may be added. After any other failure the bulk can only be ended. */
enum tv_status tv_mongo_bulk_begin(struct tv_mongo_bulk **out, struct tv_mongo *m, const char *collection,
                                   struct tv_error *err);
enum tv_status tv_mongo_bulk_add(struct tv_mongo_bulk *bulk, const struct tv_mongo_field *fields, size_t n,
                                 struct tv_error *err);
/* Adds a document whose whole text, which a NUL follows, is extended JSON. */
enum tv_status tv_mongo_bulk_add_json(struct tv_mongo_bulk *bulk, const char *json, size_t n, struct tv_error *err);
/* Sends what is left and frees the bulk, whatever it returns. NULL is fine. */
enum tv_status tv_mongo_bulk_end(struct tv_mongo_bulk *bulk, struct tv_error *err);

/* A change of one document that never undoes a newer one: `guard` is an integer field of the document that only
 * grows, and a document where it is as high already, or higher, is left alone. */
struct tv_mongo_update {
    int64_t id;
    const char *guard;
    int64_t value;                    /* what the guard becomes; a document where it is as high already is left alone */
    const struct tv_mongo_field *set; /* (n_set) beside it */
    size_t n_set;
    /* (n_if_new) and these when there is no such document; NULL: then nothing is done */
    const struct tv_mongo_field *if_new;
    size_t n_if_new;
    const char *const *unset; /* (n_unset) fields that go */
    size_t n_unset;
    int or_equal; /* also a document where the guard is that high is changed: something else in it is wrong */
};
/* The documents, of n, that the server refused for themselves while it took the others: by a validator, say. */
struct tv_mongo_refusals {
    char *each; /* (n) lent; becomes 1 for these and 0 for others */
    struct tv_error why; /* of the first; TV_OK: none was */
};
/* n of them, in few messages. *written is how many were changed or are new. With `refusals` (NULL: none) it is no failure that
 * some are refused. */
enum tv_status tv_mongo_update_newer_all(struct tv_mongo *m, const char *collection,
                                         const struct tv_mongo_update *updates, size_t n, int64_t *written,
                                         struct tv_mongo_refusals *refusals, struct tv_error *err);

/* Sets a field of n documents, in few messages: of each document only while its integer field `guard` has the value
 * that is given, so that a writer that changed it meanwhile wins. *n_set is how many were set, also after a failure. */
struct tv_mongo_change {
    int64_t id, guard;
    struct tv_mongo_field set;
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

/* Deletes the documents of n text _ids; those that are not there are fine. */
enum tv_status tv_mongo_delete_texts(struct tv_mongo *m, const char *collection, const char *const *ids, size_t n,
                                     struct tv_error *err);

/* Sets an integer in the one document whose _id is the text; none is fine. */
enum tv_status tv_mongo_set_int(struct tv_mongo *m, const char *collection, const char *id, const char *name, int64_t value,
                                struct tv_error *err);
/* Gives every document that has not yet this text in its field `name` that text there. */
enum tv_status tv_mongo_set_text(struct tv_mongo *m, const char *collection, const char *name, const char *text,
                                 struct tv_error *err);

#endif
