/* id_map: raw ids get numbers in the order they come. Open addressing with linear steps; the index of similar items
 * numbers its rows and witnesses with it. */
#include "trivet/core/id_map.h"

#include <stdlib.h>

#include "lib/core/splitmix.h"

/* The place of `id`, or the free place where it belongs. Ids are often consecutive, so they are mixed before the mask
 * cuts them. */
static uint32_t place_of(const struct tv_id_map *map, int64_t id)
{
    uint32_t mask = map->n_places - 1, place = (uint32_t)tv_splitmix_at(0, (uint64_t)id) & mask;
    while (map->places[place] != 0 && map->ids[map->places[place] - 1] != id)
        place = (place + 1) & mask;
    return place;
}

/* A failure leaves the map as it was, with all its ids. At most two thirds of the places are taken, which keeps the
 * walks short. Numbers are int32_t, so beyond 2^31 places there is nothing to grow for. */
static enum tv_status grow(struct tv_id_map *map, struct tv_error *err)
{
    uint32_t n_places = map->n_places ? map->n_places * 2 : 1024;
    int32_t capacity = (int32_t)(n_places / 3 * 2);
    int64_t *ids = n_places <= UINT32_C(1) << 31 ? realloc(map->ids, (size_t)capacity * sizeof *ids) : NULL;
    map->ids = ids ? ids : map->ids;
    int32_t *places = ids ? calloc(n_places, sizeof *places) : NULL;
    if (places == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for more than %d ids", (int)map->n);
    free(map->places);
    map->places = places;
    map->n_places = n_places;
    map->capacity = capacity;
    for (int32_t i = 0; i < map->n; i++)
        places[place_of(map, map->ids[i])] = i + 1;
    return TV_OK;
}

enum tv_status tv_id_map_add(struct tv_id_map *map, int64_t id, int32_t *number, struct tv_error *err)
{
    if (map->n == map->capacity) {
        enum tv_status status = grow(map, err);
        if (status != TV_OK)
            return status;
    }
    uint32_t place = place_of(map, id);
    if (map->places[place] == 0) {
        map->ids[map->n] = id;
        map->places[place] = ++map->n;
    }
    *number = map->places[place] - 1;
    return TV_OK;
}

int32_t tv_id_map_find(const struct tv_id_map *map, int64_t id)
{
    return map->n_places ? map->places[place_of(map, id)] - 1 : -1;
}

void tv_id_map_free(struct tv_id_map *map)
{
    free(map->ids);
    free(map->places);
    *map = (struct tv_id_map)TV_ID_MAP_INIT;
}
