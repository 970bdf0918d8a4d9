/* user_parts: what the users of a model have in MongoDB beside their documents: parts of blobs that are too long for
 * one. */
#ifndef TRIVET_MODEL_USER_PARTS_H
#define TRIVET_MODEL_USER_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/mongo.h"

/* 1 for a user's document of which at least one blob is in parts. */
int tv_user_document_has_parts(const struct tv_mongo_doc *doc);

/* Deletes the parts of n users, or with NULL of all, that no document names and none will: a writer that was killed
 * or overtaken left them. *deleted is how many. */
enum tv_status tv_user_parts_tidy(struct tv_mongo *mongo, int64_t model, const int64_t *user_ids, size_t n,
                                  int64_t *deleted, struct tv_error *err);
/* Deletes a user's document and its parts, unless of a higher rev than this; that there is none is fine. */
enum tv_status tv_user_delete(struct tv_mongo *mongo, int64_t model, int64_t user_id, int64_t rev, struct tv_error *err);
/* Bytes that the users of a model take in MongoDB, parts included. */
enum tv_status tv_user_bytes(struct tv_mongo *mongo, int64_t model, double *bytes, struct tv_error *err);

#endif
