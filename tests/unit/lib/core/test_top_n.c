/* test_top_n: scores against the reference, lists against sorting everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numbers_fixture.h"
#include "trivet/core/formats/half.h"
#include "trivet/core/top_n.h"

/* Any half but infinities and NaNs: sums of these are rounded, so another order of additions would show. */
static float any_half(void)
{
    uint16_t h;
    do
        h = (uint16_t)next_random();
    while ((h & 0x7c00) == 0x7c00);
    return tv_half_to_float(h);
}

static void scores_equal_the_reference(void **state)
{
    (void)state;
    enum { MOST = 40, MAX_K = 130 };
    static float items[MOST * MAX_K], user[MAX_K];
    for (int k = 1; k <= MAX_K; k++)
        for (size_t n = 0; n <= MOST; n += n < 10 ? 1 : 7) {
            double fast[MOST + 1], plain[MOST + 1];
            for (size_t i = 0; i < n * (size_t)k; i++)
                items[i] = any_half();
            for (int f = 0; f < k; f++)
                user[f] = any_half();
            fast[n] = plain[n] = 7;
            tv_scores(fast, items, n, k, user);
            tv_scores_reference(plain, items, n, k, user);
            assert_memory_equal(fast, plain, (n + 1) * sizeof *fast); /* and nothing is written beyond */
        }
}

static void scores_are_inner_products(void **state)
{
    (void)state;
    const float items[] = {1, 2, 3, 4, 5, 0, 0, 0, 0, 0, -1, 0.5f, 0, 0, 2}, user[] = {10, 1, 0, 2, -1};
    double scores[3];
    tv_scores(scores, items, 3, 5, user);
    assert_true(scores[0] == 15 && scores[1] == 0 && scores[2] == -11.5);
}

/* The worked example of courses on matrix factorisation: P (4 users, 3 factors), Q (5 items, 3 factors), and all of
 * P Q' as it is printed there. Numbers of eight digits are no float16, so float32 rounds each by some 1e-8. */
static void worked_example(void **state)
{
    (void)state;
    static const float p[4][3] = {{-0.63274434f, 1.33686735f, -1.55128517f},
                                  {-2.23813661f, 0.5123861f, 0.14087293f},
                                  {-1.0289794f, 1.62052691f, 0.21027516f},
                                  {-0.06422255f, 1.62892864f, 0.33350709f}};
    static const float q[5][3] = {{-2.09507374f, 0.52351075f, 0.01826269f},
                                  {-0.45078775f, -0.07334991f, 0.18731052f},
                                  {-0.34161766f, 2.46215058f, -0.18942263f},
                                  {-1.0925736f, 1.04664756f, 0.69963111f},
                                  {-0.78152923f, 0.89189076f, -1.47144019f}};
    static const double printed[4][5] = {{1.99717984, -0.10339773, 3.80157388, 1.00522135, 3.96947118},
                                         {4.95987359, 0.99772807, 1.9994742, 3.08017572, 1.99887552},
                                         {3.00799117, 0.38437256, 4.30166793, 2.96747131, 1.9401031341455333},
                                         {0.99340337, -0.02806164, 3.96943336, 2.00841398, 1.01228247}};
    for (int user = 0; user < 4; user++) {
        double scores[5];
        struct tv_scored best;
        tv_scores(scores, q[0], 5, 3, p[user]);
        for (int item = 0; item < 5; item++)
            assert_true(fabs(scores[item] - printed[user][item]) < 1e-6);
        assert_int_equal(tv_top_n(&best, 1, scores, NULL, 5), 1);
        assert_int_equal(best.item, user == 0 ? 4 : user == 1 ? 0 : 2);
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct tv_scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void lists_equal_a_full_sort(void **state)
{
    (void)state;
    enum { N = 500 };
    for (int round = 0; round < 200; round++) {
        double scores[N];
        uint8_t skip[N];
        struct tv_scored sorted[N], got[N + 1];
        size_t n = next_random() % (N + 1), kept = 0;
        for (size_t i = 0; i < n; i++) {
            scores[i] =
                (double)(next_random() % (round % 2 ? 7 : 100000)) - 3; /* every other round full of ties */
            skip[i] = next_random() % 4 == 0;
            if (!skip[i])
                sorted[kept++] = (struct tv_scored){(int32_t)i, scores[i]};
        }
        qsort(sorted, kept, sizeof *sorted, by_rank);
        const size_t tops[] = {0, 1, 2, 15, 100, kept, N + 1};
        for (size_t t = 0; t < sizeof tops / sizeof *tops; t++) {
            size_t filled = tv_top_n(got, tops[t], scores, skip, n),
                   expected = tops[t] < kept ? tops[t] : kept;
            assert_int_equal(filled, expected);
            for (size_t i = 0; i < filled; i++) {
                assert_int_equal(got[i].item, sorted[i].item);
                assert_true(got[i].score == sorted[i].score);
            }
        }
    }
}

static void nans_are_never_chosen(void **state)
{
    (void)state;
    const double scores[] = {NAN, -INFINITY, NAN, 2, NAN, 3, NAN};
    struct tv_scored got[7];
    assert_int_equal(tv_top_n(got, 7, scores, NULL, 7), 3);
    assert_int_equal(got[0].item, 5);
    assert_int_equal(got[1].item, 3);
    assert_int_equal(got[2].item, 1);
    assert_int_equal(tv_top_n(got, 1, scores, NULL, 7), 1);
    assert_int_equal(got[0].item, 5);
    assert_int_equal(tv_top_n(got, 3, scores, NULL, 1), 0);
}

static void everything_skipped_gives_nothing(void **state)
{
    (void)state;
    const double scores[] = {1, 2, 3};
    const uint8_t skip[] = {1, 255, 2};
    struct tv_scored got[3];
    assert_int_equal(tv_top_n(got, 3, scores, skip, 3), 0);
    assert_int_equal(tv_top_n(got, 3, NULL, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_equal_the_reference),       cmocka_unit_test(scores_are_inner_products),
        cmocka_unit_test(lists_equal_a_full_sort),          cmocka_unit_test(nans_are_never_chosen),
        cmocka_unit_test(everything_skipped_gives_nothing), cmocka_unit_test(worked_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
