/* buffer: a growable run of bytes that is born with a maximum.
 *
 * An append that would pass the maximum fails with TV_ERR_NO_MEMORY and leaves the buffer as it was. `data` is
 * always followed by a NUL byte that `size` does not count, so that text can be used as a C string.
 */
#ifndef TRIVET_BASE_BUFFER_H
#define TRIVET_BASE_BUFFER_H

#include <stddef.h>

#include "trivet/base/status.h"

/* Begins as TV_BUFFER_INIT or by tv_buffer_init; members are for reading, and are changed by the functions below. */
struct tv_buffer {
    char *data;      /* owned; NULL while empty */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
    size_t max;      /* bytes it may grow to */
};

#define TV_BUFFER_INIT(max_bytes) {NULL, 0, 0, (max_bytes)}

void tv_buffer_init(struct tv_buffer *b, size_t max);
void tv_buffer_free(struct tv_buffer *b); /* also makes it empty and usable again */
void tv_buffer_clear(struct tv_buffer *b); /* size 0, memory kept */
/* Room for `more` bytes and the NUL; the next appends of so many bytes together cannot fail. */
enum tv_status tv_buffer_reserve(struct tv_buffer *b, size_t more, struct tv_error *err);
enum tv_status tv_buffer_append(struct tv_buffer *b, const void *bytes, size_t n, struct tv_error *err);
/* The bytes of a C string, without its NUL. */
enum tv_status tv_buffer_text(struct tv_buffer *b, const char *text, struct tv_error *err);
/* A field of CSV (RFC 4180): in quotes, with quotes doubled, where a comma, a quote or an end of line makes that
 * necessary. */
enum tv_status tv_buffer_csv(struct tv_buffer *b, const char *text, struct tv_error *err);
/* In double quotes, with a backslash before each quote and backslash: an element of an array, as PostgreSQL reads
 * one. */
enum tv_status tv_buffer_quoted(struct tv_buffer *b, const char *text, size_t n, struct tv_error *err);
/* In single quotes, within which a shell changes nothing: an argument of a command that is shown for pasting. */
enum tv_status tv_buffer_shell(struct tv_buffer *b, const char *text, struct tv_error *err);
/* A JSON string with its quotes (RFC 8259, 7). Bytes that are no UTF-8 become U+FFFD, one for each. */
enum tv_status tv_buffer_json(struct tv_buffer *b, const char *text, size_t n, struct tv_error *err);
/* What of n bytes stands before the first that is `special`, as it is; a byte that is no UTF-8 is replaced, too, and
 * ends it. *done: how many bytes that were. For escapes of any kind. */
enum tv_status tv_buffer_plain(struct tv_buffer *b, const char *text, size_t n, int (*special)(unsigned char c),
                               size_t *done, struct tv_error *err);
enum tv_status tv_buffer_format(struct tv_buffer *b, struct tv_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *tv_buffer_string(const struct tv_buffer *b); /* "" while empty */

/* n * size with overflow checked, zeroed; NULL and an error that names `what` and the bytes asked for. */
TV_MUST_USE void *tv_alloc(size_t n, size_t size, const char *what, struct tv_error *err);

#endif
