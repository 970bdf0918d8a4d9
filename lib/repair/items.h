/* items: what the two files that look at item documents share. */
#ifndef TRIVET_REPAIR_ITEMS_H
#define TRIVET_REPAIR_ITEMS_H

#include "lib/repair/parts.h"

/* What Postgres says of an item. */
struct items_want {
    int64_t rev, n;
    double mean;
    int has_mean;
    int none;      /* 1: MongoDB cannot hold its document */
    uint64_t hash; /* of the fields that no rating and no activation changes */
};

struct items {
    struct repair *repair;
    int64_t *ids; /* (n) ascending */
    struct items_want *want;
    char *found; /* (n) 1: a document */
    size_t n, capacity;
    struct repair_ids ahead;   /* documents of a higher rev than Postgres has */
    struct repair_ids wrong;   /* whose n, mean or rev is another */
    struct repair_ids other;   /* whose other fields are others */
    struct repair_ids unknown; /* of items that Postgres does not know */
    int64_t n_documents, n_strangers, n_scores, n_missing;
    const char *score; /* what `score_kind` is to be; NULL: not looked at */
    int same_loads;    /* 1: Postgres holds what the documents were written from */
};

/* Room for one more item, which is zero. */
enum tv_status items_add(struct items *t, int64_t id, struct items_want **want, struct tv_error *err);
/* Every item as its document should be. */
enum tv_status items_expect(struct items *t, struct tv_error *err);
uint64_t items_hash(const struct tv_mongo_doc *doc);
/* Documents of items that have none, and with same_loads of those with other fields, anew; unknown ones go. */
enum tv_status items_write(struct items *t, struct tv_error *err);

#endif
