/* half: conversions between binary32 and binary16, rounding to nearest, ties to even.
 *
 * Every processor gets the same bits: the plain functions define them, and the F16C instructions of x86 are used for
 * groups of eight where they agree, which is everywhere but for infinities and NaNs (the hardware sets the quiet bit of
 * a NaN, numpy keeps it as it was). A group that holds one of these goes the plain way. Factors go through here each
 * time a model is read, so it has to be fast, and each time one is written, so it has to be exact.
 */
#include "trivet/core/formats/half.h"

#include <math.h>
#include <string.h>

#include "lib/core/formats/half_paths.h"

/* memcpy, because reading a float through a pointer to an integer is undefined in C; compilers make it one
 * instruction. */
static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Shifts right by `shift` (1 .. 31) and rounds what falls off to nearest, ties to even. */
static uint32_t shift_rounded(uint32_t x, unsigned shift)
{
    uint32_t half = 1u << (shift - 1), rest = x & ((1u << shift) - 1), kept = x >> shift;
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t tv_half_from_float(float x)
{
    uint32_t bits = bits_of(x), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) { /* NaN: the upper payload bits stay, but never turn into an infinity */
        uint32_t payload = (magnitude >> 13) & 0x3ffu;
        return (uint16_t)(sign | 0x7c00u | (payload ? payload : 1u));
    }
    if (magnitude >= 0x477ff000u) /* 65520, halfway between the largest half and the next power of two */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude >= 0x38800000u) /* 2^-14 and above: normal halves; a carry may run into the exponent */
        return (uint16_t)(sign | shift_rounded(magnitude - 0x38000000u, 13));
    if (magnitude < 0x33000000u) /* below 2^-25, half the smallest subnormal */
        return (uint16_t)sign;
    /* A subnormal half counts in units of 2^-24: the float's 24 bits, its hidden one among them, shift to that
     * place. */
    uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
    return (uint16_t)(sign | shift_rounded(fraction, 126u - (magnitude >> 23)));
}

float tv_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 0x1fu, fraction = h & 0x3ffu;
    if (exponent == 0x1fu)
        return float_of(sign | 0x7f800000u | fraction << 13);
    if (exponent != 0)
        return float_of(sign | (exponent + 112u) << 23 | fraction << 13);
    float magnitude = (float)fraction * 0x1p-24f; /* subnormal: exact */
    return sign ? -magnitude : magnitude;
}

uint16_t tv_half_from_double(double x)
{
    /* Rounding to float and then to half could round twice. So we round to float "to odd": whatever is lost
     * leaves its mark in the last bit, far below the bits of a half, and the second rounding sees it. */
    float nearest = (float)x;
    if (isnan(x) || (double)nearest == x)
        return tv_half_from_float(nearest);
    uint32_t bits = bits_of(nearest);
    if (fabs((double)nearest) > fabs(x))
        bits--;
    return tv_half_from_float(float_of(bits | 1u));
}

static int is_finite_half(uint16_t h)
{
    return (h & 0x7c00u) != 0x7c00u;
}

/* The count of values that did not survive lets callers name what is too large before it is stored. */
size_t tv_half_from_floats_plain(uint16_t *out, const float *in, size_t n)
{
    size_t lost = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = tv_half_from_float(in[i]);
        lost += !is_finite_half(out[i]);
    }
    return lost;
}

void tv_half_to_floats_plain(float *out, const uint16_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = tv_half_to_float(in[i]);
}

#if defined(__x86_64__)
#include <immintrin.h>

#define F16C __attribute__((target("avx,f16c")))

int tv_half_has_f16c(void)
{
    /* Processors with AVX2 have F16C, too, for which clang 14 knows no name here. */
    return __builtin_cpu_supports("avx2");
}

/* Nonzero when one of eight halves is an infinity or a NaN. */
static inline F16C int holds_special(__m128i eight)
{
    const __m128i exponent = _mm_set1_epi16(0x7c00);
    return _mm_movemask_epi8(_mm_cmpeq_epi16(_mm_and_si128(eight, exponent), exponent));
}

F16C size_t tv_half_from_floats_f16c(uint16_t *out, const float *in, size_t n)
{
    size_t lost = 0, i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i eight =
            _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        if (holds_special(eight))
            lost += tv_half_from_floats_plain(out + i, in + i, 8);
        else
            _mm_storeu_si128((__m128i *)(void *)(out + i), eight);
    }
    return lost + tv_half_from_floats_plain(out + i, in + i, n - i);
}

F16C void tv_half_to_floats_f16c(float *out, const uint16_t *in, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)(in + i));
        if (holds_special(eight))
            tv_half_to_floats_plain(out + i, in + i, 8);
        else
            _mm256_storeu_ps(out + i, _mm256_cvtph_ps(eight));
    }
    tv_half_to_floats_plain(out + i, in + i, n - i);
}

#else

int tv_half_has_f16c(void)
{
    return 0;
}

size_t tv_half_from_floats_f16c(uint16_t *out, const float *in, size_t n)
{
    return tv_half_from_floats_plain(out, in, n);
}

void tv_half_to_floats_f16c(float *out, const uint16_t *in, size_t n)
{
    tv_half_to_floats_plain(out, in, n);
}

#endif

size_t tv_half_from_floats(uint16_t *out, const float *in, size_t n)
{
    return tv_half_has_f16c() ? tv_half_from_floats_f16c(out, in, n) : tv_half_from_floats_plain(out, in, n);
}

void tv_half_to_floats(float *out, const uint16_t *in, size_t n)
{
    if (tv_half_has_f16c())
        tv_half_to_floats_f16c(out, in, n);
    else
        tv_half_to_floats_plain(out, in, n);
}
