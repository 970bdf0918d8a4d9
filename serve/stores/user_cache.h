/* user_cache: the user documents read last, bounded by users and by bytes.
 *
 * An entry is found by (model, user) and says either what the user's document holds or that there is none. It
 * is fresh for one second. After that it is only good for the time when MongoDB does not answer - and "there
 * is none" not even then, so that a new user is never hidden for longer than that second.
 *
 * The cache is cut into shards by a hash of the key; each has a lock, a table and a list by last use, so that
 * threads seldom meet. Nothing slow happens under a lock. An entry is handed out with a reference: it may be
 * evicted or replaced while its receiver still reads it.
 */
#ifndef TRIVET_SERVE_STORES_USER_CACHE_H
#define TRIVET_SERVE_STORES_USER_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "serve/model/recommend.h"
#include "trivet/base/status.h"
#include "trivet/model/user_document.h"

#define TV_FRESH_SECONDS 1.0

struct tv_user_cache;

/* A user as the stores had them at one moment. Nothing in it changes but `ranking`; tv_cached_user_release gives a
 * reference back. */
struct tv_cached_user {
    int64_t model, user_id;
    struct tv_user_document *document; /* owned; NULL: there is no such user */
    double read_at;                    /* tv_clock() */
    /* Computed from the document; owned. NULL at first, then set once, by the first thread that has ranked. */
    _Atomic(struct tv_kept_ranking *) ranking;
    _Atomic int references;
};

/* At most so many users and bytes; 0 users: keeps nothing. */
enum tv_status tv_user_cache_create(struct tv_user_cache **out, size_t max_users, size_t max_bytes,
                                    struct tv_error *err);
void tv_user_cache_free(struct tv_user_cache *cache); /* NULL is fine */

/* The entry, with a reference for the caller, or NULL. */
struct tv_cached_user *tv_user_cache_get(struct tv_user_cache *cache, int64_t model, int64_t user_id);
/* Makes an entry of a document (taken over, also on failure; NULL: no such user) read at `read_at`, and puts
 * it in place of the older one. Returns it with a reference for the caller, or NULL without memory. */
struct tv_cached_user *tv_user_cache_put(struct tv_user_cache *cache, int64_t model, int64_t user_id,
                                         struct tv_user_document *document, double read_at);
/* Keeps a ranking (taken over; NULL is fine) with the entry, unless it has one. */
void tv_cached_user_keep(struct tv_cached_user *user, struct tv_kept_ranking *ranking);
void tv_cached_user_release(struct tv_cached_user *user); /* NULL is fine */

struct tv_user_cache_counts {
    size_t users, bytes;
    size_t max_users, max_bytes;
};
void tv_user_cache_count(struct tv_user_cache *cache, struct tv_user_cache_counts *counts);

#endif
