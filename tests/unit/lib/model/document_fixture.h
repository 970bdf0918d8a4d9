/* document_fixture: bytes of a document, for tests that make documents without a store. */
#ifndef TRIVET_TESTS_UNIT_LIB_MODEL_DOCUMENT_FIXTURE_H
#define TRIVET_TESTS_UNIT_LIB_MODEL_DOCUMENT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/base/buffer.h"

/* As MongoDB's Extended JSON has bytes; the caller's to free. */
static inline char *binary(const struct tv_buffer *b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)b->data;
    char *out = calloc(b->size * 2 + 128, 1), *p = out;
    p += sprintf(out, "{\"$binary\": {\"subType\": \"00\", \"base64\": \"");
    for (size_t i = 0; i < b->size; i += 3) {
        unsigned left = b->size - i < 3 ? (unsigned)(b->size - i) : 3;
        unsigned word = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
        for (unsigned j = 0; j < 4; j++)
            *p++ = j <= left ? digits[word >> (18 - 6 * j) & 63] : '=';
    }
    strcpy(p, "\"}}");
    return out;
}

#endif
