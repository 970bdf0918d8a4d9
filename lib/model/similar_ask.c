/* similar_ask: which items share most values with one. Two round trips: the item's witnesses, then the page of each of
 * its values; the rest is counting. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "similar_parts.h"
#include "trivet/text.h"

enum { SPARE_ROWS = 4096 }; /* that may come between two round trips */

static enum tv_status make_counts(struct tv_similar *s, struct tv_error *err)
{
    size_t n = (size_t)s->rows.n + SPARE_ROWS;
    if (s->counts.n_rows >= (size_t)s->rows.n + SPARE_ROWS / 2)
        return TV_OK;
    free(s->counts.count);
    free(s->counts.touched);
    s->counts = (struct tv_bucket_counts){.n_rows = n};
    s->counts.count = tv_alloc(n + TV_BUCKET_SPARE, sizeof *s->counts.count, "counts of items", err);
    s->counts.touched = tv_alloc(n + 1, sizeof *s->counts.touched, "counts of items", err);
    if (s->counts.count && s->counts.touched)
        return TV_OK;
    s->counts.n_rows = 0;
    return TV_ERR_NO_MEMORY;
}

struct asking {
    struct tv_similar *s;
    int64_t live; /* after all pages were read */
};

static enum tv_status take_page(void *context, size_t i, size_t part, const char *bytes, size_t n, struct tv_error *err)
{
    struct asking *a = context;
    struct tv_similar *s = a->s;
    if (i == 0)
        return bytes ? tv_bucket_count(&s->counts, bytes, n, s->values[part], err) : TV_OK;
    a->live = 0;
    if (bytes)
        tv_text_int64(bytes, n, &a->live);
    return TV_OK;
}

/* Counts over the pages of all values; *stale = 1 if it has to be done again, as the index changed meanwhile. */
static enum tv_status count_shared(struct tv_similar *s, int32_t row, int *stale, struct tv_error *err)
{
    struct asking a = {.s = s};
    const struct tv_redis_command live = tv_redis_words("GET", TV_SIMILAR_LIVE, NULL);
    s->words[0] = "MGET";
    s->word_sizes[0] = 4;
    for (int j = 0; j < s->size; j++) {
        s->words[1 + j] = similar_page_key(s->names[j], s->version, j, similar_page_of(s->values[j], s->pages));
        s->word_sizes[1 + j] = strlen(s->names[j]);
    }
    enum tv_status status = tv_redis_queue(s->redis, 1 + (size_t)s->size, s->words, s->word_sizes, err);
    if (status == TV_OK)
        status = tv_redis_queue_command(s->redis, &live, err);
    if (status == TV_OK)
        status = tv_redis_flush(s->redis, take_page, &a, err);
    /* The keys of an index that is no longer live are deleted. And where the item does not share all values with
     * itself, somebody changed it between the two round trips. */
    if (status == TV_OK)
        *stale = a.live != s->version || s->counts.count[row] != s->size;
    return status;
}

static int most_shared_first(const void *a, const void *b)
{
    const struct tv_similar_item *x = a, *y = b;
    if (x->shared != y->shared)
        return x->shared < y->shared ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

/* The least count that still belongs to the `top` most. */
static int threshold(const struct tv_bucket_counts *c, int size, size_t top, uint32_t *histogram)
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

static enum tv_status select_top(struct tv_similar *s, int32_t row, size_t top, struct tv_similar_answer *out,
                                 struct tv_error *err)
{
    const struct tv_bucket_counts *c = &s->counts;
    uint32_t *histogram = tv_alloc((size_t)s->size + 1, sizeof *histogram, "counts of items", err);
    if (histogram == NULL)
        return TV_ERR_NO_MEMORY;
    int least = threshold(c, s->size, top + 1, histogram); /* + 1: the item itself is among them */
    size_t n = 0;
    for (int shared = least; shared <= s->size; shared++)
        n += histogram[shared];
    free(histogram);
    *out = (struct tv_similar_answer){.version = s->version, .size = s->size, .sharing = c->n_touched - 1};
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

/* Rows that came between the round trips have no item yet: reads them and asks once more. `status` is that of counting,
 * which calls rows far beyond those known corrupt. */
static enum tv_status know_all_rows(struct tv_similar *s, enum tv_status status, int *stale, struct tv_error *err)
{
    int32_t before = s->rows.n;
    uint32_t highest = 0;
    tv_bucket_gather(&s->counts);
    for (size_t i = 0; i < s->counts.n_touched; i++)
        highest = s->counts.touched[i] > highest ? s->counts.touched[i] : highest;
    if (status != TV_ERR_CORRUPT && (status != TV_OK || highest < (uint32_t)before))
        return status;
    enum tv_status read = similar_read_new_rows(s, err);
    if (read != TV_OK)
        return read;
    *stale = s->rows.n > before;
    if (*stale || status != TV_OK)
        return *stale ? TV_OK : status;
    return tv_fail(err, TV_ERR_CORRUPT, "index %" PRId64 " of similar items has %d rows, but its pages name row %u",
                   s->version, (int)before, highest);
}

/* One try; *stale = 1: it has to be done again. */
static enum tv_status ask_once(struct tv_similar *s, int64_t item, size_t top, struct tv_similar_answer *out,
                               int *known, int *stale, struct tv_error *err)
{
    int32_t row = -1;
    *stale = 0;
    enum tv_status status = similar_read(s, item, 0, &row, err);
    *known = status == TV_ERR_NOT_FOUND ? -1 : 1;
    if (status == TV_OK && (row < 0 || tv_minhash_is_empty(s->functions, s->values))) {
        *known = 0;
        return tv_fail(err, TV_ERR_NOT_FOUND, "item %" PRId64 " has no audience in the index of similar items", item);
    }
    if (status == TV_OK)
        status = make_counts(s, err);
    if (status != TV_OK)
        return status;
    status = know_all_rows(s, count_shared(s, row, stale, err), stale, err);
    if (status == TV_OK && !*stale)
        status = select_top(s, row, top, out, err);
    tv_bucket_clear(&s->counts);
    return status;
}

enum tv_status tv_similar_ask(struct tv_similar *s, int64_t item, size_t top, struct tv_similar_answer *out, int *known,
                              struct tv_error *err)
{
    enum { TRIES = 100 };
    enum tv_status status = TV_OK;
    int stale = 1;
    *out = (struct tv_similar_answer){0};
    for (int i = 0; i < TRIES && stale && status == TV_OK; i++)
        status = ask_once(s, item, top, out, known, &stale, err);
    if (status == TV_OK && stale)
        status = tv_fail(err, TV_ERR_BUSY,
                         "the index of similar items changed during each of %d looks at an item", TRIES);
    return status;
}

void tv_similar_answer_free(struct tv_similar_answer *answer)
{
    free(answer->items);
    *answer = (struct tv_similar_answer){0};
}
