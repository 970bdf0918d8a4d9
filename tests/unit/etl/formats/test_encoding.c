/* test_encoding: Latin-1 becomes UTF-8, and any bytes can be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "etl/formats/encoding.h"

static void latin1_becomes_utf8(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(1000);
    assert_int_equal(tv_encoding_from_latin1(&out, "caf\xe9 \xff", 6, NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&out), "caf\u00e9 \u00ff");
    tv_buffer_clear(&out);
    assert_int_equal(tv_encoding_from_latin1(&out, "\x93It\x92s\x94 \x96 \x80 \x8a\x9f \x81", 15, NULL), TV_OK); /* Windows-1252 */
    assert_string_equal(tv_buffer_string(&out), "\u201cIt\u2019s\u201d \u2013 \u20ac \u0160\u0178 \xc2\x81");
    tv_buffer_free(&out);
}

static void any_bytes_can_be_shown(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(1000);
    assert_int_equal(tv_encoding_printable(&out, "a\xff\0\tb\n\u00e9", 8, 100, NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&out), "a\\xff\\x00\tb\\x0a\u00e9");
    tv_buffer_clear(&out);
    assert_int_equal(tv_encoding_printable(&out, "ab\u00e9", 4, 3, NULL), TV_OK); /* not half a character */
    assert_string_equal(tv_buffer_string(&out), "ab");
    tv_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latin1_becomes_utf8),
        cmocka_unit_test(any_bytes_can_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
