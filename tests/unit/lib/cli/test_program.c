/* test_program: a whole program: which command runs, with what, and its exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trivet/cli/options.h"

static char ran[256], text[1 << 16];

static enum tv_status note(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)err;
    snprintf(ran, sizeof ran, "%lld", tv_settings_int(s, "wait"));
    for (int i = 0; i < n; i++)
        snprintf(ran + strlen(ran), sizeof ran - strlen(ran), " %s", arguments[i]);
    return TV_OK;
}

static enum tv_status fail_it(const struct tv_settings *s, int n, char **arguments, struct tv_error *err)
{
    (void)s, (void)n, (void)arguments;
    return tv_fail(err, TV_ERR_BUSY, "another works");
}

static const struct tv_command commands[] = {
    {.name = "load", .arguments = "FILE", .summary = "loads", .min_arguments = 1, .max_arguments = 2, .run = note},
    {.name = "look", .arguments = "", .summary = "looks", .run = note},
    {.name = "wreck", .arguments = "", .summary = "fails", .run = fail_it},
    {.name = NULL},
};
static const struct tv_program program = {.name = "trivet-x",
                                          .summary = "does things",
                                          .mask = TV_PROGRAM_ETL,
                                          .commands = commands,
                                          .standard = "look",
                                          .closing = "an example"};

/* Runs it with words; both outputs together become `text`. */
static int run(const char *words)
{
    char copy[256], *argv[16] = {(char *)"trivet-x"};
    int argc = 1, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    assert_non_null(file);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    ran[0] = '\0';
    int code = tv_program_main(&program, argc, argv);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    ssize_t n = pread(fileno(file), text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    fclose(file);
    return code;
}

/* Whatever is set where the tests run. */
static int forget_environment(void **state)
{
    static char *nothing[] = {NULL};
    (void)state;
    environ = nothing;
    return 0;
}

static void the_named_command_runs_or_the_standard_one(void **state)
{
    (void)state;
    assert_int_equal(run("load --wait 7 a.csv b.csv"), 0);
    assert_string_equal(ran, "7 a.csv b.csv");
    assert_int_equal(run(""), 0);
    assert_string_equal(ran, "0");
    assert_int_equal(run("--wait=3"), 0);
    assert_string_equal(ran, "3");
    setenv("TRIVET_WAIT", "5", 1);
    assert_int_equal(run("look"), 0);
    assert_string_equal(ran, "5");
    unsetenv("TRIVET_WAIT");
    assert_string_equal(text, "");
}

static void mistakes_run_nothing_and_are_told(void **state)
{
    (void)state;
    assert_int_equal(run("lod a.csv"), 2);
    assert_string_equal(text, "trivet-x: trivet-x has no command \"lod\"\nhint: did you mean trivet-x load?\n");
    assert_int_equal(run("load"), 2);
    assert_non_null(strstr(text, "trivet-x load needs FILE"));
    assert_int_equal(run("load --listen 127.0.0.1:1 a.csv"), 2); /* a shared option, but not of this program */
    assert_non_null(strstr(text, "has no option \"--listen\""));
    assert_int_equal(run("load --wait -1 a.csv"), 2);
    assert_string_equal(ran, "");
    assert_int_equal(run("wreck"), 5);
    assert_string_equal(text, "trivet-x: another works\n");
}

static void help_and_version_run_nothing(void **state)
{
    (void)state;
    assert_int_equal(run("--help"), 0);
    assert_non_null(strstr(text, "  look                          looks (the default)\n"));
    assert_non_null(strstr(text, "\nan example\n"));
    assert_int_equal(run("load --help"), 0);
    assert_non_null(strstr(text, "Usage: trivet-x load [OPTION...] FILE"));
    assert_non_null(strstr(text, "environment TRIVET_WAIT"));
    assert_null(strstr(text, "TRIVET_LISTEN"));
    assert_int_equal(run("load --version"), 0);
    assert_int_equal(strncmp(text, "trivet-x ", 9), 0);
    assert_string_equal(ran, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_named_command_runs_or_the_standard_one),
        cmocka_unit_test(mistakes_run_nothing_and_are_told),
        cmocka_unit_test(help_and_version_run_nothing),
    };
    return cmocka_run_group_tests(tests, forget_environment, NULL);
}
