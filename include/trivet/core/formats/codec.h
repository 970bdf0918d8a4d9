/* codec: the blob, a numpy array as Python's lz4.block.compress(msgpack.packb(a, default=msgpack_numpy.encode))
 * writes it. docs/formats.md has the bytes.
 *
 *   4 bytes  little-endian size of what follows once decompressed
 *   rest     one LZ4 block: a msgpack map {nd: true, type: "<f2", kind: "", shape: [n, k], data: bin}
 *            whose keys and whose kind are msgpack bin
 *
 * Allowed types: <f2 <f4 <f8 <i4 <i8; one or two dimensions; C order.
 */
#ifndef TRIVET_CORE_FORMATS_CODEC_H
#define TRIVET_CORE_FORMATS_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "trivet/base/buffer.h"
#include "trivet/base/status.h"

enum tv_dtype { TV_F2, TV_F4, TV_F8, TV_I4, TV_I8 };

/* An array of one or two dimensions, lent or owned as `memory` says. */
struct tv_array {
    enum tv_dtype dtype;
    int n_dims;        /* 1 or 2 */
    size_t shape[2];   /* shape[1] is 1 when n_dims is 1 */
    const void *data;  /* row-major, little-endian; lent for encode, points into `memory` after decode */
    size_t n_bytes;    /* of data */
    void *memory;      /* owned after decode; release with tv_array_free */
};

size_t tv_dtype_size(enum tv_dtype dtype);
const char *tv_dtype_name(enum tv_dtype dtype); /* "<f2" */
TV_MUST_USE int tv_dtype_from(const char *name, size_t n, enum tv_dtype *out); /* 0 for any other name */

/* A view of memory that the caller keeps: n values, or (rows, columns). */
struct tv_array tv_array_1d(enum tv_dtype dtype, const void *data, size_t n);
struct tv_array tv_array_2d(enum tv_dtype dtype, const void *data, size_t rows, size_t columns);

/* Appends the blob to `out`. */
enum tv_status tv_blob_encode(struct tv_buffer *out, const struct tv_array *array, struct tv_error *err);

/* Decodes n bytes that may be anything: the declared size is checked against max_bytes before memory is taken,
 * the shape's product against the data, and no byte may be left over. TV_ERR_CORRUPT says what is wrong.
 * out->data is aligned for its type. On failure *out is empty and needs no free. */
enum tv_status tv_blob_decode(struct tv_array *out, const void *bytes, size_t n, size_t max_bytes,
                              struct tv_error *err);
/* Decode and insist on a type and a number of dimensions. */
enum tv_status tv_blob_decode_as(struct tv_array *out, enum tv_dtype dtype, int n_dims, const void *bytes, size_t n,
                                 size_t max_bytes, struct tv_error *err);
void tv_array_free(struct tv_array *array);

void tv_codec_libraries(char *out, size_t size); /* "msgpack-c 4.0.0, lz4 1.9.4" */

#endif
