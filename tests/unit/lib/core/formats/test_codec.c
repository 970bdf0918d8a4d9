/* test_codec: bytes as Python writes them, both ways, and everything that is not a blob refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/core/formats/codec.h"

/* Made by make_golden_blobs.py. */
/* clang-format off */
static const unsigned char halves_2d[] = {
    0x36, 0x00, 0x00, 0x00, 0xf0, 0x27, 0x85, 0xc4, 0x02, 0x6e, 0x64, 0xc3, 0xc4, 0x04, 0x74, 0x79,
    0x70, 0x65, 0xa3, 0x3c, 0x66, 0x32, 0xc4, 0x04, 0x6b, 0x69, 0x6e, 0x64, 0xc4, 0x00, 0xc4, 0x05,
    0x73, 0x68, 0x61, 0x70, 0x65, 0x92, 0x02, 0x03, 0xc4, 0x04, 0x64, 0x61, 0x74, 0x61, 0xc4, 0x0c,
    0x00, 0x00, 0x00, 0x3c, 0x00, 0xc0, 0x66, 0x2e, 0xff, 0x7b, 0x01, 0x00,
};
static const unsigned char floats_1d[] = {
    0x35, 0x00, 0x00, 0x00, 0xf0, 0x26, 0x85, 0xc4, 0x02, 0x6e, 0x64, 0xc3, 0xc4, 0x04, 0x74, 0x79,
    0x70, 0x65, 0xa3, 0x3c, 0x66, 0x34, 0xc4, 0x04, 0x6b, 0x69, 0x6e, 0x64, 0xc4, 0x00, 0xc4, 0x05,
    0x73, 0x68, 0x61, 0x70, 0x65, 0x91, 0x03, 0xc4, 0x04, 0x64, 0x61, 0x74, 0x61, 0xc4, 0x0c, 0x00,
    0x00, 0x00, 0x3f, 0x00, 0x00, 0x90, 0x40, 0xca, 0xf2, 0x49, 0xf1,
};
static const unsigned char doubles_1d[] = {
    0x31, 0x00, 0x00, 0x00, 0xf0, 0x22, 0x85, 0xc4, 0x02, 0x6e, 0x64, 0xc3, 0xc4, 0x04, 0x74, 0x79,
    0x70, 0x65, 0xa3, 0x3c, 0x66, 0x38, 0xc4, 0x04, 0x6b, 0x69, 0x6e, 0x64, 0xc4, 0x00, 0xc4, 0x05,
    0x73, 0x68, 0x61, 0x70, 0x65, 0x91, 0x01, 0xc4, 0x04, 0x64, 0x61, 0x74, 0x61, 0xc4, 0x08, 0x18,
    0x2d, 0x44, 0x54, 0xfb, 0x21, 0x09, 0x40,
};
static const unsigned char ints_1d[] = {
    0xdc, 0x04, 0x00, 0x00, 0xff, 0x1e, 0x85, 0xc4, 0x02, 0x6e, 0x64, 0xc3, 0xc4, 0x04, 0x74, 0x79,
    0x70, 0x65, 0xa3, 0x3c, 0x69, 0x34, 0xc4, 0x04, 0x6b, 0x69, 0x6e, 0x64, 0xc4, 0x00, 0xc4, 0x05,
    0x73, 0x68, 0x61, 0x70, 0x65, 0x91, 0xcd, 0x01, 0x2c, 0xc4, 0x04, 0x64, 0x61, 0x74, 0x61, 0xc5,
    0x04, 0xb0, 0x00, 0x01, 0x00, 0xff, 0x7d, 0x1f, 0x01, 0x04, 0x00, 0xff, 0x7d, 0x1f, 0x02, 0x04,
    0x00, 0xff, 0x78, 0x50, 0x00, 0x02, 0x00, 0x00, 0x00,
};
static const unsigned char longs_2d[] = {
    0x3a, 0x00, 0x00, 0x00, 0xf3, 0x1c, 0x85, 0xc4, 0x02, 0x6e, 0x64, 0xc3, 0xc4, 0x04, 0x74, 0x79,
    0x70, 0x65, 0xa3, 0x3c, 0x69, 0x38, 0xc4, 0x04, 0x6b, 0x69, 0x6e, 0x64, 0xc4, 0x00, 0xc4, 0x05,
    0x73, 0x68, 0x61, 0x70, 0x65, 0x92, 0x02, 0x01, 0xc4, 0x04, 0x64, 0x61, 0x74, 0x61, 0xc4, 0x10,
    0xff, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40,
};
static const unsigned char empty_1d[] = {
    0x29, 0x00, 0x00, 0x00, 0xf0, 0x1a, 0x85, 0xc4, 0x02, 0x6e, 0x64, 0xc3, 0xc4, 0x04, 0x74, 0x79,
    0x70, 0x65, 0xa3, 0x3c, 0x69, 0x34, 0xc4, 0x04, 0x6b, 0x69, 0x6e, 0x64, 0xc4, 0x00, 0xc4, 0x05,
    0x73, 0x68, 0x61, 0x70, 0x65, 0x91, 0x00, 0xc4, 0x04, 0x64, 0x61, 0x74, 0x61, 0xc4, 0x00,
};
static const unsigned char no_rows_2d[] = {
    0x2a, 0x00, 0x00, 0x00, 0xf0, 0x1b, 0x85, 0xc4, 0x02, 0x6e, 0x64, 0xc3, 0xc4, 0x04, 0x74, 0x79,
    0x70, 0x65, 0xa3, 0x3c, 0x66, 0x32, 0xc4, 0x04, 0x6b, 0x69, 0x6e, 0x64, 0xc4, 0x00, 0xc4, 0x05,
    0x73, 0x68, 0x61, 0x70, 0x65, 0x92, 0x00, 0x32, 0xc4, 0x04, 0x64, 0x61, 0x74, 0x61, 0xc4, 0x00,
};
/* clang-format on */

enum { MAX_BYTES = 1 << 20 };

static const uint16_t halves[] = {0x0000, 0x3c00, 0xc000, 0x2e66, 0x7bff, 0x0001};
static const float floats[] = {0.5f, 4.5f, -1e30f};
static const double doubles[] = {3.141592653589793};
static const int64_t longs[] = {-1, INT64_C(1) << 62};
static int32_t ints[300];

struct golden {
    const char *name;
    const unsigned char *blob;
    size_t n;
    struct tv_array array;
};

static size_t list_golden(struct golden *out)
{
    for (int i = 0; i < 300; i++)
        ints[i] = i / 100;
    const struct golden all[] = {
        {"halves", halves_2d, sizeof halves_2d, tv_array_2d(TV_F2, halves, 2, 3)},
        {"floats", floats_1d, sizeof floats_1d, tv_array_1d(TV_F4, floats, 3)},
        {"doubles", doubles_1d, sizeof doubles_1d, tv_array_1d(TV_F8, doubles, 1)},
        {"ints", ints_1d, sizeof ints_1d, tv_array_1d(TV_I4, ints, 300)},
        {"longs", longs_2d, sizeof longs_2d, tv_array_2d(TV_I8, longs, 2, 1)},
        {"empty", empty_1d, sizeof empty_1d, tv_array_1d(TV_I4, "", 0)},
        {"no rows", no_rows_2d, sizeof no_rows_2d, tv_array_2d(TV_F2, "", 0, 50)},
    };
    memcpy(out, all, sizeof all);
    return sizeof all / sizeof *all;
}

static void writes_what_python_writes(void **state)
{
    (void)state;
    struct golden golden[8];
    for (size_t i = 0, n = list_golden(golden); i < n; i++) {
        struct tv_buffer out = TV_BUFFER_INIT(MAX_BYTES);
        assert_int_equal(tv_blob_encode(&out, &golden[i].array, NULL), TV_OK);
        assert_int_equal(out.size, golden[i].n);
        assert_memory_equal(out.data, golden[i].blob, golden[i].n);
        tv_buffer_free(&out);
    }
}

static void reads_what_python_writes(void **state)
{
    (void)state;
    struct golden golden[8];
    for (size_t i = 0, n = list_golden(golden); i < n; i++) {
        const struct tv_array *a = &golden[i].array;
        struct tv_array got;
        assert_int_equal(
            tv_blob_decode_as(&got, a->dtype, a->n_dims, golden[i].blob, golden[i].n, MAX_BYTES, NULL),
            TV_OK);
        assert_int_equal(got.shape[0], a->shape[0]);
        assert_int_equal(got.shape[1], a->shape[1]);
        assert_int_equal(got.n_bytes, a->n_bytes);
        assert_int_equal((uintptr_t)got.data % tv_dtype_size(a->dtype), 0);
        assert_memory_equal(got.data, a->data, a->n_bytes);
        tv_array_free(&got);
    }
}

static void appends_and_comes_back(void **state)
{
    (void)state;
    enum { ROWS = 1000, COLUMNS = 70 }; /* 140 KB: bin 32, shapes of two bytes */
    uint16_t *in = calloc(ROWS * COLUMNS, sizeof *in);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        in[i] = (uint16_t)(i * i);
    struct tv_buffer out = TV_BUFFER_INIT(MAX_BYTES);
    struct tv_array a = tv_array_2d(TV_F2, in, ROWS, COLUMNS), got;
    assert_int_equal(tv_buffer_text(&out, "before", NULL), TV_OK);
    assert_int_equal(tv_blob_encode(&out, &a, NULL), TV_OK);
    assert_memory_equal(out.data, "before", 6);
    assert_int_equal(tv_blob_decode(&got, out.data + 6, out.size - 6, MAX_BYTES, NULL), TV_OK);
    assert_int_equal(got.shape[1], COLUMNS);
    assert_memory_equal(got.data, in, a.n_bytes);
    tv_array_free(&got);
    tv_buffer_free(&out);
    free(in);
}

static void refuse(const void *blob, size_t n, size_t max_bytes, const char *why)
{
    struct tv_array got;
    struct tv_error err = {0};
    assert_int_equal(tv_blob_decode(&got, blob, n, max_bytes, &err), TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, why));
    assert_null(got.memory);
    assert_null(got.data);
}

static void sizes_are_not_believed(void **state)
{
    (void)state;
    unsigned char blob[sizeof floats_1d];
    memcpy(blob, floats_1d, sizeof blob);
    refuse(blob, 3, MAX_BYTES, "3 bytes");
    refuse(blob, sizeof blob, 10, "allowed are 10");
    blob[0]++;
    refuse(blob, sizeof blob, MAX_BYTES, "does not decompress");
    blob[0] -= 2;
    refuse(blob, sizeof blob, MAX_BYTES, "does not decompress");
    blob[2] = 0x0f; /* about a megabyte out of a hundred bytes */
    refuse(blob, sizeof blob, MAX_BYTES, "cannot hold");
    for (size_t n = 4; n < sizeof floats_1d; n++)
        refuse(floats_1d, n, MAX_BYTES, "does not decompress");
}

/* Packs a message of its own as a blob and refuses it. */
static void refuse_message(const char *message, size_t n, const char *why)
{
    char blob[512];
    for (int i = 0; i < 4; i++)
        blob[i] = (char)(n >> 8 * i & 0xff);
    int packed = LZ4_compress_default(message, blob + 4, (int)n, (int)sizeof blob - 4);
    assert_true(packed > 0);
    refuse(blob, (size_t)packed + 4, MAX_BYTES, why);
}
#define REFUSE(literal, why) refuse_message(literal, sizeof(literal) - 1, why)

#define ND    "\x85\xc4\x02nd\xc3"
#define TYPE  "\xc4\x04type\xa3<f4"
#define KIND  "\xc4\x04kind\xc4\x00"
#define SHAPE "\xc4\x05shape"
#define KEY   "\xc4\x04" /* "data" follows: a hexadecimal escape would take its d and a for digits */
#define DATA  KEY "data\xc4\x08qrstuvwx"

static void messages_are_not_believed(void **state)
{
    (void)state;
    REFUSE("\x84\xc4\x02nd\xc3", "five entries");
    REFUSE("\xdf\xff\xff\xff\xff", "five entries");
    REFUSE("\x85\xa2nd\xc3", "\"nd\"");
    REFUSE("\x85\xc4\x02nd\xc2", "\"nd\"");
    REFUSE(ND "\xc4\x04type\xa3>f4", "\"type\"");
    REFUSE(ND "\xc4\x04type\xa3<u4", "\"type\"");
    REFUSE(ND "\xc4\x04type\xa3<f", "\"type\"");
    REFUSE(ND TYPE "\xc4\x04kind\xc4\x01V", "\"kind\"");
    REFUSE(ND TYPE KIND SHAPE "\x90", "\"shape\"");
    REFUSE(ND TYPE KIND SHAPE "\x93\x01\x01\x02", "\"shape\"");
    REFUSE(ND TYPE KIND SHAPE "\x91\xff", "\"shape\"");
    REFUSE(ND TYPE KIND SHAPE "\xdd\xff\xff\xff\xff", "\"shape\"");
    REFUSE(ND TYPE KIND SHAPE "\x91\x02" KEY "data\xc4\x09qrstuvwx", "\"data\"");
    REFUSE(ND TYPE KIND SHAPE "\x91\x02" KEY "data\xc6\xff\xff\xff\xffqrstuvwx", "\"data\"");
    REFUSE(ND TYPE KIND SHAPE "\x91\x02" DATA "x", "1 bytes are left over");
    REFUSE(ND TYPE KIND SHAPE "\x91\x03" DATA, "shape 3 x 1");
    REFUSE(ND TYPE KIND SHAPE "\x92\x02\x00" DATA, "shape 2 x 0");
    REFUSE(ND TYPE KIND SHAPE "\x92\x02\x00" KEY "data\xc4\x00", "shape 2 x 0");
    /* 2^63 rows of 2 columns of 4 bytes: the product wraps around to 0, and with one more row to 8 */
    REFUSE(ND TYPE KIND SHAPE "\x92\xcf\x80\x00\x00\x00\x00\x00\x00\x00\x02" KEY "data\xc4\x00", "shape");
    REFUSE(ND TYPE KIND SHAPE "\x92\xcf\x80\x00\x00\x00\x00\x00\x00\x01\x02" DATA, "shape");
}

static void another_type_is_refused(void **state)
{
    (void)state;
    struct tv_array got;
    struct tv_error err = {0};
    assert_int_equal(tv_blob_decode_as(&got, TV_F2, 1, floats_1d, sizeof floats_1d, MAX_BYTES, &err),
                     TV_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "<f4 in 1 dimensions where <f2 in 1"));
    assert_null(got.memory);
    assert_int_equal(tv_blob_decode_as(&got, TV_F4, 2, floats_1d, sizeof floats_1d, MAX_BYTES, &err),
                     TV_ERR_CORRUPT);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(50);
    struct tv_error err = {0};
    struct tv_array a = tv_array_1d(TV_F4, floats, 3);
    assert_int_equal(tv_blob_encode(&out, &a, &err), TV_ERR_NO_MEMORY);
    assert_int_equal(out.size, 0);
    a.n_bytes = (size_t)LZ4_MAX_INPUT_SIZE;
    assert_int_equal(tv_blob_encode(&out, &a, &err), TV_ERR_USAGE);
    a.n_dims = 3;
    assert_int_equal(tv_blob_encode(&out, &a, &err), TV_ERR_USAGE);
    tv_buffer_free(&out);
    tv_array_free(NULL);
}

static void libraries_are_named(void **state)
{
    (void)state;
    char text[64];
    tv_codec_libraries(text, sizeof text);
    assert_non_null(strstr(text, "msgpack-c "));
    assert_non_null(strstr(text, ", lz4 " LZ4_VERSION_STRING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_python_writes), cmocka_unit_test(reads_what_python_writes),
        cmocka_unit_test(appends_and_comes_back),    cmocka_unit_test(sizes_are_not_believed),
        cmocka_unit_test(messages_are_not_believed), cmocka_unit_test(another_type_is_refused),
        cmocka_unit_test(too_much_is_refused),       cmocka_unit_test(libraries_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
