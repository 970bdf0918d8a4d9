/* user_blobs: where the blobs of a user's document are: in it, or in parts that it names. Private to lib/model.
 *
 * MongoDB takes documents of 16 MB. Of a user with more ratings than that holds, the long blobs are cut into documents
 * of parts_<N>, and in place of such a blob the user's document has the _ids of its parts. A part's _id is new each
 * time one is written, and a part never changes, so what a document names is its own or not there: two writers, or a
 * reader and a writer, cannot mix theirs.
 */
#ifndef TRIVET_MODEL_USER_BLOBS_H
#define TRIVET_MODEL_USER_BLOBS_H

#include "trivet/model/user_document.h"

/* The four arrays of a document; their order is that of its hash, too. */
enum { TV_BLOB_VALUE, TV_BLOB_SEEN, TV_BLOB_RATED, TV_BLOB_RATINGS, TV_BLOBS };
extern const char *const tv_user_blob_names[TV_BLOBS];

/* No blob is larger, decoded or not: LZ4 takes no more. */
#define TV_USER_BLOB_MAX ((size_t)1 << 31)

/* A document's blobs as its fields. */
struct tv_user_fields {
    struct tv_mongo_field blobs[TV_BLOBS];
    char *names[TV_BLOBS]; /* of the parts of a long one, as JSON; owned, or NULL */
};
/* Writes the parts of long blobs, which MongoDB has acknowledged then. `b` is lent to *f. *f is to be freed after a
 * failure, too. */
enum tv_status tv_user_fields_make(struct tv_user_fields *f, struct tv_mongo *mongo, int64_t model,
                                   const struct tv_user_document *u, const struct tv_user_blobs *b,
                                   struct tv_error *err);
void tv_user_fields_free(struct tv_user_fields *f);

/* The blobs of a document that was read. */
struct tv_user_stored {
    const struct tv_mongo_doc *doc; /* it, or the newer one of the same user whose parts these are */
    struct tv_mongo_doc *newer;
    int64_t user_id;
    const void *bytes[TV_BLOBS];
    size_t sizes[TV_BLOBS];
    struct tv_buffer whole[TV_BLOBS]; /* those put together from parts */
};
/* To be closed after a failure, too. TV_ERR_NOT_FOUND: the document has gone meanwhile. */
enum tv_status tv_user_stored_open(struct tv_user_stored *s, struct tv_mongo *mongo, int64_t model,
                                   const struct tv_mongo_doc *doc, struct tv_error *err);
void tv_user_stored_close(struct tv_user_stored *s);

#endif
