/* test_settings: flags, environment and defaults, and mistakes in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/cli/options.h"

static enum tv_status nothing(const struct tv_settings *s, int n, char **a, struct tv_error *err)
{
    (void)s, (void)n, (void)a, (void)err;
    return TV_OK;
}

static const struct tv_option own_rows[] = {
    {.name = "factors", .kind = TV_OPTION_INT, .value = "K", .default_text = "50", .min = 1, .max = 1000, .help = "h"},
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
    struct tv_command_line line = {.argc = argc, .argv = argv, .environment = env};
    return tv_settings_parse(s, &program, commands, &line, err);
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
        cmocka_unit_test(flags_win_over_environment),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
