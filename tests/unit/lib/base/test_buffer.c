/* test_buffer: a buffer never holds more than its maximum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "trivet/base/buffer.h"

static void buffer_keeps_its_maximum(void **state)
{
    (void)state;
    struct tv_buffer b = TV_BUFFER_INIT(10);
    struct tv_error err = {0};
    assert_int_equal(tv_buffer_text(&b, "12345678", &err), TV_OK);
    assert_int_equal(tv_buffer_text(&b, "9ab", &err), TV_ERR_NO_MEMORY);
    assert_string_equal(tv_buffer_string(&b), "12345678");
    assert_int_equal(tv_buffer_format(&b, &err, "%d", 90), TV_OK);
    assert_string_equal(tv_buffer_string(&b), "1234567890");
    tv_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(buffer_keeps_its_maximum)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
