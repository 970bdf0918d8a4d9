/* items: what the two files that look at item documents share: items.c compares and tells, item_documents.c knows how
 * a document should be and writes it. Private to lib/repair.
 */
#ifndef TRIVET_REPAIR_ITEMS_H
#define TRIVET_REPAIR_ITEMS_H

#include "lib/repair/inside.h"

/* How an item's document should be, by Postgres. */
struct tv_item_want {
    int64_t rev, n;
    double mean;
    int has_mean;
    int none;      /* 1: MongoDB cannot hold its document */
    uint64_t hash; /* of the fields that no rating and no activation changes */
};

/* One look at all item documents, on the stack of tv_repair_items. */
struct tv_item_repair {
    struct tv_repair *repair;
    char collection[TV_MODEL_NAME]; /* the catalogue of the data set that is loaded */
    int64_t *ids; /* (n) ascending */
    struct tv_item_want *want;
    char *found; /* (n) 1: a document */
    size_t n, capacity;
    struct tv_repair_ids ahead;   /* documents of a higher rev than Postgres had when it was read */
    struct tv_repair_ids wrong;   /* documents whose n, mean or rev is another */
    struct tv_repair_ids other;   /* documents whose other fields are others */
    struct tv_repair_ids unknown; /* documents of items that Postgres does not know */
    int64_t n_documents, n_strangers, n_scores, n_missing;
    const char *score; /* what `score_kind` is to be; NULL: not looked at */
    int same_loads;    /* 1: Postgres holds what the documents were written from */
};

/* Room for one more item, which is zero. *want is valid until the next call, which may move it. */
enum tv_status tv_item_repair_add(struct tv_item_repair *t, int64_t id, struct tv_item_want **want,
                                  struct tv_error *err);
/* Reads from Postgres how the document of every item should be: one pass over the ratings, ids ascending. */
enum tv_status tv_item_repair_expect(struct tv_item_repair *t, struct tv_error *err);
/* The hash of a document without the fields that ratings and activations change, to compare with `hash` of
 * struct tv_item_want. */
uint64_t tv_item_repair_hash(const struct tv_mongo_doc *doc);
/* Writes the documents of items that have none. With same_loads, also those with other fields, and deletes the
 * documents of items that Postgres does not know. */
enum tv_status tv_item_repair_write(struct tv_item_repair *t, struct tv_error *err);

#endif
