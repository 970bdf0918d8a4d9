/* test_npy: .npy files as numpy writes them, there and back, and everything that is none refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trivet/core/formats/npy.h"

/* numpy.save of numpy.zeros((2, 3), "<f2"), without the data. */
#define GOLDEN                                                                                                         \
    "\x93NUMPY\x01\x00\x76\x00{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }"                            \
    "                                                          \n"

static char path[] = "/tmp/trivet-npy-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void put_file(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* A file with this text as its header. */
static size_t with_header(char *out, const char *text)
{
    size_t n = strlen(text);
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (char)(n & 0xff);
    out[9] = (char)(n >> 8);
    memcpy(out + 10, text, n);
    return n + 10;
}

static void test_the_header_is_numpys(void **state)
{
    (void)state;
    char header[TV_NPY_HEADER];
    const struct tv_npy_shape shape = {TV_F2, 2, 2, 3};
    tv_npy_header(header, &shape);
    assert_int_equal(sizeof GOLDEN - 1, TV_NPY_HEADER);
    assert_memory_equal(header, GOLDEN, TV_NPY_HEADER);
}

static void test_every_shape_comes_back(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 9, 1000003, SIZE_MAX / 32};
    for (int t = TV_F2; t <= TV_I8; t++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int dims = 1; dims <= 2; dims++) {
                char header[TV_NPY_HEADER];
                const struct tv_npy_shape shape = {(enum tv_dtype)t, dims, sizes[s], 1};
                struct tv_npy_shape back;
                size_t at = 0;
                tv_npy_header(header, &shape);
                assert_int_equal(tv_npy_parse(&back, &at, header, sizeof header, NULL), TV_OK);
                assert_int_equal(at, TV_NPY_HEADER);
                assert_memory_equal(&back, &shape, sizeof shape);
            }
}

static void test_headers_that_numpy_also_reads(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f2'}\n",
        "{\"descr\":\"<f2\",\"fortran_order\":False,\"shape\":(2,3,)}\n",
        "{ 'descr' : '<f2' , 'fortran_order' : False , 'shape' : ( 2 , 3 ) , }   \n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char bytes[256];
        struct tv_npy_shape shape;
        size_t at = 0, n = with_header(bytes, same[i]);
        assert_int_equal(tv_npy_parse(&shape, &at, bytes, n, NULL), TV_OK);
        assert_int_equal(at, n);
        assert_true(shape.dtype == TV_F2 && shape.n_dims == 2 && shape.rows == 2 && shape.columns == 3);
    }
}

static void test_hostile_headers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } wrong[] = {
        {"", "cut short"},
        {"\n", "no dict"},
        {"[]\n", "no dict"},
        {"{}\n", "incomplete"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", "end with a line"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), } x\n", "end with a line"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3)", "does not end"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), \n", "no dict"},
        {"{'descr': '<f2', 'fortran_order': False, }\n", "incomplete"},
        {"{'descr': '<f2', 'descr': '<f2', 'fortran_order': False, 'shape': (2,)}\n", "twice"},
        {"{'descr': '<f2' 'fortran_order': False, 'shape': (2,)}\n", "does not end"},
        {"{'descr': '<f2', 'fortran_order': True, 'shape': (2, 3), }\n", "fortran_order"},
        {"{'descr': '>f2', 'fortran_order': False, 'shape': (2, 3), }\n", "type"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }\n", "type"},
        {"{'descr': [('x', '<f2')], 'fortran_order': False, 'shape': (2, 3), }\n", "type"},
        {"{'descr': '<f2", "type"},
        {"{'de\\x73cr': '<f2', 'fortran_order': False, 'shape': (2, 3), }\n", "no dict"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (), }\n", "shape"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2), }\n", "shape"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3, 4), }\n", "shape"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (-2, 3), }\n", "shape"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (18446744073709551616, 3), }\n", "shape"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (9223372036854775808, 4), }\n", "beyond any file"},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (2305843009213693952,), }\n", "beyond any file"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2,), 'surprise': 1}\n", "surprise"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char bytes[256];
        struct tv_npy_shape shape;
        struct tv_error err = {0};
        size_t at = 0, n = with_header(bytes, wrong[i].text);
        if (tv_npy_parse(&shape, &at, bytes, n, &err) != TV_ERR_INPUT || !strstr(err.message, wrong[i].word))
            fail_msg("%s gave \"%s\"", wrong[i].text, err.message);
    }
}

/* Copies of exactly n bytes, so that a sanitizer sees a step beyond. */
static enum tv_status parse_copy(const char *bytes, size_t n)
{
    struct tv_npy_shape shape;
    struct tv_error err = {0};
    size_t at = 0;
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    enum tv_status status = tv_npy_parse(&shape, &at, copy, n, &err);
    assert_true(status == TV_OK ? at <= n : status == TV_ERR_INPUT && err.message[0]);
    free(copy);
    return status;
}

static void test_cut_and_changed_headers(void **state)
{
    (void)state;
    char bytes[TV_NPY_HEADER];
    for (size_t n = 0; n < TV_NPY_HEADER; n++)
        assert_int_equal(parse_copy(GOLDEN, n), TV_ERR_INPUT);
    for (size_t i = 0; i < TV_NPY_HEADER; i++)
        for (int value = 0; value < 256; value++) {
            memcpy(bytes, GOLDEN, sizeof bytes);
            bytes[i] = (char)value;
            tv_ignore(parse_copy(bytes, sizeof bytes), "whatever it says, it reads nothing beyond");
        }
}

static void test_a_file_written_in_pieces_comes_back_in_others(void **state)
{
    (void)state;
    struct tv_npy_writer *w = NULL;
    struct tv_npy_reader *r = NULL;
    int32_t rows[100][3], back[100][3] = {{0}};
    for (int i = 0; i < 300; i++)
        rows[i / 3][i % 3] = i - 150;
    assert_int_equal(tv_npy_create(&w, path, TV_I4, 3, NULL), TV_OK);
    for (size_t first = 0; first < 100; first += 25)
        assert_int_equal(tv_npy_write(w, rows[first], 25, NULL), TV_OK);
    assert_int_equal(tv_npy_finish(w, NULL), TV_OK);
    assert_int_equal(tv_npy_open(&r, path, TV_I4, 2, NULL), TV_OK);
    assert_int_equal(tv_npy_shape_of(r)->rows, 100);
    assert_int_equal(tv_npy_shape_of(r)->columns, 3);
    assert_int_equal(tv_npy_read(r, back, 0, NULL), TV_OK);
    assert_int_equal(tv_npy_read(r, back, 60, NULL), TV_OK);
    assert_int_equal(tv_npy_read(r, back[60], 40, NULL), TV_OK);
    assert_memory_equal(back, rows, sizeof rows);
    assert_int_equal(tv_npy_read(r, back, 1, NULL), TV_ERR_INPUT);
    tv_npy_close(r);
}

static void test_an_empty_file_of_one_dimension(void **state)
{
    (void)state;
    struct tv_npy_writer *w = NULL;
    struct tv_npy_reader *r = NULL;
    assert_int_equal(tv_npy_create(&w, path, TV_I8, 0, NULL), TV_OK);
    assert_int_equal(tv_npy_finish(w, NULL), TV_OK);
    assert_int_equal(tv_npy_open(&r, path, TV_I8, 1, NULL), TV_OK);
    assert_int_equal(tv_npy_shape_of(r)->rows, 0);
    tv_npy_close(r);
}

static void test_a_file_that_was_not_finished_is_none(void **state)
{
    (void)state;
    struct tv_npy_writer *w = NULL;
    struct tv_npy_reader *r = NULL;
    assert_int_equal(tv_npy_create(&w, path, TV_F2, 0, NULL), TV_OK);
    assert_int_equal(tv_npy_write(w, GOLDEN, 20, NULL), TV_OK);
    tv_npy_abandon(w);
    assert_int_equal(tv_npy_open(&r, path, TV_F2, 1, NULL), TV_ERR_INPUT);
}

static void test_files_that_are_refused(void **state)
{
    (void)state;
    struct tv_npy_reader *r = NULL;
    struct tv_error err = {0};
    char bytes[TV_NPY_HEADER + 13] = {0};
    memcpy(bytes, GOLDEN, TV_NPY_HEADER);
    put_file(bytes, TV_NPY_HEADER + 12);
    assert_int_equal(tv_npy_open(&r, path, TV_F2, 2, &err), TV_OK);
    tv_npy_close(r);
    assert_int_equal(tv_npy_open(&r, path, TV_F4, 2, &err), TV_ERR_INPUT);
    assert_non_null(strstr(err.message, "<f2 in 2 dimensions where <f4"));
    assert_int_equal(tv_npy_open(&r, path, TV_F2, 1, &err), TV_ERR_INPUT);
    for (size_t n = TV_NPY_HEADER; n <= TV_NPY_HEADER + 13; n += 13) { /* too few bytes, and one too many */
        put_file(bytes, n);
        assert_int_equal(tv_npy_open(&r, path, TV_F2, 2, &err), TV_ERR_INPUT);
        assert_non_null(strstr(err.message, path));
        assert_non_null(strstr(err.message, "its shape needs 140"));
    }
    assert_int_equal(tv_npy_open(&r, "/tmp/no/such.npy", TV_F2, 2, &err), TV_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/tmp/no/such.npy"));
}

static void test_where_nothing_can_be_written(void **state)
{
    (void)state;
    struct tv_npy_writer *w = NULL;
    struct tv_error err = {0};
    assert_int_equal(tv_npy_create(&w, "/tmp/no/such.npy", TV_F2, 0, &err), TV_ERR_IO);
    assert_int_equal(tv_npy_create(&w, "/dev/full", TV_F2, 0, &err), TV_OK); /* the failure comes with the flush */
    assert_int_equal(tv_npy_finish(w, &err), TV_ERR_IO);
    assert_non_null(strstr(err.message, "/dev/full"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_header_is_numpys),
        cmocka_unit_test(test_every_shape_comes_back),
        cmocka_unit_test(test_headers_that_numpy_also_reads),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_cut_and_changed_headers),
        cmocka_unit_test(test_a_file_written_in_pieces_comes_back_in_others),
        cmocka_unit_test(test_an_empty_file_of_one_dimension),
        cmocka_unit_test(test_a_file_that_was_not_finished_is_none),
        cmocka_unit_test(test_files_that_are_refused),
        cmocka_unit_test(test_where_nothing_can_be_written),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
