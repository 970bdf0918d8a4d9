/* ask: which items share most values with one. Two round trips: the item's witnesses, unless they were read lately
 * (cache.c), then their pages; the rest is counting.
 *
 * Two items share a value where they have the same witness at the same position. They also do where two different
 * witnesses happen to give the same value there, which is the case for one pair of users in 2^32. So all hashes
 * that would give one of the item's values are computed (tv_minhash_inverse), and those that the index has as
 * witnesses, the twins here, are looked for, too.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/cache.h"
#include "lib/similar/inside.h"
#include "trivet/base/text.h"

enum { SPARE_ROWS = 4096 }; /* that may come between two round trips */

/* A count for each row, with some to spare for rows that other processes add before the pages are read. The room is
 * made anew only when half of that is used up. */
static enum tv_status make_counts(struct tv_similar *s, struct tv_error *err)
{
    size_t n = (size_t)s->rows.n + SPARE_ROWS;
    if (s->counts.n_rows >= (size_t)s->rows.n + SPARE_ROWS / 2)
        return TV_OK;
    free(s->counts.count);
    free(s->counts.touched);
    s->counts = (struct tv_postings_counts){.n_rows = n};
    s->counts.count = tv_alloc(n + TV_POSTINGS_SPARE, sizeof *s->counts.count, "counts of items", err);
    s->counts.touched = tv_alloc(n + 1, sizeof *s->counts.touched, "counts of items", err);
    if (s->counts.count && s->counts.touched)
        return TV_OK;
    s->counts.n_rows = 0;
    return TV_ERR_NO_MEMORY;
}

/* One question between its second round trip's commands and replies. */
struct asking {
    struct tv_similar *s;
    int n;                 /* witnesses that are looked for */
    size_t n_pages;        /* of the MGET's replies; lists of heavy witnesses follow */
    int first;             /* of the witnesses on the page that comes next */
    int position;          /* while twins are looked for */
    int64_t live, n_users; /* after all pages were read */
};

/* --- who is looked for --------------------------------------------------------------------------------------- */

/* Called with every hash that gives the item's value at a->position: keeps those of other witnesses that the index
 * knows. A twin has one position, behind those of the item's own. Two users agree at a position once in 2^32, so
 * there is room for `size` twins and no more. */
static void take_twin(void *context, uint32_t hash)
{
    struct asking *a = context;
    struct tv_similar *s = a->s;
    if (hash == s->witness[a->position] || a->n == 2 * s->size || tv_id_map_find(&s->users, hash) < 0)
        return;
    uint16_t place = (uint16_t)a->n;
    s->positions[place] = (uint16_t)a->position;
    s->witnesses[a->n++] = (struct tv_minhash_witness){.hash = hash, .first = place, .n = 1};
}

static int by_hash(const void *a, const void *b)
{
    const struct tv_minhash_witness *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

/* The item's witnesses and their twins, ascending, as pages are. */
static void look_for(struct asking *a)
{
    struct tv_similar *s = a->s;
    int own = tv_minhash_witnesses(s->functions, s->values, s->witness, s->witnesses, s->positions);
    a->n = s->size; /* twins come behind the positions of all witnesses */
    for (a->position = 0; a->position < s->size; a->position++)
        tv_minhash_inverse(s->functions, a->position, s->values[a->position], take_twin, a);
    int twins = a->n - s->size;
    memmove(s->witnesses + own, s->witnesses + s->size, (size_t)twins * sizeof *s->witnesses);
    a->n = own + twins;
    if (twins > 0)
        qsort(s->witnesses, (size_t)a->n, sizeof *s->witnesses, by_hash);
}

/* --- counting ------------------------------------------------------------------------------------------------ */

/* Marks a witness's positions in s->bits, or takes the marks away again: the bits are zero between two witnesses. */
static void set_bits(struct tv_similar *s, const struct tv_minhash_witness *w, int on)
{
    for (int i = w->first; i < w->first + w->n; i++) {
        uint8_t bit = (uint8_t)(1u << s->positions[i] % 8), *byte = &s->bits[s->positions[i] / 8];
        *byte = (uint8_t)(on ? *byte | bit : *byte & ~bit);
    }
}

/* The reply for the next page, with all witnesses that are on it. Replies come in the order of the pages, and
 * s->witnesses in the same, so a->first walks through them once. Heavy witnesses are on no page. */
static enum tv_status count_page(struct asking *a, const char *bytes, size_t n, struct tv_error *err)
{
    struct tv_similar *s = a->s;
    while (tv_similar_is_heavy(s, s->witnesses[a->first].hash))
        a->first++;
    uint32_t page = tv_similar_page_of(s->witnesses[a->first].hash, s->pages);
    enum tv_status status = TV_OK;
    for (; a->first < a->n && status == TV_OK; a->first++) {
        const struct tv_minhash_witness *w = &s->witnesses[a->first];
        const struct tv_postings_wanted wanted = {.bits = s->bits, .n = w->n, .size = s->size};
        if (tv_similar_page_of(w->hash, s->pages) != page)
            break;
        if (bytes == NULL || tv_similar_is_heavy(s, w->hash))
            continue;
        set_bits(s, w, 1);
        status = tv_postings_count(&s->counts, bytes, n, w->hash, &wanted, err);
        set_bits(s, w, 0);
    }
    return status;
}

/* The first command's reply has an element for each page and then one for each heavy list; the other two commands' are
 * numbers. */
static enum tv_status take_reply(void *context, size_t i, size_t element, const char *bytes, size_t n,
                                 struct tv_error *err)
{
    struct asking *a = context;
    if (i == 0 && element < a->n_pages)
        return count_page(a, bytes, n, err);
    if (i == 0)
        return bytes ? tv_row_list_count(&a->s->counts, bytes, n, err) : TV_OK;
    int64_t *number = i == 1 ? &a->live : &a->n_users, read;
    *number = bytes && tv_text_int64(bytes, n, &read) ? read : 0;
    return TV_OK;
}

/* One MGET of all pages, and behind them the lists of heavy witnesses at the positions that the item has of them. */
static enum tv_status queue_lists(struct asking *a, struct tv_error *err)
{
    struct tv_similar *s = a->s;
    uint32_t last = UINT32_MAX;
    for (int i = 0; i < a->n; i++)
        if (!tv_similar_is_heavy(s, s->witnesses[i].hash))
            tv_similar_add_page(s, s->witnesses[i].hash, &last, &a->n_pages);
    size_t n = a->n_pages;
    for (int i = 0; i < a->n; i++) {
        const struct tv_minhash_witness *w = &s->witnesses[i];
        for (int k = 0; k < w->n && tv_similar_is_heavy(s, w->hash); k++)
            tv_similar_add_heavy(s, w->hash, s->positions[w->first + k], &n);
    }
    return tv_similar_queue_lists(s, n, err);
}

/* Counts over the lists of all witnesses; *stale = 1 if the index changed meanwhile and it has to be done again. */
static enum tv_status count_shared(struct tv_similar *s, int32_t row, int *stale, struct tv_error *err)
{
    struct asking a = {.s = s};
    char users[TV_SIMILAR_KEY];
    const struct tv_redis_command live = tv_redis_words("GET", TV_SIMILAR_LIVE, NULL),
                                  n_users = tv_redis_words("STRLEN", tv_similar_key(users, s->version, ":users"), NULL);
    look_for(&a);
    enum tv_status status = queue_lists(&a, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &live, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &n_users, err);
    if (status == TV_OK)
        status = tv_redis_flush(s->redis, take_reply, &a, err);
    /* The keys of an index that is no longer live are deleted; a user who is new may be somebody's twin; and where the
     * item does not share all values with itself, somebody changed it between the two round trips. */
    if (status == TV_OK)
        *stale = a.live != s->version || a.n_users != (int64_t)s->users.n * TV_SIMILAR_HASH ||
                 s->counts.count[row] != s->size;
    return status;
}

/* --- the answer ---------------------------------------------------------------------------------------------- */

static int most_shared_first(const void *a, const void *b)
{
    const struct tv_similar_item *x = a, *y = b;
    if (x->shared != y->shared)
        return x->shared < y->shared ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

/* The least count that still belongs to the `top` most, from a histogram, so that only rows that can be in the answer
 * are sorted. */
static int threshold(const struct tv_postings_counts *c, int size, size_t top, uint32_t *histogram)
{
    memset(histogram, 0, ((size_t)size + 1) * sizeof *histogram);
    for (size_t i = 0; i < c->n_touched; i++)
        histogram[c->count[c->touched[i]]]++;
    size_t above = 0;
    for (int shared = size; shared > 1; shared--)
        if ((above += histogram[shared]) >= top)
            return shared;
    return 1;
}

/* Sorts only the rows at or above the threshold; equal counts at the threshold are cut by item id. */
static enum tv_status select_top(struct tv_similar *s, int32_t row, size_t top, struct tv_similar_answer *out,
                                 struct tv_error *err)
{
    const struct tv_postings_counts *c = &s->counts;
    uint32_t *histogram = tv_alloc((size_t)s->size + 1, sizeof *histogram, "counts of items", err);
    if (histogram == NULL)
        return TV_ERR_NO_MEMORY;
    int least = threshold(c, s->size, top + 1, histogram); /* + 1: the item itself is among them */
    size_t n = 0;
    for (int shared = least; shared <= s->size; shared++)
        n += histogram[shared];
    free(histogram);
    *out = (struct tv_similar_answer){.version = s->version, .dataset = s->dataset, .size = s->size, .sharing = c->n_touched - 1};
    out->items = tv_alloc(n, sizeof *out->items, "similar items", err);
    if (out->items == NULL)
        return TV_ERR_NO_MEMORY;
    for (size_t i = 0; i < c->n_touched; i++) {
        uint32_t other = c->touched[i];
        if (c->count[other] >= least && other != (uint32_t)row)
            out->items[out->n++] = (struct tv_similar_item){s->rows.ids[other], c->count[other]};
    }
    qsort(out->items, out->n, sizeof *out->items, most_shared_first);
    out->n = out->n < top ? out->n : top;
    return TV_OK;
}

/* Rows that came between the two round trips have no item here yet: reads them, and has the question asked once more.
 * `status` is that of counting, which takes a row far beyond those known for damage; it is only that if no rows have
 * come. A count above `size` is damage, too. */
static enum tv_status know_all_rows(struct tv_similar *s, enum tv_status status, int *stale, struct tv_error *err)
{
    int32_t before = s->rows.n;
    uint32_t highest = 0;
    int most = 0;
    tv_postings_gather(&s->counts);
    for (size_t i = 0; i < s->counts.n_touched; i++) {
        uint32_t row = s->counts.touched[i];
        highest = row > highest ? row : highest;
        most = s->counts.count[row] > most ? s->counts.count[row] : most;
    }
    if (status == TV_OK && most > s->size)
        return tv_fail(err, TV_ERR_CORRUPT, "in index %" PRId64 " of similar items two items share %d of %d values",
                       s->version, most, s->size);
    if (status != TV_ERR_CORRUPT && (status != TV_OK || highest < (uint32_t)before))
        return status;
    enum tv_status read = tv_similar_read_new(s, err);
    if (read != TV_OK)
        return read;
    *stale = s->rows.n > before;
    if (*stale || status != TV_OK)
        return *stale ? TV_OK : status;
    return tv_fail(err, TV_ERR_CORRUPT, "index %" PRId64 " of similar items has %d rows, but its pages name row %u",
                   s->version, (int)before, highest);
}

/* The item's signature from witnesses that were read lately; 0 if they were not. They may be old: then the item does
 * not share all values with itself, and the next try reads them. */
static int read_cached(struct tv_similar *s, int64_t item, int32_t *row)
{
    struct tv_buffer group;
    const char *at;
    size_t n = 0;
    *row = tv_id_map_find(&s->rows, item);
    if (*row < 0 || !tv_similar_cache_get(s, *row / TV_SIMILAR_GROUP, &group) ||
        tv_similar_group_find(&group, *row, &at, &n, NULL) != TV_OK || n == 0)
        return 0;
    tv_similar_sketch(s->functions, at, n, s->values, s->witness);
    return 1;
}

/* The item's row, and its signature in s; *known as tv_similar_ask has it. */
static enum tv_status find_item(struct tv_similar *s, int64_t item, int cached, int32_t *row, int *known,
                                struct tv_error *err)
{
    enum tv_status status = cached && read_cached(s, item, row) ? TV_OK : tv_similar_read(s, item, 0, row, err);
    *known = status == TV_ERR_NOT_FOUND ? -1 : 1;
    if (status != TV_OK || (*row >= 0 && !tv_minhash_is_empty(s->functions, s->values)))
        return status;
    *known = 0;
    return tv_fail(err, TV_ERR_NOT_FOUND, "item %" PRId64 " has no audience in the index of similar items", item);
}

/* One try; *stale = 1: it has to be done again. Counts are cleared whatever happened, because the next question
 * relies on zeros. */
static enum tv_status ask_once(struct tv_similar *s, int32_t row, size_t top, struct tv_similar_answer *out, int *stale,
                               struct tv_error *err)
{
    *stale = 0;
    enum tv_status status = make_counts(s, err);
    if (status != TV_OK)
        return status;
    status = know_all_rows(s, count_shared(s, row, stale, err), stale, err);
    if (status == TV_OK && !*stale)
        status = select_top(s, row, top, out, err);
    tv_postings_clear(&s->counts);
    return status;
}

/* Only the first try may use the cache. A hundred tries fail only for an index that changes faster than it can be
 * read. */
enum tv_status tv_similar_ask(struct tv_similar *s, int64_t item, size_t top, struct tv_similar_answer *out, int *known,
                              struct tv_error *err)
{
    enum { TRIES = 100 };
    enum tv_status status = TV_OK;
    int stale = 1;
    *out = (struct tv_similar_answer){0};
    for (int i = 0; i < TRIES && stale && status == TV_OK; i++) {
        int32_t row = -1;
        status = find_item(s, item, i == 0, &row, known, err);
        if (status == TV_OK)
            status = ask_once(s, row, top, out, &stale, err);
    }
    if (status == TV_OK && stale)
        status =
            tv_fail(err, TV_ERR_BUSY, "the index of similar items changed during each of %d looks at an item", TRIES);
    return status;
}

void tv_similar_answer_free(struct tv_similar_answer *answer)
{
    free(answer->items);
    *answer = (struct tv_similar_answer){0};
}
