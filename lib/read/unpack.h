/* unpack: the bytes that a file packed with gzip, bzip2, xz or zstd holds, each of them checked. Only archive.c includes it. */
#ifndef TRIVET_READ_UNPACK_H
#define TRIVET_READ_UNPACK_H

#include <stddef.h>
#include <sys/types.h>

struct tv_unpack;

/* Whether the first bytes of a file, which are n, are those of one of the four. */
int tv_unpack_knows(const char *head, size_t n);

/* NULL without memory; what else fails shows as the first bytes are read. `path` must live as long. */
struct tv_unpack *tv_unpack_open(const char *path);
void tv_unpack_close(struct tv_unpack *u); /* NULL is fine */

/* The next bytes, which live until the next call; 0 is the end, and then all sums have been compared; -1: tv_unpack_why has a text. */
ssize_t tv_unpack_read(struct tv_unpack *u, const void **bytes);

/* What is wrong with the file, or NULL. */
const char *tv_unpack_why(const struct tv_unpack *u);

#endif
