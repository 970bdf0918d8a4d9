/* items: the catalogue in memory: titles and other metadata of all items of a data set, for programs that show them.
 * Read from MongoDB's catalogue_<D>, where a fit or an import has put them. */
#ifndef TRIVET_MODEL_ITEMS_H
#define TRIVET_MODEL_ITEMS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/store/mongo.h"

/* One item as programs show it. Its texts belong to the struct tv_items it is in. */
struct tv_item {
    int64_t id;
    const char *code;       /* what the data calls it, or NULL: by its number (code.h) */
    const char *title;      /* never NULL: "item 123" where none is known */
    int year;               /* 0: unknown */
    const char *genres;     /* joined by '|', "" for none */
    const char *imdb_id;    /* "tt0114709", or "" */
    const char *url;        /* of its page, http or https, or NULL */
    const char *overview;   /* "" where none is known */
    int64_t n_ratings;
    double mean_rating;     /* 0 without ratings */
};

/* The whole catalogue. Nothing in it changes once it is read, so threads may share it. */
struct tv_items {
    size_t n;
    struct tv_item *items;   /* ascending by id */
    size_t n_codes;
    const struct tv_item **by_code; /* (n_codes) those that have a code, ascending by it, as strcmp does */
    struct tv_items_text *text; /* holds the strings */
};

/* The collection with the items of a data set's models; 0, of a model older than data sets, is `item`. `out` holds
 * TV_MODEL_NAME bytes (model.h). */
char *tv_items_collection(char *out, int64_t dataset);
/* Reads every document of it; after a failure *out is empty. */
enum tv_status tv_items_read(struct tv_items *out, struct tv_mongo *mongo, int64_t dataset, struct tv_error *err);
void tv_items_free(struct tv_items *items); /* also makes it empty; NULL is fine */
/* NULL if there is none. */
const struct tv_item *tv_items_find(const struct tv_items *items, int64_t id);
const struct tv_item *tv_items_find_code(const struct tv_items *items, const char *code);
/* Makes `by_code`, which tv_items_read has done; for items that come from elsewhere. */
enum tv_status tv_items_sort_codes(struct tv_items *items, struct tv_error *err);

#endif
