/* normal: the two precisions of normal_body.h. Training solves most rows in float32, where a vector holds twice as many
 * numbers; float64 is for the rows that float32 cannot solve, and for folding in. */
#include "lib/core/normal.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "lib/core/clones.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    ROWS = 4, /* of the matrix that are worked on together */
    PAD = 8   /* numbers in a vector of float32, or in two of float64 */
};

static size_t round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

size_t tv_normal_width(int n_unknowns)
{
    return round_up((size_t)n_unknowns + 1, PAD);
}

/* Rows are rounded up to whole bands of four, which are computed together whether they mean something or not. */
size_t tv_normal_size(int n_unknowns)
{
    return round_up((size_t)n_unknowns, ROWS) * tv_normal_width(n_unknowns);
}

#define REAL        float
#define EPSILON     FLT_EPSILON
#define SQUARE_ROOT sqrtf
#define NAME(x)     x##_f32
#include "lib/core/normal_body.h"
#undef REAL
#undef EPSILON
#undef SQUARE_ROOT
#undef NAME

#define REAL        double
#define EPSILON     DBL_EPSILON
#define SQUARE_ROOT sqrt
#define NAME(x)     x##_f64
#include "lib/core/normal_body.h"
