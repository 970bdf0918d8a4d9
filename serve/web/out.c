/* out: appends to an answer, and escapes. JSON and HTML of the whole server are written through here: handlers build an
 * answer from top to bottom without looking at a status, and route.c looks at `failed` once (out.h).
 */
#include "serve/web/out.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"

void tv_out_init(struct tv_out *out)
{
    tv_buffer_init(&out->buffer, TV_OUT_MAX);
    out->failed = 0;
}

void tv_out_free(struct tv_out *out)
{
    tv_buffer_free(&out->buffer);
}

/* After the first failure nothing is appended any more: what would follow a gap is of no use. */
void tv_out_bytes(struct tv_out *out, const void *bytes, size_t n)
{
    if (!out->failed && tv_buffer_append(&out->buffer, bytes, n, NULL) != TV_OK)
        out->failed = 1;
}

void tv_out_text(struct tv_out *out, const char *text)
{
    tv_out_bytes(out, text, strlen(text));
}

/* For short pieces, mostly with numbers. One that does not fit is a failure: a piece that was cut would make wrong
 * JSON. */
void tv_out_format(struct tv_out *out, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || n >= (int)sizeof text)
        out->failed = 1;
    else
        tv_out_bytes(out, text, (size_t)n);
}

/* Writes the digits of n backwards, ending before `end`; returns where they begin. */
static char *digits(char *end, uint64_t n)
{
    do {
        *--end = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return end;
}

/* 0 - n in unsigned arithmetic is right for INT64_MIN, too, whose magnitude int64_t cannot hold. */
void tv_out_int(struct tv_out *out, int64_t n)
{
    char text[24], *end = text + sizeof text;
    char *begin = digits(end, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    if (n < 0)
        *--begin = '-';
    tv_out_bytes(out, begin, (size_t)(end - begin));
}

/* printf spends more time on fifteen scores than everything else in an answer. A double is m * 2^-s with m below
 * 2^53; for the values that scores have, m * 10^p with p up to 22 is below 2^127 and fits 128 bits, so 17 digits
 * come from one exact product and one rounding shift (ties to even, as glibc rounds). Returns 0 for a value that
 * lies outside; text holds 32 bytes. */
static size_t fast_real(char *text, double x)
{
    enum { DIGITS = 17, MAX_POWER = 22 };
    static const uint64_t limit = UINT64_C(100000000000000000); /* 10^17 */
    int exponent;
    double size = fabs(x);
    if (!(size >= 1e-4 && size < 1e6))
        return 0;
    uint64_t m = (uint64_t)ldexp(frexp(size, &exponent), 53);
    int shift = 53 - exponent; /* size == m / 2^shift, 33 <= shift <= 66 */
    int whole = 1;             /* digits before the point; 0, -1, ... for 0.0x */
    for (double bound = 10; size >= bound; bound *= 10)
        whole++;
    for (double bound = 1; size < bound; bound /= 10)
        whole--;
    int power = DIGITS - whole;
    if (power > MAX_POWER)
        return 0;
    unsigned __int128 product = m;
    for (int i = 0; i < power; i++)
        product *= 10;
    unsigned __int128 rest = product & (((unsigned __int128)1 << shift) - 1),
                      half = (unsigned __int128)1 << (shift - 1);
    uint64_t n = (uint64_t)(product >> shift);
    n += rest > half || (rest == half && (n & 1));
    if (n >= limit ||
        n < limit / 10) /* rounded up to one more digit, or `bound` was inexact: leave it to printf */
        return 0;
    char space[24], *end = space + sizeof space, *from = digits(end, n), *to = text;
    while (end[-1] == '0')
        end--;
    if (x < 0)
        *to++ = '-';
    if (whole <= 0) {
        memcpy(to, "0.00000", 7);
        to += 2 - whole;
    }
    for (int i = 0; from < end || i < whole; i++) {
        if (whole > 0 && i == whole)
            *to++ = '.';
        *to++ = (char)(from < end ? *from++ : '0');
    }
    return (size_t)(to - text);
}

/* The fast way where it can be taken, else printf's; both write the same digits. JSON has neither NaN nor infinity. */
void tv_out_real(struct tv_out *out, double x)
{
    char text[48];
    size_t n = fast_real(text, x);
    if (n == 0 && isfinite(x))
        n = (size_t)snprintf(text, sizeof text, "%.17g", x);
    if (n == 0)
        tv_out_text(out, "null");
    else
        tv_out_bytes(out, text, n);
}

void tv_out_float(struct tv_out *out, float x)
{
    char text[TV_TEXT_FLOAT];
    tv_out_text(out, isfinite(x) ? tv_text_float(text, x) : "null");
}

/* The entity of a character that means something to HTML; NULL for any other. */
static const char *html_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Both kinds of quotes, so that a text may stand in an attribute in either. */
static int is_html_special(unsigned char c)
{
    return c == '&' || c == '<' || c == '>' || c == '"' || c == '\'';
}

static size_t write_plain(struct tv_out *out, const char *text, size_t n)
{
    size_t done = 1;
    if (!out->failed && tv_buffer_plain(&out->buffer, text, n, is_html_special, &done, NULL) != TV_OK)
        out->failed = 1;
    return done;
}

/* The only place where text becomes HTML. */
void tv_out_html_part(struct tv_out *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (is_html_special((unsigned char)text[i]))
            tv_out_text(out, html_entity(text[i++]));
        else
            i += write_plain(out, text + i, n - i);
    }
}

void tv_out_html(struct tv_out *out, const char *text)
{
    tv_out_html_part(out, text, strlen(text));
}

void tv_out_json_part(struct tv_out *out, const char *text, size_t n)
{
    if (!out->failed && tv_buffer_json(&out->buffer, text, n, NULL) != TV_OK)
        out->failed = 1;
}

void tv_out_json(struct tv_out *out, const char *text)
{
    tv_out_json_part(out, text, strlen(text));
}

/* A member is the first of its object where the brace stands right before it: a value that ends in one is a string, and
 * has its quote behind it. */
void tv_out_key(struct tv_out *out, const char *name)
{
    const struct tv_buffer *b = &out->buffer;
    tv_out_text(out, b->size == 0 || b->data[b->size - 1] == '{' ? "\"" : ",\"");
    tv_out_text(out, name);
    tv_out_bytes(out, "\":", 2);
}

void tv_out_bool(struct tv_out *out, int x)
{
    tv_out_text(out, x ? "true" : "false");
}
