/* test_postings: pages: golden bytes, changes against a plain table, and bytes that are no page. */
#include "trivet/core/sets/postings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 300, USERS = 4, SIZE = 128 };

static const uint32_t witnesses[USERS] = {0, 77, 1u << 31, UINT32_MAX};

static void golden_bytes(void **state)
{
    (void)state;
    static const uint16_t few[] = {0, 5, 127};
    uint16_t all[SIZE], many[20];
    uint8_t entries[64], *p = entries;
    for (uint16_t i = 0; i < SIZE; i++)
        all[i] = i;
    for (uint16_t i = 0; i < 20; i++)
        many[i] = (uint16_t)(2 * i);
    size_t wanted_size = tv_postings_entry_size(300, few, 3, SIZE) + tv_postings_entry_size(0, all, SIZE, SIZE) +
                         tv_postings_entry_size(2, many, 20, SIZE);
    p = tv_postings_put_entry(p, 300, few, 3, SIZE);  /* row 300 */
    p = tv_postings_put_entry(p, 0, all, SIZE, SIZE); /* row 301 */
    p = tv_postings_put_entry(p, 2, many, 20, SIZE);  /* row 304 */
    assert_int_equal(p - entries, wanted_size);
    static const uint8_t wanted[] = {
        0x78, 0x56, 0x34, 0x12, 27,        /* the witness, and the bytes of its entries */
        0xac, 2,    6,    0,    5,    127, /* 300; a list of 3 */
        0,    0x80, 2,                     /* + 0 + 1; all of 128 */
        2,    41,   0x55, 0x55, 0x55, 0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* + 2 + 1; bits of 20 */
    };
    struct tv_buffer page = TV_BUFFER_INIT(1000);
    assert_int_equal(tv_postings_append(&page, 0x12345678, entries, wanted_size, NULL), TV_OK);
    assert_int_equal(page.size, sizeof wanted);
    assert_memory_equal(page.data, wanted, sizeof wanted);
    tv_buffer_free(&page);
}

/* Which positions of a row each witness has. */
struct table {
    uint8_t has[USERS][ROWS][SIZE];
    size_t entries;
};

static enum tv_status compare(void *context, uint32_t witness, uint32_t row, const uint16_t *positions, int n,
                              struct tv_error *err)
{
    (void)err;
    struct table *t = context;
    size_t u = 0;
    int wanted = 0;
    while (witnesses[u] != witness)
        u++;
    for (int j = 0; j < SIZE; j++)
        wanted += t->has[u][row][j];
    assert_int_equal(n, wanted);
    for (int i = 0; i < n; i++)
        assert_true(t->has[u][row][positions[i]] && (i == 0 || positions[i] > positions[i - 1]));
    t->entries++;
    return TV_OK;
}

static uint16_t count[ROWS + TV_POSTINGS_SPARE];
static uint32_t touched[ROWS + 1];

static void check(struct table *t, const struct tv_buffer *page)
{
    uint8_t bits[SIZE / 8];
    struct tv_postings_wanted wanted = {.bits = bits, .n = 0, .size = SIZE};
    struct tv_postings_counts c = {.count = count, .touched = touched, .n_rows = ROWS};
    size_t entries = 0, some = 0;
    t->entries = 0;
    assert_int_equal(tv_postings_each(page->data, page->size, SIZE, compare, t, NULL), TV_OK);
    for (size_t i = 0; i < sizeof bits; i++) {
        bits[i] = (uint8_t)rand();
        wanted.n += __builtin_popcount(bits[i]);
    }
    for (size_t u = 0; u < USERS; u++)
        assert_int_equal(tv_postings_count(&c, page->data, page->size, witnesses[u], &wanted, NULL), TV_OK);
    for (size_t r = 0; r < ROWS; r++) {
        int sum = 0;
        for (size_t u = 0; u < USERS; u++) {
            entries += memchr(t->has[u][r], 1, SIZE) != NULL;
            for (int j = 0; j < SIZE; j++)
                sum += t->has[u][r][j] & (bits[j / 8] >> j % 8);
        }
        assert_int_equal(count[r], sum);
        some += sum > 0;
    }
    assert_int_equal(t->entries, entries);
    assert_int_equal(c.n_touched, some);
    tv_postings_clear(&c);
    for (size_t r = 0; r < ROWS; r++)
        assert_int_equal(count[r], 0);
}

static int positions_of(const struct table *t, size_t u, size_t r, uint16_t *out)
{
    int n = 0;
    for (uint16_t j = 0; j < SIZE; j++)
        if (t->has[u][r][j])
            out[n++] = j;
    return n;
}

/* A page after changes is the page that building anew gives, byte for byte. */
static void rebuild(const struct table *t, struct tv_buffer *out)
{
    static uint8_t entries[ROWS * (SIZE / 8 + 10)];
    uint16_t positions[SIZE];
    for (size_t u = 0; u < USERS; u++) {
        uint8_t *p = entries;
        uint32_t next = 0;
        for (uint32_t r = 0; r < ROWS; r++) {
            int n = positions_of(t, u, r, positions);
            if (n > 0) {
                p = tv_postings_put_entry(p, r - next, positions, n, SIZE);
                next = r + 1;
            }
        }
        if (p > entries)
            assert_int_equal(tv_postings_append(out, witnesses[u], entries, (size_t)(p - entries), NULL), TV_OK);
    }
}

/* No position, one, a few, many or all of a row: lists, bits and neither. */
static void changes_keep_to_a_plain_table(void **state)
{
    (void)state;
    static const int share[] = {0, 0, 1, 4, 20, 70, 100};
    static struct table t;
    struct tv_buffer page = TV_BUFFER_INIT(1 << 20), next = TV_BUFFER_INIT(1 << 20);
    uint16_t positions[SIZE];
    srand(1);
    for (int step = 0; step < 30000; step++) {
        size_t u = (size_t)(rand() % USERS), r = (size_t)(rand() % (u == 0 ? ROWS : 20));
        int percent = step < 29000 ? share[rand() % 7] : 0;
        for (int j = 0; j < SIZE; j++)
            t.has[u][r][j] = rand() % 100 < percent;
        int n = positions_of(&t, u, r, positions);
        assert_int_equal(tv_postings_change(&next, tv_buffer_string(&page), page.size,
                                            &(struct tv_postings_entry){witnesses[u], (uint32_t)r, positions, n}, SIZE,
                                            NULL),
                         TV_OK);
        struct tv_buffer swap = page;
        page = next;
        next = swap;
        if (step % 500 == 499) {
            check(&t, &page);
            tv_buffer_clear(&next);
            rebuild(&t, &next);
            assert_int_equal(next.size, page.size);
            assert_memory_equal(tv_buffer_string(&next), tv_buffer_string(&page), page.size);
        }
    }
    tv_buffer_free(&page);
    tv_buffer_free(&next);
}

static void the_last_row_takes_its_record_along(void **state)
{
    (void)state;
    static const uint16_t one_position[] = {3};
    struct tv_buffer one = TV_BUFFER_INIT(1000), none = TV_BUFFER_INIT(1000);
    const struct tv_postings_entry entry = {5, 9, one_position, 1}, gone = {5, 9, NULL, 0}, other = {6, 9, NULL, 0};
    assert_int_equal(tv_postings_change(&one, "", 0, &entry, SIZE, NULL), TV_OK);
    assert_int_equal(one.size, 8);
    assert_int_equal(tv_postings_change(&none, one.data, one.size, &gone, SIZE, NULL), TV_OK);
    assert_int_equal(none.size, 0);
    assert_int_equal(tv_postings_change(&none, one.data, one.size, &other, SIZE, NULL), TV_OK);
    assert_int_equal(none.size, one.size);
    tv_buffer_free(&one);
    tv_buffer_free(&none);
}

static enum tv_status ignore(void *context, uint32_t witness, uint32_t row, const uint16_t *positions, int n,
                             struct tv_error *err)
{
    (void)context, (void)witness, (void)row, (void)err;
    for (int i = 0; i < n; i++)
        assert_true(positions[i] < SIZE);
    return TV_OK;
}

static void broken_bytes_are_refused_or_harmless(void **state)
{
    (void)state;
    static const uint16_t positions[] = {1, 2};
    uint8_t bits[SIZE / 8] = {255, 255}, bytes[60];
    struct tv_postings_wanted wanted = {.bits = bits, .n = 16, .size = SIZE};
    struct tv_postings_counts c = {.count = count, .touched = touched, .n_rows = ROWS};
    struct tv_buffer out = TV_BUFFER_INIT(1 << 20);
    struct tv_error err;
    static const char why[] = "whatever it says, it reads nothing beyond";
    srand(2);
    for (int i = 0; i < 100000; i++) {
        size_t n = (size_t)(rand() % (int)sizeof bytes);
        for (size_t j = 0; j < n; j++)
            bytes[j] = (uint8_t)(rand() % 4 ? rand() % 12 : rand());
        tv_ignore(tv_postings_count(&c, bytes, n, (uint32_t)rand(), &wanted, NULL), why);
        assert_true(c.n_touched <= ROWS);
        tv_postings_clear(&c);
        tv_ignore(tv_postings_each(bytes, n, SIZE, ignore, NULL, NULL), why);
        const struct tv_postings_entry entry = {(uint32_t)rand() % 3, 7, positions, 2};
        tv_ignore(tv_postings_change(&out, bytes, n, &entry, SIZE, NULL), why);
    }
    static const uint8_t far[] = {1, 0, 0, 0, 4, 0xff, 0x7f, 2, 3}, beyond[] = {1, 0, 0, 0, 4, 1, 2, 0x80, 1};
    assert_int_equal(tv_postings_count(&c, far, sizeof far, 1, &wanted, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "does not have"));
    assert_int_equal(tv_postings_each(far, 6, SIZE, ignore, NULL, NULL), TV_ERR_CORRUPT);
    assert_int_equal(tv_postings_count(&c, beyond, sizeof beyond, 1, &wanted, &err), TV_ERR_CORRUPT);
    assert_int_equal(tv_postings_each(beyond, sizeof beyond, SIZE, ignore, NULL, NULL), TV_ERR_CORRUPT);
    tv_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes),
        cmocka_unit_test(changes_keep_to_a_plain_table),
        cmocka_unit_test(the_last_row_takes_its_record_along),
        cmocka_unit_test(broken_bytes_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
