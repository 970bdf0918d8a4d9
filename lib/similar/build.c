/* build: a whole index into Redis under its version, key after key, and the switch to it. Nobody reads an index before
 * the switch, so the keys are written in any order, except that the description comes last. Keys go out a few hundred
 * at a time, by MSET.
 */
#include "trivet/similar/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/inside.h"
#include "lib/similar/lists.h"
#include "trivet/store/redis_keys.h"

enum { KEYS_AT_ONCE = 256 };

/* --- writing keys in bulk ------------------------------------------------------------------------------------- */

/* One MSET that grows. The buffers are used again for every MSET. */
struct bulk {
    struct tv_redis *redis;
    char names[KEYS_AT_ONCE][TV_SIMILAR_KEY];
    struct tv_buffer values[KEYS_AT_ONCE];
    const char *words[1 + 2 * KEYS_AT_ONCE];
    size_t sizes[1 + 2 * KEYS_AT_ONCE];
    size_t n;
};

static struct bulk *make_bulk(struct tv_redis *redis, struct tv_error *err)
{
    struct bulk *b = tv_alloc(1, sizeof *b, "a command", err);
    for (int i = 0; b && i < KEYS_AT_ONCE; i++)
        tv_buffer_init(&b->values[i], TV_SIMILAR_MAX_BYTES);
    if (b)
        b->redis = redis;
    return b;
}

static void free_bulk(struct bulk *b)
{
    for (int i = 0; b && i < KEYS_AT_ONCE; i++)
        tv_buffer_free(&b->values[i]);
    free(b);
}

/* Sends the gathered keys, if there are any, and waits for Redis to have them. */
static enum tv_status send_bulk(struct bulk *b, struct tv_error *err)
{
    b->words[0] = "MSET";
    b->sizes[0] = 4;
    for (size_t i = 0; i < b->n; i++) {
        b->words[1 + 2 * i] = b->names[i];
        b->sizes[1 + 2 * i] = strlen(b->names[i]);
        b->words[2 + 2 * i] = tv_buffer_string(&b->values[i]);
        b->sizes[2 + 2 * i] = b->values[i].size;
    }
    enum tv_status status = b->n ? tv_redis_queue(b->redis, 1 + 2 * b->n, b->words, b->sizes, err) : TV_OK;
    b->n = 0;
    return status == TV_OK ? tv_redis_flush(b->redis, NULL, NULL, err) : status;
}

/* Counts in the key whose name and value the caller has put at b->n; an empty value is no key, as a page without
 * witnesses is none. */
static enum tv_status put_key(struct bulk *b, struct tv_error *err)
{
    if (b->values[b->n].size == 0)
        return TV_OK;
    return ++b->n == KEYS_AT_ONCE ? send_bulk(b, err) : TV_OK;
}

/* --- pages ---------------------------------------------------------------------------------------------------- */

/* So many pages that each has some TV_SIMILAR_PAGE_ENTRIES entries. The number stays for the life of the index, while
 * entries are added. */
static uint32_t pages_for(int64_t entries)
{
    int64_t pages = (entries + TV_SIMILAR_PAGE_ENTRIES - 1) / TV_SIMILAR_PAGE_ENTRIES;
    return (uint32_t)(pages < 1 ? 1 : pages > TV_SIMILAR_MAX_PAGES ? TV_SIMILAR_MAX_PAGES : pages);
}

/* All pages in turn, and now and then the news of how far it is, which may end the build. */
static enum tv_status write_pages(struct bulk *b, int64_t version, const struct tv_similar_lists *lists, uint32_t pages,
                                  tv_similar_written written, void *context, struct tv_error *err)
{
    enum { TELL_EVERY = 4096 };
    int32_t at = 0;
    enum tv_status status = TV_OK;
    for (uint32_t p = 0; p < pages && status == TV_OK; p++) {
        tv_similar_page_key(b->names[b->n], version, p);
        status = tv_similar_lists_page(lists, p, pages, &at, &b->values[b->n], err);
        if (status == TV_OK)
            status = put_key(b, err);
        if (status == TV_OK && (p % TELL_EVERY == TELL_EVERY - 1 || p + 1 == pages))
            status = written(context, (int64_t)p + 1, pages, err);
    }
    return status == TV_OK ? send_bulk(b, err) : status;
}

/* The context of put_list. */
struct heavy_lists {
    struct bulk *bulk;
    int64_t version;
};

/* One list of a heavy witness; a position without rows has no key. */
static enum tv_status put_list(void *context, uint32_t witness, int position, const char *list, size_t n,
                               struct tv_error *err)
{
    const struct heavy_lists *h = context;
    struct bulk *b = h->bulk;
    tv_similar_heavy_key(b->names[b->n], h->version, witness, position);
    tv_buffer_clear(&b->values[b->n]);
    enum tv_status status = tv_buffer_append(&b->values[b->n], list, n, err);
    return status == TV_OK ? put_key(b, err) : status;
}

static enum tv_status write_heavy(struct bulk *b, int64_t version, const struct tv_similar_lists *lists,
                                  struct tv_error *err)
{
    struct heavy_lists h = {.bulk = b, .version = version};
    enum tv_status status = TV_OK;
    for (int32_t i = 0; i < lists->heavy.n && status == TV_OK; i++)
        status = tv_similar_lists_heavy(lists, i, put_list, &h, err);
    return status == TV_OK ? send_bulk(b, err) : status;
}

/* --- rows ----------------------------------------------------------------------------------------------------- */

/* The witnesses of one row, as they are stored: the signature follows from them. */
static enum tv_status append_witnesses(struct tv_buffer *group, const struct tv_minhash_sets *sets, int32_t row,
                                       struct tv_error *err)
{
    struct tv_minhash_witness witnesses[TV_MINHASH_MAX];
    uint16_t positions[TV_MINHASH_MAX];
    int n = tv_minhash_witnesses(sets->functions, tv_minhash_sets_values(sets, row), tv_minhash_sets_witness(sets, row),
                                 witnesses, positions);
    return tv_similar_group_append(group, witnesses, n, err);
}

/* The witnesses of all rows, TV_SIMILAR_GROUP rows a key: a key costs Redis more than the few witnesses of most items
 * do. */
static enum tv_status write_sets(struct bulk *b, int64_t version, const struct tv_minhash_sets *sets,
                                 struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (int32_t first = 0; first < sets->items.n && status == TV_OK; first += TV_SIMILAR_GROUP) {
        struct tv_buffer *group = &b->values[b->n];
        tv_buffer_clear(group);
        for (int32_t row = first; row < sets->items.n && row < first + TV_SIMILAR_GROUP && status == TV_OK; row++)
            status = append_witnesses(group, sets, row, err);
        tv_similar_sets_key(b->names[b->n], version, first);
        if (status == TV_OK)
            status = put_key(b, err);
    }
    return status == TV_OK ? send_bulk(b, err) : status;
}

/* The ids of a map in the order of their numbers, `each` bytes an id, little endian: one string, to which changes
 * append. */
static enum tv_status write_ids(struct tv_redis *redis, int64_t version, const char *suffix,
                                const struct tv_id_map *map, int each, struct tv_error *err)
{
    char key[TV_SIMILAR_KEY];
    size_t n = (size_t)map->n * (size_t)each;
    char *bytes = tv_alloc(n, 1, "ids of an index", err);
    if (bytes == NULL)
        return TV_ERR_NO_MEMORY;
    for (int32_t i = 0; i < map->n; i++)
        tv_similar_put_number(bytes + (size_t)i * (size_t)each, (uint64_t)map->ids[i], each);
    enum tv_status status = tv_redis_set(redis, tv_similar_key(key, version, suffix), bytes, n, err);
    free(bytes);
    return status;
}

/* The hash that tells how the index is to be read. It comes last: an index without it is not there. */
static enum tv_status write_description(struct tv_redis *redis, const struct tv_similar_name *name,
                                        const struct tv_minhash_sets *sets, uint32_t pages, struct tv_error *err)
{
    char key[TV_SIMILAR_KEY], size[16], n[16], items[16], dataset[24];
    snprintf(dataset, sizeof dataset, "%" PRId64, name->dataset);
    snprintf(size, sizeof size, "%d", tv_minhash_size(sets->functions));
    snprintf(n, sizeof n, "%u", pages);
    snprintf(items, sizeof items, "%d", (int)sets->items.n);
    tv_similar_key(key, name->version, "");
    const struct tv_redis_command commands[] = {
        tv_redis_words("HSET", key, "items", items, "dataset", dataset, NULL),
        tv_redis_words("HSET", key, "signature_size", size, "witness_pages", n, NULL)};
    return tv_redis_transaction(redis, commands, 2, err);
}

static enum tv_status write_all(struct bulk *b, const struct tv_similar_name *name, const struct tv_minhash_sets *sets,
                                const struct tv_similar_lists *lists, tv_similar_written written, void *context,
                                struct tv_error *err)
{
    int64_t version = name->version;
    uint32_t pages = pages_for(lists->n_entries);
    enum tv_status status = write_sets(b, version, sets, err);
    if (status == TV_OK)
        status = write_pages(b, version, lists, pages, written, context, err);
    if (status == TV_OK)
        status = write_heavy(b, version, lists, err);
    if (status == TV_OK)
        status = write_ids(b->redis, version, ":heavy", &lists->heavy, TV_SIMILAR_HASH, err);
    if (status == TV_OK)
        status = write_ids(b->redis, version, ":ids", &sets->items, 8, err);
    if (status == TV_OK)
        status = write_ids(b->redis, version, ":users", &lists->users, TV_SIMILAR_HASH, err);
    return status == TV_OK ? write_description(b->redis, name, sets, pages, err) : status;
}

/* All lists stand in memory before the first key is written: how many entries there are decides how many pages
 * there will be. */
enum tv_status tv_similar_write(struct tv_redis *redis, const struct tv_similar_name *name,
                                const struct tv_minhash_sets *sets, tv_similar_written written, void *context,
                                struct tv_error *err)
{
    struct tv_similar_lists lists;
    enum tv_status status =
        tv_similar_lists_make(&lists, sets->functions, sets->values, sets->witness, sets->items.n, NULL, err);
    if (status != TV_OK)
        return status;
    struct bulk *b = make_bulk(redis, err);
    status = b ? write_all(b, name, sets, &lists, written, context, err) : TV_ERR_NO_MEMORY;
    free_bulk(b);
    tv_similar_lists_free(&lists);
    return status;
}

/* --- an index as a whole -------------------------------------------------------------------------------------- */

/* One transaction, so that a server that hears of the switch finds it done. */
enum tv_status tv_similar_switch(struct tv_redis *redis, int64_t version, struct tv_error *err)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, version);
    const struct tv_redis_command commands[] = {
        version ? tv_redis_words("SET", TV_SIMILAR_LIVE, number, NULL) : tv_redis_words("DEL", TV_SIMILAR_LIVE, NULL),
        tv_redis_words("PUBLISH", TV_SIMILAR_LIVE, number, NULL),
    };
    return tv_redis_transaction(redis, commands, 2, err);
}

enum tv_status tv_similar_live(struct tv_redis *redis, int64_t *version, struct tv_error *err)
{
    *version = 0;
    enum tv_status status = tv_redis_get_int(redis, TV_SIMILAR_LIVE, version, err);
    return status == TV_ERR_NOT_FOUND ? TV_OK : status;
}

/* Names of keys, gathered while SCAN walks, because what is then done with them uses the same connection. */
struct names {
    const int64_t *keep; /* (n_keep) versions that are passed over */
    size_t n_keep;
    struct tv_buffer text; /* each with its NUL */
    size_t n;
};

/* The pattern of SCAN may match other names; the version between the braces decides. */
static enum tv_status gather(void *context, const char *key, struct tv_error *err)
{
    struct names *names = context;
    int64_t version = 0;
    if (sscanf(key, "trivet:similar:{%" SCNd64 "}", &version) != 1)
        return TV_OK;
    for (size_t i = 0; i < names->n_keep; i++)
        if (names->keep[i] == version)
            return TV_OK;
    names->n++;
    return tv_buffer_append(&names->text, key, strlen(key) + 1, err);
}

/* Runs "command [sub] key" for each name, a thousand at a time. */
static enum tv_status each_name(struct tv_redis *redis, const struct names *names, const char *command, const char *sub,
                                tv_redis_take take, void *context, struct tv_error *err)
{
    enum { AT_ONCE = 1000 };
    enum tv_status status = TV_OK;
    size_t i = 0;
    for (const char *key = names->text.data; i < names->n && status == TV_OK; key += strlen(key) + 1) {
        const struct tv_redis_command c =
            sub ? tv_redis_words(command, sub, key, NULL) : tv_redis_words(command, key, NULL);
        status = tv_redis_queue(redis, (size_t)c.n, c.words, c.sizes, err);
        if (status == TV_OK && (++i % AT_ONCE == 0 || i == names->n))
            status = tv_redis_flush(redis, take, context, err);
    }
    return status;
}

/* UNLINK frees memory in a thread of Redis's own, where DEL would hold up everybody. */
enum tv_status tv_similar_drop_others(struct tv_redis *redis, const int64_t *keep, size_t n, struct tv_error *err)
{
    struct names names = {.keep = keep, .n_keep = n, .text = TV_BUFFER_INIT(SIZE_MAX / 2)};
    enum tv_status status = tv_redis_keys(redis, "trivet:similar:{*", gather, &names, err);
    if (status == TV_OK)
        status = each_name(redis, &names, "UNLINK", NULL, NULL, NULL, err);
    tv_buffer_free(&names.text);
    return status;
}

/* A key that has gone since it was listed takes nothing: its reply is nil. */
static enum tv_status add_bytes(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                struct tv_error *err)
{
    (void)i, (void)element, (void)n, (void)err;
    *(double *)context += bytes ? strtod(bytes, NULL) : 0;
    return TV_OK;
}

enum tv_status tv_similar_bytes(struct tv_redis *redis, int64_t version, double *bytes, int64_t *keys,
                                struct tv_error *err)
{
    char pattern[TV_SIMILAR_KEY];
    struct names names = {.text = TV_BUFFER_INIT(SIZE_MAX / 2)};
    *bytes = 0;
    enum tv_status status = tv_redis_keys(redis, tv_similar_key(pattern, version, "*"), gather, &names, err);
    if (status == TV_OK)
        status = each_name(redis, &names, "MEMORY", "USAGE", add_bytes, bytes, err);
    *keys = (int64_t)names.n;
    tv_buffer_free(&names.text);
    return status;
}
