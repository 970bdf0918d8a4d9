/* text: small things about strings that several rooms need. */
#ifndef TRIVET_BASE_TEXT_H
#define TRIVET_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/status.h"

/* 1234567 -> "1,234,567". `out` holds at least 32 bytes; returns `out`. */
char *tv_text_number(char *out, long long n);

/* 1, "item" -> "1 item"; 1234, "item" -> "1,234 items". `out` holds at least 64 bytes; returns `out`. */
char *tv_text_count(char *out, long long n, const char *one);

/* 1, "item" -> "1 item is"; 1234, "item" -> "1,234 items are". `out` holds at least 64 bytes; returns `out`. */
char *tv_text_are(char *out, long long n, const char *one);

/* 12345678 -> "11.8 MB". `out` holds at least 32 bytes; returns `out`. */
char *tv_text_bytes(char *out, double bytes);

/* The shortest decimal number that reads back as the same float: 3.7, not 3.7000000476837158. Whole numbers below 1e9 are written
 * out; all of it is JSON. `x` is finite; `out` holds TV_TEXT_FLOAT bytes; returns `out`. */
enum { TV_TEXT_FLOAT = 32 };
char *tv_text_float(char *out, float x);

/* Strict whole-string numbers: no leading blanks, no trailing bytes, no overflow, NaN and infinities refused.
 * Return 1 and set *value, or return 0 and leave it. */
TV_MUST_USE int tv_text_int64(const char *text, size_t n, int64_t *value);
/* The same for 1 to 18 digits, which cannot overflow, and nothing else: a load reads three such numbers a row, and a call of
 * strtoll takes ten times as long. */
TV_MUST_USE static inline int tv_text_short_int(const char *text, size_t n, int64_t *value)
{
    int64_t v = 0;
    if (n == 0 || n > 18)
        return 0;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        if (digit > 9)
            return 0;
        v = 10 * v + digit;
    }
    *value = v;
    return 1;
}
TV_MUST_USE int tv_text_double(const char *text, size_t n, double *value);

/* 1 if the n bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing beyond U+10FFFF, no overlong form). */
int tv_text_is_utf8(const char *text, size_t n);

/* How many bytes of well-formed UTF-8 the n bytes begin with. */
size_t tv_text_utf8_prefix(const char *text, size_t n);

/* How many bytes of a text of n bytes stand in `size`, NUL included, when it is cut at the end of a character. */
size_t tv_text_fitting(const char *text, size_t n, size_t size);

/* After a printf into `size` bytes: if they are full, takes away what is left of a character that was cut. */
void tv_text_end_whole(char *text, size_t size);

/* Copies as much of a text as `size` bytes hold, NUL included, cut at the end of a character. Returns `out`. */
char *tv_text_copy(char *out, size_t size, const char *text);

/* After a printf into `size` bytes that gave `wanted`: where not all of it fits, puts "..." (U+2026) at the end, so
 * that a reader does not take the beginning for the whole. Returns `text`. */
char *tv_text_mark_cut(char *text, size_t size, int wanted);

/* A name from outside as it can be shown, stored and kept as JSON: bytes that are no UTF-8, and control characters, as \xNN; what does
 * not fit is left out. Returns `out`. */
char *tv_text_printable(char *out, size_t size, const char *text);

/* The entry of `names` (NULL-terminated) nearest to `name` in edit distance, or NULL if none is near
 * (more than a third of the name's length, at least 2, away). */
const char *tv_text_nearest(const char *name, const char *const *names);

#endif
