/* row_list: packed sets of rows.
 *
 *   kind 0  list: varint of the first row, then for each further row varint of (row - row before - 1)
 *   kind 1  bits: varint of (first row / 8), then bytes whose bit b of byte i stands for row 8 (first / 8 + i) + b
 *
 * A list begins with its kind, a byte. A varint is that of varint.h. Of the two kinds the shorter is written, so that
 * equal contents have equal bytes. Lists come back from Redis, so each byte is checked before it is trusted.
 */
#include "trivet/core/sets/row_list.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/sets/varint.h"

enum { LIST = 0, BITS = 1 };

static enum tv_status corrupt(struct tv_error *err, const char *what)
{
    return tv_fail(err, TV_ERR_CORRUPT, "a list of rows of an index of similar items %s", what);
}

static const char too_far[] = "names a row that the index does not have";

/* --- counting --------------------------------------------------------------------------------------------- */

/* `touched` has room for one more than n_rows, as the last row may be written there once more without counting. */
static enum tv_status count_list(struct tv_postings_counts *c, const uint8_t *p, const uint8_t *end,
                                 struct tv_error *err)
{
    uint64_t v = 0;
    for (uint64_t row = 0; p < end; row++) {
        if ((p = tv_varint_get(p, end, &v)) == NULL)
            return corrupt(err, "has a row that does not end");
        if ((row += v) >= c->n_rows)
            return corrupt(err, too_far);
        c->touched[c->n_touched] = (uint32_t)row; /* overwritten by the next unless it is new: no branch to guess */
        c->n_touched += c->count[row]++ == 0;
    }
    return TV_OK;
}

/* Eight rows at a time, in one vector of GCC's (which clang has, too). Where one listener has heard all of 160,110
 * items, a question takes 1.3 ms, and 4.1 ms with every bit counted on its own. */
typedef uint16_t eight __attribute__((vector_size(16)));

static void add_eight(uint16_t *count, uint8_t bits)
{
    static const eight place = {1, 2, 4, 8, 16, 32, 64, 128};
    eight counts, all = {bits, bits, bits, bits, bits, bits, bits, bits};
    memcpy(&counts, count, sizeof counts);
    counts -= (eight)((all & place) == place); /* true is -1 */
    memcpy(count, &counts, sizeof counts);
}

/* The last byte is never 0 in a list that was written, so its highest bit is the highest row; one comparison ahead of
 * the loop checks them all. add_eight may read and write up to seven counts behind n_rows: TV_POSTINGS_SPARE. */
static enum tv_status count_bits(struct tv_postings_counts *c, const uint8_t *p, const uint8_t *end,
                                 struct tv_error *err)
{
    uint64_t first = 0;
    p = tv_varint_get(p, end, &first);
    if (p == NULL || p == end)
        return corrupt(err, "has bits that begin nowhere");
    uint64_t last = 8 * (first + (uint64_t)(end - p) - 1); /* the first row of the last byte */
    if (end[-1] == 0 || last + 31 - (uint64_t)__builtin_clz(end[-1]) >= c->n_rows)
        return corrupt(err, too_far);
    for (uint16_t *count = c->count + 8 * first; p < end; p++, count += 8)
        add_eight(count, *p);
    c->many = 1;
    return TV_OK;
}

enum tv_status tv_row_list_count(struct tv_postings_counts *counts, const void *list, size_t n, struct tv_error *err)
{
    const uint8_t *p = list;
    if (n < 2 || *p > BITS)
        return corrupt(err, "has a kind that nobody wrote");
    return (*p == BITS ? count_bits : count_list)(counts, p + 1, p + n, err);
}

/* --- reading ---------------------------------------------------------------------------------------------- */

/* How many rows a list can have at most. */
static size_t most_rows(const uint8_t *list, size_t n)
{
    return n > 0 ? n * (*list == BITS ? 8 : 1) : 0;
}

/* The rows of a list (n bytes, perhaps none) into out, which has room for most_rows(). */
static enum tv_status read_rows(const uint8_t *list, size_t n, uint32_t *out, size_t *n_rows, struct tv_error *err)
{
    uint64_t v = 0, row = 0;
    size_t found = 0;
    const uint8_t *p = list + (n > 0), *end = list + n;
    *n_rows = 0;
    if (n > 0 && (n < 2 || *list > BITS))
        return corrupt(err, "has a kind that nobody wrote");
    if (n > 0 && *list == BITS) {
        if ((p = tv_varint_get(p, end, &v)) == NULL || v > UINT32_MAX / 8 - (uint64_t)(end - p))
            return corrupt(err, "has bits that begin nowhere");
        for (row = v * 8; p < end; p++, row += 8)
            for (unsigned bits = *p; bits; bits &= bits - 1)
                out[found++] = (uint32_t)row + (uint32_t)__builtin_ctz(bits);
    }
    while (p < end) {
        if ((p = tv_varint_get(p, end, &v)) == NULL)
            return corrupt(err, "has a row that does not end");
        row = found ? row + v + 1 : v;
        if (row > UINT32_MAX)
            return corrupt(err, "has a row beyond 32 bits");
        out[found++] = (uint32_t)row;
    }
    *n_rows = found;
    return TV_OK;
}

/* --- writing ---------------------------------------------------------------------------------------------- */

static size_t list_size(const uint32_t *rows, size_t n)
{
    size_t size = tv_varint_size(rows[0]);
    for (size_t i = 1; i < n; i++)
        size += tv_varint_size(rows[i] - rows[i - 1] - 1);
    return size;
}

static void put_list(uint8_t *out, const uint32_t *rows, size_t n)
{
    out = tv_varint_put(out, rows[0]);
    for (size_t i = 1; i < n; i++)
        out = tv_varint_put(out, rows[i] - rows[i - 1] - 1);
}

static void put_bits(uint8_t *out, const uint32_t *rows, size_t n)
{
    uint32_t first = rows[0] / 8;
    out = tv_varint_put(out, first);
    memset(out, 0, rows[n - 1] / 8 - first + 1);
    for (size_t i = 0; i < n; i++)
        out[rows[i] / 8 - first] |= (uint8_t)(1u << rows[i] % 8);
}

enum tv_status tv_row_list_append(struct tv_buffer *out, const uint32_t *rows, size_t n, struct tv_error *err)
{
    size_t list = list_size(rows, n), bits = tv_varint_size(rows[0] / 8) + rows[n - 1] / 8 - rows[0] / 8 + 1;
    int kind = bits < list ? BITS : LIST;
    size_t size = 1 + (kind == BITS ? bits : list);
    enum tv_status status = tv_buffer_reserve(out, size, err);
    if (status != TV_OK)
        return status;
    uint8_t *p = (uint8_t *)out->data + out->size;
    *p++ = (uint8_t)kind;
    (kind == BITS ? put_bits : put_list)(p, rows, n);
    out->size += size;
    out->data[out->size] = '\0';
    return TV_OK;
}

/* Puts `row` among the ascending rows, or takes it out; returns how many there are then. */
static size_t set_row(uint32_t *rows, size_t n, uint32_t row, int present)
{
    size_t i = n;
    while (i > 0 && rows[i - 1] > row)
        i--;
    int there = i > 0 && rows[i - 1] == row;
    if (present && !there) {
        memmove(rows + i + 1, rows + i, (n - i) * sizeof *rows);
        rows[i] = row;
        return n + 1;
    }
    if (!present && there) {
        memmove(rows + i - 1, rows + i, (n - i) * sizeof *rows);
        return n - 1;
    }
    return n;
}

enum tv_status tv_row_list_change(struct tv_buffer *out, const void *list, size_t n, uint32_t row, int present,
                                  struct tv_error *err)
{
    size_t found = 0;
    tv_buffer_clear(out);
    uint32_t *rows = tv_alloc(most_rows(list, n) + 1, sizeof *rows, "rows of a list", err);
    if (rows == NULL)
        return TV_ERR_NO_MEMORY;
    enum tv_status status = read_rows(list, n, rows, &found, err);
    found = status == TV_OK ? set_row(rows, found, row, present) : 0;
    if (found > 0)
        status = tv_row_list_append(out, rows, found, err);
    free(rows);
    return status;
}
