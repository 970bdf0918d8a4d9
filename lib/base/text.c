/* text: small things about strings that several rooms need. None depends on the locale: programs never call
 * setlocale(), and bytes beyond ASCII are treated as UTF-8 here. */
#include "trivet/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *tv_text_number(char *out, long long n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", n);
    int sign = digits[0] == '-', o = 0;
    for (int i = 0; i < len; i++) {
        if (i > sign && (len - i) % 3 == 0)
            out[o++] = ',';
        out[o++] = digits[i];
    }
    out[o] = '\0';
    return out;
}

/* `one` is a noun whose plural takes an s. */
char *tv_text_count(char *out, long long n, const char *one)
{
    char number[32];
    snprintf(out, 64, "%s %s%s", tv_text_number(number, n), one, n == 1 ? "" : "s");
    return out;
}

char *tv_text_are(char *out, long long n, const char *one)
{
    char number[32];
    snprintf(out, 64, "%s %s%s", tv_text_number(number, n), one, n == 1 ? " is" : "s are");
    return out;
}

char *tv_text_bytes(char *out, double bytes)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    int u = 0;
    while (bytes >= 1024 && u < 4) {
        bytes /= 1024;
        u++;
    }
    snprintf(out, 32, u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
    return out;
}

/* Ratings are numbers of few digits, and an answer may have a hundred thousand of them: up to two decimals, what printf would
 * write is found without it. Below 1e4 these have six digits at most, of which no two read back as the same float. 0 where x is
 * none of them. */
static int hundredths(char *out, float x)
{
    if (!(fabsf(x) < 1e4F))
        return 0;
    long n = (long)(100 * (double)fabsf(x) + 0.5);
    if ((float)((double)n / 100) != fabsf(x))
        return 0;
    if (x < 0)
        *out++ = '-';
    int whole = snprintf(out, 8, "%ld", n / 100);
    char rest[] = {'.', (char)('0' + n / 10 % 10), (char)('0' + n % 10), '\0'};
    rest[n % 100 == 0 ? 0 : n % 10 == 0 ? 2 : 3] = '\0';
    memcpy(out + whole, rest, sizeof rest);
    return 1;
}

/* Nine digits are enough for every float. %g leaves zeros at the end away, so trying from six on finds short ones, too. */
char *tv_text_float(char *out, float x)
{
    if (hundredths(out, x))
        return out;
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(out, TV_TEXT_FLOAT, "%.*g", digits, (double)x);
        if (strtof(out, NULL) == x)
            break;
    }
    if (strchr(out, 'e') && fabsf(x) >= 1 && fabsf(x) < 1e9F) /* 1e+07 plays */
        snprintf(out, TV_TEXT_FLOAT, "%.9g", (double)x);
    return out;
}

/* A copy, because `text` may be a field in the middle of a line with no NUL behind it. strtoll skips blanks and takes a
 * "+", hence the look at the first byte; a lone "-" is caught by the look at the last. */
int tv_text_int64(const char *text, size_t n, int64_t *value)
{
    char copy[24];
    if (tv_text_short_int(text, n, value))
        return 1;
    if (n == 0 || n >= sizeof copy || !(isdigit((unsigned char)text[0]) || text[0] == '-'))
        return 0;
    memcpy(copy, text, n);
    copy[n] = '\0';
    char *end;
    errno = 0;
    long long v = strtoll(copy, &end, 10);
    if (errno != 0 || end != copy + n || !isdigit((unsigned char)copy[n - 1]))
        return 0;
    *value = v;
    return 1;
}

/* Digits, or digits, a point and digits, at most 15 in all. The digits and the power of ten are doubles without an error
 * then, and what one division rounds is what strtod would give. */
static int short_decimal(const char *text, size_t n, double *value)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    const char *point = n > 2 && n <= 16 ? memchr(text, '.', n) : NULL;
    size_t before = point ? (size_t)(point - text) : n, behind = point ? n - before - 1 : 0;
    int64_t whole, part = 0;
    if (before + behind > 15 || !tv_text_short_int(text, before, &whole) ||
        (point && !tv_text_short_int(point + 1, behind, &part)))
        return 0;
    *value = ((double)whole * powers[behind] + (double)part) / powers[behind];
    return 1;
}

/* The same for strtod, which also reads hexadecimal ("0x1p3") and the words "nan" and "inf"; neither is a rating. */
int tv_text_double(const char *text, size_t n, double *value)
{
    char copy[64];
    if (short_decimal(text, n, value))
        return 1;
    if (n == 0 || n >= sizeof copy || isspace((unsigned char)text[0]) || memchr(text, 'x', n) || memchr(text, 'X', n))
        return 0;
    memcpy(copy, text, n);
    copy[n] = '\0';
    char *end;
    double v = strtod(copy, &end);
    if (end != copy + n || !isfinite(v))
        return 0;
    *value = v;
    return 1;
}

/* How many continuation bytes follow `lead`, and the smallest code point that needs them; -1 for no lead byte. */
static int utf8_length(unsigned char lead, uint32_t *bits, uint32_t *smallest)
{
    if (lead < 0x80) {
        *bits = lead;
        *smallest = 0;
        return 0;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        *bits = lead & 0x1F;
        *smallest = 0x80;
        return 1;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *bits = lead & 0x0F;
        *smallest = 0x800;
        return 2;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        *bits = lead & 0x07;
        *smallest = 0x10000;
        return 3;
    }
    return -1;
}

/* The length of the character that begins the n bytes; 0 if they begin with none. */
static size_t character_length(const unsigned char *s, size_t n)
{
    uint32_t code, smallest;
    int more = utf8_length(s[0], &code, &smallest);
    if (more < 0 || (size_t)more >= n)
        return 0;
    for (int j = 1; j <= more; j++) {
        if ((s[j] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[j] & 0x3F);
    }
    /* Refused: overlong forms, code points beyond Unicode, and the halves of UTF-16 pairs. */
    return code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? 0 : (size_t)more + 1;
}

/* ASCII takes the short way, as most bytes of the JSON that is checked here are ASCII. */
size_t tv_text_utf8_prefix(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0;
    for (size_t length = 1; i < n && length > 0; i += length)
        length = s[i] < 0x80 ? 1 : character_length(s + i, n - i);
    return i;
}

int tv_text_is_utf8(const char *text, size_t n)
{
    return tv_text_utf8_prefix(text, n) == n;
}

size_t tv_text_fitting(const char *text, size_t n, size_t size)
{
    if (n < size)
        return n;
    for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80; n--)
        ;
    return n;
}

/* Looks at the last character alone: goes back over its continuation bytes, at most three, to the lead byte, and cuts
 * there if the character is not all there. Everything ahead of it is as printf wrote it. */
void tv_text_end_whole(char *text, size_t size)
{
    size_t n = strlen(text), begin = n;
    if (n + 1 < size || n == 0)
        return;
    while (begin > 0 && n - begin < 4 && ((unsigned char)text[begin - 1] & 0xC0) == 0x80)
        begin--;
    begin -= begin > 0;
    if (character_length((const unsigned char *)text + begin, n - begin) == 0)
        text[begin] = '\0';
}

char *tv_text_copy(char *out, size_t size, const char *text)
{
    size_t n = tv_text_fitting(text, strlen(text), size);
    memcpy(out, text, n);
    out[n] = '\0';
    return out;
}

char *tv_text_printable(char *out, size_t size, const char *text)
{
    size_t o = 0, left = strlen(text);
    while (left > 0 && o + 5 <= size) {
        size_t n = character_length((const unsigned char *)text, left);
        unsigned char c = (unsigned char)*text;
        if (n == 0 || c < ' ' || c == 0x7F) {
            o += (size_t)snprintf(out + o, size - o, "\\x%02x", c);
            n = 1;
        } else {
            memcpy(out + o, text, n);
            o += n;
        }
        text += n;
        left -= n;
    }
    out[o] = '\0';
    return out;
}

char *tv_text_mark_cut(char *text, size_t size, int wanted)
{
    static const char cut[] = "\xe2\x80\xa6";
    if (wanted >= 0 && (size_t)wanted >= size && size >= sizeof cut) {
        size_t n = tv_text_fitting(text, size - 1, size - sizeof cut + 1);
        memcpy(text + n, cut, sizeof cut);
    }
    return text;
}

/* Levenshtein's distance, letters compared without case, with one row of the table at a time. Names longer than 63
 * bytes are never near: the names compared with are options, parameters and genres, and the row is an array of fixed
 * size. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[64];
    if (n > 63 || m > 63)
        return 64;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            size_t best = change < row[j] + 1 ? change : row[j] + 1;
            diagonal = row[j];
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[m];
}

const char *tv_text_nearest(const char *name, const char *const *names)
{
    size_t limit = strlen(name) / 3 > 2 ? strlen(name) / 3 : 2;
    const char *best = NULL;
    for (; *names; names++) {
        size_t d = edit_distance(name, *names);
        if (d <= limit) {
            best = *names;
            /* only a nearer name replaces it, so of equally near ones the first wins */
            limit = d ? d - 1 : 0;
        }
    }
    return best;
}
