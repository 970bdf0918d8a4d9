/* test_redis_address: redis:// addresses, which hiredis leaves to us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/store/redis.h"

static void parts_are_found(void **state)
{
    (void)state;
    struct tv_redis_address a;
    assert_int_equal(tv_redis_parse(&a, "redis://cache", NULL), TV_OK);
    assert_string_equal(a.host, "cache");
    assert_int_equal(a.port, 6379);
    assert_int_equal(a.db, 0);
    assert_int_equal(tv_redis_parse(&a, "redis://ann:p%40ss%2Fword@127.0.0.1:6380/3", NULL), TV_OK);
    assert_string_equal(a.user, "ann");
    assert_string_equal(a.password, "p@ss/word");
    assert_int_equal(a.port, 6380);
    assert_int_equal(a.db, 3);
    assert_int_equal(tv_redis_parse(&a, "redis://:a?b#c:d@h/", NULL), TV_OK);
    assert_string_equal(a.password, "a?b#c:d");
    assert_string_equal(a.host, "h");
    assert_int_equal(tv_redis_parse(&a, "redis://:only@h/", NULL), TV_OK);
    assert_string_equal(a.user, "");
    assert_string_equal(a.password, "only");
    assert_int_equal(tv_redis_parse(&a, "redis://[::1]:6381/0", NULL), TV_OK);
    assert_string_equal(a.host, "::1");
    assert_int_equal(a.port, 6381);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    struct tv_redis_address a;
    struct tv_error err = {0};
    const char *const bad[] = {"127.0.0.1:6379", "http://h", "redis://", "redis://:6379", "redis://h:0", "redis://h:70000",
                               "redis://h:six", "redis://h/one", "redis://u:%4@h", "redis://u:%zz@h", "redis://[::1]x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (tv_redis_parse(&a, bad[i], &err) != TV_ERR_USAGE)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(err.hint, "redis://127.0.0.1:6379/0"));
    }
    assert_int_equal(tv_redis_parse(&a, "rediss://h", &err), TV_ERR_USAGE);
    assert_non_null(strstr(err.message, "TLS"));
    const char *const secret[] = {"redis://:s3cret@h:x", "redis://:x/s3cret@h/0", "redis://u:x@s3cret@h", "s3cret",
                                  "redis://u:s3cret%zz@h"};
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++) {
        assert_int_equal(tv_redis_parse(&a, secret[i], &err), TV_ERR_USAGE);
        assert_null(strstr(err.message, "s3cret"));
        assert_non_null(strstr(err.message, "TRIVET_REDIS"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_found), cmocka_unit_test(mistakes_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
