/* numbers_fixture: numbers that look random and are the same in every run, and numbers that are nearly the same. */
#ifndef TRIVET_TESTS_UNIT_LIB_CORE_NUMBERS_FIXTURE_H
#define TRIVET_TESTS_UNIT_LIB_CORE_NUMBERS_FIXTURE_H

#include <math.h>
#include <stdint.h>

static uint32_t random_state = 1;

static inline uint32_t next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static inline void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

#endif
