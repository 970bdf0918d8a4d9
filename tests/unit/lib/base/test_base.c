/* test_base: settings, text, buffer and log helpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <stdlib.h>

#include "trivet/base/address.h"
#include "trivet/base/buffer.h"
#include "trivet/base/log.h"
#include "trivet/base/text.h"
#include "trivet/cli/options.h"

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

static void numbers_are_strict(void **state)
{
    (void)state;
    int64_t i = 7;
    double d = 7;
    assert_true(tv_text_int64("9223372036854775807", 19, &i) && i == INT64_MAX);
    assert_true(tv_text_int64("-9223372036854775808", 20, &i) && i == INT64_MIN);
    const char *const bad_ints[] = {"9223372036854775808", "", " 1", "1 ", "+1", "1.0", "0x10", "-", "1e3"};
    for (size_t k = 0; k < sizeof bad_ints / sizeof *bad_ints; k++)
        assert_false(tv_text_int64(bad_ints[k], strlen(bad_ints[k]), &i));
    assert_true(tv_text_double("4.5", 3, &d) && d == 4.5);
    const char *const bad_reals[] = {"nan", "inf", "-infinity", "1e999", "", "4,5", " 4", "0x1p3", "4.5x"};
    for (size_t k = 0; k < sizeof bad_reals / sizeof *bad_reals; k++)
        assert_false(tv_text_double(bad_reals[k], strlen(bad_reals[k]), &d));
}

static void utf8_is_checked(void **state)
{
    (void)state;
    const char *const good[] = {"", "plain", "Les Mis\xc3\xa9rables", "\xe2\x82\xac", "\xf0\x9f\x8e\xac", "\xf4\x8f\xbf\xbf"};
    const char *const bad[] = {"\xe9t\xe9", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"};
    for (size_t k = 0; k < sizeof good / sizeof *good; k++)
        assert_true(tv_text_is_utf8(good[k], strlen(good[k])));
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(tv_text_is_utf8(bad[k], strlen(bad[k])));
}

static void nearest_name_is_found(void **state)
{
    (void)state;
    const char *const names[] = {"min_users_for_item", "min_items_for_user", "max_row_number", NULL};
    assert_string_equal(tv_text_nearest("min_user_for_item", names), "min_users_for_item");
    assert_string_equal(tv_text_nearest("MAX_ROW_NUMBER", names), "max_row_number");
    assert_null(tv_text_nearest("genres", names));
}

static void numbers_read_well(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(tv_text_number(out, 0), "0");
    assert_string_equal(tv_text_number(out, -1234567), "-1,234,567");
    assert_string_equal(tv_text_number(out, 999), "999");
    assert_string_equal(tv_text_bytes(out, 12345678), "11.8 MB");
}

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

/* Every message, hint and copy that is too long ends at the end of a character, whatever byte the end falls on. */
static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    static const char *const letters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xac"};
    char text[4096], copy[64];
    struct tv_error err;
    for (size_t l = 0; l < sizeof letters / sizeof *letters; l++)
        for (size_t shift = 0; shift < 4; shift++) {
            size_t n = shift;
            memset(text, 'x', shift);
            for (size_t size = strlen(letters[l]); n + size < sizeof text; n += size)
                memcpy(text + n, letters[l], size);
            text[n] = '\0';
            tv_fail(&err, TV_ERR_INPUT, "%s", text);
            tv_hint(&err, "%s", text);
            tv_where(&err, "%s", text);
            tv_text_copy(copy, sizeof copy, text);
            const char *const cut[] = {err.message, err.hint, err.where, copy};
            const size_t sizes[] = {sizeof err.message, sizeof err.hint, sizeof err.where, sizeof copy};
            for (size_t i = 0; i < 4; i++) {
                assert_true(tv_text_is_utf8(cut[i], strlen(cut[i])));
                assert_true(strlen(cut[i]) + strlen(letters[l]) >= sizes[i] - 1);
            }
            tv_context(&err, "a context");
            assert_true(tv_text_is_utf8(err.message, strlen(err.message)));
        }
    assert_string_equal(tv_text_copy(copy, 3, "\xc3\xa9"), "\xc3\xa9");
    assert_string_equal(tv_text_copy(copy, 2, "\xc3\xa9"), "");
    assert_string_equal(tv_text_copy(copy, 1, "a"), "");
    assert_int_equal(tv_text_utf8_prefix("ab\xff", 3), 2);
    assert_int_equal(tv_text_utf8_prefix("\xe2\x82", 2), 0);
    assert_int_equal(tv_text_utf8_prefix("", 0), 0);
}

static enum tv_status nothing(const struct tv_settings *s, int n, char **a, struct tv_error *err)
{
    (void)s, (void)n, (void)a, (void)err;
    return TV_OK;
}

static const struct tv_option own_rows[] = {
    {.name = "factors", .kind = TV_OPTION_INT, .value = "K", .preset = "50", .min = 1, .max = 1000, .help = "h"},
    {.name = "set", .kind = TV_OPTION_LIST, .value = "K=V", .help = "h"},
    {.name = "dry-run", .kind = TV_OPTION_SWITCH, .help = "h"},
    {.name = NULL},
};
static const struct tv_command commands[] = {
    {.name = "fit", .arguments = "[FILE]", .summary = "s", .max_arguments = 1, .options = own_rows, .run = nothing},
    {.name = NULL},
};
static const struct tv_program program = {.name = "t", .summary = "s", .mask = TV_PROGRAM_TRAIN, .commands = commands};

static enum tv_status parse(struct tv_settings **s, const char *const *env, struct tv_error *err, int argc,
                            char **argv)
{
    int n;
    char **rest;
    return tv_settings_parse(s, &program, commands, argc, argv, env, &n, &rest, err);
}

static void flags_win_over_environment(void **state)
{
    (void)state;
    struct tv_settings *s = NULL;
    struct tv_error err = {0};
    const char *const env[] = {"TRIVET_LOG=debug", "TRIVET_REDIS=redis://r", "TRIVET_MONGO=", NULL};
    char *argv[] = {"t", "--redis", "redis://flag", "--set", "a=1", "--set=b=2", "--dry-run", "x.csv", NULL};
    assert_int_equal(parse(&s, env, &err, 8, argv), TV_OK);
    const char *const *list;
    assert_string_equal(tv_settings_text(s, "redis"), "redis://flag");
    assert_string_equal(tv_settings_text(s, "log"), "debug");
    assert_string_equal(tv_settings_text(s, "mongo"), "mongodb://127.0.0.1:27018");
    assert_int_equal(tv_settings_int(s, "factors"), 50);
    assert_int_equal(tv_settings_list(s, "set", &list), 2);
    assert_string_equal(list[1], "b=2");
    assert_true(tv_settings_on(s, "dry-run"));
    assert_string_equal(argv[1], "x.csv");
    tv_settings_free(s);
}

static void refuse(const char *const *env, int argc, char **argv, const char *message, const char *hint)
{
    struct tv_settings *s = NULL;
    struct tv_error err = {0};
    assert_int_equal(parse(&s, env, &err, argc, argv), TV_ERR_USAGE);
    assert_non_null(strstr(err.message, message));
    assert_non_null(strstr(err.hint, hint));
}

static void mistakes_are_named(void **state)
{
    (void)state;
    const char *const none[] = {NULL};
    const char *const typo[] = {"TRIVET_POSTGRE=x", NULL};
    const char *const level[] = {"TRIVET_LOG=loud", NULL};
    refuse(typo, 1, (char *[]){"t", NULL}, "TRIVET_POSTGRE", "TRIVET_POSTGRES");
    refuse(level, 1, (char *[]){"t", NULL}, "TRIVET_LOG is \"loud\"", "");
    refuse(none, 2, (char *[]){"t", "--factors=0", NULL}, "--factors is \"0\"", "");
    refuse(none, 2, (char *[]){"t", "--factor5=3", NULL}, "--factor5", "--factors");
    refuse(none, 2, (char *[]){"t", "--set", NULL}, "lacks its value", "--help");
    refuse(none, 3, (char *[]){"t", "a", "b", NULL}, "also given \"b\"", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_without_words_keeps_its_status),
        cmocka_unit_test(numbers_are_strict),       cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(nearest_name_is_found),    cmocka_unit_test(numbers_read_well),
        cmocka_unit_test(buffer_keeps_its_maximum), cmocka_unit_test(addresses_in_doubt_are_told),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(flags_win_over_environment), cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
