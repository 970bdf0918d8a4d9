/* test_tally: users, items and repeats are counted, and the scale of ratings is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "etl/load/tally.h"

static void tally(struct tv_tally *t, int64_t user, int64_t item, float value)
{
    assert_int_equal(tv_tally_add(t, user, item, value, NULL), TV_OK);
}

static void ratings_are_counted(void **state)
{
    (void)state;
    struct tv_tally t = {.rows = 0};
    char scale[96];
    assert_string_equal(tv_tally_scale(&t, scale), "none");
    for (int user = 0; user < 3000; user++)
        for (int item = 0; item < 4; item++)
            tally(&t, user - 1000, item * 1000003LL, (float)(1 + (user + item) % 10) / 2);
    assert_int_equal(t.users.n, 3000);
    assert_int_equal(t.items.n, 4);
    assert_int_equal(t.repeats, 0);
    assert_string_equal(tv_tally_scale(&t, scale), "0.5 to 5 by 0.5");
    tally(&t, 1999, 0, 1); /* the last user again, the same item */
    assert_int_equal(t.repeats, 1);
    assert_false(t.users_apart);
    tally(&t, 0, 0, 352698);
    assert_true(t.users_apart);
    assert_string_equal(tv_tally_scale(&t, scale), "0.5 to 352698 by 0.5");
    for (int i = 0; i < 100; i++)
        tally(&t, 0, 0, (float)i / 7);
    assert_string_equal(tv_tally_scale(&t, scale), "0 to 352698");
    tv_tally_free(&t);
}

/* The digits of a scale are those of the file, not those of its float32. */
static void check_scale(float low, float high, const char *expected)
{
    struct tv_tally t = {.rows = 0};
    char scale[96];
    tally(&t, 1, 1, low);
    tally(&t, 1, 2, high);
    tally(&t, 1, 3, low + (high - low) / 7); /* with no step between them */
    tally(&t, 1, 4, low + (high - low) / 3);
    assert_string_equal(tv_tally_scale(&t, scale), expected);
    tv_tally_free(&t);
}

static void a_scale_is_told_as_it_was_written(void **state)
{
    (void)state;
    check_scale(-9.8f, 10.8f, "-9.8 to 10.8");
    check_scale(1.22f, 4.9f, "1.22 to 4.9");
    check_scale(0, 100.5f, "0 to 100.5");
    check_scale(1, 12345678, "1 to 12345678");
    check_scale(0.001f, 1e30f, "0.001 to 1e+30");
    struct tv_tally t = {.rows = 0};
    char scale[96];
    for (int tenths = 10; tenths <= 50; tenths++)
        tally(&t, 1, tenths, (float)tenths / 10);
    assert_string_equal(tv_tally_scale(&t, scale), "1 to 5 by 0.1");
    tv_tally_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ratings_are_counted),
                                       cmocka_unit_test(a_scale_is_told_as_it_was_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
