/* fuzz_bucket: a page of the index of similar items may be any bytes. Reading, counting and changing never go beyond
 * them, and what a change of a page that could be read gives can be read again, and differs by that row alone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/bucket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 5000 };

static void require(int holds)
{
    if (!holds)
        abort();
}

struct found {
    uint32_t value;
    size_t rows, of_value;
};

static enum tv_status take(void *context, uint32_t value, const uint32_t *rows, size_t n, struct tv_error *err)
{
    (void)err;
    struct found *f = context;
    for (size_t i = 1; i < n; i++)
        require(rows[i] > rows[i - 1]);
    f->rows += n;
    f->of_value += value == f->value ? n : 0;
    return TV_OK;
}

static void count(const void *page, size_t n, uint32_t value)
{
    static uint16_t counts[ROWS + TV_BUCKET_SPARE];
    static uint32_t touched[ROWS + 1];
    struct tv_bucket_counts c = {counts, touched, ROWS, 0, 0};
    tv_bucket_count(&c, page, n, value, NULL);
    require(c.n_touched <= ROWS);
    tv_bucket_gather(&c);
    tv_bucket_clear(&c);
    for (size_t i = 0; i < ROWS; i++)
        require(counts[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t value, row;
    if (size < sizeof value + sizeof row)
        return 0;
    memcpy(&value, data, sizeof value);
    memcpy(&row, data + sizeof value, sizeof row);
    row %= ROWS;
    void *page = malloc(size - 8 ? size - 8 : 1); /* a block of its own, so that a byte too far is noticed */
    require(page != NULL);
    memcpy(page, data + 8, size - 8);
    struct found before = {.value = value}, after = {.value = value};
    struct tv_buffer changed = TV_BUFFER_INIT(1 << 24);
    count(page, size - 8, value);
    int is_page = tv_bucket_each(page, size - 8, take, &before, NULL) == TV_OK;
    enum tv_status status = tv_bucket_change(&changed, page, size - 8, value, row, size & 1, NULL);
    if (is_page && status == TV_OK) {
        require(tv_bucket_each(changed.data, changed.size, take, &after, NULL) == TV_OK);
        long long more = (long long)after.rows - (long long)before.rows;
        require(size & 1 ? more == 0 || more == 1 : more == 0 || more == -1);
    }
    tv_buffer_free(&changed);
    free(page);
    return 0;
}
