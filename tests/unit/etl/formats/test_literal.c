/* test_literal: Python literals become JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "etl/formats/literal.h"

static void check_literal(const char *text, const char *json)
{
    json_t *value = tv_literal_parse(text, strlen(text));
    if (json == NULL) {
        assert_null(value);
        return;
    }
    assert_non_null(value);
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(dump, json);
    free(dump);
    json_decref(value);
}

static void literals_become_json(void **state)
{
    (void)state;
    check_literal("[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': \"Children's\"}]",
                  "[{\"id\":16,\"name\":\"Animation\"},{\"id\":35,\"name\":\"Children's\"}]");
    check_literal("[]", "[]");
    check_literal(" ( 1 , -2.5, None, True, False, ) ", "[1,-2.5,null,true,false]");
    check_literal("'it\\'s \\u00e9 \\x41 \\n'", "\"it's \u00e9 A \\n\"");
    check_literal("{}", "{}");
    static const char *const bad[] = {
        "",      "[",     "[1",  "{'a'}", "{'a': }",   "{1: 2}",         "'open",
        "[1] 2", "[1 2]", "nul", "[,]",   "'\\ud800'", "{'a\\x00b': 1}", "__import__('os')"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_literal(bad[i], NULL);
}

static void deep_literals_are_refused(void **state)
{
    (void)state;
    char text[2001];
    memset(text, '[', 2000);
    text[2000] = '\0';
    check_literal(text, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_become_json),
        cmocka_unit_test(deep_literals_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
