/* similar_verify: reads a whole index: all signatures, and whether the pages say the same. Equal contents have equal
 * bytes, so pages are compared with what building them anew gives. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "similar_parts.h"

struct walking {
    struct tv_similar *s;
    int32_t first; /* row of the group */
    tv_similar_take_item take;
    void *context;
};

static enum tv_status take_group(void *context, size_t i, size_t part, const char *bytes, size_t n,
                                 struct tv_error *err)
{
    (void)i, (void)part;
    struct walking *w = context;
    struct tv_similar *s = w->s;
    enum tv_status status = TV_OK;
    struct tv_buffer group = {.data = (char *)bytes, .size = bytes ? n : 0, .max = n}; /* lent */
    for (int32_t row = w->first; row < s->rows.n && row < w->first + SIMILAR_GROUP && status == TV_OK; row++) {
        const char *at;
        size_t count;
        status = similar_group_find(&group, row, &at, &count, err);
        if (status != TV_OK || count == 0)
            continue;
        similar_sketch(s->functions, at, count, s->values, s->witness);
        status = w->take(w->context, s->rows.ids[row], s->values, err);
    }
    w->first += SIMILAR_GROUP;
    return status;
}

enum tv_status tv_similar_each(struct tv_similar *s, tv_similar_take_item take, void *context, struct tv_error *err)
{
    enum { GROUPS_AT_ONCE = 256 };
    char key[SIMILAR_KEY];
    int64_t version;
    struct walking w = {.s = s, .take = take, .context = context};
    enum tv_status status = tv_similar_look(s, &version, NULL, err);
    for (int32_t row = 0, n = 0; row < s->rows.n && status == TV_OK; row += SIMILAR_GROUP) {
        const struct tv_redis_command c = tv_redis_words("GET", similar_sets_key(key, version, row), NULL);
        status = tv_redis_queue(s->redis, (size_t)c.n, c.words, c.sizes, err);
        if (status == TV_OK && (++n % GROUPS_AT_ONCE == 0 || row + SIMILAR_GROUP >= s->rows.n))
            status = tv_redis_flush(s->redis, take_group, &w, err);
    }
    return status;
}

/* --- pages ---------------------------------------------------------------------------------------------------- */

struct verifying {
    struct tv_similar *s;
    uint32_t *values; /* (rows, size) */
    uint8_t *present; /* (rows) */
    struct similar_column column;
    int position;
};

static enum tv_status keep_values(void *context, int64_t item, const uint32_t *values, struct tv_error *err)
{
    (void)err;
    struct verifying *v = context;
    int32_t row = tv_id_map_find(&v->s->rows, item);
    memcpy(v->values + (size_t)row * (size_t)v->s->size, values, (size_t)v->s->size * sizeof *values);
    v->present[row] = 1;
    return TV_OK;
}

static enum tv_status compare_page(void *context, size_t i, size_t part, const char *bytes, size_t n,
                                   struct tv_error *err)
{
    (void)part;
    struct verifying *v = context;
    const struct similar_column *c = &v->column;
    size_t wanted = c->start[i + 1] - c->start[i];
    if ((bytes ? n : 0) == wanted && (wanted == 0 || memcmp(bytes, c->bytes.data + c->start[i], wanted) == 0))
        return TV_OK;
    char key[SIMILAR_KEY];
    return tv_fail(err, TV_ERR_CORRUPT, "%s holds %zu bytes, and not the %zu that the signatures make it",
                   similar_page_key(key, v->s->version, v->position, (uint32_t)i), bytes ? n : 0, wanted);
}

static enum tv_status verify_position(struct verifying *v, int position, struct tv_error *err)
{
    struct tv_similar *s = v->s;
    char key[SIMILAR_KEY];
    v->position = position;
    enum tv_status status =
        similar_column_make(&v->column, s->pages, v->values + position, (size_t)s->size, s->rows.n, v->present, err);
    for (uint32_t p = 0; p < s->pages && status == TV_OK; p++) {
        const struct tv_redis_command c = tv_redis_words("GET", similar_page_key(key, s->version, position, p), NULL);
        status = tv_redis_queue(s->redis, (size_t)c.n, c.words, c.sizes, err);
    }
    if (status == TV_OK)
        status = tv_redis_flush(s->redis, compare_page, v, err);
    similar_column_free(&v->column);
    return status;
}

enum tv_status tv_similar_verify(struct tv_similar *s, struct tv_error *err)
{
    int64_t version;
    struct verifying v = {.s = s};
    enum tv_status status = tv_similar_look(s, &version, NULL, err);
    if (status != TV_OK)
        return status;
    v.values = tv_alloc((size_t)s->rows.n * (size_t)s->size, sizeof *v.values, "signatures", err);
    v.present = tv_alloc((size_t)s->rows.n, 1, "signatures", err);
    status = v.values && v.present ? tv_similar_each(s, keep_values, &v, err) : TV_ERR_NO_MEMORY;
    for (int j = 0; j < s->size && status == TV_OK; j++)
        status = verify_position(&v, j, err);
    free(v.values);
    free(v.present);
    return status;
}
