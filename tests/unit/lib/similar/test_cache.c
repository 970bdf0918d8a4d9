/* test_cache: the cache lends groups that were read lately, and keeps within its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/similar/cache.h"
#include "lib/similar/inside.h"

static void what_was_put_is_lent(void **state)
{
    (void)state;
    struct tv_similar s = {.size = 0};
    struct tv_buffer lent = TV_BUFFER_INIT(0);
    char bytes[] = "one";
    assert_false(tv_similar_cache_get(&s, 0, &lent));
    tv_similar_cache_put(&s, 0, bytes, 3);
    tv_similar_cache_put(&s, 1000, "another", 7);
    bytes[0] = 'x'; /* it is a copy */
    assert_true(tv_similar_cache_get(&s, 0, &lent));
    assert_int_equal(lent.size, 3);
    assert_memory_equal(lent.data, "one", 3);
    assert_true(tv_similar_cache_get(&s, 1000, &lent));
    assert_memory_equal(lent.data, "another", 7);
    assert_false(tv_similar_cache_get(&s, 1, &lent));
    assert_false(tv_similar_cache_get(&s, 1000000, &lent));
    assert_int_equal(s.cache.n_bytes, 10);
    tv_similar_cache_clear(&s);
}

static void the_newest_takes_the_place(void **state)
{
    (void)state;
    struct tv_similar s = {.size = 0};
    struct tv_buffer lent;
    tv_similar_cache_put(&s, 5, "first", 5);
    tv_similar_cache_put(&s, 5, "2nd", 3);
    assert_true(tv_similar_cache_get(&s, 5, &lent));
    assert_int_equal(lent.size, 3);
    assert_memory_equal(lent.data, "2nd", 3);
    assert_int_equal(s.cache.n_bytes, 3);
    tv_similar_cache_put(&s, 5, NULL, 0); /* there is no such group any more */
    assert_false(tv_similar_cache_get(&s, 5, &lent));
    assert_int_equal(s.cache.n_bytes, 0);
    tv_similar_cache_clear(&s);
}

/* Four MB: what does not fit beside the rest makes it begin anew, and what never fits is not kept. */
static void memory_is_bounded(void **state)
{
    (void)state;
    enum { MOST = 4 << 20 };
    struct tv_similar s = {.size = 0};
    struct tv_buffer lent;
    char *bytes = calloc(MOST + 1, 1);
    tv_similar_cache_put(&s, 0, bytes, MOST / 2);
    tv_similar_cache_put(&s, 1, bytes, MOST / 2);
    assert_true(tv_similar_cache_get(&s, 0, &lent) && tv_similar_cache_get(&s, 1, &lent));
    tv_similar_cache_put(&s, 2, bytes, 1);
    assert_false(tv_similar_cache_get(&s, 0, &lent));
    assert_false(tv_similar_cache_get(&s, 1, &lent));
    assert_true(tv_similar_cache_get(&s, 2, &lent));
    tv_similar_cache_put(&s, 3, bytes, MOST + 1);
    assert_false(tv_similar_cache_get(&s, 3, &lent));
    assert_true(s.cache.n_bytes <= MOST);
    tv_similar_cache_clear(&s);
    assert_int_equal(s.cache.n_bytes, 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_lent),
        cmocka_unit_test(the_newest_takes_the_place),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
