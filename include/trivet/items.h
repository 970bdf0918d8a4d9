/* items: titles and other metadata of all items, for programs that show them. Read from MongoDB's `item`. */
#ifndef TRIVET_ITEMS_H
#define TRIVET_ITEMS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/mongo.h"
#include "trivet/status.h"

struct tv_item {
    int64_t id;
    const char *title;      /* never NULL: "item 123" where none is known */
    int year;               /* 0: unknown */
    const char *genres;     /* joined by '|', "" for none */
    const char *imdb_id;    /* "tt0114709", or "" */
    const char *overview;   /* "" where none is known */
    int64_t n_ratings;
    double mean_rating;     /* 0 without ratings */
};

struct tv_items {
    size_t n;
    struct tv_item *items;   /* ascending by id */
    struct tv_items_text *text; /* holds the strings */
};

enum tv_status tv_items_read(struct tv_items *out, struct tv_mongo *mongo, struct tv_error *err);
void tv_items_free(struct tv_items *items);
/* NULL if there is none. */
const struct tv_item *tv_items_find(const struct tv_items *items, int64_t id);

#endif
