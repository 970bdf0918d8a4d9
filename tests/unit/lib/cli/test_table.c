/* test_table: the four formats of one table, with cells that need care. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trivet/cli/table.h"

static void check(enum tv_table_format format, const char *expected)
{
    const char *const names[] = {"title", "rows", "parameters"};
    const enum tv_table_kind kinds[] = {TV_TABLE_TEXT, TV_TABLE_NUMBER, TV_TABLE_DOCUMENT};
    const char *const cells[] = {"Am\xc3\xa9lie, \"the\" film", "1234567", "{\"a\": 1}", NULL, "0.5", NULL};
    struct tv_table *t = NULL;
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(tv_table_create(&t, 3, names, kinds, NULL), TV_OK);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        assert_int_equal(tv_table_cell(t, cells[i], NULL), TV_OK);
    FILE *out = open_memstream(&text, &n);
    assert_int_equal(tv_table_print(t, format, out, NULL), TV_OK);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    tv_table_free(t);
}

static void aligned_by_characters(void **state)
{
    (void)state;
    check(TV_TABLE_PLAIN, "title                    rows  parameters\n"
                          "------------------  ---------  ----------\n"
                          "Am\xc3\xa9lie, \"the\" film  1,234,567  {\"a\": 1}\n"
                          "                          0.5  \n");
}

static void quoted_for_csv(void **state)
{
    (void)state;
    check(TV_TABLE_CSV, "title,rows,parameters\r\n"
                        "\"Am\xc3\xa9lie, \"\"the\"\" film\",1234567,\"{\"\"a\"\": 1}\"\r\n"
                        ",0.5,\r\n");
}

static void nested_in_json(void **state)
{
    (void)state;
    check(TV_TABLE_JSON, "[\n"
                         "  {\n"
                         "    \"title\": \"Am\xc3\xa9lie, \\\"the\\\" film\",\n"
                         "    \"rows\": 1234567,\n"
                         "    \"parameters\": {\n"
                         "      \"a\": 1\n"
                         "    }\n"
                         "  },\n"
                         "  {\n"
                         "    \"title\": null,\n"
                         "    \"rows\": 0.5,\n"
                         "    \"parameters\": null\n"
                         "  }\n"
                         "]\n");
}

static void ruled_for_markdown(void **state)
{
    (void)state;
    check(TV_TABLE_MARKDOWN, "| title              |      rows | parameters |\n"
                             "| ------------------ | --------: | ---------- |\n"
                             "| Am\xc3\xa9lie, \"the\" film | 1,234,567 | {\"a\": 1}   |\n"
                             "|                    |       0.5 |            |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligned_by_characters),
        cmocka_unit_test(quoted_for_csv),
        cmocka_unit_test(nested_in_json),
        cmocka_unit_test(ruled_for_markdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
