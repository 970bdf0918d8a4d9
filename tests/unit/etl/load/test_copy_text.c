/* test_copy_text: values as COPY reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "etl/load/copy_text.h"
#include "trivet/read/number.h"

static void copy_text_is_escaped(void **state)
{
    (void)state;
    struct tv_buffer out = TV_BUFFER_INIT(4096);
    static const char *const genres[] = {"Sci-Fi", "say \"x\"", "back\\slash"};
    assert_int_equal(tv_copy_text_text(&out, "a\tb\\c\nd\re", NULL), TV_OK);
    assert_int_equal(tv_copy_text_text(&out, NULL, NULL), TV_OK);
    assert_int_equal(tv_copy_text_int(&out, -5, 0, NULL), TV_OK);
    assert_int_equal(tv_copy_text_int(&out, 0, 1, NULL), TV_OK);
    assert_int_equal(tv_copy_text_array(&out, genres, 3, 0, NULL), TV_OK);
    assert_int_equal(tv_copy_text_time(&out, INT64_C(1500000), NULL), TV_OK);
    assert_int_equal(tv_copy_text_time(&out, INT64_C(-500000), NULL), TV_OK);
    assert_int_equal(tv_copy_text_time(&out, TV_NUMBER_NO_TIME, NULL), TV_OK);
    assert_int_equal(tv_copy_text_end(&out, NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&out),
                        "a\\tb\\\\c\\nd\\re\t\\N\t-5\t\\N\t"
                        "{\"Sci-Fi\",\"say \\\\\"x\\\\\"\",\"back\\\\\\\\slash\"}\t"
                        "1970-01-01 00:00:01.500000+00\t1969-12-31 23:59:59.500000+00\t\\N\n");
    tv_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(copy_text_is_escaped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
