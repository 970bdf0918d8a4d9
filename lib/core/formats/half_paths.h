/* half_paths: the plain and the F16C conversion of arrays, so that tests can run one against the other. Private to
 * lib/core; all other code calls tv_half_from_floats and tv_half_to_floats. */
#ifndef TRIVET_CORE_FORMATS_HALF_PATHS_H
#define TRIVET_CORE_FORMATS_HALF_PATHS_H

#include <stddef.h>
#include <stdint.h>

int tv_half_has_f16c(void); /* the _f16c functions may be called only if this is nonzero */

size_t tv_half_from_floats_plain(uint16_t *out, const float *in, size_t n);
size_t tv_half_from_floats_f16c(uint16_t *out, const float *in, size_t n);
void tv_half_to_floats_plain(float *out, const uint16_t *in, size_t n);
void tv_half_to_floats_f16c(float *out, const uint16_t *in, size_t n);

#endif
