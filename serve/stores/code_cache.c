/* code_cache: a hash table in which every code has one place, and the last to come stands there. A code that is lost
 * costs a question to MongoDB and nothing else.
 */
#include "serve/stores/code_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"
#include "trivet/base/code.h"
#include "trivet/base/hash.h"

enum { LOCKS = 16 };

/* Codes are stored whole: the place alone does not tell which code stands there. */
struct place {
    int64_t model, number;
    char code[TV_CODE_MAX + 1]; /* "": free */
};

struct tv_code_cache {
    pthread_mutex_t locks[LOCKS]; /* lock i % LOCKS guards place i */
    size_t n;                     /* a power of two, or 0 */
    struct place places[];
};

/* A power of two, so that the hash's low bits are the place. */
enum tv_status tv_code_cache_create(struct tv_code_cache **out, size_t codes, struct tv_error *err)
{
    size_t n = codes ? 1 : 0;
    while (n < codes)
        n *= 2;
    struct tv_code_cache *cache = tv_alloc(1, sizeof *cache + n * sizeof *cache->places, "the cache of codes", err);
    if (cache == NULL)
        return TV_ERR_NO_MEMORY;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&cache->locks[i], NULL);
    cache->n = n;
    *out = cache;
    return TV_OK;
}

void tv_code_cache_free(struct tv_code_cache *cache)
{
    if (cache == NULL)
        return;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&cache->locks[i]);
    free(cache);
}

/* The model is in the hash, because a code may have another number in each. Both halves of the hash are mixed, as
 * only the low bits choose. */
static size_t place_of(const struct tv_code_cache *cache, int64_t model, const char *code)
{
    uint64_t h = tv_hash(tv_hash(TV_HASH_START, &model, sizeof model), code, strlen(code));
    return (size_t)(h ^ h >> 32) & (cache->n - 1);
}

int tv_code_cache_get(struct tv_code_cache *cache, int64_t model, const char *code, int64_t *number)
{
    if (cache->n == 0)
        return 0;
    size_t i = place_of(cache, model, code);
    const struct place *place = &cache->places[i];
    pthread_mutex_lock(&cache->locks[i % LOCKS]);
    int found = place->model == model && strcmp(place->code, code) == 0;
    if (found)
        *number = place->number;
    pthread_mutex_unlock(&cache->locks[i % LOCKS]);
    return found;
}

/* A code of another user that stands in this place is overwritten: asking for it again costs one question. */
void tv_code_cache_put(struct tv_code_cache *cache, int64_t model, const char *code, int64_t number)
{
    size_t n = strlen(code);
    if (cache->n == 0 || n > TV_CODE_MAX)
        return;
    size_t i = place_of(cache, model, code);
    struct place *place = &cache->places[i];
    pthread_mutex_lock(&cache->locks[i % LOCKS]);
    place->model = model;
    place->number = number;
    memcpy(place->code, code, n + 1);
    pthread_mutex_unlock(&cache->locks[i % LOCKS]);
}
