/* test_shared_options: the table of shared options agrees with itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "trivet/cli/options.h"

/* --lock-wait is TRIVET_LOCK_WAIT. */
static void environment_name(char *out, size_t size, const char *flag)
{
    int n = snprintf(out, size, "TRIVET_%s", flag);
    assert_true(n > 7 && (size_t)n < size);
    for (char *p = out; *p; p++)
        *p = (char)(*p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 32 : *p);
}

static void every_option_has_a_name_a_variable_and_help(void **state)
{
    (void)state;
    int n = 0;
    for (const struct tv_option *row = tv_shared_options; row->name; row++, n++) {
        char name[64];
        environment_name(name, sizeof name, row->name);
        assert_string_equal(row->env, name);
        assert_true(row->help && row->help[0] && row->value && row->value[0]);
        assert_true(row->programs != 0 && (row->programs & ~(unsigned)TV_PROGRAM_ALL) == 0);
        for (const struct tv_option *other = tv_shared_options; other < row; other++)
            assert_string_not_equal(other->name, row->name);
    }
    assert_true(n > 10);
}

static void every_default_passes_its_own_check(void **state)
{
    (void)state;
    struct tv_error err = {0};
    for (const struct tv_option *row = tv_shared_options; row->name; row++)
        if (row->default_text && tv_option_check(row, row->default_text, &err) != TV_OK)
            fail_msg("--%s: %s", row->name, err.message);
}

static void bounds_and_choices_are_kept(void **state)
{
    (void)state;
    char beyond[32];
    for (const struct tv_option *row = tv_shared_options; row->name; row++) {
        if (row->kind == TV_OPTION_CHOICE)
            assert_int_equal(tv_option_check(row, "neither", NULL), TV_ERR_USAGE);
        if (row->kind != TV_OPTION_INT)
            continue;
        snprintf(beyond, sizeof beyond, "%.0f", row->max + 1);
        assert_int_equal(tv_option_check(row, beyond, NULL), TV_ERR_USAGE);
        snprintf(beyond, sizeof beyond, "%.0f", row->min - 1);
        assert_int_equal(tv_option_check(row, beyond, NULL), TV_ERR_USAGE);
        assert_int_equal(tv_option_check(row, "many", NULL), TV_ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_has_a_name_a_variable_and_help),
        cmocka_unit_test(every_default_passes_its_own_check),
        cmocka_unit_test(bounds_and_choices_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
