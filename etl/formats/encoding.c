/* encoding: ISO-8859-1 to UTF-8, and any bytes to something that can be shown and stored. */
#include "etl/formats/encoding.h"

#include "trivet/base/text.h"

/* Each byte is the code point of its value, so a byte from 0x80 on becomes two. */
enum tv_status tv_encoding_from_latin1(struct tv_buffer *out, const char *text, size_t n,
                                       struct tv_error *err)
{
    enum tv_status status = tv_buffer_reserve(out, 2 * n, err);
    for (size_t i = 0; status == TV_OK && i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        char two[2] = {(char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F))};
        status = c < 0x80 ? tv_buffer_append(out, text + i, 1, err) : tv_buffer_append(out, two, 2, err);
    }
    return status;
}

/* The bytes of the well-formed UTF-8 character at `text`, or 0 if none begins there. */
static size_t character(const char *text, size_t n)
{
    for (size_t size = 1; size <= 4 && size <= n; size++)
        if (tv_text_is_utf8(text, size))
            return size;
    return 0;
}

/* Rejected lines are kept in Postgres and shown on a terminal, and neither takes every byte. */
enum tv_status tv_encoding_printable(struct tv_buffer *out, const char *text, size_t n, size_t max,
                                     struct tv_error *err)
{
    enum tv_status status = TV_OK;
    for (size_t i = 0; status == TV_OK && i < n && i < max;) {
        size_t size = character(text + i, n - i);
        unsigned char c = (unsigned char)text[i];
        if (size > 0 && i + size > max)
            break;
        if (size == 0 || (c < ' ' && c != '\t') || c == 0x7F) {
            status = tv_buffer_format(out, err, "\\x%02x", c);
            size = 1;
        } else {
            status = tv_buffer_append(out, text + i, size, err);
        }
        i += size;
    }
    return status;
}
