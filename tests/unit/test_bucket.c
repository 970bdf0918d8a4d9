/* Pages of an index of similar items: golden bytes, changes against a plain table, and bytes that are no page. */
#include "trivet/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 3000, VALUES = 5 };

static void golden_bytes(void **state)
{
    (void)state;
    static const uint32_t apart[] = {3, 200, 201, 20000}, close[] = {16, 17, 18, 19, 20, 21, 23, 31};
    static const uint8_t wanted[] = {
        0x78, 0x56, 0x34, 0x12, 14, 3, 196,  1,    0, 0xd6, 0x9a, 1, /* a list: 3, +196+1, +0+1, +19798+1 */
        0xff, 0xff, 0xff, 0xff, 7,  2, 0xbf, 0x80,                   /* bits from row 16 on */
    };
    struct tv_buffer page = TV_BUFFER_INIT(1000);
    assert_int_equal(tv_bucket_append(&page, 0x12345678, apart, 4, NULL), TV_OK);
    assert_int_equal(tv_bucket_append(&page, UINT32_MAX, close, 8, NULL), TV_OK);
    assert_int_equal(page.size, sizeof wanted);
    assert_memory_equal(page.data, wanted, sizeof wanted);
    tv_buffer_free(&page);
}

struct table {
    uint8_t has[VALUES][ROWS];
    size_t records;
};

static const uint32_t values[VALUES] = {0, 1, 77, 1u << 31, UINT32_MAX};

static enum tv_status compare(void *context, uint32_t value, const uint32_t *rows, size_t n, struct tv_error *err)
{
    (void)err;
    struct table *t = context;
    size_t v = 0, expected = 0;
    while (values[v] != value)
        v++;
    for (size_t r = 0; r < ROWS; r++)
        expected += t->has[v][r];
    assert_int_equal(n, expected);
    for (size_t i = 0; i < n; i++) {
        assert_true(t->has[v][rows[i]]);
        assert_true(i == 0 || rows[i] > rows[i - 1]);
    }
    t->records++;
    return TV_OK;
}

static void check(struct table *t, const struct tv_buffer *page)
{
    static uint16_t count[ROWS + TV_BUCKET_SPARE];
    static uint32_t touched[ROWS + 1];
    size_t wanted = 0, some = 0;
    t->records = 0;
    assert_int_equal(tv_bucket_each(page->data, page->size, compare, t, NULL), TV_OK);
    for (size_t v = 0; v < VALUES; v++)
        wanted += memchr(t->has[v], 1, ROWS) != NULL;
    assert_int_equal(t->records, wanted);
    struct tv_bucket_counts c = {count, touched, ROWS, 0, 0};
    memset(count, 0, sizeof count);
    for (size_t v = 0; v < VALUES; v++)
        assert_int_equal(tv_bucket_count(&c, page->data, page->size, values[v], NULL), TV_OK);
    for (size_t r = 0; r < ROWS; r++) {
        int sum = 0;
        for (size_t v = 0; v < VALUES; v++)
            sum += t->has[v][r];
        assert_int_equal(count[r], sum);
        some += sum > 0;
    }
    tv_bucket_gather(&c);
    assert_int_equal(c.n_touched, some);
    for (size_t i = 0; i < c.n_touched; i++)
        assert_int_not_equal(count[c.touched[i]], 0);
    tv_bucket_clear(&c);
    for (size_t r = 0; r < ROWS + TV_BUCKET_SPARE; r++)
        assert_int_equal(count[r], 0);
}

/* What changes leave is what building anew gives, byte for byte. */
static void rebuild(const struct table *t, struct tv_buffer *out)
{
    static uint32_t rows[ROWS];
    for (size_t v = 0; v < VALUES; v++) {
        size_t n = 0;
        for (uint32_t r = 0; r < ROWS; r++)
            if (t->has[v][r])
                rows[n++] = r;
        if (n > 0)
            assert_int_equal(tv_bucket_append(out, values[v], rows, n, NULL), TV_OK);
    }
}

/* Few rows at first, then so many that lists become bits, then few again. */
static void changes_keep_to_a_plain_table(void **state)
{
    (void)state;
    static struct table t;
    struct tv_buffer page = TV_BUFFER_INIT(1 << 20), next = TV_BUFFER_INIT(1 << 20);
    srand(1);
    for (int step = 0; step < 40000; step++) {
        size_t v = (size_t)(rand() % VALUES), r = (size_t)(rand() % (v == 0 ? ROWS : v == 1 ? 200 : 20));
        int present = rand() % 10 < (step < 20000 ? 8 : 1);
        t.has[v][r] = (uint8_t)present;
        assert_int_equal(tv_bucket_change(&next, page.data, page.size, values[v], (uint32_t)r, present, NULL), TV_OK);
        struct tv_buffer swap = page;
        page = next;
        next = swap;
        if (step % 1000 == 999) {
            check(&t, &page);
            tv_buffer_clear(&next);
            rebuild(&t, &next);
            assert_int_equal(next.size, page.size);
            assert_memory_equal(next.data, page.data, page.size);
        }
    }
    tv_buffer_free(&page);
    tv_buffer_free(&next);
}

static void the_last_row_takes_its_record_along(void **state)
{
    (void)state;
    struct tv_buffer one = TV_BUFFER_INIT(100), none = TV_BUFFER_INIT(100);
    assert_int_equal(tv_bucket_change(&one, "", 0, 5, 9, 1, NULL), TV_OK);
    assert_int_equal(one.size, 6);
    assert_int_equal(tv_bucket_change(&none, one.data, one.size, 5, 9, 0, NULL), TV_OK);
    assert_int_equal(none.size, 0);
    assert_int_equal(tv_bucket_change(&none, one.data, one.size, 6, 9, 0, NULL), TV_OK);
    assert_int_equal(none.size, one.size);
    tv_buffer_free(&one);
    tv_buffer_free(&none);
}

static enum tv_status ignore(void *context, uint32_t value, const uint32_t *rows, size_t n, struct tv_error *err)
{
    (void)context, (void)value, (void)rows, (void)n, (void)err;
    return TV_OK;
}

static void broken_bytes_are_refused_or_harmless(void **state)
{
    (void)state;
    static uint16_t count[ROWS + TV_BUCKET_SPARE];
    static uint32_t touched[ROWS + 1];
    struct tv_buffer out = TV_BUFFER_INIT(1 << 20);
    uint8_t bytes[40];
    srand(2);
    for (int i = 0; i < 100000; i++) {
        size_t n = (size_t)(rand() % (int)sizeof bytes);
        for (size_t j = 0; j < n; j++)
            bytes[j] = (uint8_t)(rand() % 4 ? rand() % 12 : rand());
        struct tv_bucket_counts c = {count, touched, ROWS, 0, 0};
        memset(count, 0, sizeof count);
        tv_bucket_count(&c, bytes, n, (uint32_t)rand(), NULL);
        assert_true(c.n_touched <= ROWS);
        tv_bucket_each(bytes, n, ignore, NULL, NULL);
        tv_bucket_change(&out, bytes, n, (uint32_t)rand() % 3, 7, 1, NULL);
    }
    struct tv_error err;
    static const uint8_t far[] = {1, 0, 0, 0, 4, 0xff, 0x7f};
    struct tv_bucket_counts c = {count, touched, ROWS, 0, 0};
    assert_int_equal(tv_bucket_count(&c, far, sizeof far, 1, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "does not have"));
    assert_int_equal(tv_bucket_each(far, 6, ignore, NULL, NULL), TV_ERR_CORRUPT);
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
