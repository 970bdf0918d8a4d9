/* lists: the postings of all rows, as an index is built from them. */
#ifndef TRIVET_SIMILAR_LISTS_H
#define TRIVET_SIMILAR_LISTS_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"
#include "trivet/core/id_map.h"
#include "trivet/core/sets/minhash.h"

/* The lists of one index, whole, in memory: for a build, and to check an index against its signatures. */
struct tv_similar_lists {
    int size;
    struct tv_id_map users; /* all witnesses, as rows name them */
    struct tv_id_map heavy; /* those of them with a list for each position */
    int32_t *order;         /* (users.n) their numbers, ascending by hash */
    size_t *start;          /* (users.n + 1) where the entries of users.ids[order[i]] begin */
    uint8_t *bytes;
    int64_t n_entries;
};
/* values and witness: (n, size), row-major; rows with the empty set's signature are left out. `heavy` are the
 * witnesses with a list for each position; NULL: those with TV_SIMILAR_HEAVY rows or more. Free with
 * tv_similar_lists_free, also after a failure. */
enum tv_status tv_similar_lists_make(struct tv_similar_lists *out, const struct tv_minhash *m, const uint32_t *values,
                                     const uint32_t *witness, int32_t n, const struct tv_id_map *heavy,
                                     struct tv_error *err);
/* Puts a page's bytes into `out` (emptied first). *at is the first list of the page, and becomes that of the next; 0
 * before page 0, from which on pages come in turn. */
enum tv_status tv_similar_lists_page(const struct tv_similar_lists *lists, uint32_t page, uint32_t pages, int32_t *at,
                                     struct tv_buffer *out, struct tv_error *err);
/* Calls `take` with each position of a heavy witness (its number in `heavy`), and the list of its rows there (n = 0:
 * none). */
typedef enum tv_status (*tv_similar_take_list)(void *context, uint32_t witness, int position, const char *list,
                                               size_t n, struct tv_error *err);
enum tv_status tv_similar_lists_heavy(const struct tv_similar_lists *lists, int32_t heavy, tv_similar_take_list take,
                                      void *context, struct tv_error *err);
void tv_similar_lists_free(struct tv_similar_lists *lists);

#endif
