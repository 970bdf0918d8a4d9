/* test_name: names are trimmed, and what nobody sees is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/base/name.h"

static void blanks_at_the_ends_are_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *given, *name;
    } names[] = {{"films", "films"}, {" films\t", "films"}, {"\r\n my  films ", "my  films"}, {"\xc3\xbc", "\xc3\xbc"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char out[16] = "";
        assert_int_equal(tv_name_read(out, sizeof out, names[i].given, NULL), TV_OK);
        assert_string_equal(out, names[i].name);
    }
}

static void what_is_no_name_changes_nothing(void **state)
{
    (void)state;
    static const char *const refused[] = {"", " \n", "a\nb", "a\tb", "a\x7f", "\xff", "much too long"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char out[8] = "before";
        struct tv_error err = {0};
        assert_int_equal(tv_name_read(out, sizeof out, refused[i], &err), TV_ERR_USAGE);
        assert_true(strncmp(err.message, "the name ", 9) == 0);
        assert_string_equal(out, "before");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_at_the_ends_are_left_out),
        cmocka_unit_test(what_is_no_name_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
