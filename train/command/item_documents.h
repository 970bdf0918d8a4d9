/* item_documents: the documents of all items of the data set that is loaded, into a collection of MongoDB. */
#ifndef TRIVET_TRAIN_COMMAND_ITEM_DOCUMENTS_H
#define TRIVET_TRAIN_COMMAND_ITEM_DOCUMENTS_H

#include <stdint.h>

#include "trivet/store/mongo.h"
#include "trivet/store/pg.h"

/* Writes trivet.item_document as `pg` sees it; *n counts the documents. Each says what a score is, where `score_kind` is not NULL:
 * said now, it is not written into all of them once more when their model is shown. Documents that MongoDB cannot hold are told in
 * the log and left out, in part or whole. */
enum tv_status tv_item_documents_write(struct tv_mongo *mongo, const char *collection, const char *score_kind, struct tv_pg *pg,
                                       int64_t *n, struct tv_error *err);

#endif
