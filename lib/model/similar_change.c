/* similar_change: one item's audience changes: its row goes out of the pages of its old values and into those of the
 * new ones. Three round trips: the item's witnesses, the pages, and MULTI ... EXEC with all that is new. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "similar_parts.h"

/* A page to be written anew. */
struct edit {
    int position;
    uint32_t page;
    int leaves, enters; /* the row leaves the old value there, enters the new one */
};

struct change {
    struct tv_similar *s;
    int32_t row;
    int had, has;       /* the item had an audience, has one afterwards */
    struct edit *edits; /* (n_edits, at most 2 size), what they become is in s->edits */
    size_t n_edits;
    int differing;          /* values of the signature that change */
    struct tv_buffer other; /* a page half done */
    int refused;            /* somebody else was quicker */
};

static void plan_position(struct change *c, int j)
{
    const struct tv_similar *s = c->s;
    uint32_t from = similar_page_of(s->values[j], s->pages), to = similar_page_of(s->new_values[j], s->pages);
    if (c->had && c->has && from == to) {
        c->edits[c->n_edits++] = (struct edit){j, from, 1, 1};
        return;
    }
    if (c->had)
        c->edits[c->n_edits++] = (struct edit){j, from, 1, 0};
    if (c->has)
        c->edits[c->n_edits++] = (struct edit){j, to, 0, 1};
}

/* s->values become s->new_values: which pages does that touch? */
static enum tv_status plan(struct change *c, struct tv_similar *s, int32_t row, struct tv_error *err)
{
    *c = (struct change){.s = s, .row = row, .other = TV_BUFFER_INIT(SIMILAR_MAX_BYTES)};
    c->had = !tv_minhash_is_empty(s->functions, s->values);
    c->has = !tv_minhash_is_empty(s->functions, s->new_values);
    c->edits = tv_alloc(2 * (size_t)s->size, sizeof *c->edits, "pages of an index", err);
    if (c->edits == NULL)
        return TV_ERR_NO_MEMORY;
    for (int j = 0; j < s->size; j++)
        if (s->values[j] != s->new_values[j] || c->had != c->has) {
            c->differing += s->values[j] != s->new_values[j];
            plan_position(c, j);
        }
    return TV_OK;
}

static void free_change(struct change *c)
{
    free(c->edits);
    tv_buffer_free(&c->other);
}

static enum tv_status take_page(void *context, size_t i, size_t part, const char *bytes, size_t n, struct tv_error *err)
{
    (void)i;
    struct change *c = context;
    struct tv_similar *s = c->s;
    const struct edit *e = &c->edits[part];
    struct tv_buffer *page = &s->edits[part];
    enum tv_status status = TV_OK;
    if (e->leaves && e->enters) {
        status = tv_bucket_change(&c->other, bytes, n, s->values[e->position], (uint32_t)c->row, 0, err);
        bytes = tv_buffer_string(&c->other);
        n = c->other.size;
    }
    uint32_t value = e->enters ? s->new_values[e->position] : s->values[e->position];
    return status == TV_OK ? tv_bucket_change(page, bytes ? bytes : "", n, value, (uint32_t)c->row, e->enters, err)
                           : status;
}

static enum tv_status read_pages(struct change *c, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    s->words[0] = "MGET";
    s->word_sizes[0] = 4;
    for (size_t i = 0; i < c->n_edits; i++) {
        s->words[1 + i] = similar_page_key(s->names[i], s->version, c->edits[i].position, c->edits[i].page);
        s->word_sizes[1 + i] = strlen(s->names[i]);
    }
    enum tv_status status = tv_redis_queue(s->redis, 1 + c->n_edits, s->words, s->word_sizes, err);
    return status == TV_OK ? tv_redis_flush(s->redis, take_page, c, err) : status;
}

/* The group of the row anew, with its new witnesses. */
static enum tv_status write_group(struct change *c, struct tv_buffer *out, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    enum tv_status status = TV_OK;
    const char *at, *end = tv_buffer_string(&s->group) + s->group.size;
    size_t count;
    for (int32_t i = 0; i < SIMILAR_GROUP && status == TV_OK; i++) {
        status = similar_group_find(&s->group, i, &at, &count, err);
        if (status != TV_OK || (i > c->row % SIMILAR_GROUP && at + count * SIMILAR_HASH == end && count == 0))
            break; /* nothing from here on */
        if (i == c->row % SIMILAR_GROUP) {
            int n = tv_minhash_witnesses(s->functions, s->new_values, s->new_witness, s->distinct);
            status = similar_group_append(out, s->distinct, n, err);
        } else {
            status = similar_group_copy(out, at, count, err);
        }
    }
    return status;
}

static void add_word(struct tv_similar *s, size_t *n, const char *word, size_t size)
{
    s->words[*n] = word;
    s->word_sizes[(*n)++] = size;
}

/* MSET of all pages with rows and of the group, then UNLINK of the pages without. */
static enum tv_status queue_pages(struct change *c, const char *group_key, const struct tv_buffer *group,
                                  struct tv_error *err)
{
    struct tv_similar *s = c->s;
    size_t n = 0;
    add_word(s, &n, "MSET", 4);
    add_word(s, &n, group_key, strlen(group_key));
    add_word(s, &n, tv_buffer_string(group), group->size);
    for (size_t i = 0; i < c->n_edits; i++)
        if (s->edits[i].size > 0) {
            add_word(s, &n, s->names[i], strlen(s->names[i]));
            add_word(s, &n, s->edits[i].data, s->edits[i].size);
        }
    enum tv_status status = tv_redis_queue(s->redis, n, s->words, s->word_sizes, err);
    n = 0;
    add_word(s, &n, "UNLINK", 6);
    for (size_t i = 0; i < c->n_edits; i++)
        if (s->edits[i].size == 0)
            add_word(s, &n, s->names[i], strlen(s->names[i]));
    return status == TV_OK && n > 1 ? tv_redis_queue(s->redis, n, s->words, s->word_sizes, err) : status;
}

static enum tv_status queue_new_row(struct tv_similar *s, int64_t item, struct tv_error *err)
{
    char key[SIMILAR_KEY], bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)item >> 8 * i);
    similar_key(key, s->version, ":ids");
    const char *const words[] = {"APPEND", key, bytes};
    const size_t sizes[] = {6, strlen(key), sizeof bytes};
    return tv_redis_queue(s->redis, 3, words, sizes, err);
}

/* The replies are +OK, +QUEUED for each command, and the array of EXEC, or nil where the watch was touched. */
static enum tv_status take_exec(void *context, size_t i, size_t part, const char *bytes, size_t n, struct tv_error *err)
{
    (void)i, (void)n, (void)err;
    int *refused = context;
    *refused = part == 0 && bytes == NULL;
    return TV_OK;
}

static enum tv_status commit(struct change *c, int64_t item, int is_new, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    char changes[SIMILAR_KEY], group_key[SIMILAR_KEY];
    struct tv_buffer group = TV_BUFFER_INIT(SIMILAR_MAX_BYTES);
    const struct tv_redis_command multi = tv_redis_words("MULTI", NULL), exec = tv_redis_words("EXEC", NULL),
                                  count = tv_redis_words("INCR", similar_key(changes, s->version, ":changes"), NULL);
    enum tv_status status = write_group(c, &group, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &multi, err);
    if (status == TV_OK)
        status = queue_pages(c, similar_sets_key(group_key, s->version, c->row), &group, err);
    if (status == TV_OK && is_new)
        status = queue_new_row(s, item, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &count, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &exec, err);
    if (status == TV_OK)
        status = tv_redis_flush(s->redis, take_exec, &c->refused, err);
    tv_buffer_free(&group);
    if (status == TV_OK && !c->refused) {
        s->changes++;
        if (is_new)
            status = tv_id_map_add(&s->rows, item, &c->row, err);
    }
    return status;
}

/* After similar_read with a watch: makes the item's signature s->new_values. *refused = 1: somebody else changed the
 * index since, and nothing was done. */
static enum tv_status apply(struct tv_similar *s, int64_t item, int32_t row, int *differing, int *refused,
                            struct tv_error *err)
{
    struct change c;
    int is_new = row < 0;
    *refused = *differing = 0;
    enum tv_status status = plan(&c, s, is_new ? s->rows.n : row, err);
    if (status == TV_OK && c.n_edits > 0)
        status = read_pages(&c, err);
    if (status == TV_OK && c.n_edits > 0)
        status = commit(&c, item, is_new, err);
    *refused = c.refused;
    *differing = c.differing;
    free_change(&c);
    return status;
}

/* Those who were refused at the same time should not come again at the same time. */
static void step_aside(int tries)
{
    int most = tries < 8 ? 100 << tries : 25600;
    usleep((useconds_t)(rand() % most));
}

enum tv_status tv_similar_add(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int *changed,
                              struct tv_error *err)
{
    enum tv_status status = TV_OK;
    int refused = 1, differing = 0;
    int32_t row;
    for (int tries = 0; refused && status == TV_OK; tries++) {
        if (tries > 0)
            step_aside(tries);
        status = similar_read(s, item, 1, &row, err);
        if (status != TV_OK)
            break;
        memcpy(s->new_values, s->values, (size_t)s->size * sizeof *s->values);
        memcpy(s->new_witness, s->witness, (size_t)s->size * sizeof *s->witness);
        for (size_t i = 0; i < n; i++)
            tv_minhash_update_witness(s->functions, s->new_values, s->new_witness, hashes[i]);
        status = apply(s, item, row, &differing, &refused, err);
    }
    if (changed)
        *changed = differing;
    return status;
}

enum tv_status tv_similar_holds(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int *holds,
                                struct tv_error *err)
{
    int32_t row;
    *holds = 0;
    enum tv_status status = similar_read(s, item, 0, &row, err);
    if (status != TV_OK || tv_minhash_is_empty(s->functions, s->values))
        return status;
    for (size_t i = 0; i < n && !*holds; i++)
        for (int j = 0; j < s->size && !*holds; j++)
            *holds = s->witness[j] == hashes[i];
    return TV_OK;
}

enum tv_status tv_similar_replace(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int64_t version,
                                  int64_t *changes, struct tv_error *err)
{
    int refused = 0, differing;
    int32_t row;
    enum tv_status status = similar_read(s, item, 1, &row, err);
    if (status == TV_OK && s->version == version && s->changes == *changes) {
        tv_minhash_clear(s->functions, s->new_values);
        tv_minhash_clear(s->functions, s->new_witness);
        for (size_t i = 0; i < n; i++)
            tv_minhash_update_witness(s->functions, s->new_values, s->new_witness, hashes[i]);
        status = apply(s, item, row, &differing, &refused, err);
    } else if (status == TV_OK) {
        refused = 1;
    }
    if (status == TV_OK && refused)
        status = tv_fail(err, TV_ERR_BUSY, "the index of similar items changed while item %" PRId64 " was read", item);
    if (status == TV_OK)
        *changes = s->changes;
    return status;
}
