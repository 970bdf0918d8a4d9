/* test_columns: the columns that a header names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trivet/read/columns.h"

static struct tv_field field(const char *text)
{
    return (struct tv_field){text, strlen(text)};
}

static void header_names_are_known(void **state)
{
    (void)state;
    struct tv_record record = {.n = 5};
    static const char *const names[] = {"user_id:token", "ITEM_ID:token", "fold", "Rating",
                                        "timestamp:float"};
    for (int i = 0; i < 5; i++)
        record.fields[i] = field(names[i]);
    struct tv_columns c;
    tv_columns_from_header(&c, &record);
    assert_int_equal(c.n, 5);
    assert_int_equal(c.at[TV_COLUMN_USER], 0);
    assert_int_equal(c.at[TV_COLUMN_ITEM], 1);
    assert_int_equal(c.at[TV_COLUMN_RATING], 3);
    assert_int_equal(c.at[TV_COLUMN_TIME], 4);
    assert_int_equal(c.at[TV_COLUMN_TITLE], -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(header_names_are_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
