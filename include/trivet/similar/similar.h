/* similar: the index of similar items in Redis: which items share how many values of their signatures.
 *
 * An index has a version, and is written under it while nobody looks; trivet:similar:live names the one that serves. It
 * is of one data set, and its items are that one's; indices of others stay beside it (settle.h).
 * Each item has a row. A set's signature is kept as its witnesses (minhash.h). The index has, for each witness, the rows
 * and the positions of which that user is a witness (postings.h; row_list.h for users of very many items): two items
 * share a value where they have the same witness, or two with the same value. docs/formats.md has every byte.
 *
 * A change of one item rewrites the lists that it leaves and those that it comes into, in one MULTI ... EXEC that Redis
 * refuses if anybody else changed the index meanwhile (WATCH on its counter of changes); then it is done again. So any
 * number of processes may read and change, and a process that dies leaves an index that is whole.
 *
 * A handle has a connection of its own, and belongs to one thread at a time. It follows when another index goes live.
 */
#ifndef TRIVET_SIMILAR_SIMILAR_H
#define TRIVET_SIMILAR_SIMILAR_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"
#include "trivet/core/sets/minhash.h"
#include "trivet/store/redis.h"

#define TV_SIMILAR_LIVE "trivet:similar:live"

struct tv_similar;

/* Connects on first use. `timeout_ms` as in redis.h. */
enum tv_status tv_similar_open(struct tv_similar **out, const char *redis_uri, int timeout_ms, struct tv_error *err);
void tv_similar_close(struct tv_similar *s); /* NULL is fine */

/* Reads which index is live; TV_ERR_NOT_FOUND with a hint if there is none. *changes (may be NULL) counts the changes
 * it has seen since it was built. */
enum tv_status tv_similar_look(struct tv_similar *s, int64_t *version, int64_t *changes, struct tv_error *err);
/* Values of a signature of the index looked at last. */
int tv_similar_size(const struct tv_similar *s);
/* The data set that it is made of (trivet.dataset.id); 0: an older trivet built it, and nobody knows yet. */
int64_t tv_similar_dataset(const struct tv_similar *s);

/* --- asking ------------------------------------------------------------------------------------------------- */

struct tv_similar_item {
    int64_t item;
    int shared; /* values of the signature that it shares; shared / size estimates the audiences' Jaccard similarity */
};
struct tv_similar_answer {
    int64_t version, dataset;
    int size;                      /* values of a signature */
    struct tv_similar_item *items; /* (n), most shared first, then by item id; the item itself is left out */
    size_t n;
    size_t sharing; /* items that share at least one value */
};
/* The at most `top` items that share most. TV_ERR_NOT_FOUND for an item without an audience (*known = 0), or without an
 * index (*known = -1). The counts are exact for one moment of the index. Free with tv_similar_answer_free. */
enum tv_status tv_similar_ask(struct tv_similar *s, int64_t item, size_t top, struct tv_similar_answer *out, int *known,
                              struct tv_error *err);
void tv_similar_answer_free(struct tv_similar_answer *answer);

/* --- changing ----------------------------------------------------------------------------------------------- */

/* Adds users, by the hashes of their elements, to an item's audience; an item never seen gets a row. *changed (may be
 * NULL): values of the signature that changed. Once it returns TV_OK, Redis has it. */
enum tv_status tv_similar_add(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int *changed,
                              struct tv_error *err);
/* 1 in *holds if any of the hashes is a witness of the item: only then its removal changes the signature. */
enum tv_status tv_similar_holds(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int *holds,
                                struct tv_error *err);
/* Makes the audience these users and nobody else; n = 0 takes the item out of the index. TV_ERR_BUSY if the index
 * is no longer number `version` with `changes` changes: then the audience may have been read too early, and has to
 * be read again. */
enum tv_status tv_similar_replace(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int64_t version,
                                  int64_t *changes, struct tv_error *err);

/* --- checking ----------------------------------------------------------------------------------------------- */

/* Every item that has an audience, with its signature (size). Not while the index changes. */
typedef enum tv_status (*tv_similar_take_item)(void *context, int64_t item, const uint32_t *values,
                                               struct tv_error *err);
enum tv_status tv_similar_each(struct tv_similar *s, tv_similar_take_item take, void *context, struct tv_error *err);
/* Compares all pages with all signatures: TV_ERR_CORRUPT names the first that disagrees. */
enum tv_status tv_similar_verify(struct tv_similar *s, struct tv_error *err);

#endif
