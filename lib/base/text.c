/* text: small things about strings that several rooms need. */
#include "trivet/text.h"

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

int tv_text_int64(const char *text, size_t n, int64_t *value)
{
    char copy[24];
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

int tv_text_double(const char *text, size_t n, double *value)
{
    char copy[64];
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

int tv_text_is_utf8(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < n;) {
        uint32_t code, smallest;
        int more = utf8_length(s[i++], &code, &smallest);
        if (more < 0 || (size_t)more > n - i)
            return 0;
        for (int j = 0; j < more; j++, i++) {
            if ((s[i] & 0xC0) != 0x80)
                return 0;
            code = code << 6 | (s[i] & 0x3F);
        }
        if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return 0;
    }
    return 1;
}

/* Levenshtein's distance, letters compared without case; names longer than 63 bytes are never near. */
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
            limit = d ? d - 1 : 0;
        }
    }
    return best;
}
