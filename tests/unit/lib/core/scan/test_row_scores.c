/* test_row_scores: scores of chosen rows of float16 against the reference on all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../numbers_fixture.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/scan/row_scores.h"
#include "trivet/core/top_n.h"

/* Any half but infinities and NaNs: sums of these are rounded, so another order of additions would show. */
static uint16_t any_half(void)
{
    uint16_t h;
    do
        h = (uint16_t)next_random();
    while (!tv_half_is_finite(h));
    return h;
}

static void scores_equal_the_reference(void **state)
{
    (void)state;
    enum { ITEMS = 30, MAX_K = 130, MOST = 11 };
    static uint16_t items[ITEMS * MAX_K];
    static float wide[ITEMS * MAX_K], user[MAX_K];
    for (int k = 1; k <= MAX_K; k++) {
        double all[ITEMS];
        for (size_t i = 0; i < ITEMS * (size_t)k; i++)
            items[i] = any_half();
        for (int f = 0; f < k; f++)
            user[f] = tv_half_to_float(any_half());
        tv_half_to_floats(wide, items, ITEMS * (size_t)k);
        tv_scores_reference(all, wide, ITEMS, k, user);
        for (size_t n = 0; n <= MOST; n++) {
            int32_t chosen[MOST];
            double scores[MOST + 1];
            for (size_t i = 0; i < n; i++)
                chosen[i] = i == 0 ? ITEMS - 1 : (int32_t)(next_random() % ITEMS);
            scores[n] = 7;
            tv_scores_of_rows(scores, items, chosen, n, k, user);
            for (size_t i = 0; i < n; i++)
                assert_memory_equal(&scores[i], &all[chosen[i]], sizeof *all);
            assert_true(scores[n] == 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scores_equal_the_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
