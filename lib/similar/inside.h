/* inside: what the files of the index of similar items share: the handle, names of keys, and lists of postings.
 * Private to lib/similar.
 */
#ifndef TRIVET_SIMILAR_INSIDE_H
#define TRIVET_SIMILAR_INSIDE_H

#include "lib/similar/cache.h"
#include "trivet/core/id_map.h"
#include "trivet/core/sets/postings.h"
#include "trivet/core/sets/row_list.h"
#include "trivet/similar/similar.h"

/* TV_SIMILAR_GROUP and TV_SIMILAR_HASH are part of the format (docs/formats.md). How many pages there are and which
 * witnesses are heavy is stored with an index, so TV_SIMILAR_PAGE_ENTRIES and TV_SIMILAR_HEAVY matter at a build alone.
 */
enum {
    TV_SIMILAR_KEY = 64,          /* bytes of a key's name, at most */
    TV_SIMILAR_NEAR = 16,         /* groups that a question reads together, for questions to come */
    TV_SIMILAR_GROUP = 16,        /* rows whose witnesses share a key */
    TV_SIMILAR_PAGE_ENTRIES = 32, /* rows of all witnesses of a page at the time of a build, on average */
    TV_SIMILAR_MAX_PAGES = 1 << 22,
    TV_SIMILAR_HASH = 4,     /* bytes of a stored witness */
    TV_SIMILAR_HEAVY = 2048, /* rows from which on a witness has a list for each position, at the time of a build */
};
#define TV_SIMILAR_MAX_BYTES ((size_t)512 << 20) /* a Redis string ends there */

/* The handle. All that belongs to one index is loaded when that index is first seen live, and given up when another
 * is; the connection stays. */
struct tv_similar {
    struct tv_redis *redis;
    int64_t version, changes; /* as read last; version 0: none */
    int64_t dataset;          /* that the index is made of; 0: of an older trivet's, not known */
    int size;
    uint32_t pages;
    struct tv_minhash *functions;
    struct tv_id_map rows;  /* the item of each row */
    struct tv_id_map users; /* hashes of all users that are or were a witness */
    struct tv_id_map heavy; /* hashes of those with a list for each position, which are on no page */

    struct tv_similar_cache cache;

    /* Room for one question or one change; (size) each unless said otherwise. */
    uint32_t *values, *witness, *new_values, *new_witness;
    struct tv_minhash_witness *witnesses; /* (2 size) */
    uint16_t *positions;                  /* (2 size) of those witnesses */
    struct tv_minhash_witness *new_witnesses;
    uint16_t *new_positions;
    uint8_t *bits; /* ((size + 7) / 8) */
    struct tv_buffer group;
    struct tv_postings_counts counts;
    char (*names)[TV_SIMILAR_KEY]; /* (2 size + 4) */
    const char **words;            /* (4 size + 16) */
    size_t *word_sizes;
    struct tv_buffer *pages_new; /* (2 size) */
};

/* --- names.c: into out (TV_SIMILAR_KEY), which is returned --- */
char *tv_similar_key(char *out, int64_t version, const char *suffix);
char *tv_similar_sets_key(char *out, int64_t version, int32_t row);
char *tv_similar_page_key(char *out, int64_t version, uint32_t page);
char *tv_similar_heavy_key(char *out, int64_t version, uint32_t witness, int position);

/* The page of a witness: hashes are spread evenly over pages, and pages ascend with them. */
static inline uint32_t tv_similar_page_of(uint32_t witness, uint32_t pages)
{
    return (uint32_t)((uint64_t)witness * pages >> 32);
}

/* --- an MGET of lists, which becomes longer: *n keys so far, whose names are the first in s->names --- */
/* The page of a witness, unless it was the one before (*last; at first UINT32_MAX). */
void tv_similar_add_page(struct tv_similar *s, uint32_t witness, uint32_t *last, size_t *n);
void tv_similar_add_heavy(struct tv_similar *s, uint32_t witness, int position, size_t *n);
enum tv_status tv_similar_queue_lists(struct tv_similar *s, size_t n, struct tv_error *err);

/* --- group.c --- */
/* The stored witnesses of a row in its group's bytes: *n of them, TV_SIMILAR_HASH bytes each. A group ends with its
 * last row that has an audience; beyond it *at is its end. */
enum tv_status tv_similar_group_find(const struct tv_buffer *group, int32_t row, const char **at, size_t *n,
                                     struct tv_error *err);
enum tv_status tv_similar_group_append(struct tv_buffer *group, const struct tv_minhash_witness *witnesses, int n,
                                       struct tv_error *err);
enum tv_status tv_similar_group_copy(struct tv_buffer *group, const char *at, size_t n, struct tv_error *err);
/* The signature of n stored witnesses (little endian). */
void tv_similar_sketch(const struct tv_minhash *m, const char *at, size_t n, uint32_t *values, uint32_t *witness);

/* --- similar.c --- */
/* The item as the index has it now: *row, or -1 for one never seen; values and witness (of the empty set, if it has no
 * audience); group: the bytes that hold its row, or would; new rows and new users. With `watch`, changes of others from
 * here on make the next EXEC fail. */
enum tv_status tv_similar_read(struct tv_similar *s, int64_t item, int watch, int32_t *row, struct tv_error *err);
/* Rows and users that came since: their ids and hashes. */
enum tv_status tv_similar_read_new(struct tv_similar *s, struct tv_error *err);

/* The n lowest bytes of a number, the lowest first. */
static inline void tv_similar_put_number(char *out, uint64_t number, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (char)(number >> 8 * i);
}

static inline uint64_t tv_similar_read_number(const char *bytes, int n)
{
    uint64_t number = 0;
    while (n-- > 0)
        number = number << 8 | (unsigned char)bytes[n];
    return number;
}

/* Heavy witnesses are found out at a build, and stay heavy or not for as long as the index is there. */
static inline int tv_similar_is_heavy(const struct tv_similar *s, uint32_t witness)
{
    return tv_id_map_find(&s->heavy, witness) >= 0;
}

#endif
