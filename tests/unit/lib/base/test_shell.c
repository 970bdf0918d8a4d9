/* test_shell: a word of a command is one word to a shell, whatever stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "trivet/base/shell.h"

static const char *const words[] = {"ratings.csv", "a b", "it's", "$(date)", "`id`", "a;b", "-rf", "", "a\"b", "*", "\xff", "''"};

/* What /bin/sh makes of it. */
static void a_shell_reads_it_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char word[200], command[256], got[200] = "";
        snprintf(command, sizeof command, "printf %%s %s", tv_shell_word(word, sizeof word, words[i]));
        FILE *shell = popen(command, "r");
        assert_non_null(shell);
        got[fread(got, 1, sizeof got - 1, shell)] = '\0';
        assert_int_equal(pclose(shell), 0);
        const char *begin = strncmp(words[i], "-", 1) == 0 && strncmp(got, "./", 2) == 0 ? got + 2 : got; /* a name, and no flag */
        assert_string_equal(begin, words[i]);
    }
}

static void what_needs_no_quotes_has_none(void **state)
{
    (void)state;
    char word[64];
    assert_string_equal(tv_shell_word(word, sizeof word, "ratings_2.csv"), "ratings_2.csv");
    assert_string_equal(tv_shell_word(word, sizeof word, "my ratings"), "'my ratings'");
}

static void a_word_that_is_too_long_is_cut_and_closed(void **state)
{
    (void)state;
    char word[16];
    tv_shell_word(word, sizeof word, "much longer than fits");
    assert_int_equal(word[strlen(word) - 1], '\'');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shell_reads_it_back),
        cmocka_unit_test(what_needs_no_quotes_has_none),
        cmocka_unit_test(a_word_that_is_too_long_is_cut_and_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
