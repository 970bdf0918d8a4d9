/* lists: the postings of all rows at once, each witness with its rows, from signatures in memory. The rows are walked
 * twice: to see how long each list becomes, and to write each into its place in one array, so no list is ever grown.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/similar/inside.h"
#include "lib/similar/lists.h"

/* State of both walks, per witness; freed when the lists stand. */
struct making {
    struct tv_similar_lists *out;
    const struct tv_minhash *m;
    size_t *at;     /* (users.n) bytes of each list so far; while writing, where it goes on */
    uint32_t *next; /* (users.n) the row after its last one */
    int32_t *rows;  /* (users.n) how many each has */
    int32_t room;   /* users that fit into these */
    int writing;    /* the second walk */
};

/* An array of `before` elements becomes one of `room`, the new ones zero. */
static enum tv_status grow_one(void **array, size_t element, int32_t before, int32_t room, struct tv_error *err)
{
    char *grown = realloc(*array, (size_t)room * element);
    if (grown == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory for the lists of %d witnesses", (int)room);
    memset(grown + (size_t)before * element, 0, (size_t)(room - before) * element);
    *array = grown;
    return TV_OK;
}

static enum tv_status grow(struct making *k, struct tv_error *err)
{
    int32_t room = k->room ? 2 * k->room : 1024;
    enum tv_status status = grow_one((void **)&k->at, sizeof *k->at, k->room, room, err);
    if (status == TV_OK)
        status = grow_one((void **)&k->next, sizeof *k->next, k->room, room, err);
    if (status == TV_OK)
        status = grow_one((void **)&k->rows, sizeof *k->rows, k->room, room, err);
    k->room = status == TV_OK ? room : k->room;
    return status;
}

/* One row of one witness: measured in the first walk, written in the second. Rows come in ascending order, and
 * entries hold the step from the row before. */
static enum tv_status add_entry(struct making *k, int32_t row, uint32_t witness, const uint16_t *positions, int n,
                                struct tv_error *err)
{
    int32_t user;
    enum tv_status status = tv_id_map_add(&k->out->users, witness, &user, err);
    if (status == TV_OK && user >= k->room)
        status = grow(k, err);
    if (status != TV_OK)
        return status;
    uint32_t step = (uint32_t)row - k->next[user];
    int size = tv_minhash_size(k->m);
    if (k->writing)
        k->at[user] =
            (size_t)(tv_postings_put_entry(k->out->bytes + k->at[user], step, positions, n, size) - k->out->bytes);
    else
        k->at[user] += tv_postings_entry_size(step, positions, n, size);
    k->next[user] = (uint32_t)row + 1;
    k->rows[user] += !k->writing;
    k->out->n_entries += !k->writing;
    return TV_OK;
}

/* Tells add_entry of every row's witnesses. */
static enum tv_status walk(struct making *k, const uint32_t *values, const uint32_t *witness, int32_t n,
                           struct tv_error *err)
{
    struct tv_minhash_witness witnesses[TV_MINHASH_MAX];
    uint16_t positions[TV_MINHASH_MAX];
    size_t size = (size_t)tv_minhash_size(k->m);
    enum tv_status status = TV_OK;
    for (int32_t row = 0; row < n && status == TV_OK; row++) {
        size_t at = (size_t)row * size;
        int count = tv_minhash_witnesses(k->m, values + at, witness + at, witnesses, positions);
        for (int i = 0; i < count && status == TV_OK; i++)
            status = add_entry(k, row, witnesses[i].hash, positions + witnesses[i].first, witnesses[i].n, err);
    }
    return status;
}

/* --- where each list begins ---------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Gives every list its place. Lists lie in the order of hashes, which is that of pages, so that a page's lists are
 * one run of bytes. Hash and number are one integer while they are sorted, so that the number comes along. */
static enum tv_status place(struct making *k, struct tv_error *err)
{
    struct tv_similar_lists *out = k->out;
    size_t n = (size_t)out->users.n, total = 0;
    uint64_t *keys = tv_alloc(n, sizeof *keys, "lists of witnesses", err); /* hash and number */
    out->order = tv_alloc(n, sizeof *out->order, "lists of witnesses", err);
    out->start = tv_alloc(n + 1, sizeof *out->start, "lists of witnesses", err);
    if (keys && out->order && out->start) {
        for (size_t i = 0; i < n; i++)
            keys[i] = (uint64_t)out->users.ids[i] << 32 | i;
        qsort(keys, n, sizeof *keys, ascending);
        for (size_t i = 0; i < n; i++) {
            int32_t user = (int32_t)(uint32_t)keys[i];
            size_t size = k->at[user];
            out->order[i] = user;
            out->start[i] = k->at[user] = total;
            k->next[user] = 0;
            total += size;
        }
        out->start[n] = total;
        out->bytes = tv_alloc(total, 1, "lists of witnesses", err);
    }
    free(keys);
    return out->bytes ? TV_OK : TV_ERR_NO_MEMORY;
}

/* Heavy are the witnesses with so many rows that a question about one of them should not read all. */
static enum tv_status find_heavy(struct making *k, const struct tv_id_map *heavy, struct tv_error *err)
{
    int32_t number;
    struct tv_similar_lists *out = k->out;
    enum tv_status status = TV_OK;
    for (int32_t user = 0; user < out->users.n && status == TV_OK; user++)
        if (heavy ? tv_id_map_find(heavy, out->users.ids[user]) >= 0 : k->rows[user] >= TV_SIMILAR_HEAVY)
            status = tv_id_map_add(&out->heavy, out->users.ids[user], &number, err);
    return status;
}

/* Heavy witnesses are found between the two walks, when it is known how many rows each has; their lists are made
 * like all others and dealt out later. */
enum tv_status tv_similar_lists_make(struct tv_similar_lists *out, const struct tv_minhash *m, const uint32_t *values,
                                     const uint32_t *witness, int32_t n, const struct tv_id_map *heavy,
                                     struct tv_error *err)
{
    *out = (struct tv_similar_lists){.size = tv_minhash_size(m)};
    struct making k = {.out = out, .m = m};
    enum tv_status status = walk(&k, values, witness, n, err);
    if (status == TV_OK)
        status = find_heavy(&k, heavy, err);
    if (status == TV_OK)
        status = place(&k, err);
    k.writing = 1;
    if (status == TV_OK)
        status = walk(&k, values, witness, n, err);
    free(k.at);
    free(k.next);
    free(k.rows);
    if (status != TV_OK)
        tv_similar_lists_free(out);
    return status;
}

/* The lists of a page follow one another in `order`; those of heavy witnesses are passed over, because they are on
 * no page. */
enum tv_status tv_similar_lists_page(const struct tv_similar_lists *lists, uint32_t page, uint32_t pages, int32_t *at,
                                     struct tv_buffer *out, struct tv_error *err)
{
    enum tv_status status = TV_OK;
    tv_buffer_clear(out);
    for (; *at < lists->users.n && status == TV_OK; ++*at) {
        uint32_t witness = (uint32_t)lists->users.ids[lists->order[*at]];
        if (tv_similar_page_of(witness, pages) != page)
            break;
        if (tv_id_map_find(&lists->heavy, witness) >= 0)
            continue;
        status = tv_postings_append(out, witness, lists->bytes + lists->start[*at],
                                    lists->start[*at + 1] - lists->start[*at], err);
    }
    return status;
}

/* --- one witness of many rows --------------------------------------------------------------------------------- */

/* A heavy witness's rows at each position. */
struct by_position {
    struct tv_buffer *rows; /* (size) of uint32_t */
};

/* One entry: its row, to each of its positions. */
static enum tv_status deal_out(void *context, uint32_t witness, uint32_t row, const uint16_t *positions, int n,
                               struct tv_error *err)
{
    (void)witness;
    struct by_position *b = context;
    enum tv_status status = TV_OK;
    for (int i = 0; i < n && status == TV_OK; i++)
        status = tv_buffer_append(&b->rows[positions[i]], &row, sizeof row, err);
    return status;
}

/* Rows were dealt out in ascending order, which tv_row_list_append wants. */
static enum tv_status each_position(const struct tv_similar_lists *lists, uint32_t witness, const struct by_position *b,
                                    tv_similar_take_list take, void *context, struct tv_error *err)
{
    struct tv_buffer list = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES);
    enum tv_status status = TV_OK;
    for (int j = 0; j < lists->size && status == TV_OK; j++) {
        size_t n = b->rows[j].size / sizeof(uint32_t);
        tv_buffer_clear(&list);
        if (n > 0)
            status = tv_row_list_append(&list, (const uint32_t *)(const void *)b->rows[j].data, n, err);
        if (status == TV_OK)
            status = take(context, witness, j, tv_buffer_string(&list), list.size, err);
    }
    tv_buffer_free(&list);
    return status;
}

/* Where a witness is in `order`, by halves; it is there. */
static size_t find_witness(const struct tv_similar_lists *lists, uint32_t witness)
{
    size_t low = 0, high = (size_t)lists->users.n;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        *((uint32_t)lists->users.ids[lists->order[middle]] <= witness ? &low : &high) = middle;
    }
    return low;
}

/* The list is made into a page of one record, so that the reader of pages (tv_postings_each) takes it apart. */
enum tv_status tv_similar_lists_heavy(const struct tv_similar_lists *lists, int32_t heavy, tv_similar_take_list take,
                                      void *context, struct tv_error *err)
{
    uint32_t witness = (uint32_t)lists->heavy.ids[heavy];
    size_t at = find_witness(lists, witness), size = (size_t)lists->size;
    struct tv_buffer page = TV_BUFFER_INIT(TV_SIMILAR_MAX_BYTES);
    struct by_position b = {.rows = tv_alloc(size, sizeof *b.rows, "rows of a witness", err)};
    if (b.rows == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t j = 0; j < size; j++)
        tv_buffer_init(&b.rows[j], TV_SIMILAR_MAX_BYTES);
    enum tv_status status = tv_postings_append(&page, witness, lists->bytes + lists->start[at],
                                               lists->start[at + 1] - lists->start[at], err);
    if (status == TV_OK)
        status = tv_postings_each(page.data, page.size, lists->size, deal_out, &b, err);
    if (status == TV_OK)
        status = each_position(lists, witness, &b, take, context, err);
    for (size_t j = 0; j < size; j++)
        tv_buffer_free(&b.rows[j]);
    free(b.rows);
    tv_buffer_free(&page);
    return status;
}

void tv_similar_lists_free(struct tv_similar_lists *lists)
{
    tv_id_map_free(&lists->users);
    tv_id_map_free(&lists->heavy);
    free(lists->order);
    free(lists->start);
    free(lists->bytes);
    *lists = (struct tv_similar_lists){0};
}
