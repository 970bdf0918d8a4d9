/* users: a user's document, from the cache or from MongoDB. Threads that serve connections find what is in the
 * cache; workers ask MongoDB, for one user or for many at once (tv_users_fetch).
 */
#include "serve/stores/users.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/clock.h"
#include "trivet/base/log.h"
#include "trivet/model/model.h"
#include "trivet/model/model_mongo.h"
#include "trivet/model/user_parts.h"
#include "trivet/store/mongo_read.h"

/* Relaxed: a counter for /metrics, through which nothing is read. */
static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Models are pruned model_<N> first, then user_<N>. So if model_<N> is still there after a user was not found, the
 * user was missing and not pruned. */
static enum tv_status model_exists(struct tv_users *users, int64_t run_number, int *exists, struct tv_error *err)
{
    char *description = NULL;
    enum tv_status status = tv_model_description(&description, users->mongo, run_number, err);
    free(description);
    *exists = status == TV_OK;
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* Everything that a ranking depends on: the factors, the items that are left out, and whether the model learned
 * from the user. */
static int same_document(const struct tv_user_document *a, const struct tv_user_document *b)
{
    return a->row == b->row && a->factors == b->factors && a->n_seen == b->n_seen &&
           memcmp(a->value, b->value, (size_t)a->factors * sizeof *a->value) == 0 &&
           memcmp(a->seen, b->seen, a->n_seen * sizeof *a->seen) == 0;
}

/* Documents seldom change: the ranking made from the old one is as good for the new one, if the two are the same. */
static void inherit_ranking(struct tv_cached_user *new, const struct tv_cached_user *old)
{
    struct tv_kept_ranking *kept = old ? atomic_load_explicit(&old->ranking, memory_order_acquire) : NULL,
                           *copy;
    if (kept == NULL || new == NULL || new->document == NULL || !same_document(new->document, old->document))
        return;
    copy = malloc(sizeof *copy);
    if (copy) {
        memcpy(copy, kept, sizeof *copy);
        tv_cached_user_keep(new, copy);
    }
}

/* Asks for a user by number, or by code, where that is not NULL; then the number is found out. The entry's time is
 * taken before the question, because the document may be as old as that. That there is no such user is kept, too,
 * as an entry without a document; of an unknown code nothing can be kept, as it has no number. */
static enum tv_lookup ask_mongo(struct tv_users *users, const struct tv_resident *s, int64_t user_id, const char *code,
                                struct tv_cached_user **out, struct tv_error *err)
{
    struct tv_user_document *document = NULL;
    double now = tv_clock();
    int exists = 1;
    count(&users->misses);
    enum tv_status status =
        code ? tv_user_document_find_code(&document, users->mongo, s->run_number, code, s->factors, s->n_items, err)
             : tv_user_document_find(&document, users->mongo, s->run_number, user_id, s->factors, s->n_items, err);
    if (status == TV_ERR_NOT_FOUND) {
        status = model_exists(users, s->run_number, &exists, err);
        if (status == TV_OK && !exists)
            return TV_USER_MODEL_GONE;
    }
    if (status != TV_OK) {
        char who[80];
        snprintf(who, sizeof who, "user %lld of model %lld", (long long)user_id, (long long)s->run_number);
        if (status == TV_ERR_UNAVAILABLE)
            tv_breaker_trip(users->breaker, err);
        else
            tv_log_reason(TV_LOG_ERROR, who, err);
        return TV_USER_AWAY;
    }
    if (code && document == NULL)
        return TV_USER_UNKNOWN;
    *out = tv_user_cache_put(users->cache, s->run_number, document ? document->user_id : user_id, document, now);
    if (*out == NULL) {
        tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for a user");
        return TV_USER_AWAY;
    }
    return (*out)->document ? TV_USER_FOUND : TV_USER_UNKNOWN;
}

/* Answered without a question: the breaker is open. */
static enum tv_lookup away(struct tv_error *err)
{
    tv_fail(err, TV_ERR_UNAVAILABLE, "MongoDB, where the users are kept, does not answer");
    tv_from(err, TV_FROM_MONGO);
    return TV_USER_AWAY;
}

/* A fresh entry answers; an older one only while MongoDB is away, and only if it has a document (user_cache.h).
 * Otherwise MongoDB is asked, or, where the caller may not wait, the question is left to a worker. */
enum tv_lookup tv_users_find(struct tv_users *users, const struct tv_resident *resident, int64_t user_id, int may_wait,
                             struct tv_cached_user **out, struct tv_error *err)
{
    struct tv_cached_user *old = tv_user_cache_get(users->cache, resident->run_number, user_id), *new = NULL;
    enum tv_lookup result;
    int fresh = old && tv_clock() - old->read_at < TV_FRESH_SECONDS;
    if (fresh) {
        count(&users->hits);
        result = old->document ? TV_USER_FOUND : TV_USER_UNKNOWN;
    } else if (!tv_breaker_is_up(users->breaker)) {
        result = away(err);
    } else if (!may_wait) {
        result = TV_USER_LATER;
    } else {
        result = ask_mongo(users, resident, user_id, NULL, &new, err);
        inherit_ranking(new, old);
    }
    if (result == TV_USER_AWAY && old && old->document) {
        count(&users->stale);
        result = TV_USER_FOUND;
    }
    *out = NULL;
    if (result == TV_USER_FOUND) {
        *out = new ? new : old;
        (new ? &new : &old)[0] = NULL; /* the reference is the caller's now */
    }
    tv_cached_user_release(old);
    tv_cached_user_release(new);
    return result;
}

/* Only codes that were found are kept, so a new user's is never hidden. */
enum tv_lookup tv_users_number(struct tv_users *users, const struct tv_resident *resident, const char *code,
                               int may_wait, int64_t *number, struct tv_error *err)
{
    struct tv_cached_user *user = NULL;
    if (tv_code_cache_get(users->codes, resident->run_number, code, number))
        return TV_USER_FOUND;
    if (!tv_breaker_is_up(users->breaker))
        return away(err);
    if (!may_wait)
        return TV_USER_LATER;
    enum tv_lookup result = ask_mongo(users, resident, 0, code, &user, err);
    if (result == TV_USER_FOUND) {
        *number = user->user_id;
        tv_code_cache_put(users->codes, resident->run_number, code, *number);
    }
    tv_cached_user_release(user);
    return result;
}

/* The context of take_user. */
struct fetch {
    struct tv_users *users;
    const struct tv_resident *resident;
    double asked_at;
};

/* Puts one document of a batch into the cache. A failure of one is no reason to lose the others. */
static enum tv_status take_user(void *context, const struct tv_mongo_doc *doc, struct tv_error *err)
{
    struct fetch *f = context;
    struct tv_user_document *document = NULL;
    const struct tv_resident *s = f->resident;
    if (tv_user_document_has_parts(doc)) /* they take a connection more, and this one is ours until the end */
        return TV_OK;
    if (tv_user_document_read(&document, f->users->mongo, s->run_number, doc, s->factors, s->n_items, err) != TV_OK)
        return TV_OK; /* told when that user is looked up alone */
    count(&f->users->misses);
    int64_t user_id = document->user_id;
    struct tv_cached_user *old = tv_user_cache_get(f->users->cache, s->run_number, user_id);
    struct tv_cached_user *new = tv_user_cache_put(f->users->cache, s->run_number, user_id, document, f->asked_at);
    inherit_ranking(new, old);
    tv_cached_user_release(old);
    tv_cached_user_release(new);
    return TV_OK;
}

/* A failure is told nowhere but to the breaker: each of these users is looked up once more by a request of its own. */
void tv_users_fetch(struct tv_users *users, const struct tv_resident *resident, const int64_t *user_ids, size_t n)
{
    char collection[TV_MODEL_NAME];
    struct tv_error err = {0};
    struct fetch f = {users, resident, tv_clock()};
    if (!tv_breaker_is_up(users->breaker))
        return;
    const struct tv_mongo_selection wanted = {
        .collection = tv_model_users(collection, resident->run_number), .key = "_id", .values = user_ids, .n = n};
    if (tv_mongo_each_of(users->mongo, &wanted, take_user, &f, &err) == TV_ERR_UNAVAILABLE)
        tv_breaker_trip(users->breaker, &err);
}

/* For a user who was just folded in: the next answer of this server has the new document. If it cannot be read, the
 * old entry is too old a second later. */
void tv_users_renew(struct tv_users *users, const struct tv_resident *resident, int64_t user_id)
{
    struct tv_error err = {0};
    struct tv_cached_user *user = NULL;
    ask_mongo(users, resident, user_id, NULL, &user, &err);
    tv_cached_user_release(user);
}
