/* codec: blobs, numpy arrays as Python's lz4.block and msgpack-numpy write them (codec.h has the layout). Models and
 * user documents are stored so, in order that a notebook can read them with two calls.
 *
 * Writing goes through msgpack-c. Reading does not: msgpack-c takes memory for a declared number of elements before it
 * has seen them, so five bytes could ask for gigabytes. Since a blob is one map of five known entries, we read it with
 * a cursor that never moves past the end and takes no memory at all.
 */
#include "trivet/core/formats/codec.h"

#include <limits.h>
#include <lz4.h>
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "blobs are little-endian and are read in place"
#endif

/* LZ4_MAX_RATIO: in LZ4's block format each further byte of a length stands for 255 bytes of output, so no block
 * decompresses to more than 255 times its size. */
enum { SIZE_PREFIX = 4, LZ4_MAX_RATIO = 255 };

/* The names are numpy's, little-endian in all cases. */
static const struct {
    char name[4];
    size_t size;
} dtypes[] = {
    [TV_F2] = {"<f2", 2}, [TV_F4] = {"<f4", 4}, [TV_F8] = {"<f8", 8},
    [TV_I4] = {"<i4", 4}, [TV_I8] = {"<i8", 8},
};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

size_t tv_dtype_size(enum tv_dtype dtype)
{
    return dtypes[dtype].size;
}

const char *tv_dtype_name(enum tv_dtype dtype)
{
    return dtypes[dtype].name;
}

int tv_dtype_from(const char *name, size_t n, enum tv_dtype *out)
{
    for (int t = 0; t < N_DTYPES; t++)
        if (n == 3 && memcmp(name, dtypes[t].name, 3) == 0) {
            *out = (enum tv_dtype)t;
            return 1;
        }
    return 0;
}

/* Nothing is copied or owned: `memory` stays NULL, so tv_array_free would not free the caller's data. */
static struct tv_array view(enum tv_dtype dtype, const void *data, int n_dims, size_t rows, size_t columns)
{
    struct tv_array a = {
        .dtype = dtype, .n_dims = n_dims, .shape = {rows, columns}, .data = data, .memory = NULL};
    a.n_bytes = rows * columns * dtypes[dtype].size;
    return a;
}

struct tv_array tv_array_1d(enum tv_dtype dtype, const void *data, size_t n)
{
    return view(dtype, data, 1, n, 1);
}

struct tv_array tv_array_2d(enum tv_dtype dtype, const void *data, size_t rows, size_t columns)
{
    return view(dtype, data, 2, rows, columns);
}

void tv_array_free(struct tv_array *array)
{
    if (array == NULL)
        return;
    free(array->memory);
    memset(array, 0, sizeof *array);
}

/* --- writing --- */

/* msgpack-c's callback for output; it knows of failure no more than -1. */
static int append_packed(void *context, const char *bytes, size_t n)
{
    return tv_buffer_append(context, bytes, n, NULL) == TV_OK ? 0 : -1;
}

/* msgpack-numpy makes its keys bytes, not strings, and its decoder looks them up as such. */
static void pack_bin(msgpack_packer *pk, const void *bytes, size_t n)
{
    msgpack_pack_bin(pk, n);
    msgpack_pack_bin_body(pk, bytes, n);
}

/* The map. There is room for all of it: the caller has reserved it. */
static void pack_array(struct tv_buffer *out, const struct tv_array *a)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, out, append_packed);
    msgpack_pack_map(&pk, 5);
    pack_bin(&pk, "nd", 2);
    msgpack_pack_true(&pk);
    pack_bin(&pk, "type", 4);
    msgpack_pack_str(&pk, 3);
    msgpack_pack_str_body(&pk, dtypes[a->dtype].name, 3);
    pack_bin(&pk, "kind", 4);
    pack_bin(&pk, "", 0);
    pack_bin(&pk, "shape", 5);
    msgpack_pack_array(&pk, (size_t)a->n_dims);
    for (int d = 0; d < a->n_dims; d++)
        msgpack_pack_uint64(&pk, a->shape[d]);
    pack_bin(&pk, "data", 4);
    pack_bin(&pk, a->data, a->n_bytes);
}

/* Compresses straight into `out`, behind its contents; the prefix is what lz4.block.decompress reads for the size. */
static enum tv_status compress(struct tv_buffer *out, const struct tv_buffer *packed, struct tv_error *err)
{
    int size = (int)packed->size, bound = LZ4_compressBound(size);
    enum tv_status status = tv_buffer_reserve(out, SIZE_PREFIX + (size_t)bound, err);
    if (status != TV_OK)
        return status;
    char *to = out->data + out->size;
    for (int i = 0; i < SIZE_PREFIX; i++)
        to[i] = (char)((uint32_t)size >> 8 * i & 0xff);
    int n = LZ4_compress_default(packed->data, to + SIZE_PREFIX, size, bound);
    if (n <= 0)
        return tv_fail(err, TV_ERR_NO_MEMORY, "lz4 could not compress %d bytes", size);
    out->size += SIZE_PREFIX + (size_t)n;
    out->data[out->size] = '\0';
    return TV_OK;
}

enum tv_status tv_blob_encode(struct tv_buffer *out, const struct tv_array *array, struct tv_error *err)
{
    enum { HEADER_MAX = 64 }; /* map, keys, type, two 9-byte sizes and the bin's own: 60 at the most */
    if (array->n_dims != 1 && array->n_dims != 2)
        return tv_fail(err, TV_ERR_USAGE, "a blob has 1 or 2 dimensions, not %d", array->n_dims);
    if (array->n_bytes > LZ4_MAX_INPUT_SIZE - HEADER_MAX)
        return tv_fail(err, TV_ERR_USAGE, "an array of %zu bytes is too large for one blob of at most %d",
                       array->n_bytes, LZ4_MAX_INPUT_SIZE - HEADER_MAX);
    struct tv_buffer packed = TV_BUFFER_INIT(LZ4_MAX_INPUT_SIZE);
    enum tv_status status = tv_buffer_reserve(&packed, array->n_bytes + HEADER_MAX, err);
    if (status == TV_OK) {
        pack_array(&packed, array);
        status = compress(out, &packed, err);
    }
    tv_buffer_free(&packed);
    return status;
}

/* --- reading --- */

static enum tv_status corrupt(struct tv_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum tv_status corrupt(struct tv_error *err, const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return tv_fail(err, TV_ERR_CORRUPT, "not a blob of trivet: %s", what);
}

/* A place in the message and its end. Each take_ function returns 0 where the bytes are not what it is for, and may
 * have moved the cursor then: a message is given up at the first mismatch. */
struct cursor {
    const unsigned char *at, *end;
};

/* A big-endian number of n bytes (1 .. 8). */
static int take_number(struct cursor *c, int n, uint64_t *out)
{
    if (c->end - c->at < n)
        return 0;
    *out = 0;
    for (int i = 0; i < n; i++)
        *out = *out << 8 | *c->at++;
    return 1;
}

static int take_byte(struct cursor *c, unsigned char expected)
{
    return c->at < c->end && *c->at++ == expected;
}

/* An unsigned msgpack integer: fixint or uint 8, 16, 32, 64. */
static int take_unsigned(struct cursor *c, uint64_t *out)
{
    uint64_t type;
    if (!take_number(c, 1, &type))
        return 0;
    if (type >= 0xcc && type <= 0xcf)
        return take_number(c, 1 << (type - 0xcc), out);
    *out = type;
    return type < 0x80;
}

/* A msgpack bin 8, 16 or 32; *bytes points into the message. */
static int take_bin(struct cursor *c, const unsigned char **bytes, uint64_t *n)
{
    uint64_t type;
    if (!take_number(c, 1, &type) || type < 0xc4 || type > 0xc6 || !take_number(c, 1 << (type - 0xc4), n) ||
        *n > (uint64_t)(c->end - c->at))
        return 0;
    *bytes = c->at;
    c->at += *n;
    return 1;
}

static int take_key(struct cursor *c, const char *key)
{
    const unsigned char *bytes;
    uint64_t n;
    return take_bin(c, &bytes, &n) && n == strlen(key) && memcmp(bytes, key, n) == 0;
}

/* A fixstr of three bytes. */
static int take_dtype(struct cursor *c, enum tv_dtype *out)
{
    if (!take_byte(c, 0xa3) || c->end - c->at < 3 || !tv_dtype_from((const char *)c->at, 3, out))
        return 0;
    c->at += 3;
    return 1;
}

/* A fixarray of one or two sizes; a missing second one counts as 1. */
static int take_shape(struct cursor *c, struct tv_array *a)
{
    uint64_t head, size;
    if (!take_number(c, 1, &head) || (head != 0x91 && head != 0x92))
        return 0;
    a->n_dims = (int)(head & 0xf);
    a->shape[1] = 1;
    for (int d = 0; d < a->n_dims; d++) {
        if (!take_unsigned(c, &size) || size > SIZE_MAX)
            return 0;
        a->shape[d] = (size_t)size;
    }
    return 1;
}

/* Reads the map; a->data points into the message. The entries must come in the order in which msgpack-numpy writes
 * them. */
static enum tv_status unpack_array(struct tv_array *a, struct cursor c, struct tv_error *err)
{
    uint64_t n;
    const unsigned char *data;
    if (!take_byte(&c, 0x85))
        return corrupt(err, "no msgpack map of five entries");
    if (!take_key(&c, "nd") || !take_byte(&c, 0xc3))
        return corrupt(err, "entry \"nd\" is not true");
    if (!take_key(&c, "type") || !take_dtype(&c, &a->dtype))
        return corrupt(err, "entry \"type\" is none of <f2 <f4 <f8 <i4 <i8");
    if (!take_key(&c, "kind") || !take_key(&c, ""))
        return corrupt(err, "entry \"kind\" is not empty");
    if (!take_key(&c, "shape") || !take_shape(&c, a))
        return corrupt(err, "entry \"shape\" is not one or two sizes");
    if (!take_key(&c, "data") || !take_bin(&c, &data, &n))
        return corrupt(err, "entry \"data\" is cut short");
    if (c.at != c.end)
        return corrupt(err, "%zu bytes are left over", (size_t)(c.end - c.at));
    /* Divide, so that no product can wrap around. */
    size_t item = dtypes[a->dtype].size, columns = a->shape[1];
    size_t rows = columns ? (size_t)n / item / columns : 0;
    if (columns == 0 || rows != a->shape[0] || rows * columns * item != n)
        return corrupt(err, "shape %zu x %zu of %zu bytes each, but %zu bytes of data", a->shape[0], columns,
                       item, (size_t)n);
    a->data = data;
    a->n_bytes = (size_t)n;
    return TV_OK;
}

/* Decompresses into *out, which the caller frees. */
static enum tv_status decompress(unsigned char **out, size_t *out_size, const unsigned char *bytes, size_t n,
                                 size_t max_bytes, struct tv_error *err)
{
    if (n < SIZE_PREFIX || n > INT_MAX)
        return corrupt(err, "%zu bytes", n);
    size_t size = 0;
    for (int i = 0; i < SIZE_PREFIX; i++)
        size |= (size_t)bytes[i] << 8 * i;
    if (size > max_bytes || size > LZ4_MAX_INPUT_SIZE)
        return corrupt(err, "it declares %zu bytes, allowed are %zu", size, max_bytes);
    if (size / LZ4_MAX_RATIO > n) /* checked before memory is taken for a lie */
        return corrupt(err, "it declares %zu bytes, which %zu bytes cannot hold", size, n);
    *out = tv_alloc(size, 1, "a decoded blob", err);
    if (*out == NULL)
        return TV_ERR_NO_MEMORY;
    int got = LZ4_decompress_safe((const char *)bytes + SIZE_PREFIX, (char *)*out, (int)(n - SIZE_PREFIX),
                                  (int)size);
    if (got < 0 || (size_t)got != size) {
        free(*out);
        *out = NULL;
        return corrupt(err, "its LZ4 block does not decompress to the %zu bytes it declares", size);
    }
    *out_size = size;
    return TV_OK;
}

enum tv_status tv_blob_decode(struct tv_array *out, const void *bytes, size_t n, size_t max_bytes,
                              struct tv_error *err)
{
    memset(out, 0, sizeof *out);
    unsigned char *message = NULL;
    size_t size = 0;
    enum tv_status status = decompress(&message, &size, bytes, n, max_bytes, err);
    if (status != TV_OK)
        return status;
    struct tv_array a = {0};
    status = unpack_array(&a, (struct cursor){message, message + size}, err);
    if (status != TV_OK) {
        free(message);
        return status;
    }
    /* The data start anywhere in the message; moved to its front they are aligned for every type. */
    memmove(message, a.data, a.n_bytes);
    a.data = a.memory = message;
    *out = a;
    return TV_OK;
}

enum tv_status tv_blob_decode_as(struct tv_array *out, enum tv_dtype dtype, int n_dims, const void *bytes,
                                 size_t n, size_t max_bytes, struct tv_error *err)
{
    enum tv_status status = tv_blob_decode(out, bytes, n, max_bytes, err);
    if (status != TV_OK || (out->dtype == dtype && out->n_dims == n_dims))
        return status;
    status = tv_fail(err, TV_ERR_CORRUPT, "a blob of %s in %d dimensions where %s in %d was expected",
                     dtypes[out->dtype].name, out->n_dims, dtypes[dtype].name, n_dims);
    tv_array_free(out);
    return status;
}

void tv_codec_libraries(char *out, size_t size)
{
    snprintf(out, size, "msgpack-c %s, lz4 %s", msgpack_version(), LZ4_versionString());
}
