/* users: a user's document, from the cache or from MongoDB. */
#ifndef TRIVET_SERVE_STORES_USERS_H
#define TRIVET_SERVE_STORES_USERS_H

#include <stdint.h>

#include "serve/model/resident.h"
#include "serve/stores/breaker.h"
#include "serve/stores/code_cache.h"
#include "serve/stores/user_cache.h"
#include "trivet/store/mongo.h"

/* The outcome of looking a user up. */
enum tv_lookup {
    TV_USER_FOUND,
    TV_USER_UNKNOWN,    /* the model is there, and has no such user */
    TV_USER_LATER,      /* MongoDB has to be asked, and the caller may not wait */
    TV_USER_MODEL_GONE, /* no such user, and the model is not there either: the resident one is out of date */
    TV_USER_AWAY        /* MongoDB does not answer, and the cache cannot help */
};

/* Lent but for the caches, which the app owns; any thread may use it. */
struct tv_users {
    struct tv_user_cache *cache;
    struct tv_code_cache *codes;
    struct tv_mongo *mongo;
    struct tv_breaker *breaker;           /* MongoDB's */
    _Atomic uint64_t hits, misses, stale; /* answered from the cache; from MongoDB; from an old entry */
};

/* Looks a user of the resident model up. For TV_USER_FOUND *out has a reference that the caller gives back
 * with tv_cached_user_release; for anything else it is NULL. *err is filled for TV_USER_AWAY. */
TV_MUST_USE enum tv_lookup tv_users_find(struct tv_users *users, const struct tv_resident *resident, int64_t user_id,
                                         int may_wait, struct tv_cached_user **out, struct tv_error *err);

/* The number of the user who has this code in the resident model: for TV_USER_FOUND *number is set, and the user's
 * document is in the cache, if it had to be read. Everything else as above. */
TV_MUST_USE enum tv_lookup tv_users_number(struct tv_users *users, const struct tv_resident *resident, const char *code,
                                           int may_wait, int64_t *number, struct tv_error *err);

/* Fetches the documents of n users of a model in one question and puts them into the cache, where tv_users_find
 * then finds them. Users who are not there are left out. Waits. */
void tv_users_fetch(struct tv_users *users, const struct tv_resident *resident, const int64_t *user_ids, size_t n);

/* After a document was written: reads it again, so that no older one is in the cache or gets there. Waits. */
void tv_users_renew(struct tv_users *users, const struct tv_resident *resident, int64_t user_id);

#endif
