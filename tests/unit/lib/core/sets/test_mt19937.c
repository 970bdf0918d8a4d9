/* test_mt19937: the published numbers of the Mersenne Twister, and numpy's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/core/sets/mt19937.h"

/* The C++ standard gives the 10,000th number of the seed 5489. */
static void published_numbers(void **state)
{
    (void)state;
    struct tv_mt19937 g;
    tv_mt19937_seed(&g, 5489);
    assert_true(tv_mt19937_next(&g) == 3499211612u);
    for (int i = 2; i < 10000; i++)
        tv_mt19937_next(&g);
    assert_true(tv_mt19937_next(&g) == 4123659995u);
}

static void the_seed_decides(void **state)
{
    (void)state;
    static const uint32_t of_1[] = {1791095845u, 4282876139u, 3093770124u, 4005303368u, 491263u};
    struct tv_mt19937 g;
    for (int again = 0; again < 2; again++) {
        tv_mt19937_seed(&g, 1);
        for (int i = 0; i < 5; i++)
            assert_true(tv_mt19937_next(&g) == of_1[i]);
    }
}

/* RandomState(42).randint(7, 7 + 2^60 + 1, 6, dtype=uint64), of which about every second draw is refused, then
 * randint(0, 2^63, dtype=uint64); RandomState(1).randint(1, 2^61 - 1, 2, dtype=uint64). By numpy 1.24 and 2.4. */
static void bounded_numbers_are_numpys(void **state)
{
    (void)state;
    static const uint64_t expected[] = {UINT64_C(572192888165898368),  UINT64_C(571748048327668957),
                                        UINT64_C(1071453510346823121), UINT64_C(379716980844854587),
                                        UINT64_C(1048235628103308226), UINT64_C(1077373049702139047)};
    struct tv_mt19937 g;
    tv_mt19937_seed(&g, 42);
    for (int i = 0; i < 6; i++)
        assert_true(tv_mt19937_between(&g, 7, 7 + (UINT64_C(1) << 60) + 1) == expected[i]);
    assert_true(tv_mt19937_between(&g, 0, UINT64_C(1) << 63) == UINT64_C(5612278758092655929));
    tv_mt19937_seed(&g, 1);
    assert_true(tv_mt19937_between(&g, 1, (UINT64_C(1) << 61) - 1) == UINT64_C(775169054918279404));
    assert_true(tv_mt19937_between(&g, 1, (UINT64_C(1) << 61) - 1) == UINT64_C(1758426461858698313));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_numbers),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(bounded_numbers_are_numpys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
