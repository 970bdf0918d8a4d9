/* buffer: a growable run of bytes that is born with a maximum. Answers, JSON, SQL text and lines of CSV are put
 * together in it. The maximum keeps a client or a store from making a program take all memory: each user of a buffer
 * says how much is sane for its purpose. */
#include "trivet/base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/text.h"

void tv_buffer_init(struct tv_buffer *b, size_t max)
{
    *b = (struct tv_buffer)TV_BUFFER_INIT(max);
}

void tv_buffer_free(struct tv_buffer *b)
{
    free(b->data);
    tv_buffer_init(b, b->max);
}

void tv_buffer_clear(struct tv_buffer *b)
{
    b->size = 0;
    if (b->data)
        b->data[0] = '\0';
}

enum tv_status tv_buffer_reserve(struct tv_buffer *b, size_t more, struct tv_error *err)
{
    if (more > b->max || b->size > b->max - more)
        return tv_fail(err, TV_ERR_NO_MEMORY, "a buffer of at most %zu bytes cannot take %zu more than its %zu",
                       b->max, more, b->size);
    size_t need = b->size + more + 1;
    if (need <= b->capacity)
        return TV_OK;
    /* Half as much again each time, so a buffer that grows byte by byte copies each byte a few times at most on
     * average. */
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity < need)
        capacity += capacity / 2 + 64;
    char *data = realloc(b->data, capacity);
    if (data == NULL)
        return tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: %zu bytes for a buffer", capacity);
    b->data = data;
    b->capacity = capacity;
    return TV_OK;
}

enum tv_status tv_buffer_append(struct tv_buffer *b, const void *bytes, size_t n, struct tv_error *err)
{
    enum tv_status status = tv_buffer_reserve(b, n, err);
    if (status != TV_OK)
        return status;
    if (n > 0)
        memcpy(b->data + b->size, bytes, n);
    b->size += n;
    b->data[b->size] = '\0';
    return TV_OK;
}

enum tv_status tv_buffer_text(struct tv_buffer *b, const char *text, struct tv_error *err)
{
    return tv_buffer_append(b, text, strlen(text), err);
}

/* A failure midway leaves half a field behind; callers give the whole line up then. */
enum tv_status tv_buffer_csv(struct tv_buffer *b, const char *text, struct tv_error *err)
{
    if (strpbrk(text, ",\"\r\n") == NULL)
        return tv_buffer_text(b, text, err);
    enum tv_status status = tv_buffer_text(b, "\"", err);
    for (; *text && status == TV_OK; text++)
        status = tv_buffer_append(b, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1, err);
    return status == TV_OK ? tv_buffer_text(b, "\"", err) : status;
}

enum tv_status tv_buffer_quoted(struct tv_buffer *b, const char *text, size_t n, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(b, "\"", err);
    for (size_t i = 0; i < n && status == TV_OK; i++) {
        if (text[i] == '"' || text[i] == '\\')
            status = tv_buffer_text(b, "\\", err);
        if (status == TV_OK)
            status = tv_buffer_append(b, text + i, 1, err);
    }
    return status == TV_OK ? tv_buffer_text(b, "\"", err) : status;
}

/* A quote in the text ends the quotes, stands behind a backslash, and opens them again. */
enum tv_status tv_buffer_shell(struct tv_buffer *b, const char *text, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(b, "'", err);
    for (; *text && status == TV_OK; text++)
        status = *text == '\'' ? tv_buffer_text(b, "'\\''", err) : tv_buffer_append(b, text, 1, err);
    return status == TV_OK ? tv_buffer_text(b, "'", err) : status;
}

enum tv_status tv_buffer_plain(struct tv_buffer *b, const char *text, size_t n, int (*special)(unsigned char c),
                               size_t *done, struct tv_error *err)
{
    size_t plain = 0;
    while (plain < n && !special((unsigned char)text[plain]))
        plain++;
    size_t good = tv_text_utf8_prefix(text, plain);
    *done = good == plain ? plain : good + 1;
    enum tv_status status = tv_buffer_append(b, text, good, err);
    return status == TV_OK && good < plain ? tv_buffer_text(b, "\xef\xbf\xbd", err) : status;
}

static int is_json_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Everything beyond ASCII is written as it is: JSON is UTF-8 (RFC 8259, 8.1). */
enum tv_status tv_buffer_json(struct tv_buffer *b, const char *text, size_t n, struct tv_error *err)
{
    enum tv_status status = tv_buffer_text(b, "\"", err);
    for (size_t i = 0, done = 1; i < n && status == TV_OK; i += done, done = 1) {
        unsigned char c = (unsigned char)text[i];
        if (is_json_special(c))
            status = tv_buffer_format(b, err, c >= 0x20 ? "\\%c" : "\\u%04x", c);
        else
            status = tv_buffer_plain(b, text + i, n - i, is_json_special, &done, err);
    }
    return status == TV_OK ? tv_buffer_text(b, "\"", err) : status;
}

/* Formats twice: once to learn the length, so that the maximum is checked before a byte is written, and once into the
 * room. */
enum tv_status tv_buffer_format(struct tv_buffer *b, struct tv_error *err, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    enum tv_status status = n < 0 ? tv_fail(err, TV_ERR_INPUT, "cannot format \"%s\"", format)
                                  : tv_buffer_reserve(b, (size_t)n, err);
    if (status == TV_OK) {
        vsnprintf(b->data + b->size, (size_t)n + 1, format, again);
        b->size += (size_t)n;
    }
    va_end(again);
    return status;
}

const char *tv_buffer_string(const struct tv_buffer *b)
{
    return b->data ? b->data : "";
}

void *tv_alloc(size_t n, size_t size, const char *what, struct tv_error *err)
{
    if (size != 0 && n > SIZE_MAX / size) {
        tv_fail(err, TV_ERR_NO_MEMORY, "%s: %zu x %zu bytes is more than can be addressed", what, n, size);
        return NULL;
    }
    /* malloc(0) may return NULL, which would read as a failure; an empty array gets one byte instead. */
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (p == NULL)
        tv_fail(err, TV_ERR_NO_MEMORY, "out of memory: %s needs %zu bytes", what, n * size);
    return p;
}
