/* verify: reads a whole index: all signatures, and whether the pages say the same. Equal contents have equal bytes,
 * so pages are compared with what building them anew from the signatures gives. An index that changes meanwhile
 * looks damaged, so this is for a time when nobody rates.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/inside.h"
#include "lib/similar/lists.h"
#include "trivet/store/redis_keys.h"

/* A walk over the groups of witnesses, in order. */
struct walking {
    struct tv_similar *s;
    int32_t first; /* row of the group */
    tv_similar_take_item take;
    void *context;
};

/* One group: tells of each row with an audience. Where Redis has no such group, none of its rows has one. */
static enum tv_status take_group(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                 struct tv_error *err)
{
    (void)i, (void)element;
    struct walking *w = context;
    struct tv_similar *s = w->s;
    enum tv_status status = TV_OK;
    struct tv_buffer group = {.data = (char *)bytes, .size = bytes ? n : 0, .max = n}; /* lent */
    for (int32_t row = w->first; row < s->rows.n && row < w->first + TV_SIMILAR_GROUP && status == TV_OK; row++) {
        const char *at;
        size_t count;
        status = tv_similar_group_find(&group, row, &at, &count, err);
        if (status != TV_OK || count == 0)
            continue;
        tv_similar_sketch(s->functions, at, count, s->values, s->witness);
        status = w->take(w->context, s->rows.ids[row], s->values, err);
    }
    w->first += TV_SIMILAR_GROUP;
    return status;
}

/* GETs go out in crowds, so that a walk over all groups waits for a few hundred replies at a time and not for each. */
enum tv_status tv_similar_each(struct tv_similar *s, tv_similar_take_item take, void *context, struct tv_error *err)
{
    enum { GROUPS_AT_ONCE = 256 };
    char key[TV_SIMILAR_KEY];
    int64_t version;
    struct walking w = {.s = s, .take = take, .context = context};
    enum tv_status status = tv_similar_look(s, &version, NULL, err);
    for (int32_t row = 0, n = 0; row < s->rows.n && status == TV_OK; row += TV_SIMILAR_GROUP) {
        const struct tv_redis_command c = tv_redis_words("GET", tv_similar_sets_key(key, version, row), NULL);
        status = tv_redis_queue(s->redis, (size_t)c.n, c.words, c.sizes, err);
        if (status == TV_OK && (++n % GROUPS_AT_ONCE == 0 || row + TV_SIMILAR_GROUP >= s->rows.n))
            status = tv_redis_flush(s->redis, take_group, &w, err);
    }
    return status;
}

/* --- pages ---------------------------------------------------------------------------------------------------- */

/* The index as its signatures make it, with which the pages are compared; all owned. */
struct verifying {
    struct tv_similar *s;
    uint32_t *values, *witness; /* (rows, size) */
    struct tv_similar_lists lists;
    int32_t at; /* the first list of the page that comes next */
    uint32_t page;
    struct tv_buffer wanted;
};

/* The handle's `witness` belongs to the same row, as tv_similar_sketch left it before the call. */
static enum tv_status keep_values(void *context, int64_t item, const uint32_t *values, struct tv_error *err)
{
    (void)err;
    struct verifying *v = context;
    struct tv_similar *s = v->s;
    size_t at = (size_t)tv_id_map_find(&s->rows, item) * (size_t)s->size, n = (size_t)s->size * sizeof *values;
    memcpy(v->values + at, values, n);
    memcpy(v->witness + at, s->witness, n);
    return TV_OK;
}

/* Replies come in the order of the pages, and tv_similar_lists_page makes them in that order, too. */
static enum tv_status compare_page(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                   struct tv_error *err)
{
    (void)i, (void)element;
    struct verifying *v = context;
    char key[TV_SIMILAR_KEY];
    enum tv_status status = tv_similar_lists_page(&v->lists, v->page, v->s->pages, &v->at, &v->wanted, err);
    if (status != TV_OK)
        return status;
    n = bytes ? n : 0;
    if (n != v->wanted.size || (n > 0 && memcmp(bytes, v->wanted.data, n) != 0))
        return tv_fail(err, TV_ERR_CORRUPT, "%s holds %zu bytes, and not the %zu that the signatures make it",
                       tv_similar_page_key(key, v->s->version, v->page), n, v->wanted.size);
    v->page++;
    return TV_OK;
}

/* A thousand pages at a time; each reply is compared as it comes, so one page of the wanted bytes is in memory. */
static enum tv_status compare_pages(struct verifying *v, struct tv_error *err)
{
    enum { PAGES_AT_ONCE = 1024 };
    struct tv_similar *s = v->s;
    char key[TV_SIMILAR_KEY];
    enum tv_status status = TV_OK;
    for (uint32_t p = 0; p < s->pages && status == TV_OK; p++) {
        const struct tv_redis_command c = tv_redis_words("GET", tv_similar_page_key(key, s->version, p), NULL);
        status = tv_redis_queue(s->redis, (size_t)c.n, c.words, c.sizes, err);
        if (status == TV_OK && (p % PAGES_AT_ONCE == PAGES_AT_ONCE - 1 || p + 1 == s->pages))
            status = tv_redis_flush(s->redis, compare_page, v, err);
    }
    return status;
}

/* A list without rows is no key. */
static enum tv_status compare_list(void *context, uint32_t witness, int position, const char *list, size_t n,
                                   struct tv_error *err)
{
    struct verifying *v = context;
    char key[TV_SIMILAR_KEY];
    tv_buffer_clear(&v->wanted);
    enum tv_status status =
        tv_redis_get(v->s->redis, tv_similar_heavy_key(key, v->s->version, witness, position), &v->wanted, err);
    status = status == TV_ERR_NOT_FOUND ? TV_OK : status;
    if (status == TV_OK && (v->wanted.size != n || (n > 0 && memcmp(v->wanted.data, list, n) != 0)))
        return tv_fail(err, TV_ERR_CORRUPT, "%s holds %zu bytes, and not the %zu that the signatures make it", key,
                       v->wanted.size, n);
    return status;
}

/* The lists of heavy witnesses. They are few, so they are read one by one. */
static enum tv_status compare_heavy(struct verifying *v, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int32_t i = 0; i < v->lists.heavy.n && status == TV_OK; i++)
        status = tv_similar_lists_heavy(&v->lists, i, compare_list, v, err);
    return status;
}

/* A witness that is missing among the users would never be found as somebody's twin. */
static enum tv_status compare_users(const struct verifying *v, struct tv_error *err)
{
    for (int32_t i = 0; i < v->lists.users.n; i++)
        if (tv_id_map_find(&v->s->users, v->lists.users.ids[i]) < 0)
            return tv_fail(err, TV_ERR_CORRUPT, "trivet:similar:{%" PRId64 "}:users lacks witness %" PRId64,
                           v->s->version, v->lists.users.ids[i]);
    return TV_OK;
}

/* Memory is that of a build: two numbers for each value of each row. The heavy witnesses are those that the index
 * names, because they were chosen at its build, and rows have come since. */
enum tv_status tv_similar_verify(struct tv_similar *s, struct tv_error *err)
{
    int64_t version;
    struct verifying v = {.s = s, .wanted = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES)};
    enum tv_status status = tv_similar_look(s, &version, NULL, err);
    if (status != TV_OK)
        return status;
    size_t n = (size_t)s->rows.n * (size_t)s->size;
    v.values = tv_alloc(n, sizeof *v.values, "signatures", err);
    v.witness = tv_alloc(n, sizeof *v.witness, "signatures", err);
    status = v.values && v.witness ? TV_OK : TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < n && status == TV_OK; i++)
        v.values[i] = TV_MINHASH_EMPTY; /* of rows that tv_similar_each leaves out */
    if (status == TV_OK)
        status = tv_similar_each(s, keep_values, &v, err);
    if (status == TV_OK)
        status = tv_similar_lists_make(&v.lists, s->functions, v.values, v.witness, s->rows.n, &s->heavy, err);
    if (status == TV_OK)
        status = compare_users(&v, err);
    if (status == TV_OK)
        status = compare_pages(&v, err);
    if (status == TV_OK)
        status = compare_heavy(&v, err);
    tv_similar_lists_free(&v.lists);
    tv_buffer_free(&v.wanted);
    free(v.values);
    free(v.witness);
    return status;
}
