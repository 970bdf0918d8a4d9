/* embedded: files that travel inside a program, written by cmake/Embed.cmake. */
#ifndef TRIVET_BASE_EMBEDDED_H
#define TRIVET_BASE_EMBEDDED_H

#include <stddef.h>

/* A row of a table that ends with a row without a name. All of it is constant and lives as long as the program. */
struct tv_embedded {
    const char *name; /* file name without folder; NULL ends the table */
    const char *text; /* followed by a NUL byte */
    size_t size;      /* bytes without it */
};

#endif
