/* similar_parts: what the files of the index of similar items share: the handle, names of keys, and a position's pages.
 */
#ifndef TRIVET_MODEL_SIMILAR_PARTS_H
#define TRIVET_MODEL_SIMILAR_PARTS_H

#include "trivet/bucket.h"
#include "trivet/id_map.h"
#include "trivet/similar.h"

enum {
    SIMILAR_KEY = 64,       /* bytes of a key's name, at most */
    SIMILAR_GROUP = 16,     /* rows whose witnesses share a key */
    SIMILAR_PAGE_ROWS = 128, /* rows a page at the time of a build, on average */
    SIMILAR_MAX_PAGES = 1 << 16,
    SIMILAR_HASH = 4, /* bytes of a stored witness */
};
#define SIMILAR_MAX_BYTES ((size_t)512 << 20) /* a Redis string ends there */

struct tv_similar {
    struct tv_redis *redis;
    int64_t version, changes; /* as read last; version 0: none */
    int size;
    uint32_t pages; /* of a position */
    struct tv_minhash *functions;
    struct tv_id_map rows; /* the item of each row */

    /* Room for one question or one change; (size) each unless said otherwise. */
    uint32_t *values, *witness, *new_values, *new_witness, *distinct;
    struct tv_buffer group;
    struct tv_bucket_counts counts;
    char (*names)[SIMILAR_KEY]; /* (2 size + 4) */
    const char **words;         /* (4 size + 12) */
    size_t *word_sizes;
    struct tv_buffer *edits; /* (2 size) */
};

/* --- names of keys: into out (SIMILAR_KEY), which is returned --- */
char *similar_key(char *out, int64_t version, const char *suffix);
char *similar_sets_key(char *out, int64_t version, int32_t row);
char *similar_page_key(char *out, int64_t version, int position, uint32_t page);

/* Which page of a position holds a value: Fibonacci hashing (Knuth, volume 3), as the least values of large sets crowd
 * near zero. */
static inline uint32_t similar_page_of(uint32_t value, uint32_t pages)
{
    return (uint32_t)((uint64_t)(value * UINT32_C(2654435769)) * pages >> 32);
}

/* --- similar.c --- */
/* The item as the index has it now: *row, or -1 for one never seen; values and witness (of the empty set, if it has no
 * audience); group: the bytes that hold its row, or would. With `watch`, changes of others from here on make the next
 * EXEC fail. */
enum tv_status similar_read(struct tv_similar *s, int64_t item, int watch, int32_t *row, struct tv_error *err);
/* Rows that came since: their ids. */
enum tv_status similar_read_new_rows(struct tv_similar *s, struct tv_error *err);
/* The stored witnesses of a row in its group's bytes: *n of them, SIMILAR_HASH bytes each. A group ends with its last
 * row that has an audience; beyond it *at is its end. */
enum tv_status similar_group_find(const struct tv_buffer *group, int32_t row, const char **at, size_t *n,
                                  struct tv_error *err);
enum tv_status similar_group_append(struct tv_buffer *group, const uint32_t *witnesses, int n, struct tv_error *err);
enum tv_status similar_group_copy(struct tv_buffer *group, const char *at, size_t n, struct tv_error *err);
/* The signature of n stored witnesses (little endian). */
void similar_sketch(const struct tv_minhash *m, const char *at, size_t n, uint32_t *values, uint32_t *witness);

/* --- similar_column.c: all pages of one position --- */
struct similar_column {
    struct tv_buffer bytes;
    size_t *start; /* (pages + 1) */
};
/* values[i * stride] is row i's value; rows whose present[i] is 0 are left out (NULL: none is). */
enum tv_status similar_column_make(struct similar_column *c, uint32_t pages, const uint32_t *values, size_t stride,
                                   int32_t n, const uint8_t *present, struct tv_error *err);
void similar_column_free(struct similar_column *c);

#endif
