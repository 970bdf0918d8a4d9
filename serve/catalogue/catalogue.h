/* catalogue: all items of a data set as the server works with them: titles and other metadata, genres, and the index of titles.
 * It is read once, and the resident models of the data set share it (serve/model/resident.h). When items were counted, they become
 * other residents with a new catalogue, and keep their factors.
 *
 * The text of an item in an answer is written when it is first asked for. It is the one thing that is added later; any
 * number of threads may do so.
 */
#ifndef TRIVET_SERVE_CATALOGUE_CATALOGUE_H
#define TRIVET_SERVE_CATALOGUE_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "serve/catalogue/genres.h"
#include "serve/catalogue/title_index.h"
#include "trivet/base/status.h"
#include "trivet/model/items.h"
#include "trivet/store/mongo.h"

/* An item's *place* is its index in items.items. All members are owned. */
struct tv_catalogue {
    int64_t dataset;              /* whose items these are; 0: of an older trivet, not known */
    struct tv_items items;        /* ascending by id */
    struct tv_genres genres;      /* by place */
    struct tv_title_index titles; /* by place */
    _Atomic(char *) *texts;       /* (items.n) by place; NULL: nobody asked yet (tv_resident_text in serve/model/resident.h) */
    size_t bytes;                 /* memory, about, without the texts */
    _Atomic int references;
};

/* Makes one of items, with one reference. Takes *items over and empties it, also on failure. */
enum tv_status tv_catalogue_create(struct tv_catalogue **out, int64_t dataset, struct tv_items *items, struct tv_error *err);
/* The same of those that MongoDB has. */
enum tv_status tv_catalogue_read(struct tv_catalogue **out, struct tv_mongo *mongo, int64_t dataset, struct tv_error *err);
struct tv_catalogue *tv_catalogue_acquire(struct tv_catalogue *c); /* for a caller with a reference */
void tv_catalogue_release(struct tv_catalogue *c);                 /* NULL is fine */

#endif
