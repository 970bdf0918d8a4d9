/* encoding: which one a file has, ISO-8859-1 to UTF-8, and any bytes to something that can be shown and stored. */
#include "etl/formats/encoding.h"

#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"

/* --- how a file is written ------------------------------------------------------------------------------------------ */

enum { RUN = 3 }; /* letters with an accent that stand together in no Western word: "«Él" has two */

/* A line, or as much of a very long one as fits into memory at once. One that ends in the middle of a character is none of UTF-8's, which
 * does no harm: most lines decide. */
static void count_line(struct tv_encoding *e, const char *text, size_t n)
{
    unsigned char all = 0;
    for (size_t i = 0; i < n; i++)
        all |= (unsigned char)text[i];
    if (all < 0x80)
        return;
    if (tv_text_is_utf8(text, n)) {
        e->utf8++;
        return;
    }
    e->other++;
    for (size_t i = 0, run = 0; i <= n; i++) {
        unsigned char c = i < n ? (unsigned char)text[i] : 0;
        e->windows |= c >= 0x80 && c < 0xA0;
        e->high += c >= 0x80;
        if (c < 0x80 && run >= RUN)
            e->in_runs += (long long)run;
        run = c < 0x80 ? 0 : run + 1;
    }
}

/* Counts the whole lines of a block, and moves the beginning of one that is not whole to its front; returns its size. */
static size_t count_block(struct tv_encoding *e, char *block, size_t n, size_t size)
{
    size_t at = 0;
    for (const char *end; (end = memchr(block + at, '\n', n - at)) != NULL; at = (size_t)(end - block) + 1)
        count_line(e, block + at, (size_t)(end - block) - at);
    if (at == 0 && n == size) {
        count_line(e, block, n);
        return 0;
    }
    memmove(block, block + at, n - at);
    return n - at;
}

enum tv_status tv_encoding_of(struct tv_encoding *out, const struct tv_input *input, const struct tv_input_file *file,
                              struct tv_error *err)
{
    enum { BLOCK = 256 * 1024 };
    struct tv_byte_source *source = NULL;
    char *block = tv_alloc(BLOCK, 1, "a block", err);
    *out = (struct tv_encoding){0};
    enum tv_status status = block ? tv_byte_source_open(&source, input, file, err) : TV_ERR_NO_MEMORY;
    size_t n = 0;
    for (size_t got = 1; status == TV_OK && got > 0;) {
        status = source->read(source, block + n, BLOCK - n, &got, err);
        n = status == TV_OK ? count_block(out, block, n + got, BLOCK) : 0;
    }
    if (status == TV_OK)
        count_line(out, block, n);
    tv_byte_source_close(source);
    free(block);
    return status;
}

int tv_encoding_is_latin1(const struct tv_encoding *e)
{
    return e->other > e->utf8;
}

enum tv_status tv_encoding_check(const struct tv_encoding *e, const char *file, struct tv_error *err)
{
    if (2 * e->in_runs <= e->high)
        return TV_OK;
    tv_fail(err, TV_ERR_INPUT, "%s is neither UTF-8 nor in a Western European encoding", file);
    return tv_hint(err, "iconv -f ENCODING -t UTF-8 makes it UTF-8, where ENCODING is SHIFT_JIS, GB18030, EUC-KR, WINDOWS-1251 or what it is");
}

const char *tv_encoding_name(const struct tv_encoding *e, int latin1)
{
    if (e->other > 0 && latin1)
        return e->windows ? "Windows-1252" : "ISO-8859-1";
    return e->other + e->utf8 > 0 ? "UTF-8" : "ASCII";
}

/* --- ISO-8859-1 ------------------------------------------------------------------------------------------------------ */

/* Windows-1252's letters for 0x80 to 0x9F; five of them are none, and stay control characters. */
static const unsigned short letters[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                           0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                           0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

/* A byte from 0x80 on becomes two or three. */
enum tv_status tv_encoding_from_latin1(struct tv_buffer *out, const char *text, size_t n,
                                       struct tv_error *err)
{
    enum tv_status status = tv_buffer_reserve(out, 2 * n, err);
    for (size_t i = 0; status == TV_OK && i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned letter = c >= 0x80 && c < 0xA0 ? letters[c - 0x80] : c;
        char two[2] = {(char)(0xC0 | letter >> 6), (char)(0x80 | (letter & 0x3F))};
        char three[3] = {(char)(0xE0 | letter >> 12), (char)(0x80 | (letter >> 6 & 0x3F)), (char)(0x80 | (letter & 0x3F))};
        if (letter < 0x80)
            status = tv_buffer_append(out, text + i, 1, err);
        else
            status = letter < 0x800 ? tv_buffer_append(out, two, 2, err) : tv_buffer_append(out, three, 3, err);
    }
    return status;
}

/* --- bytes that are to be shown -------------------------------------------------------------------------------------- */

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
