/* test_store_addresses: no error of a store tells any word of the password in its address, whatever characters the
 * password has and wherever the address holds it.
 *
 * Each secret is two words that occur nowhere else, with something awkward between them, so that half of it in an error
 * is found, too. No store listens at the addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "trivet/base/log.h"
#include "trivet/store/mongo.h"
#include "trivet/store/pg.h"
#include "trivet/store/redis.h"

#define FIRST  "Quxzyj"
#define SECOND "Wvkjqz"

static const char *const between[] = {"",  "@", "/",  ":", "?",   "#",  "%",  "%zz", "[",  "]",
                                      " ", "'", "\\", "=", "@x/", "&", ",", "//",  "@:", "?x=@"};

static const char *const postgres[] = {"postgresql://ann:%s@127.0.0.9:1/books",
                                       "postgresql://:%s@127.0.0.9:1/books",
                                       "postgres://ann:%s@127.0.0.9:1,127.0.0.9:2/books",
                                       "postgresql://ann:%s",
                                       "postgresql://ann:%s/books",
                                       "postgresql://ann@127.0.0.9:1/books?password=%s",
                                       "postgresql://ann@127.0.0.9:1/books?sslpassword=%s&application_name=x",
                                       "postgresql://ann@127.0.0.9:1/books?connect_timeout=2&passwordx=%s",
                                       "postgresql//ann:%s@127.0.0.9:1/books",
                                       "host=127.0.0.9 port=1 user=ann password=%s",
                                       "host=127.0.0.9 port=1 user=ann password = %s",
                                       "host=127.0.0.9 port=1 user=ann PASSWORD='%s'",
                                       "host=127.0.0.9 port=1 user=ann sslpassword = '%s'",
                                       "password %s host=127.0.0.9"};
static const char *const mongo[] = {"mongodb://ann:%s@127.0.0.9:1/books",
                                    "mongodb://ann:%s@127.0.0.9:1,127.0.0.9:2/?replicaSet=x",
                                    "mongodb://:%s@127.0.0.9:1/books",
                                    "mongodb://ann:%s",
                                    "mongodb://ann:%s/books",
                                    "mongodb//ann:%s@127.0.0.9:1",
                                    "mongodb://127.0.0.9:1/?tls=true&tlsCertificateKeyFilePassword=%s",
                                    ("mongodb://a:b@127.0.0.9:1/?authMechanism=MONGODB-AWS&"
                                     "authMechanismProperties=AWS_SESSION_TOKEN:%s"),
                                    "mongodb://127.0.0.9:1/?tlsInsecure=%s"};
static const char *const redis[] = {"redis://ann:%s@127.0.0.9:1/0", "redis://:%s@127.0.0.9:1/0", "redis://ann:%s",
                                    "redis://:%s@127.0.0.9:1/x",    "redis://:%s@127.0.0.9:x",   "redis://:%s@127.0.0.9:1?x",
                                    "rediss://:%s@127.0.0.9:1/0",   "redis//:%s@127.0.0.9:1/0"};

static enum tv_status open_postgres(const char *uri, struct tv_error *err)
{
    struct tv_pg *pg = NULL;
    enum tv_status status = tv_pg_open(&pg, uri, "test", 0, err), checked = tv_pg_check_address(uri, NULL);
    assert_int_equal(checked == TV_ERR_USAGE, status == TV_ERR_USAGE);
    return status;
}

static enum tv_status open_mongo(const char *uri, struct tv_error *err)
{
    const struct tv_mongo_options options = {.name = "test", .server_selection_ms = 1, .socket_ms = 1};
    struct tv_mongo *m = NULL;
    return tv_mongo_open(&m, uri, &options, err);
}

static enum tv_status open_redis(const char *uri, struct tv_error *err)
{
    struct tv_redis *r = NULL;
    return tv_redis_open(&r, uri, 100, 0, err);
}

static void encode(char *out, const char *text)
{
    for (; *text; text++)
        out += sprintf(out, isalnum((unsigned char)*text) ? "%c" : "%%%02X", (unsigned char)*text);
    *out = '\0';
}

static void holds_no_word(const char *text, const char *uri)
{
    if (strcasestr(text, FIRST) || strcasestr(text, SECOND))
        fail_msg("%s: %s", uri, text);
}

/* How many were tried, and found fit to connect to. */
static int try_all(const char *const *formats, size_t n, enum tv_status (*open)(const char *, struct tv_error *),
                   const char *setting)
{
    char secret[64], encoded[128], uri[512];
    int connected = 0;
    for (size_t b = 0; b < sizeof between / sizeof *between; b++)
        for (size_t f = 0; f < 2 * n; f++) {
            struct tv_error err = {0};
            snprintf(secret, sizeof secret, FIRST "%s" SECOND, between[b]);
            encode(encoded, secret);
            /* Without a host, what follows the only '@' is one, and nothing tells that it was meant otherwise. */
            if (strstr(formats[f / 2], "127.0.0.9") == NULL && strchr(between[b], '@') && f % 2 == 0)
                continue;
            snprintf(uri, sizeof uri, formats[f / 2], f % 2 ? encoded : secret);
            enum tv_status status = open(uri, &err);
            holds_no_word(err.message, uri);
            holds_no_word(err.hint, uri);
            holds_no_word(err.where, uri);
            if (status == TV_ERR_UNAVAILABLE) {
                assert_null(strstr(err.message, "127.0.0.9"));
                assert_non_null(strstr(err.where, "127.0.0.9:1"));
                connected++;
            } else if (status != TV_ERR_USAGE || (!strstr(err.message, setting) && !strstr(err.message, "TLS"))) {
                fail_msg("%s: %d %s (%s)", uri, status, err.message, err.where);
            }
            assert_true(f > 1 || f % 2 == 0 || status == TV_ERR_UNAVAILABLE); /* the plainest, encoded: it is taken */
        }
    return connected;
}
#define TRY_ALL(formats, open, setting) try_all(formats, sizeof(formats) / sizeof *(formats), open, setting)

static void of_postgres(void **state)
{
    (void)state;
    assert_true(TRY_ALL(postgres, open_postgres, "TRIVET_POSTGRES") > 100);
}

static void of_mongo(void **state)
{
    (void)state;
    assert_true(TRY_ALL(mongo, open_mongo, "TRIVET_MONGO") > 60);
}

static void of_redis(void **state)
{
    (void)state;
    assert_true(TRY_ALL(redis, open_redis, "TRIVET_REDIS") > 40);
}

static void what_is_told_is_host_database_and_user(void **state)
{
    (void)state;
    struct tv_error err = {0};
    assert_int_equal(open_postgres("postgresql://ann:x@127.0.0.9:1/books", &err), TV_ERR_UNAVAILABLE);
    assert_int_equal(strncmp(err.where, "127.0.0.9:1, database books, user ann: ", 39), 0);
    assert_int_equal(err.origin, TV_FROM_POSTGRES);
    assert_int_equal(open_postgres("user=ann  host = 127.0.0.9 port=1 dbname='my books' password='x y'", &err),
                     TV_ERR_UNAVAILABLE);
    assert_int_equal(strncmp(err.where, "127.0.0.9:1, database my books, user ann: ", 42), 0);
    assert_int_equal(open_mongo("mongodb://ann:x@127.0.0.9:1,127.0.0.9:2/books?replicaSet=r", &err),
                     TV_ERR_UNAVAILABLE);
    assert_int_equal(strncmp(err.where, "127.0.0.9:1,127.0.0.9:2, database books, user ann: ", 51), 0);
    assert_int_equal(err.origin, TV_FROM_MONGO);
    assert_int_equal(open_redis("redis://ann:x@127.0.0.9:1/7", &err), TV_ERR_UNAVAILABLE);
    assert_int_equal(strncmp(err.where, "127.0.0.9:1, database 7: ", 25), 0);
    assert_int_equal(err.origin, TV_FROM_REDIS);
    assert_int_equal(tv_pg_check_address("books", NULL), TV_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_postgres), cmocka_unit_test(of_mongo), cmocka_unit_test(of_redis),
                                       cmocka_unit_test(what_is_told_is_host_database_and_user)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
