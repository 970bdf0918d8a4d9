/* test_problem: a problem about a parameter names it, and says the rest as any other does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "serve/web/problem.h"
#include "trivet/base/text.h"

static void a_problem_names_its_parameter(void **state)
{
    (void)state;
    struct tv_problem problem = {.retry_after = 3, .hint = "of an older one"};
    assert_int_equal(tv_problem_at(&problem, 400, "top", "top is %d", 0), 0);
    assert_int_equal(problem.status, 400);
    assert_string_equal(problem.parameter, "top");
    assert_string_equal(problem.detail, "top is 0");
    assert_string_equal(problem.hint, "");
    assert_int_equal(problem.retry_after, 0);
    tv_problem_hint(&problem, "from %d to %d", 1, 10);
    assert_string_equal(problem.hint, "from 1 to 10");
    tv_problem(&problem, 503, "not now");
    assert_string_equal(problem.parameter, "");
    assert_string_equal(problem.hint, "");
}

/* A request can be of any length. */
static void long_texts_end_with_a_whole_character(void **state)
{
    (void)state;
    char text[4096] = "x";
    struct tv_problem problem;
    for (size_t n = 1; n + 3 < sizeof text; n += 2)
        memcpy(text + n, "\xc3\xa9", 3);
    tv_problem_at(&problem, 400, text, "%s", text);
    tv_problem_hint(&problem, "%s", text);
    const char *const cut[] = {problem.parameter, problem.detail, problem.hint};
    const size_t sizes[] = {sizeof problem.parameter, sizeof problem.detail, sizeof problem.hint};
    for (int i = 0; i < 3; i++) {
        assert_true(tv_text_is_utf8(cut[i], strlen(cut[i])));
        assert_true(strlen(cut[i]) + 2 >= sizes[i] - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_problem_names_its_parameter),
                                       cmocka_unit_test(long_texts_end_with_a_whole_character)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
