/* test_named: tv_named counts things that something could not be done for, and names the first few of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/named.h"

static void the_first_five_are_named(void **state)
{
    (void)state;
    struct tv_named n = {0};
    tv_named_add_int(&n, 17, "a reason");
    assert_string_equal(n.names, "17");
    tv_named_add(&n, "u-23", "another reason");
    tv_named_add_int(&n, INT64_MIN, NULL);
    assert_string_equal(n.names, "17, u-23, -9223372036854775808");
    tv_named_add_int(&n, 4, NULL);
    tv_named_add_int(&n, 5, NULL);
    assert_string_equal(n.names, "17, u-23, -9223372036854775808, 4, 5");
    for (int i = 6; i <= 1000; i++)
        tv_named_add_int(&n, i, NULL);
    assert_string_equal(n.names, "17, u-23, -9223372036854775808, 4, 5, ...");
    assert_int_equal(n.n, 1000);
    assert_string_equal(n.why, "a reason");
}

static void the_first_reason_stays_even_where_it_is_none(void **state)
{
    (void)state;
    struct tv_named n = {0};
    tv_named_add(&n, "a", NULL);
    tv_named_add(&n, "b", "late");
    assert_string_equal(n.why, "");
    assert_int_equal(n.n, 2);
}

/* A name that does not fit is left out whole, and that there are more is told. */
static void long_names_end_the_list(void **state)
{
    (void)state;
    char name[256], why[1000], expected[64];
    struct tv_named n = {0};
    memset(name, 'x', sizeof name - 1);
    memset(why, 'y', sizeof why - 1);
    name[sizeof name - 1] = why[sizeof why - 1] = '\0';
    tv_named_add(&n, "short", why);
    tv_named_add(&n, name, NULL);
    tv_named_add(&n, name, NULL);
    snprintf(expected, sizeof expected, "short, ...");
    assert_string_equal(n.names, expected);
    assert_int_equal(n.n, 3);
    assert_int_equal(strlen(n.why), sizeof n.why - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_five_are_named),
        cmocka_unit_test(the_first_reason_stays_even_where_it_is_none),
        cmocka_unit_test(long_names_end_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
