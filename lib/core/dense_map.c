/* dense_map: from raw ids to dense indices by a table, where the ids allow it (ratings.h). Folding in looks up each
 * item of each user; where ids lie close together, one access replaces the steps of a binary search. */
#include <stdlib.h>
#include <string.h>

#include "trivet/core/ratings.h"

void tv_dense_map_create(struct tv_dense_map *out, const int64_t *ids, size_t n)
{
    *out = (struct tv_dense_map){.ids = ids, .n = n};
    /* In uint64_t, where the difference of two int64_t cannot overflow. */
    uint64_t range = n > 0 ? (uint64_t)ids[n - 1] - (uint64_t)ids[0] : 0;
    if (n == 0 || n > INT32_MAX || range >= 64 * (uint64_t)n + 65536)
        return;
    out->n_places = (size_t)range + 1;
    out->place = malloc(out->n_places * sizeof *out->place);
    if (out->place == NULL)
        return;
    memset(out->place, 0xff, out->n_places * sizeof *out->place); /* -1 everywhere */
    for (size_t i = 0; i < n; i++)
        out->place[(uint64_t)ids[i] - (uint64_t)ids[0]] = (int32_t)i;
}

void tv_dense_map_free(struct tv_dense_map *m)
{
    free(m->place);
    *m = (struct tv_dense_map){0};
}
