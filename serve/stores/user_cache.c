/* user_cache: the user documents read last. Each shard is a hash table with chains and a list by last use, both
 * made of slot numbers in arrays that are allocated once, so that nothing is allocated under a lock.
 */
#include "serve/stores/user_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "trivet/base/buffer.h"
#include "trivet/base/clock.h"

enum { SHARDS = 16, USERS_WORTH_SHARDS = 1024 }; /* a smaller cache is one shard, whose limits are the whole's */

/* A shard's place for an entry. The links are numbers of slots; slot 0 holds no entry and stands for "none". */
struct slot {
    struct tv_cached_user *user;
    size_t bytes;
    uint32_t next_in_bucket, newer, older;
};

/* A shard: a cache of its own for the keys whose hash falls to it. */
struct shard {
    pthread_mutex_t mutex;
    struct slot *slots;              /* (max_users + 1) */
    uint32_t *buckets;               /* (n_buckets) */
    uint32_t newest, oldest, unused; /* unused: a chain through `older` */
    size_t users, bytes;
};

struct tv_user_cache {
    size_t n_shards, n_buckets;  /* buckets a shard, a power of two */
    size_t max_users, max_bytes; /* a shard */
    struct shard shards[SHARDS];
};

/* acq_rel: reads through other references are over before the entry is freed. */
void tv_cached_user_release(struct tv_cached_user *user)
{
    if (user && atomic_fetch_sub_explicit(&user->references, 1, memory_order_acq_rel) == 1) {
        tv_user_document_free(user->document);
        free(atomic_load_explicit(&user->ranking, memory_order_relaxed));
        free(user);
    }
}

/* Two threads may rank at the same time: the first to come is kept, as its ranking may be in use by then; the
 * other's is freed. */
void tv_cached_user_keep(struct tv_cached_user *user, struct tv_kept_ranking *ranking)
{
    struct tv_kept_ranking *none = NULL;
    if (!atomic_compare_exchange_strong(&user->ranking, &none, ranking))
        free(ranking);
}

/* A finaliser of MurmurHash3: every bit of the key moves every bit of the result. */
static uint64_t mix(int64_t model, int64_t user_id)
{
    uint64_t h = (uint64_t)user_id ^ (uint64_t)model << 48;
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

/* All slots are unused at first, chained so that slot 1 is taken first. */
static enum tv_status shard_create(struct tv_user_cache *cache, struct shard *shard, struct tv_error *err)
{
    shard->slots = tv_alloc(cache->max_users + 1, sizeof *shard->slots, "the user cache", err);
    shard->buckets = tv_alloc(cache->n_buckets, sizeof *shard->buckets, "the user cache", err);
    if (shard->slots == NULL || shard->buckets == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = cache->max_users; i > 0; i--) {
        shard->slots[i].older = shard->unused;
        shard->unused = (uint32_t)i;
    }
    return TV_OK;
}

/* Each shard gets its share of both limits, keeps to that and asks no other. */
enum tv_status tv_user_cache_create(struct tv_user_cache **out, size_t max_users, size_t max_bytes,
                                    struct tv_error *err)
{
    struct tv_user_cache *cache = tv_alloc(1, sizeof *cache, "the user cache", err);
    if (cache == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = TV_OK;
    cache->n_shards = max_users < USERS_WORTH_SHARDS ? 1 : SHARDS;
    cache->max_users = max_users / cache->n_shards;
    cache->max_bytes = max_bytes / cache->n_shards;
    for (cache->n_buckets = 1; cache->n_buckets < cache->max_users; cache->n_buckets *= 2)
        ;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].mutex, NULL);
    for (size_t i = 0; i < cache->n_shards && status == TV_OK; i++)
        status = shard_create(cache, &cache->shards[i], err);
    if (status == TV_OK)
        *out = cache;
    else
        tv_user_cache_free(cache);
    return status;
}

void tv_user_cache_free(struct tv_user_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        for (uint32_t s = shard->newest; s; s = shard->slots[s].older)
            tv_cached_user_release(shard->slots[s].user);
        pthread_mutex_destroy(&shard->mutex);
        free(shard->slots);
        free(shard->buckets);
    }
    free(cache);
}

/* --- inside a shard, under its lock --------------------------------------------------------------------- */

/* The list's ends are in the shard and not in slots, so a missing neighbour's link is the shard's. */
static void unlink_use(struct shard *shard, uint32_t s)
{
    struct slot *slot = &shard->slots[s];
    *(slot->newer ? &shard->slots[slot->newer].older : &shard->newest) = slot->older;
    *(slot->older ? &shard->slots[slot->older].newer : &shard->oldest) = slot->newer;
}

/* Makes a slot that is not in the list its newest. */
static void link_newest(struct shard *shard, uint32_t s)
{
    struct slot *slot = &shard->slots[s];
    slot->newer = 0;
    slot->older = shard->newest;
    *(shard->newest ? &shard->slots[shard->newest].newer : &shard->oldest) = s;
    shard->newest = s;
}

/* The link that holds the entry's slot number, or the bucket's last link (which holds 0). */
static uint32_t *find(struct tv_user_cache *cache, struct shard *shard, uint64_t hash, int64_t model,
                      int64_t user_id)
{
    uint32_t *link = &shard->buckets[hash & (cache->n_buckets - 1)];
    while (*link) {
        const struct tv_cached_user *user = shard->slots[*link].user;
        if (user->user_id == user_id && user->model == model)
            break;
        link = &shard->slots[*link].next_in_bucket;
    }
    return link;
}

/* Takes a slot out of everything and returns its user, whose reference passes to the caller. */
static struct tv_cached_user *take_out(struct tv_user_cache *cache, struct shard *shard, uint32_t s)
{
    struct slot *slot = &shard->slots[s];
    struct tv_cached_user *user = slot->user;
    uint32_t *link = find(cache, shard, mix(user->model, user->user_id), user->model, user->user_id);
    *link = slot->next_in_bucket;
    unlink_use(shard, s);
    shard->users--;
    shard->bytes -= slot->bytes;
    *slot = (struct slot){.older = shard->unused};
    shard->unused = s;
    return user;
}

/* The hash's upper bits choose the shard and its lower bits the bucket, so that one does not decide the other. */
static struct shard *shard_of(struct tv_user_cache *cache, uint64_t hash)
{
    return &cache->shards[(hash >> 60) % cache->n_shards];
}

/* --- from outside -------------------------------------------------------------------------------- */

/* A read is a use: the entry becomes the newest. The reference is taken under the lock, before the entry can be
 * evicted. */
struct tv_cached_user *tv_user_cache_get(struct tv_user_cache *cache, int64_t model, int64_t user_id)
{
    if (cache->max_users == 0)
        return NULL;
    uint64_t hash = mix(model, user_id);
    struct shard *shard = shard_of(cache, hash);
    struct tv_cached_user *user = NULL;
    pthread_mutex_lock(&shard->mutex);
    uint32_t s = *find(cache, shard, hash, model, user_id);
    if (s) {
        user = shard->slots[s].user;
        atomic_fetch_add_explicit(&user->references, 1, memory_order_relaxed);
        if (s != shard->newest) {
            unlink_use(shard, s);
            link_newest(shard, s);
        }
    }
    pthread_mutex_unlock(&shard->mutex);
    return user;
}

/* The document is taken over also when there is no memory. */
static struct tv_cached_user *make_entry(int64_t model, int64_t user_id, struct tv_user_document *document,
                                         double read_at)
{
    struct tv_cached_user *user = calloc(1, sizeof *user);
    if (user == NULL) {
        tv_user_document_free(document);
        return NULL;
    }
    user->model = model;
    user->user_id = user_id;
    user->document = document;
    user->read_at = read_at;
    user->references = 1;
    return user;
}

enum { MOST_DROPPED = 64 }; /* entries that make room for one new one, at most */

/* Frees a place: that of the same key, else those that were used longest ago, until users and bytes suffice. The
 * entries taken out are put into `dropped`, to be released outside the lock. At most MOST_DROPPED go at a time: if
 * that is not enough, the new entry is not kept. */
static size_t make_room(struct tv_user_cache *cache, struct shard *shard, const struct tv_cached_user *user,
                        uint64_t hash, size_t bytes, struct tv_cached_user **dropped)
{
    size_t n = 0;
    uint32_t same = *find(cache, shard, hash, user->model, user->user_id);
    if (same)
        dropped[n++] = take_out(cache, shard, same);
    while (bytes <= cache->max_bytes && n < MOST_DROPPED && shard->oldest &&
           (shard->unused == 0 || shard->bytes + bytes > cache->max_bytes))
        dropped[n++] = take_out(cache, shard, shard->oldest);
    return n;
}

/* The cache has a reference of its own; the caller keeps the first. */
static void put_in(struct tv_user_cache *cache, struct shard *shard, struct tv_cached_user *user,
                   uint64_t hash, size_t bytes)
{
    uint32_t s = shard->unused;
    struct slot *slot = &shard->slots[s];
    shard->unused = slot->older;
    uint32_t *bucket = &shard->buckets[hash & (cache->n_buckets - 1)];
    *slot = (struct slot){.user = user, .bytes = bytes, .next_in_bucket = *bucket};
    *bucket = s;
    link_newest(shard, s);
    shard->users++;
    shard->bytes += bytes;
    atomic_fetch_add_explicit(&user->references, 1, memory_order_relaxed);
}

/* A document read earlier never replaces one read later, so a slow reader does not undo what a faster one has put
 * in. One that is too large for a shard is returned and not kept. */
struct tv_cached_user *tv_user_cache_put(struct tv_user_cache *cache, int64_t model, int64_t user_id,
                                         struct tv_user_document *document, double read_at)
{
    struct tv_cached_user *dropped[MOST_DROPPED], *user = make_entry(model, user_id, document, read_at);
    if (user == NULL || cache->max_users == 0)
        return user;
    size_t n = 0, bytes = sizeof *user + sizeof(struct slot);
    if (document) /* with the ranking it will get */
        bytes += tv_user_document_bytes(document) + sizeof(struct tv_kept_ranking);
    uint64_t hash = mix(model, user_id);
    struct shard *shard = shard_of(cache, hash);
    pthread_mutex_lock(&shard->mutex);
    uint32_t same = *find(cache, shard, hash, model, user_id);
    if (same == 0 || shard->slots[same].user->read_at <= read_at) {
        n = make_room(cache, shard, user, hash, bytes, dropped);
        if (shard->unused && shard->bytes + bytes <= cache->max_bytes)
            put_in(cache, shard, user, hash, bytes);
    }
    pthread_mutex_unlock(&shard->mutex);
    for (size_t i = 0; i < n; i++)
        tv_cached_user_release(dropped[i]);
    return user;
}

/* Shards are locked one after the other, so the sums are of no single moment, which is good enough for /metrics. */
void tv_user_cache_count(struct tv_user_cache *cache, struct tv_user_cache_counts *counts)
{
    *counts = (struct tv_user_cache_counts){.max_users = cache->max_users * cache->n_shards,
                                            .max_bytes = cache->max_bytes * cache->n_shards};
    for (size_t i = 0; i < cache->n_shards; i++) {
        pthread_mutex_lock(&cache->shards[i].mutex);
        counts->users += cache->shards[i].users;
        counts->bytes += cache->shards[i].bytes;
        pthread_mutex_unlock(&cache->shards[i].mutex);
    }
}
