/* test_row_list: packed sets of rows: golden bytes, changes against a plain table, and bytes that are no list. */
#include "trivet/core/sets/row_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 3000 };

static void golden_bytes(void **state)
{
    (void)state;
    static const uint32_t apart[] = {3, 200, 201, 20000}, close[] = {16, 17, 18, 19, 20, 21, 23, 31};
    static const uint8_t list[] = {0, 3, 196, 1, 0, 0xd6, 0x9a, 1}; /* 3, +196+1, +0+1, +19798+1 */
    static const uint8_t bits[] = {1, 2, 0xbf, 0x80};               /* from row 16 on */
    struct tv_buffer out = TV_BUFFER_INIT(1000);
    assert_int_equal(tv_row_list_append(&out, apart, 4, NULL), TV_OK);
    assert_int_equal(out.size, sizeof list);
    assert_memory_equal(out.data, list, sizeof list);
    tv_buffer_clear(&out);
    assert_int_equal(tv_row_list_append(&out, close, 8, NULL), TV_OK);
    assert_int_equal(out.size, sizeof bits);
    assert_memory_equal(out.data, bits, sizeof bits);
    tv_buffer_free(&out);
}

static uint16_t count[ROWS + TV_POSTINGS_SPARE];
static uint32_t touched[ROWS + 1];

static struct tv_postings_counts counts(void)
{
    memset(count, 0, sizeof count);
    return (struct tv_postings_counts){.count = count, .touched = touched, .n_rows = ROWS};
}

/* Counting twice is twice one, what is gathered is what counts, and what is built anew has the same bytes. */
static void check(const uint8_t *has, const struct tv_buffer *list)
{
    static uint32_t rows[ROWS];
    size_t n = 0;
    struct tv_postings_counts c = counts();
    for (uint32_t r = 0; r < ROWS; r++)
        if (has[r])
            rows[n++] = r;
    for (int i = 0; i < 2 && n > 0; i++)
        assert_int_equal(tv_row_list_count(&c, list->data, list->size, NULL), TV_OK);
    for (size_t r = 0; r < ROWS; r++)
        assert_int_equal(count[r], 2 * has[r]);
    tv_postings_gather(&c);
    assert_int_equal(c.n_touched, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(count[c.touched[i]], 2);
    tv_postings_clear(&c);
    for (size_t r = 0; r < ROWS + TV_POSTINGS_SPARE; r++)
        assert_int_equal(count[r], 0);
    struct tv_buffer anew = TV_BUFFER_INIT(1 << 20);
    if (n > 0)
        assert_int_equal(tv_row_list_append(&anew, rows, n, NULL), TV_OK);
    assert_int_equal(anew.size, list->size);
    if (n > 0)
        assert_memory_equal(anew.data, list->data, list->size);
    tv_buffer_free(&anew);
}

/* Few rows at first, then so many that the list becomes bits, then few again, and none. */
static void changes_keep_to_a_plain_table(void **state)
{
    (void)state;
    static uint8_t has[ROWS];
    struct tv_buffer list = TV_BUFFER_INIT(1 << 20), next = TV_BUFFER_INIT(1 << 20);
    int kinds[2] = {0, 0};
    srand(1);
    for (int step = 0; step < 40000; step++) {
        uint32_t r = (uint32_t)rand() % (step % 3 ? ROWS : 200);
        int present = rand() % 10 < (step < 20000 ? 8 : 1);
        has[r] = (uint8_t)present;
        assert_int_equal(tv_row_list_change(&next, tv_buffer_string(&list), list.size, r, present, NULL), TV_OK);
        struct tv_buffer swap = list;
        list = next;
        next = swap;
        if (list.size > 0)
            kinds[(int)list.data[0]]++;
        if (step % 500 == 499)
            check(has, &list);
    }
    assert_true(kinds[0] > 0 && kinds[1] > 0);
    for (uint32_t r = 0; r < ROWS; r++) {
        assert_int_equal(tv_row_list_change(&next, tv_buffer_string(&list), list.size, r, 0, NULL), TV_OK);
        struct tv_buffer swap = list;
        list = next;
        next = swap;
    }
    assert_int_equal(list.size, 0);
    tv_buffer_free(&list);
    tv_buffer_free(&next);
}

static void broken_bytes_are_refused_or_harmless(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(1 << 20);
    struct tv_error err;
    uint8_t bytes[40];
    static const char why[] = "whatever it says, it reads nothing beyond";
    srand(2);
    for (int i = 0; i < 100000; i++) {
        size_t n = (size_t)(rand() % (int)sizeof bytes);
        for (size_t j = 0; j < n; j++)
            bytes[j] = (uint8_t)(rand() % 4 ? rand() % 3 : rand());
        struct tv_postings_counts c = counts();
        tv_ignore(tv_row_list_count(&c, bytes, n, NULL), why);
        assert_true(c.n_touched <= ROWS);
        tv_ignore(tv_row_list_change(&out, bytes, n, 7, 1, NULL), why);
    }
    static const uint8_t far[] = {0, 0xff, 0x7f}, no_kind[] = {2, 1};
    struct tv_postings_counts c = counts();
    assert_int_equal(tv_row_list_count(&c, far, sizeof far, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "does not have"));
    assert_int_equal(tv_row_list_count(&c, no_kind, sizeof no_kind, &err), TV_ERR_CORRUPT);
    tv_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes),
        cmocka_unit_test(changes_keep_to_a_plain_table),
        cmocka_unit_test(broken_bytes_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
