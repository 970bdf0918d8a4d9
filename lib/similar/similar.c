/* similar: the handle on the index of similar items in Redis: which index is live, its rows and users, and an item as it has
 * it now. Asking (ask.c) and changing (change.c) begin here; building (build.c) needs no handle.
 */
#include "trivet/similar/similar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/cache.h"
#include "lib/similar/inside.h"
#include "trivet/base/text.h"

/* --- the handle --------------------------------------------------------------------------------------------- */

/* No index is looked for yet: a server may be started before there is one. */
enum tv_status tv_similar_open(struct tv_similar **out, const char *redis_uri, int timeout_ms, struct tv_error *err)
{
    struct tv_similar *s = tv_alloc(1, sizeof *s, "an index of similar items", err);
    if (s == NULL)
        return TV_ERR_NO_MEMORY;
    tv_buffer_init(&s->group, TV_SIMILAR_MAX_BYTES);
    enum tv_status status = tv_redis_open(&s->redis, redis_uri, timeout_ms, -1, err);
    if (status == TV_OK)
        *out = s;
    else
        tv_similar_close(s);
    return status;
}

/* Gives back what belongs to one index; the connection stays. */
static void forget(struct tv_similar *s)
{
    for (int i = 0; s->pages_new && i < 2 * s->size; i++)
        tv_buffer_free(&s->pages_new[i]);
    free(s->pages_new);
    free(s->values);
    free(s->witnesses);
    free(s->positions);
    free(s->bits);
    free(s->counts.count);
    free(s->counts.touched);
    free(s->names);
    free(s->words);
    free(s->word_sizes);
    tv_id_map_free(&s->rows);
    tv_id_map_free(&s->users);
    tv_id_map_free(&s->heavy);
    tv_minhash_free(s->functions);
    tv_buffer_free(&s->group);
    tv_similar_cache_clear(s);
    *s = (struct tv_similar){.redis = s->redis, .group = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES)};
}

void tv_similar_close(struct tv_similar *s)
{
    if (s == NULL)
        return;
    forget(s);
    tv_redis_close(s->redis);
    free(s);
}

int tv_similar_size(const struct tv_similar *s)
{
    return s->size;
}

int64_t tv_similar_dataset(const struct tv_similar *s)
{
    return s->dataset;
}

/* Room for one question or change of this index, all of it proportional to the signature's size. The first array of
 * each kind is allocated, and the others point into it. */
static enum tv_status make_room(struct tv_similar *s, struct tv_error *err)
{
    size_t size = (size_t)s->size;
    s->values = tv_alloc(4 * size, sizeof *s->values, "signatures", err);
    s->witnesses = tv_alloc(3 * size, sizeof *s->witnesses, "witnesses", err);
    s->positions = tv_alloc(3 * size, sizeof *s->positions, "witnesses", err);
    s->bits = tv_alloc((size + 7) / 8, 1, "witnesses", err);
    s->names = tv_alloc(2 * size + 4, sizeof *s->names, "names of keys", err);
    s->words = tv_alloc(4 * size + 16, sizeof *s->words, "a command", err);
    s->word_sizes = tv_alloc(4 * size + 16, sizeof *s->word_sizes, "a command", err);
    s->pages_new = tv_alloc(2 * size, sizeof *s->pages_new, "pages of an index", err);
    if (!s->values || !s->witnesses || !s->positions || !s->bits || !s->names || !s->words || !s->word_sizes ||
        !s->pages_new)
        return TV_ERR_NO_MEMORY;
    s->witness = s->values + size;
    s->new_values = s->witness + size;
    s->new_witness = s->new_values + size;
    s->new_witnesses = s->witnesses + 2 * size;
    s->new_positions = s->positions + 2 * size;
    for (size_t i = 0; i < 2 * size; i++)
        tv_buffer_init(&s->pages_new[i], TV_SIMILAR_MAX_BYTES);
    return TV_OK;
}

/* --- rows and users ----------------------------------------------------------------------------------------- */

enum { ID_BYTES = 8 };

/* Ids of `each` bytes, for the numbers from map->n on. They are numbered as they come, so one that stands twice would
 * shift all others. */
static enum tv_status take_new(struct tv_similar *s, struct tv_id_map *map, const char *bytes, size_t n, int each,
                               struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; i + (size_t)each <= n && status == TV_OK; i += (size_t)each) {
        int64_t id = (int64_t)tv_similar_read_number(bytes + i, each);
        int32_t row, before = map->n;
        status = tv_id_map_add(map, id, &row, err);
        if (status == TV_OK && map->n == before)
            status = tv_fail(err, TV_ERR_CORRUPT, "index %" PRId64 " of similar items names %s %" PRId64 " twice",
                             s->version, each == ID_BYTES ? "item" : "witness", id);
    }
    return status;
}

/* The bytes of a string from `from` on: nothing, if nobody has appended. */
static enum tv_status queue_tail(struct tv_similar *s, const char *suffix, int64_t from, struct tv_error *err)
{
    char key[TV_SIMILAR_KEY], number[24];
    snprintf(number, sizeof number, "%" PRId64, from);
    const struct tv_redis_command c =
        tv_redis_words("GETRANGE", tv_similar_key(key, s->version, suffix), number, "-1", NULL);
    return tv_redis_queue_command(s->redis, &c, err);
}

/* Asks for rows and users that came since; two replies, for take_new_of. */
static enum tv_status queue_new(struct tv_similar *s, struct tv_error *err)
{
    enum tv_status status = queue_tail(s, ":ids", (int64_t)s->rows.n * ID_BYTES, err);
    return status == TV_OK ? queue_tail(s, ":users", (int64_t)s->users.n * TV_SIMILAR_HASH, err) : status;
}

static enum tv_status take_new_of(struct tv_similar *s, size_t reply, const char *bytes, size_t n, struct tv_error *err)
{
    return reply == 0 ? take_new(s, &s->rows, bytes, n, ID_BYTES, err)
                      : take_new(s, &s->users, bytes, n, TV_SIMILAR_HASH, err);
}

static enum tv_status take_only_new(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                    struct tv_error *err)
{
    (void)element;
    return take_new_of(context, i, bytes, n, err);
}

enum tv_status tv_similar_read_new(struct tv_similar *s, struct tv_error *err)
{
    enum tv_status status = queue_new(s, err);
    return status == TV_OK ? tv_redis_flush(s->redis, take_only_new, s, err) : status;
}

/* --- which index -------------------------------------------------------------------------------------------- */

static enum tv_status no_index(struct tv_error *err)
{
    tv_fail(err, TV_ERR_NOT_FOUND, "Redis has no index of similar items");
    return tv_hint(err, "build one: trivet-train similar");
}

/* An older format had no number of pages. */
static enum tv_status older_index(int64_t version, struct tv_error *err)
{
    tv_fail(err, TV_ERR_NOT_FOUND, "index %" PRId64 " of similar items was written by an older trivet", version);
    return tv_hint(err, "build it anew: trivet-train similar");
}

/* A number from Redis; 0 for nil, a key that is not there. */
static enum tv_status number(const char *what, const char *bytes, size_t n, int64_t *out, struct tv_error *err)
{
    *out = 0;
    if (bytes == NULL || tv_text_int64(bytes, n, out))
        return TV_OK;
    return tv_fail(err, TV_ERR_CORRUPT, "Redis has \"%.40s\" for %s, not a number", bytes, what);
}

/* The two numbers that are needed to read an index, and what it is made of. */
struct description {
    int64_t size, pages, dataset;
};

static enum tv_status take_description(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                       struct tv_error *err)
{
    (void)i;
    struct description *d = context;
    return element == 0   ? number("the size of signatures", bytes, n, &d->size, err)
           : element == 1 ? number("the pages of an index", bytes, n, &d->pages, err)
                          : number("the data set of an index", bytes, n, &d->dataset, err);
}

/* Takes the witnesses that are heavy. */
static enum tv_status take_heavy(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                 struct tv_error *err)
{
    (void)i, (void)element;
    struct tv_similar *s = context;
    return take_new(s, &s->heavy, bytes, n, TV_SIMILAR_HASH, err);
}

/* Read once: they stay the same for as long as the index is there. */
static enum tv_status read_heavy(struct tv_similar *s, struct tv_error *err)
{
    enum tv_status status = queue_tail(s, ":heavy", 0, err);
    return status == TV_OK ? tv_redis_flush(s->redis, take_heavy, s, err) : status;
}

/* Makes the handle that of another index. Where that fails it is a handle of none, and the next call tries again. */
static enum tv_status load(struct tv_similar *s, int64_t version, struct tv_error *err)
{
    char key[TV_SIMILAR_KEY];
    struct description d = {0};
    forget(s);
    const struct tv_redis_command c =
        tv_redis_words("HMGET", tv_similar_key(key, version, ""), "signature_size", "witness_pages", "dataset",
                       NULL);
    enum tv_status status = tv_redis_queue_command(s->redis, &c, err);
    if (status == TV_OK)
        status = tv_redis_flush(s->redis, take_description, &d, err);
    if (status == TV_OK && (d.size < 1 || d.size > TV_MINHASH_MAX || d.pages < 1 || d.pages > TV_SIMILAR_MAX_PAGES))
        status = d.size > 0 && d.pages == 0 ? older_index(version, err) : no_index(err);
    if (status == TV_OK)
        status = tv_minhash_create(&s->functions, (int)d.size, err);
    if (status == TV_OK) {
        s->size = (int)d.size;
        s->pages = (uint32_t)d.pages;
        s->dataset = d.dataset;
        s->version = version;
        status = make_room(s, err);
    }
    if (status == TV_OK)
        status = read_heavy(s, err);
    if (status == TV_OK)
        status = tv_similar_read_new(s, err);
    if (status != TV_OK)
        forget(s);
    return status;
}

/* --- an item ------------------------------------------------------------------------------------------------ */

/* One round trip of read_once. */
struct reading {
    struct tv_similar *s;
    size_t first;        /* replies before those that matter */
    int32_t group, near; /* the group that is wanted, and the first that is read with it */
    int64_t live, changes;
};

/* Only questions fill the cache: a change is about to make its group old. */
static enum tv_status take_group(struct reading *r, int32_t group, const char *bytes, size_t n, struct tv_error *err)
{
    if (r->first == 0) /* no watch: a question */
        tv_similar_cache_put(r->s, group, bytes, n);
    return bytes && group == r->group ? tv_buffer_append(&r->s->group, bytes, n, err) : TV_OK;
}

/* Replies by their place: the two of a WATCH, if there is one, then those in the order of read_once. */
static enum tv_status take_reading(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                   struct tv_error *err)
{
    struct reading *r = context;
    if (i < r->first)
        return TV_OK;
    switch (i - r->first) {
    case 0:
        return number(TV_SIMILAR_LIVE, bytes, n, &r->live, err);
    case 1:
        return number("the changes of an index", bytes, n, &r->changes, err);
    case 2:
    case 3:
        return take_new_of(r->s, i - r->first - 2, bytes, n, err);
    default:
        return take_group(r, r->near + (int32_t)element, bytes, n, err);
    }
}

/* UNWATCH first: an earlier change may have ended without an EXEC, and watches add up. */
static enum tv_status queue_watch(struct tv_similar *s, const char *changes, struct tv_error *err)
{
    const struct tv_redis_command unwatch = tv_redis_words("UNWATCH", NULL),
                                  watch = tv_redis_words("WATCH", TV_SIMILAR_LIVE, changes, NULL);
    enum tv_status status = tv_redis_queue_command(s->redis, &unwatch, err);
    return status == TV_OK ? tv_redis_queue_command(s->redis, &watch, err) : status;
}

/* The group of a row. A question also asks for those near it, which cost little in the same round trip, for questions
 * to come. */
static enum tv_status queue_groups(struct reading *r, int32_t row, int watch, struct tv_error *err)
{
    char names[TV_SIMILAR_NEAR][TV_SIMILAR_KEY];
    const char *words[1 + TV_SIMILAR_NEAR] = {"MGET"};
    size_t sizes[1 + TV_SIMILAR_NEAR] = {4}, n = watch ? 1 : TV_SIMILAR_NEAR;
    r->group = row / TV_SIMILAR_GROUP;
    r->near = watch ? r->group : r->group / TV_SIMILAR_NEAR * TV_SIMILAR_NEAR;
    for (size_t i = 0; i < n; i++) {
        words[1 + i] = tv_similar_sets_key(names[i], r->s->version, (r->near + (int32_t)i) * TV_SIMILAR_GROUP);
        sizes[1 + i] = strlen(names[i]);
    }
    return tv_redis_queue(r->s->redis, 1 + n, words, sizes, err);
}

/* One round trip: the number of the live index, its changes, new rows and users, and the group of `row` (-1: none).
 * Redis answers in order, but others may change the index between two of these commands; callers see that by the
 * counts, and a change by its WATCH. */
static enum tv_status read_once(struct tv_similar *s, int32_t row, int watch, int64_t *live, struct tv_error *err)
{
    char changes[TV_SIMILAR_KEY];
    struct reading r = {.s = s, .first = watch ? 2 : 0};
    tv_similar_key(changes, s->version, ":changes");
    const struct tv_redis_command get_live = tv_redis_words("GET", TV_SIMILAR_LIVE, NULL),
                                  get_changes = tv_redis_words("GET", changes, NULL);
    tv_buffer_clear(&s->group);
    enum tv_status status = watch ? queue_watch(s, changes, err) : TV_OK;
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &get_live, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &get_changes, err);
    if (status == TV_OK)
        status = queue_new(s, err);
    if (status == TV_OK && row >= 0)
        status = queue_groups(&r, row, watch, err);
    if (status == TV_OK)
        status = tv_redis_flush(s->redis, take_reading, &r, err);
    s->changes = r.changes;
    *live = r.live;
    return status;
}

/* Makes the handle that of the live index; *again = 1 if it was another's. */
static enum tv_status follow(struct tv_similar *s, int64_t live, int *again, struct tv_error *err)
{
    *again = live != s->version;
    if (live == 0)
        return no_index(err);
    return *again ? load(s, live, err) : TV_OK;
}

/* Twice at most, unless indices are switched faster than they are loaded: the second time the handle is that of the
 * live one. */
enum tv_status tv_similar_look(struct tv_similar *s, int64_t *version, int64_t *changes, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    int64_t live;
    for (int again = 1; again && status == TV_OK;) {
        status = read_once(s, -1, 0, &live, err);
        if (status == TV_OK)
            status = follow(s, live, &again, err);
    }
    *version = s->version;
    if (changes)
        *changes = s->changes;
    return status;
}

/* An item without a row would get the next one, so the group of that row is read, for a change to append to. Where
 * rows came meanwhile, perhaps this item's, everything is read once more. */
enum tv_status tv_similar_read(struct tv_similar *s, int64_t item, int watch, int32_t *row, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    int64_t live;
    for (int again = 1; again && status == TV_OK;) {
        *row = tv_id_map_find(&s->rows, item);
        int32_t asked = *row >= 0 ? *row : s->rows.n;
        status = read_once(s, asked, watch, &live, err);
        if (status == TV_OK)
            status = follow(s, live, &again, err);
        again |= *row < 0 && asked != s->rows.n;
    }
    const char *at;
    size_t n = 0;
    if (status == TV_OK)
        status = tv_similar_group_find(&s->group, *row >= 0 ? *row : s->rows.n, &at, &n, err);
    if (status == TV_OK)
        tv_similar_sketch(s->functions, at, n, s->values, s->witness);
    return status;
}
