/* codes: rows of factors as small whole numbers, for a first look at many items. Private to lib/core; scan.c bounds with
 * them.
 *
 * A row i becomes scale * code + what is lost, with codes of -127 .. 127; a user's u becomes step * code + what is lost, with
 * codes of 15 bits. Then u . i = step * scale * (dot of the codes) + a rest that is at most |u| |lost of i| +
 * |lost of u| (|i| + |lost of i|), whatever the rows are. The dot is exact in 32 bits.
 *
 * Items are coded in blocks of TV_CODE_BLOCK, pair of factors by pair of factors, those of all items side by side: so one
 * instruction works on eight items, and nothing has to be added across a register.
 */
#ifndef TRIVET_CORE_SCAN_CODES_H
#define TRIVET_CORE_SCAN_CODES_H

#include <stddef.h>
#include <stdint.h>

enum { TV_CODE_BLOCK = 64, TV_CODE_FACTORS = 1024 }; /* factors: at most, for the user's codes on the stack */

static inline size_t tv_code_pairs(int factors)
{
    return ((size_t)factors + 1) / 2;
}

/* Bytes of a block. */
static inline size_t tv_code_block_size(int factors)
{
    return tv_code_pairs(factors) * 2 * TV_CODE_BLOCK;
}

/* Codes the row of item `at` of a block, whose codes were all zero. Returns the scale, 0 for a row of zeros; *lost is the
 * length of what is lost. */
float tv_code_item(int8_t *block, size_t at, const float *row, int factors, double *lost);

struct tv_coded_user {
    double step, lost;                   /* lost: the length of it */
    int16_t code[TV_CODE_FACTORS];       /* filled up with a zero to pairs */
};
/* A user whose factors are not finite gets codes of zero, and a loss that is not finite either. */
void tv_code_user(struct tv_coded_user *out, const float *user, int factors);

/* dots[t] = dot of the codes of a block's item t and the user's, for all TV_CODE_BLOCK. */
void tv_code_dots(int32_t *dots, const int8_t *block, const struct tv_coded_user *user, int factors);
void tv_code_dots_plain(int32_t *dots, const int8_t *block, const struct tv_coded_user *user, int factors);

#endif
