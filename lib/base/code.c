/* code: which ids are numbers, and what a code may be. Loads, imports, the trainer's flags and the server's
 * parameters all ask here, so that one text never means two things. SQL decides the same way (sql/008_codes.sql). */
#include "trivet/base/code.h"

#include "trivet/base/text.h"

/* Digits in their plain form, at most 18: a zero ahead of others makes a code of it. */
static int plain_digits(const char *text, size_t n, int64_t *value)
{
    return n > 0 && (text[0] != '0' || n == 1) && tv_text_short_int(text, n, value);
}

int tv_code_is_number(const char *text, size_t n, int64_t *id)
{
    int64_t value = 0;
    size_t sign = n > 0 && text[0] == '-';
    if (!plain_digits(text, n, &value)) {
        /* Negative numbers and those of 19 digits are rare enough for the slower way. "-0" and leading zeros are codes:
         * a number is written in one way only, or two texts would be one id. */
        if (n <= sign || text[sign] < '0' || text[sign] > '9' || (text[sign] == '0' && (sign || n > 1)) ||
            !tv_text_int64(text, n, &value))
            return 0;
    }
    if (value >= TV_CODE_FIRST && value < TV_CODE_END)
        return 0;
    *id = value;
    return 1;
}

const char *tv_code_refusal(const char *text, size_t n)
{
    if (n == 0)
        return "empty id";
    if (n > TV_CODE_MAX)
        return "id longer than 255 bytes";
    /* Nearly all codes are ASCII, and the bits that their bytes have together show it without a second pass. */
    unsigned char all = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7F)
            return "id with a control character";
        all |= c;
    }
    return all < 0x80 || tv_text_is_utf8(text, n) ? NULL : "invalid UTF-8";
}
