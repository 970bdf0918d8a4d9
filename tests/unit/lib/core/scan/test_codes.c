/* test_codes: whole numbers for rows, what they lose, and their dots in both ways of computing them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "lib/core/scan/codes.h"
#include "../numbers_fixture.h"

static float number(void)
{
    return (float)((double)next_random() / (1 << 24) * 2 - 1);
}

/* u . i differs from what the codes say by no more than is claimed, and not by a hundred times less either. */
static void the_loss_is_what_is_claimed(void **state)
{
    (void)state;
    enum { MOST_K = 300 };
    static int8_t block[(MOST_K + 1) * TV_CODE_BLOCK];
    static float rows[TV_CODE_BLOCK][MOST_K], user[MOST_K];
    static struct tv_coded_user coded;
    for (int k = 1; k <= MOST_K; k += 1 + k / 8) {
        float scale[TV_CODE_BLOCK];
        double lost[TV_CODE_BLOCK], nearest = 1;
        int32_t dots[TV_CODE_BLOCK], plain[TV_CODE_BLOCK];
        memset(block, 0, sizeof block);
        for (int f = 0; f < k; f++)
            user[f] = number();
        for (size_t t = 0; t < TV_CODE_BLOCK; t++) {
            for (int f = 0; f < k; f++)
                rows[t][f] = number() * (t == 3 ? 0 : t == 4 ? 1e-30f : 1);
            scale[t] = tv_code_item(block, t, rows[t], k, &lost[t]);
        }
        tv_code_user(&coded, user, k);
        tv_code_dots(dots, block, &coded, k);
        tv_code_dots_plain(plain, block, &coded, k);
        assert_memory_equal(dots, plain, sizeof dots);
        assert_true(scale[3] == 0 && lost[3] == 0 && dots[3] == 0);
        for (size_t t = 0; t < TV_CODE_BLOCK; t++) {
            double score = 0, u = 0, i = 0;
            for (int f = 0; f < k; f++) {
                score += (double)user[f] * (double)rows[t][f];
                u += (double)user[f] * (double)user[f];
                i += (double)rows[t][f] * (double)rows[t][f];
            }
            double claimed = sqrt(u) * lost[t] + coded.lost * (sqrt(i) + lost[t]);
            double off = fabs(score - coded.step * (double)scale[t] * (double)dots[t]);
            assert_true(off <= claimed * (1 + 1e-9) + 1e-15);
            assert_true(claimed <= .02 * sqrt((double)k) * sqrt(u) * sqrt(i));
            nearest = off > 0 ? fmin(nearest, claimed / off) : nearest;
        }
        assert_true(nearest < 100);
    }
}

/* Every code at its end, of rows as long as are coded: the dot is still exact. */
static void dots_do_not_overflow(void **state)
{
    (void)state;
    static int8_t block[TV_CODE_FACTORS * TV_CODE_BLOCK];
    static float row[TV_CODE_FACTORS];
    static struct tv_coded_user coded;
    int32_t dots[TV_CODE_BLOCK];
    double lost;
    for (int sign = -1; sign <= 1; sign += 2) {
        memset(block, 0, sizeof block);
        for (int f = 0; f < TV_CODE_FACTORS; f++)
            row[f] = f % 2 ? .7f : -.7f;
        tv_code_user(&coded, row, TV_CODE_FACTORS);
        for (int f = 0; f < TV_CODE_FACTORS; f++)
            row[f] *= (float)sign;
        float scale = tv_code_item(block, 63, row, TV_CODE_FACTORS, &lost);
        tv_code_dots(dots, block, &coded, TV_CODE_FACTORS);
        double score = sign * .49 * TV_CODE_FACTORS;
        assert_true(fabs(coded.step * (double)scale * (double)dots[63] - score) < 1e-3 * fabs(score));
    }
}

static void what_is_not_finite_has_no_code(void **state)
{
    (void)state;
    static struct tv_coded_user coded;
    const float user[3] = {1, INFINITY, 2};
    tv_code_user(&coded, user, 3);
    assert_true(coded.code[0] == 0 && coded.code[1] == 0 && coded.code[2] == 0 && coded.code[3] == 0);
    assert_false(isfinite(coded.lost));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_is_what_is_claimed),
        cmocka_unit_test(dots_do_not_overflow),
        cmocka_unit_test(what_is_not_finite_has_no_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
