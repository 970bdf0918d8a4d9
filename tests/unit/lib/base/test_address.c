/* test_address: how much of an address may be shown, and secrets that are masked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/address.h"

static void addresses_in_doubt_are_told(void **state)
{
    (void)state;
    static const char *const clear[] = {"redis://h/0", "mongodb://u:p%40ss%2Fword@h/db", "postgresql://ann:s3:cr?t#@db/x",
                                        "postgresql:///?host=/nowhere", "redis://:pass@[::1]:1"};
    static const char *const doubtful[] = {"postgresql://u:p@ss@h/x", "redis://:s3cr/et@h/0", "mongodb://u:p@ss/word@h",
                                           "postgresql://h/x?password=p@ss", "h:1", ""};
    for (size_t i = 0; i < sizeof clear / sizeof *clear; i++)
        assert_true(tv_address_is_clear(clear[i]));
    for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++)
        assert_false(tv_address_is_clear(doubtful[i]));
}

static void masked(const char *text, const char *secret, const char *expected)
{
    char out[64];
    snprintf(out, sizeof out, "%s", text);
    tv_address_mask(out, secret);
    assert_string_equal(out, expected);
}

static void secrets_are_masked(void **state)
{
    (void)state;
    masked("a secret, secret", "secret", "a ***, ***");
    masked("aaaa", "a", "****");
    masked("xabab", "ab", "x****");
    masked("plain", "", "plain");
    masked("plain", NULL, "plain");
    masked("", "secret", "");
    assert_int_equal(tv_address_shown("--postgre=postgresql://u:p@h"), strlen("--postgre"));
    assert_int_equal(tv_address_shown("postgresql://u:p=@h"), strlen("postgresql"));
    assert_int_equal(tv_address_shown("--factor"), strlen("--factor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_in_doubt_are_told),
        cmocka_unit_test(secrets_are_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
