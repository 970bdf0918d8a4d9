/* id_map: raw ids get numbers 0, 1, 2, ... in the order they come. For ids that arrive one by one; where all are known
 * beforehand, ratings.h numbers them in their own order. */
#ifndef TRIVET_CORE_ID_MAP_H
#define TRIVET_CORE_ID_MAP_H

#include <stdint.h>

#include "trivet/base/status.h"

/* Begins as TV_ID_MAP_INIT. Ids are never taken out, so numbers stay. */
struct tv_id_map {
    int64_t *ids;    /* (n) the id of each number */
    int32_t *places; /* (n_places) number + 1, or 0; open addressing */
    int32_t n, capacity;
    uint32_t n_places; /* a power of two, more than 3/2 n; 0 while empty */
};

#define TV_ID_MAP_INIT {0}

/* *number becomes the id's number, a new one if it has none; then *number == map->n - 1. */
enum tv_status tv_id_map_add(struct tv_id_map *map, int64_t id, int32_t *number, struct tv_error *err);
/* The id's number, or -1. */
int32_t tv_id_map_find(const struct tv_id_map *map, int64_t id);
void tv_id_map_free(struct tv_id_map *map); /* also makes it empty */

#endif
