/* fuzz_postings: a page of the index of similar items, or a list of rows, may be any bytes. Reading, counting and
 * changing never go beyond them, and what a change of a page that could be read gives can be read again, and differs by
 * that row alone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/sets/postings.h"
#include "trivet/core/sets/row_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 5000, SIZE = 40 };

static void require(int holds)
{
    if (!holds)
        abort();
}

static size_t entries;

static enum tv_status take(void *context, uint32_t witness, uint32_t row, const uint16_t *positions, int n,
                           struct tv_error *err)
{
    (void)context, (void)witness, (void)row, (void)err;
    require(n > 0 && n <= SIZE);
    for (int i = 0; i < n; i++)
        require(positions[i] < SIZE && (i == 0 || positions[i] > positions[i - 1]));
    entries++;
    return TV_OK;
}

static const char why[] = "any bytes may come, and any of them may be refused";

static void count(const void *page, size_t n, uint32_t witness)
{
    static uint16_t counts[ROWS + TV_POSTINGS_SPARE];
    static uint32_t touched[ROWS + 1];
    uint8_t bits[(SIZE + 7) / 8] = {0x5a, 0xff, 0x01};
    struct tv_postings_wanted wanted = {.bits = bits, .n = 13, .size = SIZE};
    struct tv_postings_counts c = {.count = counts, .touched = touched, .n_rows = ROWS};
    tv_ignore(tv_postings_count(&c, page, n, witness, &wanted, NULL), why);
    tv_ignore(tv_row_list_count(&c, page, n, NULL), why);
    require(c.n_touched <= ROWS);
    tv_postings_gather(&c);
    tv_postings_clear(&c);
    for (size_t i = 0; i < ROWS; i++)
        require(counts[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t positions[] = {0, 7, 39};
    uint32_t witness, row;
    if (size < sizeof witness + sizeof row)
        return 0;
    memcpy(&witness, data, sizeof witness);
    memcpy(&row, data + sizeof witness, sizeof row);
    row %= ROWS;
    size -= 8;
    void *page = malloc(size ? size : 1); /* a block of its own, so that a byte too far is noticed */
    require(page != NULL);
    memcpy(page, data + 8, size);
    struct tv_buffer changed = TV_BUFFER_INIT(1 << 24);
    count(page, size, witness);
    entries = 0;
    int is_page = tv_postings_each(page, size, SIZE, take, NULL, NULL) == TV_OK;
    size_t before = entries;
    int n = size & 1 ? 3 : 0;
    if (tv_postings_change(&changed, page, size, &(struct tv_postings_entry){witness, row, positions, n}, SIZE, NULL) ==
            TV_OK &&
        is_page) {
        entries = 0;
        require(tv_postings_each(changed.data, changed.size, SIZE, take, NULL, NULL) == TV_OK);
        require(entries == before || entries == (n ? before + 1 : before - 1));
    }
    tv_ignore(tv_row_list_change(&changed, page, size, row, n > 0, NULL), why);
    tv_buffer_free(&changed);
    free(page);
    return 0;
}
