/* user_document: one user of one model, as a document of MongoDB's user_<N>. docs/formats.md has the fields. */
#ifndef TRIVET_MODEL_USER_DOCUMENT_H
#define TRIVET_MODEL_USER_DOCUMENT_H

#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"
#include "trivet/store/mongo.h"
#include "trivet/store/mongo_write.h"

enum { TV_USER_WHY = 256 }; /* bytes of a reason why there are no factors */

/* A user as the model knows the user: factors, ratings and list. After tv_user_document_read it owns its arrays;
 * the one of a tv_fold_in_space borrows them. */
struct tv_user_document {
    int64_t user_id;  /* raw id */
    const char *code; /* what the data calls the user, or NULL: by the number (code.h) */
    int32_t row;      /* dense row of the training matrix, or -1: folded in only */
    int factors;
    uint16_t *value; /* (factors) float16 user factors; all zero when no item of the model was rated */
    const char *why; /* all zero, too, because the ratings lead to no factors that can be kept: why; or NULL */
    size_t n_seen;
    int32_t *seen; /* (n_seen) dense indices of the model's items, ascending */
    size_t n_rated;
    int64_t *rated; /* (n_rated) every rated raw item id, ascending */
    float *ratings; /* (n_rated) the pair means, same order */
    size_t n_top;
    struct tv_pair *top; /* (n_top) the user's list as trivet-train precompute stored it, raw item ids and scores, best
                          * first; NULL: none. Allocated on its own */
    int64_t rev;         /* the changes by single ratings that are in it (trivet.user_change); 0: none */
};

/* A document's blobs, encoded: that part of the work needs no connection and can be done by many threads. */
struct tv_user_blobs {
    struct tv_buffer value, seen, rated, ratings;
};
void tv_user_blobs_init(struct tv_user_blobs *b);
void tv_user_blobs_free(struct tv_user_blobs *b);
/* Encodes into `b`, whose old contents are overwritten. */
enum tv_status tv_user_document_encode(struct tv_user_blobs *b, const struct tv_user_document *u,
                                       struct tv_error *err);
/* Adds an encoded document to a bulk write into user_<model>; what is too long for a document is in parts_<model> then.
 * `hash` (may be NULL) is fed with it. */
enum tv_status tv_user_document_add(struct tv_mongo_bulk *bulk, struct tv_mongo *mongo, int64_t model,
                                    const struct tv_user_document *u, const struct tv_user_blobs *b, uint64_t *hash,
                                    struct tv_error *err);
/* Puts n encoded documents into user_<model>, each in place of the one with a lower rev; row and code of that one stay.
 * With a rev as high or higher there, that one is left. The list (`top`), which was computed from the older document,
 * goes, and so do that document's parts. Documents that MongoDB refuses are in `refusals`, and no failure. */
enum tv_status tv_user_documents_replace(struct tv_mongo *mongo, int64_t model,
                                         const struct tv_user_document *const *users,
                                         const struct tv_user_blobs *const *blobs, size_t n,
                                         struct tv_mongo_refusals *refusals, struct tv_error *err);
/* Stores lists, which are lent, in the documents of n users of a model, each only where the document is still of the
 * rev that its list was made from. *written is how many were. */
struct tv_user_list {
    int64_t user_id, rev;
    const struct tv_pair *top;
    size_t n_top;
};
enum tv_status tv_user_document_set_lists(struct tv_mongo *mongo, int64_t model, const struct tv_user_list *lists,
                                          size_t n, int64_t *written, struct tv_error *err);
/* Takes lists away again, by the same condition; `top` is not looked at. */
enum tv_status tv_user_document_drop_lists(struct tv_mongo *mongo, int64_t model, const struct tv_user_list *lists,
                                           size_t n, struct tv_error *err);
int tv_user_document_has_list(const struct tv_mongo_doc *doc); /* also one that cannot be read */
/* Decodes and checks a document: the blobs' types, that lengths agree, that `seen` lies in 0..n_items-1 and
 * ascends, that `factors` is as expected. On success *out is owned by the caller. Parts are read with a connection of
 * their own; where they went because there is a newer document of the user, that is the one in *out. */
enum tv_status tv_user_document_read(struct tv_user_document **out, struct tv_mongo *mongo, int64_t model,
                                     const struct tv_mongo_doc *doc, int factors, int32_t n_items,
                                     struct tv_error *err);
void tv_user_document_free(struct tv_user_document *u);
/* 1 if the user has a place in the model: an item of it among the ratings, and a factor that is not zero. A user
 * without one gets what most people rate. */
int tv_user_document_is_placed(const struct tv_user_document *u);
/* Bytes that it takes in memory, for a cache that counts. */
size_t tv_user_document_bytes(const struct tv_user_document *u);

/* Looks a user up in user_<model>. TV_ERR_NOT_FOUND if there is none. */
enum tv_status tv_user_document_find(struct tv_user_document **out, struct tv_mongo *mongo, int64_t model,
                                     int64_t user_id, int factors, int32_t n_items, struct tv_error *err);

/* The same by the user's code. user_<model> has an index on it where any user has one. */
enum tv_status tv_user_document_find_code(struct tv_user_document **out, struct tv_mongo *mongo, int64_t model,
                                          const char *code, int factors, int32_t n_items, struct tv_error *err);

/* Feeds the stored blobs of a document into a hash the way tv_user_document_add does: for reading back. */
enum tv_status tv_user_document_hash(struct tv_mongo *mongo, int64_t model, const struct tv_mongo_doc *doc,
                                     uint64_t *hash, struct tv_error *err);

#endif
