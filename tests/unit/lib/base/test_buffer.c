/* test_buffer: a buffer never holds more than its maximum, and what it escapes can be read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

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

typedef enum tv_status write_text(struct tv_buffer *b, const char *text, size_t n, struct tv_error *err);

static void assert_written(write_text *write, const char *text, const char *expected)
{
    struct tv_buffer b = TV_BUFFER_INIT(100);
    assert_int_equal(write(&b, text, strlen(text), NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&b), expected);
    tv_buffer_free(&b);
}

static void json_escapes_what_it_must_and_nothing_else(void **state)
{
    (void)state;
    assert_written(tv_buffer_json, "", "\"\"");
    assert_written(tv_buffer_json, "a/\x7f \xc3\xa9", "\"a/\x7f \xc3\xa9\"");
    assert_written(tv_buffer_json, "\"\\\n\x1f", "\"\\\"\\\\\\u000a\\u001f\"");
    assert_written(tv_buffer_json, "a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void an_element_of_an_array_has_its_quotes_and_backslashes_escaped(void **state)
{
    (void)state;
    assert_written(tv_buffer_quoted, "", "\"\"");
    assert_written(tv_buffer_quoted, "Children's, {Sci-Fi}\n", "\"Children's, {Sci-Fi}\n\"");
    assert_written(tv_buffer_quoted, "\"\\", "\"\\\"\\\\\"");
}

static void an_argument_is_one_word_for_a_shell(void **state)
{
    (void)state;
    struct tv_buffer b = TV_BUFFER_INIT(100);
    assert_int_equal(tv_buffer_shell(&b, "it's $HOME; \\ \"x\"", NULL), TV_OK);
    assert_string_equal(tv_buffer_string(&b), "'it'\\''s $HOME; \\ \"x\"'");
    tv_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_keeps_its_maximum),
        cmocka_unit_test(json_escapes_what_it_must_and_nothing_else),
        cmocka_unit_test(an_element_of_an_array_has_its_quotes_and_backslashes_escaped),
        cmocka_unit_test(an_argument_is_one_word_for_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
