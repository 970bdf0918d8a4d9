/* test_bootstrap: intervals against plain resampling and against theory, and edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "../numbers_fixture.h"
#include "trivet/core/eval/bootstrap.h"

static uint64_t splitmix(uint64_t *seed)
{
    uint64_t z = *seed += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void intervals_equal_the_plain_way(void **state)
{
    (void)state;
    enum { N = 37 };
    double above[N], below[N], ratios[1000];
    for (int i = 0; i < N; i++) {
        above[i] = (double)(next_random() % 1000) / 100;
        below[i] = (double)(1 + next_random() % 20);
    }
    struct tv_bootstrap_options o;
    tv_bootstrap_defaults(&o);
    o.seed = 99;
    uint64_t seed = 99;
    for (int b = 0; b < 1000; b++) {
        double sum = 0, n = 0;
        uint64_t draws = splitmix(&seed);
        for (int j = 0; j < N; j++) {
            size_t i = (size_t)((unsigned __int128)splitmix(&draws) * N >> 64);
            sum += above[i];
            n += below[i];
        }
        ratios[b] = sum / n;
    }
    qsort(ratios, 1000, sizeof *ratios, by_value);
    for (int threads = 1; threads <= 3; threads++) {
        struct tv_interval i;
        o.threads = threads;
        assert_int_equal(tv_bootstrap_ratio(&i, above, below, N, &o, NULL), TV_OK);
        assert_true(i.low == ratios[24] && i.high == ratios[974]);
        assert_true(i.low < i.value && i.value < i.high);
        struct tv_interval root = tv_interval_root(i);
        assert_true(root.low == sqrt(ratios[24]) && root.value == sqrt(i.value) && root.high == sqrt(ratios[974]));
    }
}

/* A mean of n values of variance v lies within 1.96 sqrt(v / n) of the truth 95 times out of 100. */
static void an_interval_is_as_wide_as_theory_says(void **state)
{
    (void)state;
    enum { N = 2000 };
    static double values[N];
    double mean = 0, variance = 0;
    for (int i = 0; i < N; i++)
        mean += (values[i] = (double)(next_random() % 10000) / 10000) / N;
    for (int i = 0; i < N; i++)
        variance += (values[i] - mean) * (values[i] - mean) / N;
    struct tv_bootstrap_options o;
    struct tv_interval i;
    tv_bootstrap_defaults(&o);
    assert_int_equal(tv_bootstrap_ratio(&i, values, NULL, N, &o, NULL), TV_OK);
    double half = 1.96 * sqrt(variance / N);
    assert_near(i.value, mean);
    assert_true(fabs((i.high - i.low) / (2 * half) - 1) < 0.1);
    assert_true(fabs((i.high + i.low) / 2 - mean) < 0.2 * half);
}

static void intervals_at_the_edges(void **state)
{
    (void)state;
    const double one[] = {0.25}, same[] = {2, 2, 2}, zeros[] = {0, 0, 0};
    struct tv_bootstrap_options o;
    struct tv_interval i;
    tv_bootstrap_defaults(&o);
    assert_int_equal(tv_bootstrap_ratio(&i, NULL, NULL, 0, &o, NULL), TV_OK);
    assert_true(isnan(i.value) && isnan(i.low) && isnan(i.high));
    assert_int_equal(tv_bootstrap_ratio(&i, same, zeros, 3, &o, NULL), TV_OK);
    assert_true(isnan(i.value));
    assert_int_equal(tv_bootstrap_ratio(&i, one, NULL, 1, &o, NULL), TV_OK);
    assert_true(i.value == 0.25 && i.low == 0.25 && i.high == 0.25);
    o.resamples = 1;
    assert_int_equal(tv_bootstrap_ratio(&i, same, NULL, 3, &o, NULL), TV_OK);
    assert_true(i.low == 2 && i.high == 2);
    o.resamples = 0;
    assert_int_equal(tv_bootstrap_ratio(&i, same, NULL, 3, &o, NULL), TV_ERR_USAGE);
    tv_bootstrap_defaults(&o);
    o.level = 1;
    assert_int_equal(tv_bootstrap_ratio(&i, same, NULL, 3, &o, NULL), TV_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_equal_the_plain_way),
        cmocka_unit_test(an_interval_is_as_wide_as_theory_says),
        cmocka_unit_test(intervals_at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
