/* test_status: an error keeps its status with and without words, and its texts are cut between characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/base/status.h"
#include "trivet/base/text.h"

static void an_error_without_words_keeps_its_status(void **state)
{
    (void)state;
    struct tv_error err = {0};
    for (int i = TV_ERR_USAGE; i <= TV_ERR_INTERRUPTED; i++) {
        assert_int_equal(tv_fail(NULL, (enum tv_status)i, "%d of %d", 1, 2), i);
        assert_int_equal(tv_hint(NULL, "try %d", 3), i);
        assert_int_equal(tv_context(NULL, "row %d", 4), i);
        tv_fail(&err, (enum tv_status)i, "%d of %d", 1, 2);
        assert_int_equal(tv_context(&err, "row %d", 4), i);
        assert_int_equal(tv_hint(&err, "try %d", 3), i);
    }
    assert_string_equal(err.message, "row 4: 1 of 2");
    assert_string_equal(err.hint, "try 3");
}

/* Text of `size` bytes at the most: some x, then one letter over and over. */
static void fill(char *text, size_t size, size_t n, const char *letter)
{
    memset(text, 'x', n);
    for (size_t step = strlen(letter); n + step < size; n += step)
        memcpy(text + n, letter, step);
    text[n] = '\0';
}

/* Every message and hint that is too long ends at the end of a character, whatever byte the end falls on. */
static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    static const char *const letters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xac"};
    char text[4096];
    struct tv_error err;
    for (size_t l = 0; l < sizeof letters / sizeof *letters; l++)
        for (size_t shift = 0; shift < 4; shift++) {
            fill(text, sizeof text, shift, letters[l]);
            tv_fail(&err, TV_ERR_INPUT, "%s", text);
            tv_hint(&err, "%s", text);
            tv_where(&err, "%s", text);
            const char *const cut[] = {err.message, err.hint, err.where};
            const size_t sizes[] = {sizeof err.message, sizeof err.hint, sizeof err.where};
            for (size_t i = 0; i < 3; i++) {
                assert_true(tv_text_is_utf8(cut[i], strlen(cut[i])));
                assert_true(strlen(cut[i]) + strlen(letters[l]) >= sizes[i] - 1);
            }
            tv_context(&err, "a context");
            assert_true(tv_text_is_utf8(err.message, strlen(err.message)));
        }
}

/* The store and the parameter that an error is about stay with it under every context, and do not pass to the next
 * error in the same place. */
static void an_error_knows_its_store_and_its_parameter(void **state)
{
    (void)state;
    struct tv_error err;
    char name[sizeof err.parameter + 8];
    tv_fail(&err, TV_ERR_UNAVAILABLE, "it does not answer");
    assert_int_equal(err.origin, TV_FROM_NO_STORE);
    assert_string_equal(err.parameter, "");
    assert_int_equal(tv_from(&err, TV_FROM_MONGO), TV_ERR_UNAVAILABLE);
    assert_int_equal(tv_about(&err, "genres"), TV_ERR_UNAVAILABLE);
    tv_context(&err, "row 4");
    tv_hint(&err, "try 3");
    assert_int_equal(err.origin, TV_FROM_MONGO);
    assert_string_equal(err.parameter, "genres");
    tv_about(&err, NULL);
    assert_string_equal(err.parameter, "");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    tv_about(&err, name);
    assert_int_equal(strlen(err.parameter), sizeof err.parameter - 1);
    tv_fail(&err, TV_ERR_INPUT, "another");
    assert_int_equal(err.origin, TV_FROM_NO_STORE);
    assert_string_equal(err.parameter, "");
    assert_int_equal(tv_from(NULL, TV_FROM_REDIS), TV_ERR_INPUT);
    assert_int_equal(tv_about(NULL, "genres"), TV_ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_without_words_keeps_its_status),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(an_error_knows_its_store_and_its_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
