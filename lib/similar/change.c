/* change: one item's audience changes: its row goes out of the lists of old witnesses and into those of new ones.
 * Three round trips: the item's witnesses, with a WATCH on the counter of changes; their pages; and MULTI ... EXEC
 * with all that is new. Redis refuses the EXEC if anybody counted a change in between, and then it is done again. A
 * process that is killed before the EXEC has changed nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/similar/inside.h"

/* A witness's list as it is to be for the row from now on: these positions, or with n = 0 none. The positions are
 * lent from the handle. */
struct edit {
    uint32_t witness;
    const uint16_t *positions;
    int n;
};

/* A heavy witness has a list for each position: whether this one has the row from now on. */
struct heavy_edit {
    uint32_t witness;
    int position, present;
};

/* One change of one row; edits are owned. */
struct change {
    struct tv_similar *s;
    int32_t row;
    struct edit *edits;       /* (n_edits, at most 2 size) ascending by witness, and so by page */
    struct heavy_edit *heavy; /* (n_heavy, at most 2 size) */
    size_t n_edits, n_heavy;
    size_t n_pages;         /* of the lists that are read; those of heavy witnesses follow */
    size_t first;           /* edit of the page that comes next */
    int n_new;              /* witnesses of the row from now on, which are s->new_witnesses */
    struct tv_buffer other; /* a page after some of its edits; changes places with the page at each */
    int refused;            /* somebody else was quicker */
};

/* --- what changes ------------------------------------------------------------------------------------------- */

static int same_positions(const uint16_t *a, int n_a, const uint16_t *b, int n_b)
{
    return n_a == n_b && memcmp(a, b, (size_t)n_a * sizeof *a) == 0;
}

/* The positions of the row that come from one witness become others: one edit of its record on a page, or, for a
 * heavy witness, one of each list that loses or gains the row. Positions ascend, so both are merged. */
static void plan_witness(struct change *c, uint32_t witness, const uint16_t *old, int n_old, const uint16_t *new,
                         int n_new)
{
    if (same_positions(old, n_old, new, n_new))
        return;
    if (!tv_similar_is_heavy(c->s, witness)) {
        c->edits[c->n_edits++] = (struct edit){witness, new, n_new};
        return;
    }
    for (int i = 0, k = 0; i < n_old || k < n_new;) {
        int goes = k == n_new || (i < n_old && old[i] < new[k]), comes = i == n_old || (k < n_new && new[k] < old[i]);
        if (goes || comes)
            c->heavy[c->n_heavy++] = (struct heavy_edit){witness, goes ? old[i] : new[k], comes};
        i += !comes;
        k += !goes;
    }
}

/* s->values become s->new_values: which lists does that touch? Both rows of witnesses ascend, so they are merged; a
 * witness in both with the same positions touches nothing. */
static enum tv_status plan(struct change *c, struct tv_similar *s, int32_t row, struct tv_error *err)
{
    static const struct tv_minhash_witness nobody;
    *c = (struct change){.s = s, .row = row, .other = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES)};
    int n_old = tv_minhash_witnesses(s->functions, s->values, s->witness, s->witnesses, s->positions), i = 0, k = 0;
    c->n_new = tv_minhash_witnesses(s->functions, s->new_values, s->new_witness, s->new_witnesses, s->new_positions);
    c->edits = tv_alloc(2 * (size_t)s->size, sizeof *c->edits, "witnesses of an item", err);
    c->heavy = tv_alloc(2 * (size_t)s->size, sizeof *c->heavy, "witnesses of an item", err);
    if (c->edits == NULL || c->heavy == NULL)
        return TV_ERR_NO_MEMORY;
    while (i < n_old || k < c->n_new) {
        const struct tv_minhash_witness *old = i < n_old ? &s->witnesses[i] : &nobody,
                                        *new = k < c->n_new ? &s->new_witnesses[k] : &nobody;
        int goes = k == c->n_new || (i < n_old && old->hash < new->hash);
        int comes = i == n_old || (k < c->n_new && new->hash < old->hash);
        plan_witness(c, goes ? old->hash : new->hash, s->positions + old->first, comes ? 0 : old->n,
                     s->new_positions + new->first, goes ? 0 : new->n);
        i += !comes;
        k += !goes;
    }
    return TV_OK;
}

/* How many values of the signature the change made different. */
static int differing(const struct tv_similar *s)
{
    return s->size - tv_minhash_shared(s->functions, s->values, s->new_values);
}

/* Safe after a failure of plan, which leaves what it had no memory for as NULL. */
static void free_change(struct change *c)
{
    free(c->edits);
    free(c->heavy);
    tv_buffer_free(&c->other);
}

/* --- pages ---------------------------------------------------------------------------------------------------- */

/* Applies all edits of the next page to its bytes, in turn. tv_postings_change writes into another buffer, so the two
 * change places. */
static enum tv_status change_page(struct change *c, struct tv_buffer *page, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    uint32_t number = tv_similar_page_of(c->edits[c->first].witness, s->pages);
    enum tv_status status = TV_OK;
    for (; c->first < c->n_edits && status == TV_OK; c->first++) {
        const struct edit *e = &c->edits[c->first];
        if (tv_similar_page_of(e->witness, s->pages) != number)
            break;
        status = tv_postings_change(&c->other, tv_buffer_string(page), page->size,
                                    &(struct tv_postings_entry){e->witness, (uint32_t)c->row, e->positions, e->n},
                                    s->size, err);
        struct tv_buffer swap = *page;
        *page = c->other;
        c->other = swap;
    }
    return status;
}

/* One old list: makes the new one in s->pages_new. Elements come in the order of the MGET, pages first. */
static enum tv_status take_old(void *context, size_t i, size_t element, const char *bytes, size_t n,
                               struct tv_error *err)
{
    (void)i;
    struct change *c = context;
    struct tv_buffer *out = &c->s->pages_new[element];
    bytes = bytes ? bytes : "";
    if (element >= c->n_pages)
        return tv_row_list_change(out, bytes, n, (uint32_t)c->row, c->heavy[element - c->n_pages].present, err);
    tv_buffer_clear(out);
    enum tv_status status = tv_buffer_append(out, bytes, n, err);
    return status == TV_OK ? change_page(c, out, err) : status;
}

/* The pages and lists that change. They are read after the WATCH, so an EXEC that goes through was made from what is
 * still there. */
static enum tv_status read_old(struct change *c, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < c->n_edits; i++)
        tv_similar_add_page(s, c->edits[i].witness, &last, &c->n_pages);
    size_t n = c->n_pages;
    for (size_t i = 0; i < c->n_heavy; i++)
        tv_similar_add_heavy(s, c->heavy[i].witness, c->heavy[i].position, &n);
    enum tv_status status = tv_similar_queue_lists(s, n, err);
    return status == TV_OK ? tv_redis_flush(s->redis, take_old, c, err) : status;
}

/* The group of the row anew, with its new witnesses; the other rows' are copied. A group ends with its last row that
 * has an audience, so a row beyond the end makes it longer. */
static enum tv_status write_group(struct change *c, struct tv_buffer *out, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    enum tv_status status = TV_OK;
    const char *at, *end = tv_buffer_string(&s->group) + s->group.size;
    size_t count;
    for (int32_t i = 0; i < TV_SIMILAR_GROUP && status == TV_OK; i++) {
        status = tv_similar_group_find(&s->group, i, &at, &count, err);
        if (status != TV_OK || (i > c->row % TV_SIMILAR_GROUP && at + count * TV_SIMILAR_HASH == end && count == 0))
            break; /* nothing from here on */
        status = i == c->row % TV_SIMILAR_GROUP ? tv_similar_group_append(out, s->new_witnesses, c->n_new, err)
                                                : tv_similar_group_copy(out, at, count, err);
    }
    return status;
}

static void add_word(struct tv_similar *s, size_t *n, const char *word, size_t size)
{
    s->words[*n] = word;
    s->word_sizes[(*n)++] = size;
}

/* MSET of all pages and lists with rows and of the group, then UNLINK of those that have lost their last row. */
static enum tv_status queue_pages(struct change *c, const char *group_key, const struct tv_buffer *group,
                                  struct tv_error *err)
{
    struct tv_similar *s = c->s;
    size_t n = 0;
    add_word(s, &n, "MSET", 4);
    add_word(s, &n, group_key, strlen(group_key));
    add_word(s, &n, tv_buffer_string(group), group->size);
    for (size_t i = 0; i < c->n_pages + c->n_heavy; i++)
        if (s->pages_new[i].size > 0) {
            add_word(s, &n, s->names[i], strlen(s->names[i]));
            add_word(s, &n, s->pages_new[i].data, s->pages_new[i].size);
        }
    enum tv_status status = tv_redis_queue(s->redis, n, s->words, s->word_sizes, err);
    n = 0;
    add_word(s, &n, "UNLINK", 6);
    for (size_t i = 0; i < c->n_pages + c->n_heavy; i++)
        if (s->pages_new[i].size == 0)
            add_word(s, &n, s->names[i], strlen(s->names[i]));
    return status == TV_OK && n > 1 ? tv_redis_queue(s->redis, n, s->words, s->word_sizes, err) : status;
}

/* Appends to the ids or to the users; a reader reads the tail that it does not know yet. */
static enum tv_status queue_append(struct tv_similar *s, const char *suffix, const void *bytes, size_t n,
                                   struct tv_error *err)
{
    char key[TV_SIMILAR_KEY];
    const char *const words[] = {"APPEND", tv_similar_key(key, s->version, suffix), bytes};
    const size_t sizes[] = {6, strlen(key), n};
    return tv_redis_queue(s->redis, 3, words, sizes, err);
}

/* An item that the index has never seen gets the next row. Nobody else can have taken it, or EXEC fails. */
static enum tv_status queue_new_row(struct tv_similar *s, int64_t item, struct tv_error *err)
{
    char bytes[8];
    tv_similar_put_number(bytes, (uint64_t)item, sizeof bytes);
    return queue_append(s, ":ids", bytes, sizeof bytes, err);
}

/* Witnesses that the index does not know yet: they may be the twins of others (ask.c). */
static enum tv_status queue_new_users(const struct change *c, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    struct tv_buffer bytes = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES);
    enum tv_status status = TV_OK;
    for (int i = 0; i < c->n_new && status == TV_OK; i++) {
        uint32_t hash = s->new_witnesses[i].hash;
        char four[TV_SIMILAR_HASH];
        tv_similar_put_number(four, hash, TV_SIMILAR_HASH);
        if (tv_id_map_find(&s->users, hash) < 0)
            status = tv_buffer_append(&bytes, four, sizeof four, err);
    }
    if (status == TV_OK && bytes.size > 0)
        status = queue_append(s, ":users", bytes.data, bytes.size, err);
    tv_buffer_free(&bytes);
    return status;
}

/* The handle knows these users, too, once Redis has them. */
static enum tv_status know_users(const struct change *c, struct tv_error *err)
{
    int32_t number;
    enum tv_status status = TV_OK;
    for (int i = 0; i < c->n_new && status == TV_OK; i++)
        status = tv_id_map_add(&c->s->users, c->s->new_witnesses[i].hash, &number, err);
    return status;
}

/* The replies are +OK for MULTI, +QUEUED for each command, and the array of EXEC, or nil where the watch was touched.
 * Each overwrites *refused, so the last one, EXEC's, decides. */
static enum tv_status take_exec(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                struct tv_error *err)
{
    (void)i, (void)n, (void)err;
    int *refused = context;
    *refused = element == 0 && bytes == NULL;
    return TV_OK;
}

/* Everything in one transaction: witnesses, lists, new row, new users and the counter of changes, which all others
 * watch. The handle's own copies follow only if it went through. */
static enum tv_status commit(struct change *c, int64_t item, int is_new, struct tv_error *err)
{
    struct tv_similar *s = c->s;
    char changes[TV_SIMILAR_KEY], group_key[TV_SIMILAR_KEY];
    struct tv_buffer group = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES);
    const struct tv_redis_command multi = tv_redis_words("MULTI", NULL), exec = tv_redis_words("EXEC", NULL),
                                  count = tv_redis_words("INCR", tv_similar_key(changes, s->version, ":changes"), NULL);
    enum tv_status status = write_group(c, &group, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &multi, err);
    if (status == TV_OK)
        status = queue_pages(c, tv_similar_sets_key(group_key, s->version, c->row), &group, err);
    if (status == TV_OK && is_new)
        status = queue_new_row(s, item, err);
    if (status == TV_OK)
        status = queue_new_users(c, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &count, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &exec, err);
    if (status == TV_OK)
        status = tv_redis_flush(s->redis, take_exec, &c->refused, err);
    tv_buffer_free(&group);
    if (status == TV_OK && !c->refused) {
        s->changes++;
        status = know_users(c, err);
        if (status == TV_OK && is_new)
            status = tv_id_map_add(&s->rows, item, &c->row, err);
    }
    return status;
}

/* After tv_similar_read with a watch: makes the item's signature s->new_values. *refused = 1: somebody else changed the
 * index since, and nothing was done. */
static enum tv_status apply(struct tv_similar *s, int64_t item, int32_t row, int *refused, struct tv_error *err)
{
    struct change c;
    int is_new = row < 0;
    enum tv_status status = plan(&c, s, is_new ? s->rows.n : row, err);
    int differs = c.n_edits + c.n_heavy > 0;
    if (status == TV_OK && differs)
        status = read_old(&c, err);
    if (status == TV_OK && differs)
        status = commit(&c, item, is_new, err);
    *refused = c.refused;
    free_change(&c);
    return status;
}

/* Processes that were refused at the same time should not come again at the same time: a random wait of up to 0.2 ms,
 * doubled with each try up to 25.6 ms. */
static void step_aside(int tries)
{
    int most = tries < 8 ? 100 << tries : 25600;
    usleep((useconds_t)(rand() % most));
}

/* A new element can only lower values, so the new signature follows from the old one, and the rest of the audience is
 * not asked for. */
enum tv_status tv_similar_add(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int *changed,
                              struct tv_error *err)
{
    enum tv_status status = TV_OK;
    int refused = 1;
    int32_t row;
    for (int tries = 0; refused && status == TV_OK; tries++) {
        if (tries > 0)
            step_aside(tries);
        status = tv_similar_read(s, item, 1, &row, err);
        if (status != TV_OK)
            break;
        memcpy(s->new_values, s->values, (size_t)s->size * sizeof *s->values);
        memcpy(s->new_witness, s->witness, (size_t)s->size * sizeof *s->witness);
        for (size_t i = 0; i < n; i++)
            tv_minhash_update_witness(s->functions, s->new_values, s->new_witness, hashes[i]);
        status = apply(s, item, row, &refused, err);
    }
    if (changed)
        *changed = status == TV_OK ? differing(s) : 0;
    return status;
}

/* A user who leaves an item changes its signature only as a witness: each value comes from exactly one user, and
 * all others are without effect. */
enum tv_status tv_similar_holds(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int *holds,
                                struct tv_error *err)
{
    int32_t row;
    *holds = 0;
    enum tv_status status = tv_similar_read(s, item, 0, &row, err);
    if (status != TV_OK || tv_minhash_is_empty(s->functions, s->values))
        return status;
    for (size_t i = 0; i < n && !*holds; i++)
        for (int j = 0; j < s->size && !*holds; j++)
            *holds = s->witness[j] == hashes[i];
    return TV_OK;
}

/* Refuses unless the index is where the caller saw it before reading the audience: with a change in between, that
 * audience may be older than the index. *changes is counted on, so that the caller can replace several items in a
 * row. */
enum tv_status tv_similar_replace(struct tv_similar *s, int64_t item, const uint32_t *hashes, size_t n, int64_t version,
                                  int64_t *changes, struct tv_error *err)
{
    int refused = 0;
    int32_t row;
    enum tv_status status = tv_similar_read(s, item, 1, &row, err);
    if (status == TV_OK && s->version == version && s->changes == *changes) {
        tv_minhash_clear(s->functions, s->new_values);
        tv_minhash_clear(s->functions, s->new_witness);
        for (size_t i = 0; i < n; i++)
            tv_minhash_update_witness(s->functions, s->new_values, s->new_witness, hashes[i]);
        status = apply(s, item, row, &refused, err);
    } else if (status == TV_OK) {
        refused = 1;
    }
    if (status == TV_OK && refused)
        status = tv_fail(err, TV_ERR_BUSY, "the index of similar items changed while item %" PRId64 " was read", item);
    if (status == TV_OK)
        *changes = s->changes;
    return status;
}
