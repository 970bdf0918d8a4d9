/* postings: packed pages of witnesses, and the rows and positions of each.
 *
 *   record     witness (4 bytes, little endian), then varint of the bytes that follow: its entries, ascending by row
 *   entry      varint of the first row, or of (row - row before - 1); then varint 2 * n + kind: n positions by kind
 *   n = size   nothing: all positions (kind 0)
 *   kind 0     list: a varint each, ascending
 *   kind 1     bits: (size + 7) / 8 bytes, bit b of byte i stands for position 8 i + b
 *
 * A varint is that of varint.h. Of list and bits the shorter is written, so that equal contents have equal bytes. Pages
 * come back from Redis, so each byte is checked before it is trusted.
 */
#include "trivet/core/sets/postings.h"

#include <string.h>

#include "lib/core/clones.h"
#include "lib/core/sets/varint.h"
#include "trivet/core/sets/minhash.h"

enum { LIST = 0, BITS = 1, RECORD_HEAD = 4 + 10, BITS_MAX = TV_MINHASH_MAX / 8 };

/* One record as found on a page. */
struct record {
    uint32_t witness;
    const uint8_t *at, *entries, *end; /* into the page: where it begins, its entries, and behind it */
};

/* One entry as found on a page; pointers lead into the page. */
struct entry {
    uint32_t row;
    int n, kind;
    const uint8_t *at, *positions, *end;
};

static enum tv_status corrupt(struct tv_error *err, const char *what)
{
    return tv_fail(err, TV_ERR_CORRUPT, "a page of an index of similar items %s", what);
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static uint32_t get_witness(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static enum tv_status read_record(struct record *r, const uint8_t *p, const uint8_t *end, struct tv_error *err)
{
    uint64_t size;
    if (end - p < 6)
        return corrupt(err, "ends within a record");
    const uint8_t *entries = tv_varint_get(p + 4, end, &size);
    if (entries == NULL || size == 0 || size > (uint64_t)(end - entries))
        return corrupt(err, "has a record that is longer than the page");
    *r = (struct record){.witness = get_witness(p), .at = p, .entries = entries, .end = entries + size};
    return TV_OK;
}

/* The record of a witness, or an empty one where it belongs. A page has no index of its records: their sizes let the
 * search step from one to the next. */
static enum tv_status find(struct record *r, const uint8_t *page, size_t n, uint32_t witness, struct tv_error *err)
{
    const uint8_t *p = page, *end = page + n;
    while (p < end) {
        enum tv_status status = read_record(r, p, end, err);
        if (status != TV_OK)
            return status;
        if (r->witness >= witness)
            break;
        p = r->end;
    }
    if (p == end || r->witness != witness)
        *r = (struct record){.witness = witness, .at = p, .entries = p, .end = p};
    return TV_OK;
}

/* The entry at p, whose row is `next` plus what it says: `next` is one more than the row before, so rows cannot repeat
 * or descend. Positions of a list are only walked over, to find the end. */
static inline enum tv_status read_entry(struct entry *e, const uint8_t *p, const uint8_t *end, uint64_t next, int size,
                                        struct tv_error *err)
{
    uint64_t step, head, position;
    e->at = p;
    if ((p = tv_varint_get(p, end, &step)) == NULL || (p = tv_varint_get(p, end, &head)) == NULL)
        return corrupt(err, "ends within an entry");
    if (next + step > UINT32_MAX || head / 2 == 0 || head / 2 > (uint64_t)size)
        return corrupt(err, "has an entry that nobody wrote");
    e->row = (uint32_t)(next + step);
    e->n = (int)(head / 2);
    e->kind = (int)(head & 1);
    e->positions = p;
    if (e->kind == BITS)
        p = end - p < (size + 7) / 8 ? NULL : p + (size + 7) / 8;
    for (int i = 0; e->kind == LIST && e->n < size && p && i < e->n; i++)
        p = tv_varint_get(p, end, &position);
    e->end = p;
    return p ? TV_OK : corrupt(err, "ends within an entry");
}

/* The positions of an entry into out (size). */
static enum tv_status read_positions(const struct entry *e, int size, uint16_t *out, struct tv_error *err)
{
    int found = 0;
    uint64_t position = 0;
    const uint8_t *p = e->positions;
    if (e->n == size && e->kind == LIST)
        while (found < size) {
            out[found] = (uint16_t)found;
            found++;
        }
    else if (e->kind == LIST)
        for (; found < e->n; found++) {
            p = tv_varint_get(p, e->end, &position); /* as read_entry has found it */
            if (position >= (uint64_t)size || (found > 0 && position <= out[found - 1]))
                return corrupt(err, "has positions that no signature has");
            out[found] = (uint16_t)position;
        }
    else
        for (int i = 0; i < size && found < e->n; i++)
            if (p[i / 8] >> i % 8 & 1)
                out[found++] = (uint16_t)i;
    return found == e->n ? TV_OK : corrupt(err, "has fewer positions than it says");
}

/* --- counting --------------------------------------------------------------------------------------------- */

/* Bits that both have, eight bytes at a time. */
static inline int count_bits(const uint8_t *a, const uint8_t *b, int n)
{
    int common = 0;
    uint64_t x, y;
    for (; n >= 8; n -= 8, a += 8, b += 8) {
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        common += __builtin_popcountll(x & y);
    }
    for (int i = 0; i < n; i++)
        common += __builtin_popcount(a[i] & b[i]);
    return common;
}

/* Returns the place behind the n positions of a list, NULL if it is cut short; *common: how many of them are wanted, -1
 * if one is none of a signature. Positions and matches are found in one pass: this is where a question's time goes. */
static inline const uint8_t *count_list(const uint8_t *p, const uint8_t *end, uint64_t n,
                                        const struct tv_postings_wanted *wanted, int *common)
{
    uint64_t position = 0;
    int found = 0;
    for (; n > 0 && p; n--) {
        p = tv_varint_get(p, end, &position);
        if (position >= (uint64_t)wanted->size) {
            *common = -1;
            return p;
        }
        found += wanted->bits[position / 8] >> position % 8 & 1;
    }
    *common = found;
    return p;
}

/* The entry at p: its row is `next` plus what it says. Returns what follows it, NULL if it is none. */
static inline const uint8_t *count_entry(const uint8_t *p, const uint8_t *end, uint64_t next, uint64_t *row,
                                         const struct tv_postings_wanted *wanted, int *common)
{
    uint64_t step = 0, head = 0, size = (uint64_t)wanted->size;
    if ((p = tv_varint_get(p, end, &step)) == NULL || (p = tv_varint_get(p, end, &head)) == NULL)
        return NULL;
    *row = next + step;
    if (head / 2 == 0 || head / 2 > size)
        return NULL;
    if (head == 2 * size) {
        *common = wanted->n;
        return p;
    }
    if (head % 2 == LIST)
        return count_list(p, end, head / 2, wanted, common);
    int bytes = (wanted->size + 7) / 8;
    if (end - p < bytes)
        return NULL;
    *common = count_bits(p, wanted->bits, bytes);
    return p + bytes;
}

/* The loop does the work of read_entry and read_positions in one, without an array in between. */
TV_CLONES enum tv_status tv_postings_count(struct tv_postings_counts *counts, const void *page, size_t n,
                                           uint32_t witness, const struct tv_postings_wanted *wanted,
                                           struct tv_error *err)
{
    struct record r;
    enum tv_status status = find(&r, page, n, witness, err);
    if (status != TV_OK)
        return status;
    uint64_t row = 0, next = 0;
    for (const uint8_t *p = r.entries; p < r.end; next = row + 1) {
        int common = 0;
        p = count_entry(p, r.end, next, &row, wanted, &common);
        if (p == NULL || common < 0)
            return corrupt(err, p ? "has positions that no signature has" : "has an entry that nobody wrote");
        if (row >= counts->n_rows)
            return corrupt(err, "names a row that the index does not have");
        uint16_t before = counts->count[row];
        counts->count[row] = (uint16_t)(before + common);
        counts->touched[counts->n_touched] = (uint32_t)row; /* overwritten unless it counts: no branch to guess */
        counts->n_touched += (before == 0) & (common > 0);
    }
    return TV_OK;
}

/* Where rows were counted eight at a time, `touched` was not kept up: one pass over all counts makes it again. */
void tv_postings_gather(struct tv_postings_counts *c)
{
    if (!c->many)
        return;
    c->n_touched = 0;
    for (size_t row = 0; row < c->n_rows; row++) {
        c->touched[c->n_touched] = (uint32_t)row;
        c->n_touched += c->count[row] != 0;
    }
    c->many = 0;
}

/* Unless rows were counted eight at a time, only the counts that were touched are zeroed: that costs as much as the
 * question did, not as much as the catalogue is long. */
void tv_postings_clear(struct tv_postings_counts *c)
{
    if (c->many)
        memset(c->count, 0, (c->n_rows + TV_POSTINGS_SPARE) * sizeof *c->count);
    for (size_t i = 0; !c->many && i < c->n_touched; i++)
        c->count[c->touched[i]] = 0;
    c->n_touched = 0;
    c->many = 0;
}

/* This is the thorough reading: where tv_postings_count would not notice descending positions, read_positions does. */
static enum tv_status each_entry(const struct record *r, int size, tv_postings_take take, void *context,
                                 struct tv_error *err)
{
    uint16_t positions[TV_MINHASH_MAX];
    struct entry e = {0};
    uint64_t next = 0;
    enum tv_status status = TV_OK;
    for (const uint8_t *p = r->entries; p < r->end && status == TV_OK; p = e.end, next = (uint64_t)e.row + 1) {
        if ((status = read_entry(&e, p, r->end, next, size, err)) != TV_OK ||
            (status = read_positions(&e, size, positions, err)) != TV_OK)
            return status;
        status = take(context, r->witness, e.row, positions, e.n, err);
    }
    return status;
}

enum tv_status tv_postings_each(const void *page, size_t n, int size, tv_postings_take take, void *context,
                                struct tv_error *err)
{
    const uint8_t *p = page, *end = p + n;
    struct record r;
    enum tv_status status = TV_OK;
    for (; p < end && status == TV_OK; p = r.end)
        if ((status = read_record(&r, p, end, err)) == TV_OK)
            status = each_entry(&r, size, take, context, err);
    return status;
}

/* --- writing ---------------------------------------------------------------------------------------------- */

static size_t list_size(const uint16_t *positions, int n)
{
    size_t size = 0;
    for (int i = 0; i < n; i++)
        size += tv_varint_size(positions[i]);
    return size;
}

/* A full entry is a list of kind 0 without positions; among the others the shorter wins, and a tie goes to the list. */
static int kind_of(const uint16_t *positions, int n, int size)
{
    return n < size && (size_t)(size + 7) / 8 < list_size(positions, n) ? BITS : LIST;
}

size_t tv_postings_entry_size(uint32_t step, const uint16_t *positions, int n, int size)
{
    int kind = kind_of(positions, n, size);
    size_t head = tv_varint_size(step) + tv_varint_size(2 * (uint64_t)n + (uint64_t)kind);
    return head + (kind == BITS ? (size_t)(size + 7) / 8 : n == size ? 0 : list_size(positions, n));
}

uint8_t *tv_postings_put_entry(uint8_t *out, uint32_t step, const uint16_t *positions, int n, int size)
{
    int kind = kind_of(positions, n, size);
    out = tv_varint_put(tv_varint_put(out, step), 2 * (uint64_t)n + (uint64_t)kind);
    if (kind == BITS) {
        memset(out, 0, (size_t)(size + 7) / 8);
        for (int i = 0; i < n; i++)
            out[positions[i] / 8] |= (uint8_t)(1u << positions[i] % 8);
        return out + (size + 7) / 8;
    }
    for (int i = 0; n < size && i < n; i++)
        out = tv_varint_put(out, positions[i]);
    return out;
}

/* The caller has reserved room. */
static void put_record_head(struct tv_buffer *page, uint32_t witness, size_t size)
{
    uint8_t *out = (uint8_t *)page->data + page->size;
    for (int i = 0; i < 4; i++)
        *out++ = (uint8_t)(witness >> 8 * i);
    page->size = (size_t)((char *)tv_varint_put(out, size) - page->data);
    page->data[page->size] = '\0';
}

enum tv_status tv_postings_append(struct tv_buffer *page, uint32_t witness, const void *entries, size_t n,
                                  struct tv_error *err)
{
    enum tv_status status = tv_buffer_reserve(page, RECORD_HEAD + n, err);
    if (status == TV_OK) {
        put_record_head(page, witness, n);
        status = tv_buffer_append(page, entries, n, err);
    }
    return status;
}

/* A record cut where a row's entry is or would be. */
struct cut {
    const uint8_t *here, *rest; /* the entries before `here` stay, and those from `rest` on, but for their first step */
    uint64_t before, after;     /* row + 1 of the entry before (0: none), and of the one at `rest` */
    const uint8_t *kept;        /* the bytes behind the step at `rest` */
};

/* A changed row changes the step of the entry behind it as well, as steps are relative; the entries from there on keep
 * their bytes, which are copied without being decoded. */
static enum tv_status cut_record(struct cut *c, const struct record *r, uint32_t row, int size, struct tv_error *err)
{
    struct entry e = {0};
    uint64_t next = 0, step;
    *c = (struct cut){.here = r->end, .rest = r->end, .kept = r->end};
    for (const uint8_t *p = r->entries; p < r->end; p = e.end, next = (uint64_t)e.row + 1) {
        enum tv_status status = read_entry(&e, p, r->end, next, size, err);
        if (status != TV_OK)
            return status;
        if (e.row >= row && c->here == r->end) {
            c->here = e.at;
            c->before = next;
        }
        if (e.row > row) {
            c->rest = e.at;
            c->after = (uint64_t)e.row + 1;
            c->kept = tv_varint_get(e.at, e.end, &step);
            return TV_OK;
        }
    }
    if (c->here == r->end)
        c->before = next;
    return TV_OK;
}

/* The record anew, into a page that has room. */
static void put_record(struct tv_buffer *out, const struct record *r, const struct cut *c,
                       const struct tv_postings_entry *e, int size)
{
    uint64_t before = e->n ? (uint64_t)e->row + 1 : c->before;
    size_t kept = (size_t)(c->here - r->entries), rest = (size_t)(r->end - c->kept);
    size_t entry = e->n ? tv_postings_entry_size((uint32_t)(e->row - c->before), e->positions, e->n, size) : 0;
    size_t step = c->after ? tv_varint_size(c->after - 1 - before) : 0;
    if (kept + entry + step + rest == 0)
        return;
    put_record_head(out, r->witness, kept + entry + step + rest);
    uint8_t *p = (uint8_t *)mempcpy(out->data + out->size, r->entries, kept);
    if (e->n)
        p = tv_postings_put_entry(p, (uint32_t)(e->row - c->before), e->positions, e->n, size);
    if (c->after)
        p = tv_varint_put(p, c->after - 1 - before);
    p = mempcpy(p, c->kept, rest);
    out->size = (size_t)((char *)p - out->data);
    out->data[out->size] = '\0';
}

/* Works from page to page and not in place, as a step may become longer. */
enum tv_status tv_postings_change(struct tv_buffer *out, const void *page, size_t page_size,
                                  const struct tv_postings_entry *entry, int size, struct tv_error *err)
{
    struct record r;
    struct cut c;
    const uint8_t *begin = page;
    tv_buffer_clear(out);
    enum tv_status status = find(&r, begin, page_size, entry->witness, err);
    if (status == TV_OK)
        status = cut_record(&c, &r, entry->row, size, err);
    if (status == TV_OK) /* a head, an entry, and a step that became longer */
        status = tv_buffer_reserve(out, page_size + 2 * RECORD_HEAD + BITS_MAX + 10, err);
    if (status == TV_OK)
        status = tv_buffer_append(out, begin, (size_t)(r.at - begin), err);
    if (status != TV_OK)
        return status;
    put_record(out, &r, &c, entry, size);
    return tv_buffer_append(out, r.end, page_size - (size_t)(r.end - begin), err);
}
