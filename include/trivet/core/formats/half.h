/* half: IEEE 754 binary16, the type factors are stored in.
 *
 * Kept as uint16_t bit patterns; little-endian in stored bytes. Conversion to half rounds to nearest, ties to
 * even, as numpy's astype("float16") does.
 */
#ifndef TRIVET_CORE_FORMATS_HALF_H
#define TRIVET_CORE_FORMATS_HALF_H

#include <stddef.h>
#include <stdint.h>

#define TV_HALF_MAX 65504.0f

uint16_t tv_half_from_float(float x);   /* beyond TV_HALF_MAX: infinity, like numpy */
uint16_t tv_half_from_double(double x); /* rounds once, not through float */
float tv_half_to_float(uint16_t h);     /* exact */

/* Neither infinite nor NaN: not all bits of the exponent are set. */
static inline int tv_half_is_finite(uint16_t h)
{
    return (h & 0x7c00u) != 0x7c00u;
}

/* Arrays of n. from_floats returns how many values were too large for a half or not finite (0: all went well). */
size_t tv_half_from_floats(uint16_t *out, const float *in, size_t n);
void tv_half_to_floats(float *out, const uint16_t *in, size_t n);

#endif
