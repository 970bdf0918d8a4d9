/* genres: the names of a catalogue's genres, and which of them each item has. */
#ifndef TRIVET_SERVE_CATALOGUE_GENRES_H
#define TRIVET_SERVE_CATALOGUE_GENRES_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/model/items.h"

/* Items are by their place in the catalogue, as rows one after the other: `of` has the genres of all items, `at` tells where each
 * item's begin. */
struct tv_genres {
    size_t n;
    const char **names; /* (n + 1) ascending as strcmp orders them, then NULL */
    char *text;         /* holds the names */
    int32_t *of; /* genres by place among the names: of[at[i]] .. of[at[i + 1] - 1] are those of item i */
    size_t *at;  /* (items + 1) */
};

/* The genres of all items; after a failure *out is empty. */
enum tv_status tv_genres_create(struct tv_genres *out, const struct tv_items *catalogue, struct tv_error *err);
void tv_genres_free(struct tv_genres *genres); /* also makes it empty */

/* A name's place, capitals aside; -1 if no item of the catalogue has that genre. */
int32_t tv_genres_find(const struct tv_genres *genres, const char *name);

#endif
