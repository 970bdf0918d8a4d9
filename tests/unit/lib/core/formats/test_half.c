/* test_half: every half, every tie, and the vector path against the plain one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/formats/half_paths.h"
#include "trivet/core/formats/half.h"

enum { ALL = 65536, INFINITE = 0x7c00 };

static void known_values(void **state)
{
    (void)state;
    const struct {
        float x;
        uint16_t h;
    } known[] = {{0.0f, 0},        {-0.0f, 0x8000},        {1.0f, 0x3c00},     {-2.0f, 0xc000},
                 {0.1f, 0x2e66},   {65504.0f, 0x7bff},     {65519.0f, 0x7bff}, {65520.0f, 0x7c00},
                 {-1e30f, 0xfc00}, {0x1p-14f, 0x0400},     {0x1p-24f, 0x0001}, {0x1p-25f, 0},
                 {0x1.8p-25f, 1},  {0x1.ffcp-15f, 0x0400}, {INFINITY, 0x7c00}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(tv_half_from_float(known[i].x), known[i].h);
    assert_true(tv_half_to_float(0x0001) == 0x1p-24f);
    assert_true(tv_half_to_float(0x3555) == 0.333251953125f);
    assert_true(signbit(tv_half_to_float(0x8000)));
}

static void every_half_comes_back(void **state)
{
    (void)state;
    for (int h = 0; h < ALL; h++) {
        float x = tv_half_to_float((uint16_t)h);
        assert_int_equal(tv_half_from_float(x), h);
        if (!isnan(x))
            assert_int_equal(tv_half_from_double((double)x), h);
    }
}

/* Between neighbours all below the middle goes down, all above it up, and the middle to the even one. */
static void every_tie_goes_to_even(void **state)
{
    (void)state;
    for (int h = 0; h < INFINITE; h++) {
        double low = tv_half_to_float((uint16_t)h),
               high = h + 1 == INFINITE ? 65536 : tv_half_to_float((uint16_t)(h + 1));
        double middle = (low + high) / 2;
        uint16_t even = (uint16_t)(h % 2 ? h + 1 : h), sign = 0x8000;
        assert_int_equal(tv_half_from_float((float)middle), even);
        assert_int_equal(tv_half_from_float(nextafterf((float)middle, 0)), h);
        assert_int_equal(tv_half_from_float(nextafterf((float)middle, INFINITY)), h + 1);
        assert_int_equal(tv_half_from_float((float)-middle), sign | even);
        /* These differ from the middle by less than a float can tell: going through float would lose them. */
        assert_int_equal(tv_half_from_double(middle), even);
        assert_int_equal(tv_half_from_double(nextafter(middle, 0)), h);
        assert_int_equal(tv_half_from_double(nextafter(middle, INFINITY)), h + 1);
        assert_int_equal(tv_half_from_double(-nextafter(middle, INFINITY)), sign | (h + 1));
    }
    assert_int_equal(tv_half_from_double(1e300), INFINITE);
    assert_int_equal(tv_half_from_double(-1e-300), 0x8000);
    assert_true(isnan(tv_half_to_float(tv_half_from_double(NAN))));
}

static void paths_agree_on_every_half(void **state)
{
    (void)state;
    if (!tv_half_has_f16c())
        skip();
    static uint16_t halves[ALL], back_fast[ALL], back_plain[ALL];
    static float fast[ALL], plain[ALL];
    for (int h = 0; h < ALL; h++)
        halves[h] = (uint16_t)h;
    tv_half_to_floats_f16c(fast, halves, ALL);
    tv_half_to_floats_plain(plain, halves, ALL);
    assert_memory_equal(fast, plain, sizeof fast);
    assert_int_equal(tv_half_from_floats_f16c(back_fast, fast, ALL),
                     tv_half_from_floats_plain(back_plain, fast, ALL));
    assert_memory_equal(back_fast, halves, sizeof halves);
    assert_memory_equal(back_plain, halves, sizeof halves);
}

/* Floats of all kinds (any bits are one), at lengths that leave a rest. */
static void paths_agree_on_any_floats(void **state)
{
    (void)state;
    if (!tv_half_has_f16c())
        skip();
    enum { N = 100003 };
    static float in[N];
    static uint16_t fast[N], plain[N];
    uint32_t bits = 1;
    for (int i = 0; i < N; i++) {
        bits = bits * 1664525u + 1013904223u;
        /* every other one within the range of halves, so that rounding is seen, not only overflow */
        uint32_t b = i % 2 ? bits : (bits & 0x87ffffffu) | (uint32_t)(100 + i % 45) << 23;
        memcpy(&in[i], &b, sizeof b);
    }
    for (size_t n = 0; n < 40; n++) {
        assert_int_equal(tv_half_from_floats_f16c(fast, in + n, n),
                         tv_half_from_floats_plain(plain, in + n, n));
        assert_memory_equal(fast, plain, n * sizeof *fast);
    }
    assert_int_equal(tv_half_from_floats_f16c(fast, in, N), tv_half_from_floats_plain(plain, in, N));
    assert_memory_equal(fast, plain, sizeof fast);
}

static void lost_values_are_counted(void **state)
{
    (void)state;
    const float in[] = {1, 65504, 65520, -70000, NAN, INFINITY, 0, 5, 6, 1e9f};
    uint16_t out[10];
    float back[10];
    assert_int_equal(tv_half_from_floats(out, in, 10), 5);
    assert_int_equal(tv_half_from_floats(out, in, 2), 0);
    assert_int_equal(tv_half_from_floats(out, in, 0), 0);
    tv_half_to_floats(back, out, 2);
    assert_true(back[0] == 1 && back[1] == TV_HALF_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(every_half_comes_back),
        cmocka_unit_test(every_tie_goes_to_even),
        cmocka_unit_test(paths_agree_on_every_half),
        cmocka_unit_test(paths_agree_on_any_floats),
        cmocka_unit_test(lost_values_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
