/* similar_build: a whole index into Redis under its number, position after position, and the switch to it. */
#include "trivet/similar_build.h"

#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "similar_parts.h"

enum { KEYS_AT_ONCE = 256 };

/* --- writing keys in bulk ------------------------------------------------------------------------------------- */

/* One MSET that grows. */
struct bulk {
    struct tv_redis *redis;
    char names[KEYS_AT_ONCE][SIMILAR_KEY];
    const char *words[1 + 2 * KEYS_AT_ONCE];
    size_t sizes[1 + 2 * KEYS_AT_ONCE];
    size_t n;
};

static enum tv_status send_bulk(struct bulk *b, struct tv_error *err)
{
    b->words[0] = "MSET";
    b->sizes[0] = 4;
    enum tv_status status = b->n ? tv_redis_queue(b->redis, 1 + 2 * b->n, b->words, b->sizes, err) : TV_OK;
    b->n = 0;
    return status;
}

/* Room for the next key's name; its value, which is lent until the bulk is sent, is given to put_value. */
static char *next_name(struct bulk *b)
{
    return b->names[b->n];
}

static enum tv_status put_value(struct bulk *b, const char *value, size_t size, struct tv_error *err)
{
    b->words[1 + 2 * b->n] = b->names[b->n];
    b->sizes[1 + 2 * b->n] = strlen(b->names[b->n]);
    b->words[2 + 2 * b->n] = value;
    b->sizes[2 + 2 * b->n] = size;
    return ++b->n == KEYS_AT_ONCE ? send_bulk(b, err) : TV_OK;
}

/* --- pages ---------------------------------------------------------------------------------------------------- */

static uint32_t pages_for(int32_t rows)
{
    int64_t pages = ((int64_t)rows + SIMILAR_PAGE_ROWS - 1) / SIMILAR_PAGE_ROWS;
    return (uint32_t)(pages < 1 ? 1 : pages > SIMILAR_MAX_PAGES ? SIMILAR_MAX_PAGES : pages);
}

static enum tv_status write_column(struct bulk *b, int64_t version, int position, uint32_t pages,
                                   const struct similar_column *c, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (uint32_t p = 0; p < pages && status == TV_OK; p++)
        if (c->start[p + 1] > c->start[p]) {
            similar_page_key(next_name(b), version, position, p);
            status = put_value(b, c->bytes.data + c->start[p], c->start[p + 1] - c->start[p], err);
        }
    return status == TV_OK ? send_bulk(b, err) : status;
}

struct columns {
    const struct tv_minhash_sets *sets;
    uint32_t pages;
    int n; /* at once: one a core */
    struct similar_column *column;
    enum tv_status *status;
};

static enum tv_status make_columns(struct columns *c, int first, int n, struct tv_error *err)
{
    size_t size = (size_t)tv_minhash_size(c->sets->functions);
#pragma omp parallel for num_threads(c->n)
    for (int i = 0; i < n; i++)
        c->status[i] = similar_column_make(&c->column[i], c->pages, c->sets->values + first + i, size, c->sets->items.n,
                                           NULL, NULL);
    for (int i = 0; i < n; i++)
        if (c->status[i] != TV_OK)
            return tv_fail(err, c->status[i],
                           "position %d of an index of similar items could not be made: out of memory", first + i);
    return TV_OK;
}

/* While Redis takes in the pages of some positions, those after them are made. */
static enum tv_status write_pages(struct bulk *b, int64_t version, struct columns *c, tv_similar_written written,
                                  void *context, struct tv_error *err)
{
    int size = tv_minhash_size(c->sets->functions);
    enum tv_status status = TV_OK;
    for (int first = 0; first < size && status == TV_OK; first += c->n) {
        int n = size - first < c->n ? size - first : c->n;
        status = make_columns(c, first, n, err);
        for (int i = 0; i < n && status == TV_OK; i++)
            status = write_column(b, version, first + i, c->pages, &c->column[i], err);
        if (status == TV_OK)
            status = tv_redis_flush(b->redis, NULL, NULL, err);
        for (int i = 0; i < n; i++)
            similar_column_free(&c->column[i]);
        if (status == TV_OK)
            status = written(context, first + n, err);
    }
    return status;
}

static enum tv_status write_positions(struct bulk *b, int64_t version, const struct tv_minhash_sets *sets,
                                      uint32_t pages, tv_similar_written written, void *context, struct tv_error *err)
{
    struct columns c = {.sets = sets, .pages = pages, .n = sets->threads};
    c.column = tv_alloc((size_t)c.n, sizeof *c.column, "positions of an index", err);
    c.status = tv_alloc((size_t)c.n, sizeof *c.status, "positions of an index", err);
    enum tv_status status =
        c.column && c.status ? write_pages(b, version, &c, written, context, err) : TV_ERR_NO_MEMORY;
    free(c.column);
    free(c.status);
    return status;
}

/* --- rows ----------------------------------------------------------------------------------------------------- */

static enum tv_status append_witnesses(struct tv_buffer *group, const struct tv_minhash_sets *sets, int32_t row,
                                       struct tv_error *err)
{
    uint32_t distinct[TV_MINHASH_MAX];
    int n = tv_minhash_witnesses(sets->functions, tv_minhash_sets_values(sets, row), tv_minhash_sets_witness(sets, row),
                                 distinct);
    return similar_group_append(group, distinct, n, err);
}

static enum tv_status write_sets(struct bulk *b, int64_t version, const struct tv_minhash_sets *sets,
                                 struct tv_error *err)
{
    enum tv_status status = TV_OK;
    struct tv_buffer groups[KEYS_AT_ONCE] = {0};
    for (int i = 0; i < KEYS_AT_ONCE; i++)
        tv_buffer_init(&groups[i], SIMILAR_MAX_BYTES);
    for (int32_t first = 0; first < sets->items.n && status == TV_OK; first += SIMILAR_GROUP) {
        struct tv_buffer *group = &groups[b->n];
        tv_buffer_clear(group);
        for (int32_t row = first; row < sets->items.n && row < first + SIMILAR_GROUP && status == TV_OK; row++)
            status = append_witnesses(group, sets, row, err);
        similar_sets_key(next_name(b), version, first);
        if (status == TV_OK)
            status = put_value(b, group->data, group->size, err);
        if (status == TV_OK && b->n == 0)
            status = tv_redis_flush(b->redis, NULL, NULL, err);
    }
    if (status == TV_OK)
        status = send_bulk(b, err);
    if (status == TV_OK)
        status = tv_redis_flush(b->redis, NULL, NULL, err);
    for (int i = 0; i < KEYS_AT_ONCE; i++)
        tv_buffer_free(&groups[i]);
    return status;
}

static enum tv_status write_ids(struct tv_redis *redis, int64_t version, const struct tv_id_map *items,
                                struct tv_error *err)
{
    char key[SIMILAR_KEY];
    size_t n = (size_t)items->n * 8;
    unsigned char *bytes = tv_alloc(n, 1, "ids of items", err);
    if (bytes == NULL)
        return TV_ERR_NO_MEMORY;
    for (int32_t row = 0; row < items->n; row++)
        for (int i = 0; i < 8; i++)
            bytes[row * 8 + i] = (unsigned char)((uint64_t)items->ids[row] >> 8 * i);
    enum tv_status status = tv_redis_set(redis, similar_key(key, version, ":ids"), bytes, n, err);
    free(bytes);
    return status;
}

/* The description comes last: an index without it is not there. */
static enum tv_status write_description(struct tv_redis *redis, int64_t version, const struct tv_minhash_sets *sets,
                                        uint32_t pages, struct tv_error *err)
{
    char key[SIMILAR_KEY], size[16], n[16], items[16];
    snprintf(size, sizeof size, "%d", tv_minhash_size(sets->functions));
    snprintf(n, sizeof n, "%u", pages);
    snprintf(items, sizeof items, "%d", (int)sets->items.n);
    similar_key(key, version, "");
    const struct tv_redis_command c =
        tv_redis_words("HSET", key, "items", items, "signature_size", size, "pages", n, NULL);
    return tv_redis_run(redis, &c, NULL, err);
}

enum tv_status tv_similar_write(struct tv_redis *redis, int64_t version, const struct tv_minhash_sets *sets,
                                tv_similar_written written, void *context, struct tv_error *err)
{
    uint32_t pages = pages_for(sets->items.n);
    struct bulk *b = tv_alloc(1, sizeof *b, "a command", err);
    if (b == NULL)
        return TV_ERR_NO_MEMORY;
    b->redis = redis;
    enum tv_status status = write_sets(b, version, sets, err);
    if (status == TV_OK)
        status = write_positions(b, version, sets, pages, written, context, err);
    if (status == TV_OK)
        status = write_ids(redis, version, &sets->items, err);
    if (status == TV_OK)
        status = write_description(redis, version, sets, pages, err);
    free(b);
    return status;
}

/* --- an index as a whole -------------------------------------------------------------------------------------- */

enum tv_status tv_similar_switch(struct tv_redis *redis, int64_t version, struct tv_error *err)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, version);
    const struct tv_redis_command commands[] = {
        tv_redis_words("SET", TV_SIMILAR_LIVE, number, NULL),
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

/* Names of keys, gathered while SCAN walks: its cursor and what is done with the keys would share one connection. */
struct names {
    int64_t keep;
    struct tv_buffer text; /* each with its NUL */
    size_t n;
};

static enum tv_status gather(void *context, const char *key, struct tv_error *err)
{
    struct names *names = context;
    int64_t version = 0;
    if (sscanf(key, "trivet:similar:{%" SCNd64 "}", &version) != 1 || version == names->keep)
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

enum tv_status tv_similar_drop_others(struct tv_redis *redis, int64_t keep, struct tv_error *err)
{
    struct names names = {.keep = keep, .text = TV_BUFFER_INIT(SIZE_MAX / 2)};
    enum tv_status status = tv_redis_keys(redis, "trivet:similar:{*", gather, &names, err);
    if (status == TV_OK)
        status = each_name(redis, &names, "UNLINK", NULL, NULL, NULL, err);
    tv_buffer_free(&names.text);
    return status;
}

static enum tv_status add_bytes(void *context, size_t i, size_t part, const char *bytes, size_t n, struct tv_error *err)
{
    (void)i, (void)part, (void)n, (void)err;
    *(double *)context += bytes ? strtod(bytes, NULL) : 0;
    return TV_OK;
}

enum tv_status tv_similar_bytes(struct tv_redis *redis, int64_t version, double *bytes, int64_t *keys,
                                struct tv_error *err)
{
    char pattern[SIMILAR_KEY];
    struct names names = {.keep = -1, .text = TV_BUFFER_INIT(SIZE_MAX / 2)};
    *bytes = 0;
    enum tv_status status = tv_redis_keys(redis, similar_key(pattern, version, "*"), gather, &names, err);
    if (status == TV_OK)
        status = each_name(redis, &names, "MEMORY", "USAGE", add_bytes, bytes, err);
    *keys = (int64_t)names.n;
    tv_buffer_free(&names.text);
    return status;
}
